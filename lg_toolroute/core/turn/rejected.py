"""What models wrote that could not be used, remembered for the one chance to mend it."""

from __future__ import annotations

from collections import OrderedDict

from lg_toolroute.core.turn.turn import Job

_MOST = 1024
"""Twice the 500 turns that may run at once in one process, so that a writer can still read its answer when it mends it. An entry holds a key of names
and a text of about 2,000 characters (`gates.chunks.shortened`): 5 MB in all, and 9 MB if every character takes four bytes."""


class RejectedAnswers:
    """The newest answers that could not be used, as plain words.

    They are kept here, and not in the turn, because a consumer can read the state that a turn is parked in. A process that resumes another one's
    turn knows only what was wrong with them.
    """

    def __init__(self) -> None:
        self._written: OrderedDict[tuple[str, str | None, tuple[str, ...]], str] = OrderedDict()

    def keep(self, turn_id: str, job: Job, written: str) -> None:
        """Remember what a job's candidate wrote."""
        self._written[(turn_id, job.candidate, job.tools)] = written
        while len(self._written) > _MOST:
            self._written.popitem(last=False)

    def of(self, turn_id: str, job: Job) -> str:
        """What a job's candidate wrote; empty if that is not known."""
        return self._written.get((turn_id, job.candidate, job.tools), "")
