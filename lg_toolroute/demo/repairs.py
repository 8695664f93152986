"""What the demo's scripted models know about the bugs of the demo's project, and their two ways to copy text.

A repair says where a bug is and how the code changes; the text that an edit replaces is always taken from what `read`, or a brief, showed. So
whether an edit fits depends only on how faithfully a model copies.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lg_toolroute.demo.transcript import Transcript

_LINE_NUMBER = re.compile(r"^ *\d+  ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Repair:
    """One bug.

    Attributes:
        path: The file it is in.
        function: The function it is in.
        symptom: A pattern for what the tests print because of it.
        why: What is wrong, in words that name the function in backticks.
        pattern: The part of the function's text that changes.
        change: What it changes to.
    """

    path: str
    function: str
    symptom: str
    why: str
    pattern: str
    change: str


REPAIRS = (
    Repair(
        path="timesheet/clock.py",
        function="worked",
        symptom=r"in worked\n",
        why="A night shift ends before it began: `worked` in timesheet/clock.py forgets the day in between. "
        "The difference has to be taken modulo one day.",
        pattern=r"finish - begin",
        change=r"(finish - begin) % MINUTES_PER_DAY",
    ),
    Repair(
        path="timesheet/pay.py",
        function="pay",
        symptom=r"test_two_shifts_of_one_day",
        why="`pay` in timesheet/pay.py counts overtime shift by shift, so two short shifts of one day never reach it. "
        "The minutes have to be added up by day first.",
        pattern=r"    plain +=.*?(?=    return )",
        change=(
            "    by_day: dict[str, int] = {}\n"
            "    for shift in shifts:\n"
            "        spent = worked(shift.start, shift.end, shift.pause)\n"
            "        by_day[shift.day] = by_day.get(shift.day, 0) + spent\n"
            "    plain = sum(min(spent, FULL_DAY) for spent in by_day.values())\n"
            "    extra = sum(max(spent - FULL_DAY, 0) for spent in by_day.values())\n"
        ),
    ),
)


def repairs_for(output: str) -> list[Repair]:
    """The repairs of the bugs that show in what `run_tests` printed."""
    return [repair for repair in REPAIRS if re.search(repair.symptom, output)]


def repair_named_in(words: str) -> Repair | None:
    """The repair of the last function that is named in backticks; `None` if none is."""
    names = re.findall(r"`(\w+)`", words)
    return next((repair for name in reversed(names) for repair in REPAIRS if repair.function == name), None)


Copy = Callable[[str, int], str]
"""Copies the text of a function from what `read` showed; the number says how many edits of the file have failed so far."""


def copy_exactly(shown: str, failures: int = 0) -> str:
    """Every character as it stands in the file, without the line numbers that `read` adds."""
    return _LINE_NUMBER.sub("", shown)


def copy_from_memory(shown: str, failures: int) -> str:
    """The meaning is kept, the characters are not: each failed edit is followed by another kind of slip."""
    text = copy_exactly(shown)
    slips = (
        re.sub(r"(?<=\S) {2,}", " ", text),  # aligned columns come out with one space
        shown,  # the line numbers are copied, too
        text.replace("'", '"'),
        re.sub(r"^((?: {4})+)", lambda indent: " " * (len(indent[1]) // 2), text, flags=re.MULTILINE),
    )
    return slips[failures % len(slips)]


def edit_arguments(repair: Repair, transcript: Transcript, copy: Copy) -> dict[str, str] | None:
    """The arguments of the `edit` that mends a bug; `None` if neither a brief nor a `read` has shown the function."""
    shown = transcript.files.get(repair.path)
    if shown is None:
        shown = next((call.text for call in reversed(transcript.calls("read", repair.path))), "")
    function = rf"^(?: *\d+  )?def {repair.function}\(.*?(?=\n(?: *\d+  )?\n(?: *\d+  )?\n|\Z)"
    found = re.search(function, shown, re.MULTILINE | re.DOTALL)
    if found is None:
        return None
    failures = sum(not call.replaced for call in transcript.calls("edit", repair.path))
    new = re.sub(repair.pattern, repair.change.replace("\\", r"\\"), copy_exactly(found[0]), count=1, flags=re.DOTALL)
    return {"path": repair.path, "old_text": copy(found[0], failures), "new_text": new}
