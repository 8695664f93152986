"""Finished calls that a look sends back before a consumer sees them: their model is to mend them, and what they are now is kept until it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lg_toolroute.core.turn.turn import Intercepted

Look = Callable[[str, Sequence[tuple[Intercepted, str | None]]], Mapping[int, str]]
"""Takes the model that wrote them and the calls of its message in order, each with its arguments as JSON, `None` where another model will write
them; gives what is wrong with a call, by slot."""


@dataclass(frozen=True, slots=True)
class SentBack:
    """A finished call that was sent back.

    Attributes:
        call: Its place, name and id.
        arguments: What its model wrote, as JSON.
        said: What is wrong with it, for the model that is to mend it.
    """

    call: Intercepted
    arguments: str
    said: str

    def announced(self) -> SentBack:
        """The same, now that a consumer has seen its name and its id."""
        return replace(self, call=replace(self.call, announced=True))


def sent_back(look: Look | None, model: str, calls: Sequence[tuple[Intercepted, str | None]]) -> list[SentBack]:
    """Those of a message's calls that the look sends back, in order.

    Args:
        look: The look; `None` sends nothing back.
        model: The model that wrote them.
        calls: As `Look` takes them.
    """
    said = look(model, calls) if look is not None and calls else {}
    return [SentBack(call, written, said[call.slot]) for call, written in calls if written is not None and call.slot in said]
