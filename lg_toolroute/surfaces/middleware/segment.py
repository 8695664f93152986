"""One segment of a turn as `create_agent` sends it: the agent's own request, with another model behind a gate.

`ModelRequest.override` is how a middleware further in changes a request. When it puts in another model (a fallback, say), the gate must
go along: otherwise that model's call of a routed tool would be shown to the consumer before anybody could look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from langchain.agents.middleware.types import ModelRequest

Regate = Callable[[Any, list[Any]], Mapping[str, Any]]
"""Takes a model that was put in and the tools of the request; gives the overrides that gate it."""


class Segment(ModelRequest[Any]):
    """A `ModelRequest` whose gate stays, whatever model is put into it."""

    _regate: Regate | None = None

    def override(self, **overrides: Any) -> Segment:
        regate = self._regate
        if regate is not None and "model" in overrides:
            overrides = {**overrides, **regate(overrides["model"], overrides.get("tools", self.tools))}
        changed = super().override(**overrides)  # `replace`, so it is a Segment again
        assert isinstance(changed, Segment)  # noqa: S101  # for the type checker
        object.__setattr__(changed, "_regate", regate)
        return changed


def segment_of(request: ModelRequest[Any], regate: Regate, **overrides: Any) -> Segment:
    """The agent's request, with `overrides`, as a segment.

    Args:
        request: The request as the middleware was given it.
        regate: Gates a model that somebody further in puts in place of ours.
        overrides: As `ModelRequest.override` takes them.
    """
    values = {field.name: getattr(request, field.name) for field in fields(request)}
    segment = Segment(**{**values, **overrides})
    object.__setattr__(segment, "_regate", regate)
    return segment
