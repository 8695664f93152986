"""Why the answer of a reasoning model cannot be used as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from lg_toolroute.gates.answer import NO_ARGUMENTS, Finish, parse_arguments
from lg_toolroute.gates.held_call import HeldCall


class Answered(Protocol):
    """What is read of the gate of an answer that has ended."""

    finish: Finish
    calls: list[HeldCall]
    shown: bool

    @property
    def finished(self) -> bool: ...


def why_unusable(answer: Answered, is_unavailable: Callable[[HeldCall], bool]) -> tuple[str, str] | None:
    """Why an answer cannot be used, as reason and detail; `None` if it can.

    Args:
        answer: The answer, none of whose calls is routed.
        is_unavailable: Whether a call is one of a tool that the model may not call.
    """
    if answer.finish.refused and not answer.calls:
        return None  # a refusal is an answer; the rule decides whether another model is asked
    if answer.finish.truncated:
        return "truncated", answer.finish.detail()
    for call in answer.calls:
        if not call.name:
            return "invalid_tool_call", "a tool call had no name"
        if is_unavailable(call):
            return "invalid_tool_call", f"the tool {call.name!r} is not available; go on without it"
        arguments = parse_arguments(call.args) if call.args.strip() or answer.finished else NO_ARGUMENTS
        if isinstance(arguments, str):
            return "invalid_tool_call", f"the call of {call.name!r} cannot be run: {arguments}"
    if not answer.calls and not answer.shown:
        return "empty_response", "the answer was empty: it held neither text nor a tool call"
    return None
