"""How often a model wrote the calls of a tool, how often it had to mend one, and how often it could not; and what a look at them found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class CallCounts:
    """The calls of one tool that one model was to write, but for those that it could not be asked for: an outage is not a bad answer.

    Attributes:
        calls: All of them.
        mended: Those that were right only after the model was told what was wrong.
        failed: Those that went to another model, or to none.
        looked: Finished calls that were looked at before they landed.
        look_mended: Those of them that were sent back and mended.
        look_stood: Those that were sent back and landed as they were, because no usable call came in their place.
    """

    calls: int = 0
    mended: int = 0
    failed: int = 0
    looked: int = 0
    look_mended: int = 0
    look_stood: int = 0

    def __add__(self, other: CallCounts) -> CallCounts:
        return CallCounts(*(getattr(self, name) + getattr(other, name) for name in _NAMES))

    def __str__(self) -> str:
        return f"{self.calls:,} call{'' if self.calls == 1 else 's'}, {self.mended:,} mended, {self.failed:,} failed"

    @property
    def looks(self) -> str:
        """What the looks found, for people; empty if there were none."""
        return f"looked {self.looked:,}, mended {self.look_mended:,}, stood {self.look_stood:,}" if self.looked else ""

    @property
    def told(self) -> str:
        """Calls and looks on one line, for people."""
        return "; ".join(filter(None, (str(self) if self.calls or not self.looked else "", self.looks)))

    def to_dict(self) -> dict[str, int]:
        """Plain data, for JSON; without the looks where there were none."""
        return {name: number for name, number in asdict(self).items() if number or not name.startswith("look")}

    @classmethod
    def from_dict(cls, data: Any) -> CallCounts:
        """What `to_dict` gave; what is no count there is 0."""
        found = data if isinstance(data, Mapping) else {}
        numbers = {name: found.get(name) for name in _NAMES}
        return cls(**{name: number for name, number in numbers.items() if type(number) is int and number > 0})


_NAMES = tuple(each.name for each in fields(CallCounts))
