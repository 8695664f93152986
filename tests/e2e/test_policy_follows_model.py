"""The tool policy follows the model, by whatever way a run comes to it: seen at the server, over real clients, on every surface."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, ToolException, tool
from langchain_openai import ChatOpenAI

from lg_toolroute import ChainExhausted, ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.core.rules.spec import canonical
from lg_toolroute.testing import Call, FaultServer, Say, ServerRequest, faults

MODELS = ("openai/alpha", "deepseek/beta", "openrouter/gamma", "xai/delta")
NAMES = ("read", "edit", "web_search", "exec")
SURFACES = ("graph", "middleware", "chat model")
IMAGE = {"type": "image", "url": "data:image/png;base64,iVBORw0KGgo="}


def tools(ran: list[str]) -> list[BaseTool]:
    @tool
    def read(path: str) -> str:
        """Read a file."""
        ran.append("read")
        return "read"

    @tool
    def edit(path: str) -> str:
        """Edit a file."""
        ran.append("edit")
        raise ToolException("old text not found")

    @tool
    def web_search(path: str) -> str:
        """Search the web."""
        ran.append("web_search")
        return "found"

    @tool("exec")
    def execute(path: str) -> str:
        """Run a command."""
        ran.append("exec")
        return "done"

    edit.handle_tool_error = execute.handle_tool_error = True
    return [read, edit, web_search, execute]


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(strict=False, max_requests=200_000) as running:
        yield running
        running.assert_done()


@pytest.fixture(scope="module")
def clients(server: FaultServer) -> dict[str, ChatOpenAI]:
    return {spec: ChatOpenAI(**server.client(spec.partition("/")[2])) for spec in MODELS}


names = st.lists(st.sampled_from(NAMES), max_size=2, unique=True)
chains = st.lists(st.sampled_from(MODELS), min_size=1, max_size=3, unique=True)


@st.composite
def routings(draw: st.DrawFn) -> dict[str, Any]:
    """Rules, escalations, result moments, roles, an image model, and what each model may not have."""
    reasoning = draw(chains)
    rules: dict[str, Any] = {}
    for name in draw(names):
        first, *rest = draw(chains)
        rules[name] = {"primary": first, "moments": draw(st.sampled_from([["call"], ["result"], ["call", "result"]]))}
        if draw(st.booleans()):
            rules[name]["fallbacks"] = rest
        if draw(st.booleans()):
            rules[name]["escalate"] = {"after": 1}
    return {
        "model": {"primary": reasoning[0], "fallbacks": reasoning[1:]},
        "toolRouting": rules,
        "imageModel": {"primary": draw(st.sampled_from(MODELS))},
        "roles": {"cheap": {"model": draw(st.sampled_from(MODELS))}},
        "tools": {"byModel": {spec: {"deny": draw(names)} for spec in draw(chains)}},
    }


def router_of(routing: dict[str, Any], clients: dict[str, ChatOpenAI]) -> ToolRouter:
    text_only = {spec.partition("/")[0]: {"models": [{"id": spec.partition("/")[2], "input": ["text"]}]} for spec in MODELS[:2]}
    return ToolRouter({**routing, "models": {"providers": text_only}}, models=clients)  # so an image goes to the image model


def build(surface: str, router: ToolRouter, bound: list[BaseTool], model: str) -> Any:
    if surface == "graph":
        return create_toolroute_agent(router, bound)
    if surface == "middleware":
        return create_agent(router.models.get(canonical(model)), bound, middleware=[ToolRouteMiddleware(router)])
    return create_agent(ToolRoutedChatModel(router=router), bound)


class Players:
    """Models that call any tool, bound or not, and fail now and then."""

    def __init__(self, wishes: list[str], failures: list[bool]) -> None:
        self.wishes, self.failures = wishes, failures

    def __call__(self, request: ServerRequest) -> Any:
        if self.failures and self.failures.pop():
            return faults.server_error(503)
        if request.forced_tool:
            return Say("", [Call(request.forced_tool, {"path": "a.py"})])
        return Say("On it.", [Call(self.wishes.pop(), {"path": "a.py"})]) if self.wishes else Say("Done.")


@pytest.mark.filterwarnings("ignore:.*the agent's model is.*:UserWarning", "ignore:.*matches none of.*:UserWarning")
@pytest.mark.parametrize("surface", SURFACES)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], derandomize=True)
@given(
    routing=routings(),
    wishes=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4),
    failures=st.lists(st.booleans(), max_size=5),
    image=st.booleans(),
    context=st.sampled_from([{}, {"role": "cheap"}, {"model": MODELS[3]}]),
)
def test_no_model_sees_or_runs_a_tool_that_it_may_not_have(
    server: FaultServer,
    clients: dict[str, ChatOpenAI],
    surface: str,
    routing: dict[str, Any],
    wishes: list[str],
    failures: list[bool],
    image: bool,
    context: dict[str, str],
):
    """Fallback, escalation, result moment, role, override, image model: what was bound is within the rules, and so is what ran."""
    router = router_of(routing, clients)
    ran: list[str] = []
    bound = tools(ran)
    since = len(server.requests)
    player = Players(list(wishes), list(failures))
    for spec in MODELS:
        server.answer(spec.partition("/")[2], player)
    content: Any = [{"type": "text", "text": "Go."}, IMAGE] if image else "Go."
    agent = build(surface, router, bound, routing["model"]["primary"])
    messages: list[Any] = []
    try:
        config = {"recursion_limit": 100}
        for state in agent.stream({"messages": [HumanMessage(content)]}, config, context=context, stream_mode="values"):
            messages = state["messages"]
    except (ChainExhausted, ModelError) as error:
        # With all models down a run gives up; what was asked and run until then counts all the same.
        print(error)
    by_model = {spec.partition("/")[2]: spec for spec in MODELS}
    for request in server.requests[since:]:
        allowed = router.book.allowed(by_model[request.model], [(name, ()) for name in NAMES])
        assert set(request.tools) <= set(allowed), f"{request.model} saw {request.tools}, and may have {allowed}"
    results = {message.tool_call_id: message for message in messages if isinstance(message, ToolMessage)}
    for message in messages:
        if isinstance(message, AIMessage):
            record = message.response_metadata.get("toolroute")  # none where there was nothing to decide
            writers = record["calls"] if record else dict.fromkeys([call["id"] for call in message.tool_calls], routing["model"]["primary"])
            for call in message.tool_calls:
                writer = canonical(writers[call["id"]])
                refused = results[call["id"]].status == "error" if call["id"] in results else True
                assert refused or router.book.verdict(call["name"], writer) is None, f"{writer} ran {call['name']}"
                if router.book.verdict(call["name"], writer) is not None:
                    assert surface != "chat model", f"a call of {call['name']} was not withheld"


@pytest.mark.parametrize("surface", SURFACES)
def test_a_call_inside_a_boundary_never_leaves_it(server: FaultServer, clients: dict[str, ChatOpenAI], surface: str):
    """The rule's only model is down: no other model is asked to write the call, and nobody else's call runs."""
    routing = {
        "model": {"primary": MODELS[0], "fallbacks": [MODELS[2]]},
        "toolRouting": {"read": {"primary": MODELS[1], "fallbacks": []}},
    }
    router = router_of(routing, clients)
    ran: list[str] = []
    since = len(server.requests)
    for spec in MODELS:
        server.answer(spec.partition("/")[2], lambda request: Say("On it.", [Call("read", {"path": "secret"})]))
    server.answer("beta", lambda request: faults.payment_required())
    agent = build(surface, router, tools(ran), MODELS[0])
    for _ in range(2):
        with pytest.raises(Exception, match=r"write the call of 'read'"):
            agent.invoke({"messages": [("user", "Go.")]})
    assert ran == []
    assert {request.model for request in server.requests[since:] if request.forced_tool == "read"} == {"beta"}
