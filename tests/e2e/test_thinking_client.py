"""Thinking models behind OpenAI-compatible servers: their reasoning is kept, and sent back where the API refuses requests without it."""

from __future__ import annotations

from typing import Any

import pytest

from lg_toolroute import ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, FaultServer, Say
from tests.support.folder_agents import Folder, ai, ask


def agent(server: FaultServer, provider: str, **settings: Any) -> Any:
    providers = {name: {"baseUrl": server.base_url, "apiKey": "sk-loopback"} for name in (provider, "xai")}
    config = {
        "model": {"primary": f"{provider}/thinker", "fallbacks": []},
        "toolRouting": {"edit": "xai/editor"},
        "models": {"providers": providers},
        **settings,
    }
    return create_toolroute_agent(ToolRouter(config), Folder().tools())


STEPS = [Say("Looking.", [Call("read", {"path": "a.py"})], thinking="I should look."), Say("Done.", thinking="That was it.")]


@pytest.mark.parametrize("provider", ["kimi", "moonshot", "deepseek"])
@pytest.mark.parametrize("streamed", [False, True], ids=["invoke", "stream"])
def test_reasoning_goes_back_to_the_model_that_thought(provider: str, streamed: bool):
    with FaultServer({"thinker": STEPS}) as server:
        routed = agent(server, provider)
        if streamed:
            list(routed.stream(ask(), stream_mode="messages"))
        else:
            assert ai(routed.invoke(ask())["messages"])[0].additional_kwargs["reasoning_content"] == "I should look."
        sent = server.requests[1].body["messages"]
    assert [entry["reasoning_content"] for entry in sent if entry["role"] == "assistant"] == ["I should look."]


def test_a_call_that_another_model_wrote_goes_back_with_a_word_that_nothing_was_thought():
    """The primary was cut while it thought of an edit; its next request must not lack the field."""
    edit = {"path": "a.py", "old": "x = 1", "new": "x = 2"}
    scripts = {"thinker": [Say("Now.", [Call("edit", {})]), Say("Done.")], "editor": [Say(calls=[Call("edit", edit)])]}
    with FaultServer(scripts) as server:
        agent(server, "kimi").invoke(ask())
        sent = server.requests[-1].body["messages"]
    (written,) = [entry for entry in sent if entry["role"] == "assistant"]
    assert written["reasoning_content"]
    assert written["tool_calls"][0]["function"]["name"] == "edit"


def test_a_server_that_does_not_ask_for_reasoning_is_not_sent_any():
    with FaultServer({"thinker": STEPS}) as server:
        agent(server, "vllm").invoke(ask())
        sent = server.requests[1].body["messages"]
    assert not any("reasoning_content" in entry for entry in sent)


def test_thinking_that_is_switched_off_is_not_asked_for():
    params = {"extra_body": {"thinking": {"type": "disabled"}}}
    with FaultServer({"thinker": [Say("Looking.", [Call("read", {"path": "a.py"})]), Say("Done.")]}) as server:
        settings = {"models": {"kimi/thinker": {"params": params}}, "model": {"primary": "kimi/thinker", "fallbacks": []}}
        providers = {"kimi": {"baseUrl": server.base_url, "apiKey": "sk-loopback"}}
        router = ToolRouter({"agents": {"defaults": settings}, "models": {"providers": providers}})
        create_toolroute_agent(router, Folder().tools()).invoke(ask())
        sent = server.requests[1].body["messages"]
    assert not any("reasoning_content" in entry for entry in sent)


@pytest.mark.parametrize("streamed", [False, True], ids=["invoke", "stream"])
def test_a_silent_thinker_tells_its_writer_what_it_reasoned_and_its_cut_stream_counts_that(streamed: bool):
    edit = {"path": "a.py", "old": "x = 1", "new": "x = 2"}
    reasoning = "The constant must be two. " * 20
    scripts = {"thinker": [Say("", [Call("edit", {})], thinking=reasoning), Say("Done.")], "editor": [Say(calls=[Call("edit", edit)])]}
    with FaultServer(scripts) as server:
        routed = agent(server, "kimi")
        if streamed:
            *_, state = routed.stream(ask(), stream_mode="values")
        else:
            state = routed.invoke(ask())
        told = server.requests_for("editor")[0].last_text
    assert f"What the assistant reasoned before this call:\n{reasoning.strip()}" in told
    message = ai(state["messages"])[0]
    assert message.usage_metadata is not None
    reasoned = message.usage_metadata["output_token_details"]["reasoning"]
    assert 80 < reasoned < 200
    cut, wrote = message.response_metadata["toolroute"]["attempts"]
    assert (cut["outcome"], cut["usage_estimated"], cut["usage"]["output_tokens"]) == ("cut", True, reasoned)
    assert message.usage_metadata["output_tokens"] == reasoned + wrote["usage"]["output_tokens"]
