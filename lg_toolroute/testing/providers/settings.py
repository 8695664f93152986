"""Parameters that providers do not take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lg_toolroute.testing.providers.rule import Check, Refusal
from lg_toolroute.testing.server_request import ServerRequest


def unsupported(says: str, *names: str) -> Check:
    """Refuses parameters that are given at all.

    Args:
        says: Its words; `{name}` becomes the parameter's name, `{model}` the model's.
        *names: The parameters.
    """

    def check(request: ServerRequest) -> Refusal | None:
        given = [name for name in names if request.body.get(name) is not None]
        return Refusal(says.format(name=given[0], model=request.model), given[0]) if given else None

    return check


def unknown(says: str, known: frozenset[str]) -> Check:
    """Refuses parameters that do not exist.

    Args:
        says: Its words; `{name}` becomes the parameter's name.
        known: Those that do.
    """

    def check(request: ServerRequest) -> Refusal | None:
        strange = sorted(request.body.keys() - known)
        return Refusal(says.format(name=strange[0]), strange[0]) if strange else None

    return check


def fixed(name: str, value: Callable[[ServerRequest], Any], says: str) -> Check:
    """Refuses any but one value of a parameter.

    Args:
        name: The parameter.
        value: The value that is taken, for this request.
        says: Its words; `{value}` becomes the value that is taken, `{found}` the one that was sent.
    """

    def check(request: ServerRequest) -> Refusal | None:
        found, taken = request.body.get(name), value(request)
        return None if found is None or found == taken else Refusal(says.format(value=taken, found=found), name)

    return check


def type_of(name: str, refused: Mapping[str, str]) -> Check:
    """Refuses some values of a parameter's `type`.

    Args:
        name: The parameter.
        refused: Its words by the type that is refused.
    """

    def check(request: ServerRequest) -> str | None:
        found = request.body.get(name)
        return refused.get(str(found.get("type"))) if isinstance(found, Mapping) else None

    return check


CHAT = frozenset({
    "model", "messages", "tools", "tool_choice", "stream", "stream_options", "temperature", "top_p", "n", "stop", "max_tokens",
    "max_completion_tokens", "presence_penalty", "frequency_penalty", "response_format", "seed", "user", "parallel_tool_calls", "reasoning_effort",
})  # fmt: skip
"""The parameters of chat completions that every imitation takes."""
