"""Readable output while a session runs: each line names its speaker, words appear as they come, at any width, also in a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

_COLOURS = ("cyan", "magenta", "yellow", "blue", "green")
_NARROW = 60
_LABEL = 16
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Screen:
    """Writes a session to a console: each line begins with its speaker.

    Words are shown as they come and wrapped at the edge. Nothing is ever redrawn, so a log reads like the terminal did.

    Args:
        console: Where to write; unset: standard output. Rich honours `NO_COLOR` and leaves colours out of files and pipes.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._colours: dict[str, str] = {}
        self._speaker: str | None = None
        self._column = 0
        self._word = ""
        self._space = False
        plain = self.console.options.ascii_only
        self.marks = {"call": ">" if plain else "▸", "ok": "ok" if plain else "✓", "bad": "x" if plain else "✗", "cut": "/" if plain else "✂"}

    @property
    def _indent(self) -> int:
        return 2 if self.console.width < _NARROW else _LABEL + 2

    def title(self, text: str) -> None:
        """A heading."""
        self.end_line()
        self.console.print()
        line = "-" if self.console.options.ascii_only else "─"
        if len(text) > self.console.width - 4:  # a rule would leave the end of its title out
            self.console.print(Text(text, style="bold"))
            text = ""
        self.console.rule(Text(text, style="bold"), align="left", characters=line)

    def words(self, model: str, text: str) -> None:
        """The next words of a model, in pieces of any size.

        Args:
            model: `provider/model`.
            text: A piece of what it says; it may begin or end within a word.
        """
        if self._speaker != model:
            self._begin(short(model), self.colour(model))
            self._speaker = model
        for piece in re.split(r"(\s+)", clean(text)):
            if piece.isspace():
                self._end_word()
                if "\n" in piece:
                    self._break()
                else:
                    self._space = self._column > self._indent
            else:
                self._word += piece

    def line(self, label: str, text: str, *, style: str = "", crop: bool = False) -> None:
        """One line, or several if the text is long.

        Args:
            label: The speaker or the topic; a model as `provider/model`.
            text: The text, wrapped at the edge.
            style: Its colour.
            crop: Leave out what does not fit, instead of going on in the next line.
        """
        self._begin(short(label), self._colours.get(label, "dim"))
        body = Text(clean(text), style=style)
        room = max(self.console.width - self._indent, 10)
        if crop:
            body.truncate(room, overflow="ellipsis")
        for number, row in enumerate(body.wrap(self.console, room)):
            if number:
                self._break()
            row.rstrip()
            self.console.print(row, end="", soft_wrap=True)
        self.end_line()

    def table(self, title: str, columns: Iterable[str], rows: Iterable[Iterable[str | Text]]) -> None:
        """A table with a title."""
        self.end_line()
        heads = [Column(name, overflow="fold") for name in columns]
        table = Table(*heads, title=title, title_style="bold", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*row)
        self.console.print()
        self.console.print(table)

    def text(self, text: str | Text) -> None:
        """A paragraph."""
        self.end_line()
        self.console.print(text)

    def end_line(self) -> None:
        """Ends the line that is being written, if there is one."""
        self._end_word()
        if self._column:
            self.console.print()
        self._column, self._speaker = 0, None

    def colour(self, model: str) -> str:
        """A model's colour, the same for the whole session."""
        return self._colours.setdefault(model, _COLOURS[len(self._colours) % len(_COLOURS)])

    def _begin(self, label: str, style: str) -> None:
        self.end_line()
        if self.console.width < _NARROW:
            if label:
                self.console.print(Text(label, style=style), soft_wrap=True)
            self.console.print("  ", end="")
        else:
            self.console.print(Text(f"{label[:_LABEL]:>{_LABEL}}  ", style=style), end="", soft_wrap=True)
        self._column = self._indent

    def _end_word(self) -> None:
        word, self._word = self._word, ""
        if not word:
            return
        space, self._space = self._space, False
        if self._column + space + len(word) > self.console.width and self._column > self._indent:
            self._break()
        elif space:
            word = f" {word}"
        self.console.print(Text(word), end="", soft_wrap=True)
        self._column += len(word)

    def _break(self) -> None:
        self.console.print()
        self.console.print(" " * self._indent, end="")
        self._column, self._space = self._indent, False


def short(model: str) -> str:
    """A model's name without its provider."""
    return model.partition("/")[2] or model


def clean(text: str) -> str:
    """The text without control characters, so that the output of models and tools cannot move the cursor or change colours."""
    return _CONTROL.sub("·", text.replace("\r\n", "\n").expandtabs(4))


def counted(number: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def call_text(name: str, args: Mapping[str, Any]) -> str:
    """A tool call with its long arguments shortened: `edit(timesheet/pay.py, old_text=14 lines, new_text=15 lines)`."""
    parts = []
    for key, value in args.items():
        if isinstance(value, str) and ("\n" in value or len(value) > 60):
            parts.append(f"{key}={counted(len(value.splitlines()), 'line')}")
        elif isinstance(value, str) and not parts:
            parts.append(value)
        else:
            parts.append(f"{key}={value!r}")
    return f"{name}({', '.join(parts)})"
