"""How often a model wrote the calls of a tool, how often it had to mend one, and how often it could not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CallCounts:
    """The calls of one tool that one model was to write, but for those that it could not be asked for: an outage is not a bad answer.

    Attributes:
        calls: All of them.
        mended: Those that were right only after the model was told what was wrong.
        failed: Those that went to another model, or to none.
    """

    calls: int = 0
    mended: int = 0
    failed: int = 0

    def __add__(self, other: CallCounts) -> CallCounts:
        return CallCounts(self.calls + other.calls, self.mended + other.mended, self.failed + other.failed)

    def __str__(self) -> str:
        return f"{self.calls:,} call{'' if self.calls == 1 else 's'}, {self.mended:,} mended, {self.failed:,} failed"

    def to_dict(self) -> dict[str, int]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> CallCounts:
        """What `to_dict` gave; what is no count there is 0."""
        found = data if isinstance(data, Mapping) else {}
        numbers = {name: found.get(name) for name in ("calls", "mended", "failed")}
        return cls(**{name: number for name, number in numbers.items() if type(number) is int and number > 0})
