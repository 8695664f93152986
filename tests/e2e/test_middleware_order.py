"""Which order with every middleware that LangChain ships works: a routed run for each cell of the table in `docs/middleware.md`."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents import middleware as shipped
from langchain.agents.middleware import AgentMiddleware, ClearToolUsesEdit
from langchain_anthropic.middleware import AnthropicPromptCachingMiddleware
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from lg_toolroute import ConfigError, ToolRouteMiddleware
from lg_toolroute.surfaces.middleware.order import check_order
from lg_toolroute.testing import Say, ScriptedModel
from tests.support.documented import check_table
from tests.support.middleware_agents import ASK, DROPPED, WRITER, agent_of, edit, last_call, read, record_of, router_for, story, writer

OPENAI = "openai/gpt-5"
"""The primary's name here: LangChain's tool search looks at the provider."""
POLICY = {"byModel": {"nobody/*": {"deny": ["shell"]}}}


def helper(*script: Any, **settings: Any) -> ScriptedModel:
    return ScriptedModel(script, name="helper/model", **settings)


class Selector(ScriptedModel):
    """Selects both tools."""

    def with_structured_output(self, schema: Any, **settings: Any) -> Any:
        return RunnableLambda(lambda _: {"tools": ["read", "edit"]})


MIDDLEWARES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "ContextEditingMiddleware": (
        lambda _: shipped.ContextEditingMiddleware(edits=[ClearToolUsesEdit(trigger=1, keep=0)]),
        "before: edits once a turn; after: once a segment",
    ),
    "FilesystemFileSearchMiddleware": (lambda path: shipped.FilesystemFileSearchMiddleware(root_path=str(path)), "brings tools; they can be routed"),
    "HumanInTheLoopMiddleware": (lambda _: shipped.HumanInTheLoopMiddleware({"edit": True}), "sees the routed call; nothing is written twice"),
    "LLMToolEmulator": (
        lambda _: shipped.LLMToolEmulator(tools=["read"], model=helper(Say("emulated"), loop=True)),
        "before: would answer for tools that the policy denies; refused only where there is a policy",
    ),
    "LLMToolSelectorMiddleware": (
        lambda _: shipped.LLMToolSelectorMiddleware(model=Selector()),
        "after: would choose anew for every segment",
    ),
    "ModelCallLimitMiddleware": (lambda _: shipped.ModelCallLimitMiddleware(run_limit=5), "a routed turn counts once"),
    "ModelFallbackMiddleware": (
        lambda _: shipped.ModelFallbackMiddleware(helper()),
        "before: when every candidate has failed, the whole turn goes to another primary; after: another model answers behind the same gate, "
        "and the chain learns of no failure. Fallbacks in the configuration know of cooldowns and tool policies; prefer them",
    ),
    "ModelRetryMiddleware": (
        lambda _: shipped.ModelRetryMiddleware(max_retries=1, initial_delay=0, jitter=False),
        "before: the turn is tried again when the chain is exhausted; after: each model is asked again before the chain goes on",
    ),
    "PIIMiddleware": (lambda _: shipped.PIIMiddleware("email", apply_to_output=True), ""),
    "ProviderToolSearchMiddleware": (
        lambda _: shipped.ProviderToolSearchMiddleware(searchable_tools=["read"]),
        "after: raises in segments that bind the routed tool only",
    ),
    "ShellToolMiddleware": (lambda path: shipped.ShellToolMiddleware(workspace_root=path), "brings a tool; it can be routed"),
    "SummarizationMiddleware": (lambda _: shipped.SummarizationMiddleware(model=helper(), trigger=("messages", 50)), ""),
    "TodoListMiddleware": (lambda _: shipped.TodoListMiddleware(), "brings a tool; it can be routed"),
    "ToolCallLimitMiddleware": (lambda _: shipped.ToolCallLimitMiddleware(run_limit=5), "counts the calls that land"),
    "ToolErrorMiddleware": (lambda _: shipped.ToolErrorMiddleware(on_error=lambda error, request: str(error)), "shows failures to `escalate`"),
    "ToolRetryMiddleware": (lambda _: shipped.ToolRetryMiddleware(max_retries=1, initial_delay=0, jitter=False), ""),
    "AnthropicPromptCachingMiddleware": (
        lambda _: AnthropicPromptCachingMiddleware(unsupported_model_behavior="ignore"),
        "of langchain-anthropic. after: marks what each segment's own model caches; before: the marks are taken off for other providers",
    ),
}
CELLS = [(name, before, durable) for name in MIDDLEWARES for durable in (False, True) for before in (True, False)]


def build(name: str, path: Path, *, before: bool, durable: bool) -> Any:
    other = MIDDLEWARES[name][0](path)
    ends = {"before": [other]} if before else {"after": [other]}
    return agent_of(
        ScriptedModel(story(), name=OPENAI),
        writer(),
        config={"tools": POLICY},
        settings={"durable": durable},
        checkpointer=InMemorySaver(),
        **ends,
    )


async def run(agent: Any, *, asynchronous: bool) -> Any:
    config = {"configurable": {"thread_id": "1"}}
    out = await agent.ainvoke(ASK, config) if asynchronous else agent.invoke(ASK, config)
    while "__interrupt__" in out:
        go = Command(resume={"decisions": [{"type": "approve"}]})
        out = await agent.ainvoke(go, config) if asynchronous else agent.invoke(go, config)
    return out


def outcome(name: str, path: Path, *, before: bool, durable: bool) -> str:
    try:
        build(name, path, before=before, durable=durable)
    except ConfigError:
        return "refused"
    return "works"


# LangChain's shell leaves its pipes to the garbage collector, which says so.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("name", "before", "durable"), CELLS)
async def test_a_routed_run_works_beside_it_or_the_agent_is_not_built(
    name: str, before: bool, durable: bool, asynchronous: bool, tmp_path: Path
) -> None:
    try:
        agent = build(name, tmp_path, before=before, durable=durable)
    except ConfigError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert all(part in refusal for part in (name, "ToolRouteMiddleware", "; list "))
        return
    out = await run(agent, asynchronous=asynchronous)
    message, call = last_call(out["messages"])
    assert call["args"] == {"path": "a.py", "text": "good"}
    assert record_of(message)["calls"][call["id"]] == WRITER
    assert out["messages"][-1].text == "Done."
    assert DROPPED not in str(out)
    if name == "ShellToolMiddleware":
        del agent, out, message, call
        gc.collect()


def test_the_middlewares_of_the_table_are_all_that_langchain_ships() -> None:
    classes = {name for name in shipped.__all__ if isinstance(each := getattr(shipped, name), type) and issubclass(each, AgentMiddleware)}
    assert classes - {"AgentMiddleware"} == set(MIDDLEWARES) - {"AnthropicPromptCachingMiddleware"}


def test_the_table_in_the_docs_says_what_happens(tmp_path: Path) -> None:
    """`make docs` writes it."""
    head = "| middleware | before the routing | after it | before, `durable=True` | after, `durable=True` | |"
    lines = [head, "|---|---|---|---|---|---|"]
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, (_, note) in MIDDLEWARES.items():
        cells = [outcome(name, tmp_path, before=before, durable=durable) for durable in (False, True) for before in (True, False)]
        lines.append("| " + " | ".join([f"`{name}`", *cells, note]) + " |")
        groups[cells[0], cells[1]].append(f"`{name}`")
    check_table("middleware.md", "order", "\n".join(lines))
    short = ["| listed before `ToolRouteMiddleware` | listed after it | |", "|---|---|---|"]
    short.extend(f"| {before} | {after} | {', '.join(names)} |" for (before, after), names in groups.items())
    check_table("../README.md", "order", "\n".join(short))


# -- what the refusals say -----------------------------------------------------------------------------------------------------------------


def test_a_refusal_names_both_and_the_fix() -> None:
    selector = shipped.LLMToolSelectorMiddleware(model=helper())
    with pytest.raises(ConfigError, match=r"(?s)middleware\[1\]: LLMToolSelectorMiddleware after ToolRouteMiddleware .*; list LLM.* before Tool"):
        agent_of(ScriptedModel([]), writer([]), after=[selector])


def test_two_routings_in_one_agent_are_refused() -> None:
    second = ToolRouteMiddleware(router_for(writer([])), name="second")
    with pytest.raises(ConfigError, match="second would route what ToolRouteMiddleware has routed already; keep one of them"):
        agent_of(ScriptedModel([]), writer([]), after=[second])


def test_the_order_can_be_checked_by_hand() -> None:
    """For agents that are built by something else than `create_agent`."""
    routing = ToolRouteMiddleware(router_for(writer([])), durable=True)
    check_order([shipped.HumanInTheLoopMiddleware({"edit": True}), routing])
    with pytest.raises(ConfigError, match=r"HumanInTheLoopMiddleware after .*may stand behind .*; list .*, or drop durable=True"):
        check_order([routing, shipped.HumanInTheLoopMiddleware({"edit": True})])


def test_a_middleware_of_ones_own_that_acts_after_the_model_may_not_stand_behind_a_durable_routing() -> None:
    class Mine(AgentMiddleware[Any, Any, Any]):
        async def aafter_model(self, state: Any, runtime: Any) -> None:
            return None

    with pytest.raises(ConfigError, match="Mine after ToolRouteMiddleware"):
        agent_of(ScriptedModel([]), writer([]), after=[Mine()], settings={"durable": True})


def test_two_middlewares_of_one_name_are_langchains_to_refuse() -> None:
    routing = ToolRouteMiddleware(router_for(writer([])))
    with pytest.raises(ConfigError, match="routed already"):
        create_agent(ScriptedModel([]), [read, edit], middleware=[routing, routing])
