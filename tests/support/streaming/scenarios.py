"""The stories that every surface must stream alike, told by scripted models that react to what they are sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool, tool

from lg_toolroute import ToolRouter
from lg_toolroute.testing import Call, Fail, ModelRequest, Say, ScriptedModel

PRIMARY, ROUTED, SECOND, SPARE = "kimi/primary", "deepseek/routed", "xai/second", "ollama/spare"
DROPPED = "the-dropped-call"
"""Stands in the arguments of every call that must never be seen."""

EDIT = {"path": "a.py", "text": "good"}
WRITE = {"path": "b.py", "text": "also good"}
READ = {"path": "c.py"}


@tool
def edit(path: str, text: str) -> str:
    """Edit a file."""
    return f"edited {path}"


@tool
def write(path: str, text: str) -> str:
    """Write a file."""
    return f"wrote {path}"


@tool
def read(path: str) -> str:
    """Read a file."""
    return f"read {path}"


TOOLS: list[BaseTool] = [edit, write, read]


@dataclass(frozen=True)
class Scenario:
    """One story.

    Attributes:
        name: As it stands in the table.
        primary: What the primary does in the first turn.
        text: The text that lands in the first turn.
        calls: The calls that land in the first turn.
        drain: The routed tools are drained.
        cut_at: Where the rule for `edit` cuts.
    """

    name: str
    primary: Any
    text: str
    calls: tuple[tuple[str, dict[str, str]], ...] = ()
    drain: bool = False
    cut_at: str = "name"


def dropped(name: str) -> Call:
    return Call(name, {"path": DROPPED, "text": DROPPED * 3})


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("no route", Say("Only reading.", [Call("read", READ)], chunks=4), "Only reading.", (("read", READ),)),
    Scenario("routed call", Say("Now the edit.", [dropped("edit")], chunks=4), "Now the edit.", (("edit", EDIT),)),
    Scenario(
        "kept calls + routed call",
        Say("Both.", [Call("read", READ), dropped("edit")], chunks=4),
        "Both.",
        (("read", READ), ("edit", EDIT)),
    ),
    Scenario(
        "routed call, cut at an argument",
        Say("Now the edit.", [Call("read", READ), Call("edit", {"path": "a.py", "text": DROPPED * 3})], chunks=4),
        "Now the edit.",
        (("read", READ), ("edit", EDIT)),
        cut_at="argument",
    ),
    Scenario(
        "drain with two routed calls",
        Say("All three.", [dropped("edit"), Call("read", READ), dropped("write")], chunks=4),
        "All three.",
        (("edit", EDIT), ("read", READ), ("write", WRITE)),
        drain=True,
    ),
    Scenario("fallback before text", Fail(ConnectionError("refused")), "The spare speaks.", (("edit", EDIT),)),
    Scenario(
        "fallback after text",
        Fail(ConnectionError("reset"), Say("The primary says some", [dropped("edit")], chunks=3), at="name"),
        "The primary says some and the spare goes on.",
        (("edit", EDIT),),
    ),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def models(scenario: Scenario) -> dict[str, BaseChatModel]:
    """The models of a story. They may be asked by any number of runs at once: what they answer follows from the request."""

    def after_tools(request: ModelRequest) -> bool:
        return any(message.type == "tool" for message in request.messages)

    def primary(request: ModelRequest) -> Any:
        return Say("Done.", chunks=2) if after_tools(request) else scenario.primary

    def spare(request: ModelRequest) -> Any:
        if after_tools(request):
            return Say("Done.", chunks=2)
        text = " and the spare goes on." if scenario.name == "fallback after text" else "The spare speaks."
        return Say(text, [dropped("edit")], chunks=5)

    def writer(name: str, args: dict[str, str]) -> Callable[[ModelRequest], Any]:
        return lambda request: Say("(not shown)", [Call(name, args)], chunks=6)

    return {
        PRIMARY: ScriptedModel(answer=primary, name=PRIMARY),
        SPARE: ScriptedModel(answer=spare, name=SPARE),
        ROUTED: ScriptedModel(answer=writer("edit", EDIT if scenario.cut_at == "name" else {"text": EDIT["text"]}), name=ROUTED),
        SECOND: ScriptedModel(answer=writer("write", WRITE), name=SECOND),
    }


def router(scenario: Scenario, *, scripted: dict[str, BaseChatModel] | None = None) -> ToolRouter:
    mode = {"onIntercept": "drain"} if scenario.drain else {}
    config = {
        "model": {"primary": PRIMARY, "fallbacks": [SPARE]},
        "toolRouting": {"edit": {"primary": ROUTED, **(mode or {"cutAt": scenario.cut_at})}, "write": {"primary": SECOND, **mode}},
    }
    return ToolRouter(config, models=scripted or models(scenario))
