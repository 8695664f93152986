"""What providers make of a `tool_choice`: each function makes the check of a rule."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Literal

from lg_toolroute.testing.providers.rule import Check, Refusal
from lg_toolroute.testing.server_request import ServerRequest

Kind = Literal["name", "any", "auto", "none", "absent"]
FORCED: frozenset[Kind] = frozenset({"name", "any"})


def kind_of(request: ServerRequest) -> Kind:
    """Which kind of choice a request makes."""
    choice = request.tool_choice
    if choice is None:
        return "absent"
    return "any" if choice == "any" else "auto" if choice == "auto" else "none" if choice == "none" else "name"


def refuses(says: str, kinds: Collection[Kind] = FORCED, *, when: Callable[[ServerRequest], bool] = lambda request: True) -> Check:
    """Refuses some kinds of choice.

    Args:
        says: Its words. `{kind}` becomes `specified` for a name and `required` otherwise.
        kinds: The kinds.
        when: Asked of the request; the choice is taken if it says no.
    """

    def check(request: ServerRequest) -> str | None:
        kind = kind_of(request)
        if kind not in kinds or not when(request):
            return None
        return says.format(kind="specified" if kind == "name" else "required")

    return check


def bare_name(*words: str) -> Check:
    """A tool's name alone is no choice; some clients send one (ChatLiteLLM, ChatCohere).

    Args:
        *words: The words that are a choice.
    """
    taken = f"{', '.join(repr(word) for word in words[:-1])}, and {words[-1]!r}"

    def check(request: ServerRequest) -> Refusal | None:
        choice = request.body.get("tool_choice")
        if not isinstance(choice, str) or choice in words:
            return None
        return Refusal(f"Invalid value: '{choice}'. Supported values are: {taken}.", "tool_choice", code="invalid_value")

    return check


def without_tools(request: ServerRequest) -> Refusal | None:
    """A choice needs tools to choose from."""
    if request.body.get("tool_choice") in (None, "none") or request.tools:
        return None
    return Refusal("Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.", "tool_choice")


def unbound_name(request: ServerRequest) -> Refusal | None:
    """The tool that is named is among the tools."""
    named = request.forced_tool
    if named is None or named in request.tools or isinstance(request.body.get("tool_choice"), str):
        return None
    return Refusal(f"Invalid value for 'tool_choice': the function '{named}' is not among the 'tools'.", "tool_choice")
