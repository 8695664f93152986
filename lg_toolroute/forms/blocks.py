"""Search/replace blocks, as Aider's models write them: whole lines that are in the file once, and what takes their place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lg_toolroute.forms.notation import CREATES, Arguments, Part, only_one, read_back, text_of
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.forms.text import FileText, contents, widened

SEARCH, DIVIDER, REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"
"""Seven characters and no others: a heading's underline is no divider (Aider#4968)."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Search/replace blocks.

    Attributes:
        file: The argument that names the file.
        blocks: The argument with the blocks, one after the other.
    """

    file: str
    blocks: str = "blocks"

    @property
    def uses(self) -> frozenset[str]:
        return frozenset({self.file, self.blocks})

    @property
    def tells(self) -> str:
        return (
            f"Changes a file by search/replace blocks. `{self.blocks}` holds one block a change:\n{SEARCH}\nlines as they stand in the file\n"
            f"{DIVIDER}\nlines that take their place\n{REPLACE}\nThe searched lines are whole lines, copied from the file character for "
            "character, and are in the file once: take more of the lines around them where they are not. Blocks are carried out in their order."
        )

    @property
    def properties(self) -> dict[str, Any]:
        return {
            self.file: {"type": "string", "description": "The file's name."},
            self.blocks: {"type": "string", "description": "The search/replace blocks."},
        }

    def parts(self, arguments: Arguments) -> list[Part]:
        file = text_of(arguments, self.file)
        found = list(_blocks(text_of(arguments, self.blocks), file))
        if not found:
            raise FormRefused(
                "there is no search/replace block in it", f"write each change as {SEARCH}, {DIVIDER}, {REPLACE}, each on a line of its own"
            )
        return [Part(file, found, new=len(found) == 1 and not found[0][0])]

    def apply(self, part: Part, text: FileText) -> FileText:
        for number, (searched, new) in enumerate(part.said, 1):
            if not searched and text.lines:
                raise FormRefused(f"block {number} searches for nothing", "put lines of the file into it, beside which the new ones are to stand")
            start = only_one(text.find(searched), f"what block {number} searches for") if searched else 0
            # Lines that stay are left as the file has them: they may differ in trailing white space from what was searched.
            most = min(len(searched), len(new))
            head = next((place for place in range(most) if searched[place] != new[place]), most)
            tail = next((place for place in range(most - head) if searched[-1 - place] != new[-1 - place]), most - head)
            text = text.replaced(start + head, start + len(searched) - tail, new[head : len(new) - tail])
        return text

    def write(self, file: str, before: FileText | None, after: FileText) -> list[dict[str, Any]]:
        source = before or FileText(())
        hunks = source.hunks(after)
        if before is None and not after.lines:
            raise CREATES

        def calls(context: int) -> list[dict[str, Any]]:
            blocks = [
                [SEARCH, *contents(source, each.start, each.end), DIVIDER, *contents(after, each.new_start, each.new_end), REPLACE]
                for each in source.grouped(hunks, context)
            ]
            return [{self.file: file, self.blocks: "\n".join(line for block in blocks for line in block)}]

        return widened(source, after, calls, lambda written: read_back(self, written, source))


def _blocks(text: str, file: str) -> Iterator[tuple[list[str], list[str]]]:
    """The searched and the new lines of each block."""
    sides: list[list[str]] = []
    for line in text.split("\n"):
        mark = line.rstrip()
        if mark == SEARCH and not sides:
            sides = [[]]
        elif mark == DIVIDER and len(sides) == 1:
            sides.append([])
        elif mark == REPLACE and len(sides) == 2:
            yield sides[0], sides[1]
            sides = []
        elif mark in (SEARCH, DIVIDER, REPLACE):
            raise FormRefused(f"a line {mark!r} stands where none belongs", "choose lines for the block of which none looks like a mark of it")
        elif sides:
            sides[-1].append(line)
        elif mark and not mark.startswith("```") and mark.strip("`*# ") != file:
            raise FormRefused("a line stands outside the blocks", f"write nothing but blocks of {SEARCH}, {DIVIDER}, {REPLACE}")
    if sides:
        raise FormRefused("the last block does not end", f"end it with a line {REPLACE}")
