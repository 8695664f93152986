"""One request of a turn as `create_agent` sends it: the agent's own, with another model, behind a gate.

`ModelRequest.override` is how a middleware further in changes a request. When it puts in another model (a fallback, say) or other tools, the
gate and the tool policy must go along: otherwise that model's call of a routed tool would be shown to the consumer before the gate could see
it, and the model would be given tools that it may not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain.agents.middleware.types import ModelRequest

PutIn = Callable[[Any, list[Any]], Mapping[str, Any]]
"""Takes the model and the tools of a request that was changed; gives the overrides that gate the one and take from the other."""


class GatedModelRequest(ModelRequest[Any]):
    """A `ModelRequest` whose gate stays, whatever model is put into it."""

    _put_in: PutIn | None = None

    def override(self, **overrides: Any) -> GatedModelRequest:
        put_in = self._put_in
        if put_in is not None and overrides.keys() & {"model", "tools"}:
            overrides = {**overrides, **put_in(overrides.get("model", self.model), overrides.get("tools", self.tools))}
        changed = super().override(**overrides)  # `replace`, so it is a GatedModelRequest again
        assert isinstance(changed, GatedModelRequest)  # noqa: S101  # for the type checker
        object.__setattr__(changed, "_put_in", put_in)
        return changed

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)  # deprecated by LangChain, and still done
        if self._put_in is not None and name in {"model", "tools"}:
            self.__dict__.update(self._put_in(self.model, self.tools))


def gated_request(request: ModelRequest[Any], put_in: PutIn, **overrides: Any) -> GatedModelRequest:
    """The agent's request with `overrides`, gated.

    Args:
        request: The request as the middleware was given it.
        put_in: Gates a model that a middleware further in puts in place of ours.
        overrides: As `ModelRequest.override` takes them.
    """
    gated = object.__new__(GatedModelRequest)
    gated.__dict__.update(request.__dict__, **overrides, _put_in=put_in)
    return gated
