"""What a step wants the request to look like, and how requests name their tools."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Asked(Protocol):
    """The part of a request that an `Expect` looks at; `ScriptedModel` and `FaultServer` both have it."""

    @property
    def tools(self) -> Sequence[str]: ...

    @property
    def tool_choice(self) -> str | None: ...

    @property
    def last_text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Expect:
    """What a request must look like; what is left out does not matter.

    Attributes:
        tools: The names of exactly the tools that are bound, in any order.
        includes: Tools that must be among the bound ones.
        excludes: Tools that must not.
        tool_choice: A tool's name, `"any"`, `"none"`, or `"auto"` for no choice at all.
        last: Text that the last message contains.
        where: A function that says yes or no to the request.
    """

    tools: Collection[str] | None = None
    includes: Collection[str] = ()
    excludes: Collection[str] = ()
    tool_choice: str | None = None
    last: str | None = None
    where: Callable[[Any], bool] | None = None

    def mismatches(self, request: Asked) -> list[str]:
        """What is different, one clause each; empty when the request is as expected."""
        found: list[str] = []
        bound = set(request.tools)
        if self.tools is not None and bound != set(self.tools):
            found.append(f"tools {sorted(bound)} are bound, not {sorted(self.tools)}")
        if missing := set(self.includes) - bound:
            found.append(f"{sorted(missing)} not among the bound tools {sorted(bound)}")
        if present := set(self.excludes) & bound:
            found.append(f"{sorted(present)} must not be bound, but are")
        if self.tool_choice is not None and (request.tool_choice or "auto") != self.tool_choice:
            found.append(f"tool_choice is {request.tool_choice or 'auto'!r}, not {self.tool_choice!r}")
        if self.last is not None and self.last not in request.last_text:
            found.append(f"the last message is {_short(request.last_text)!r}, which does not contain {self.last!r}")
        if self.where is not None and not self.where(request):
            found.append(f"{getattr(self.where, '__name__', 'where')} says no to it")
        return found


def mismatches(expects: Expect | Callable[[Any], bool] | None, request: Asked) -> list[str]:
    """The same for everything a step's `expects` may be."""
    if expects is None:
        return []
    if not isinstance(expects, Expect):
        expects = Expect(where=expects)
    return expects.mismatches(request)


def tool_name(tool: Any) -> str:
    """The name of a tool in a request, in the format of any provider."""
    if isinstance(tool, Mapping):
        function = tool.get("function")
        if isinstance(function, Mapping):
            return str(function.get("name", ""))
        return str(tool.get("name") or tool.get("type") or "")
    return str(getattr(tool, "name", None) or getattr(tool, "__name__", tool))


def chosen_tool(choice: Any) -> str | None:
    """A `tool_choice` in one spelling: a tool's name, `"any"`, `"none"`, `"auto"`, or `None` if there is none.

    Args:
        choice: As a provider's API or as `bind_tools` takes it.
    """
    if choice is None or choice is False:
        return None
    if choice is True:
        return "any"
    if isinstance(choice, str):
        return "any" if choice == "required" else choice
    function = choice.get("function")
    if isinstance(function, Mapping):
        return str(function.get("name"))
    if choice.get("name"):
        return str(choice["name"])
    return chosen_tool(str(choice.get("type", "auto")))


def names_tool(text: str, tool: str) -> bool:
    """Whether a text names a tool, as a word of its own."""
    return re.search(rf"(?<!\w){re.escape(tool)}(?!\w)", text) is not None


def forced_tool(choice: str | None) -> str | None:
    """The tool that a choice in one spelling names; `None` if it leaves the choice to the model."""
    return None if choice in {None, "any", "none", "auto"} else choice


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "…"
