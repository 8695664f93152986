"""What the demo's scripted models know about mending the demo's project, and the two hands that copy text.

A repair says where a bug is and how the code changes; the text itself is always taken from what a `read` in the history showed. So the two
hands differ in one thing only: how faithfully they copy what they saw.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lg_toolroute.demo.transcript import Transcript

_NUMBER = re.compile(r"^ *\d+  ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Repair:
    """One bug.

    Attributes:
        path: The file it is in.
        function: The function it is in.
        symptom: What the tests print because of it, as a pattern.
        why: What is wrong, in words; they name the function.
        pattern: What changes in the function's text.
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


def open_repairs(output: str) -> list[Repair]:
    """The bugs behind what a test run printed.

    Args:
        output: What `run_tests` answered.
    """
    return [repair for repair in REPAIRS if re.search(repair.symptom, output)]


def meant(words: str) -> Repair | None:
    """The bug that somebody speaks of: the last function that is named in backticks.

    Args:
        words: What was said.
    """
    named = re.findall(r"`(\w+)`", words)
    return next((repair for name in reversed(named) for repair in REPAIRS if repair.function == name), None)


Hand = Callable[[str, int], str]
"""Copies the text of a function as `read` showed it; the number says how many edits of the file have failed since."""


def exact_hand(shown: str, failures: int) -> str:
    """Every character as it stands in the file: the line numbers are what `read` put in front."""
    return _NUMBER.sub("", shown)


def careless_hand(shown: str, failures: int) -> str:
    """From memory: the sense is right, the characters are not."""
    habits = (_evened, _with_numbers, _requoted, _respaced)
    return habits[failures % len(habits)](shown)


def _evened(shown: str) -> str:
    # Columns that the author lined up come out with one space.
    return re.sub(r"(?<=\S) {2,}", " ", _NUMBER.sub("", shown))


def _with_numbers(shown: str) -> str:
    return shown


def _requoted(shown: str) -> str:
    return _NUMBER.sub("", shown).replace("'", '"')


def _respaced(shown: str) -> str:
    return re.sub(r"^((?: {4})+)", lambda found: " " * (len(found[1]) // 2), _NUMBER.sub("", shown), flags=re.MULTILINE)


def edit_arguments(repair: Repair, seen: Transcript, hand: Hand) -> dict[str, str] | None:
    """The arguments of the `edit` that mends a bug; `None` if the history does not show the function.

    Args:
        repair: The bug.
        seen: The history.
        hand: How text is copied.
    """
    reads = seen.of_tool("read", repair.path)
    found = re.search(rf"^ *\d+  def {repair.function}\(.*?(?=\n *\d+  \n *\d+  \n|\Z)", reads[-1].text if reads else "", re.MULTILINE | re.DOTALL)
    if found is None:
        return None
    failures = sum(1 for result in seen.of_tool("edit", repair.path) if not mended(result.text))
    new = re.sub(repair.pattern, repair.change.replace("\\", r"\\"), exact_hand(found[0], 0), count=1, flags=re.DOTALL)
    return {"path": repair.path, "old_text": hand(found[0], failures), "new_text": new}


def mended(answer: str) -> bool:
    """Whether an `edit` was carried out.

    Args:
        answer: What the tool answered.
    """
    return answer.startswith("replaced")
