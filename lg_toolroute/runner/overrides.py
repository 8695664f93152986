"""The agent, role and model of one run, from the surface's own arguments or from the runtime context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lg_toolroute.core.rules.spec import canonical
from lg_toolroute.errors import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class Overrides:
    """What holds for one run.

    Attributes:
        agent: An id under `agents`, for that agent's rules and tool policy; `None`: the defaults.
        role: The role of the run, which picks the chain that reasons.
        model: Reason on this model instead of the primary; canonical.
    """

    agent: str | None = None
    role: str | None = None
    model: str | None = None


NO_OVERRIDES = Overrides()


def read_overrides(context: Any, *, agent: str | None = None, role: str | None = None, model: str | None = None) -> Overrides:
    """The overrides of a run: the surface's own arguments first, then the runtime context.

    Args:
        context: A `ToolRouteContext`, any other object, a mapping, or `None`.
        agent: The surface's own agent; it goes before the context's. `role` and `model` likewise.
        role: The surface's own role.
        model: The surface's own model.

    Raises:
        ConfigError: The model is no spec.
    """
    if context is None and agent is None and role is None and model is None:
        return NO_OVERRIDES
    own = model
    model = model or context_value(context, "model") or None
    return Overrides(
        agent or context_value(context, "agent") or None,
        role or context_value(context, "role") or None,
        None if model is None else _spec(model, "model" if own else "context.model"),
    )


def _spec(model: Any, path: str) -> str:
    try:
        return canonical(model)
    except (ValueError, TypeError, AttributeError) as error:
        known = isinstance(model, str)
        message = str(error) if known else f"a {type(model).__name__} is not a model spec"
        raise ConfigError([Problem(path, message, "" if known else "write provider/model")], source="runtime context") from error


def context_value(context: Any, name: str) -> Any:
    """One value of a runtime context that may be a `ToolRouteContext`, any other object, a mapping, or nothing."""
    if context is None:
        return None
    if isinstance(context, Mapping):
        return context.get(name)
    return getattr(context, name, None)
