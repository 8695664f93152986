"""The table of what is known of forcing: which row is about whom, and where a model starts."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI

from lg_toolroute import ConfigError, ToolRouter
from lg_toolroute.clients.tool_choice import ROWS, Sender, forcing, row_of, sender_of
from lg_toolroute.core.failures.failure import Refused
from lg_toolroute.core.turn.turn import Turn
from lg_toolroute.runner.inputs import read_inputs
from lg_toolroute.runner.request_parts import Request
from lg_toolroute.runner.requests import RequestBuilder
from lg_toolroute.testing import ScriptedModel
from tests.support.documented import check_table
from tests.support.one_turn import TOOLS
from tests.support.turns import writing


def openai(model: str = "m", url: str = "https://example.com/v1", **settings: Any) -> ChatOpenAI:
    return ChatOpenAI(model=model, base_url=url, api_key="key", **settings)


def rung(spec: str, leaf: Any, **bound: Any) -> str:
    return forcing(sender_of(spec, leaf, bound)).rung


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("deepseek/deepseek-v4-pro", "none"),
        ("deepseek/deepseek-reasoner", "none"),
        ("deepseek/deepseek-chat", "name"),
        ("moonshot/kimi-k2.6", "none"),
        ("moonshot/kimi-k2-thinking", "none"),
        ("moonshot/kimi-k2-0905-preview", "name"),
        ("moonshot/kimi-k3", "required"),
        ("kimi/kimi-for-coding", "none"),
        ("qwen/qwen3.6-plus", "none"),
        ("qwen/qwen3-32b", "none"),
        ("qwen/qwen3-235b-a22b-instruct-2507", "name"),
        ("qwen/qwen3-235b-a22b-thinking-2507", "none"),
        ("qwen/qwen-plus", "name"),
        ("zai/glm-5.1", "none"),
        ("lmstudio/anything", "required"),
        ("ollama/gpt-oss:20b", "none"),
        ("openrouter/anthropic/claude-opus-5.5", "none"),
        ("openrouter/deepseek/deepseek-v4-pro", "name"),
        ("groq/llama", "name"),
        ("unknown/unknown", "name"),
    ],
)
def test_a_model_of_a_known_provider_starts_where_the_provider_takes_it(spec: str, expected: str):
    assert rung(spec, openai(spec.partition("/")[2])) == expected


@pytest.mark.parametrize(
    "claude", ["opus-5-5", "sonnet-5-5-20260901", "haiku-5-7", "opus-6", "fable-5-1", "mythos-5-1", "mythos-preview", "opus-5.5"]
)
def test_claude_from_5_5_on_is_never_forced(claude: str):
    assert rung("x/y", openai(f"claude-{claude}")) == "none"


@pytest.mark.parametrize("claude", ["opus-5", "opus-5-20260805", "sonnet-4-5", "sonnet-4-5-20250929", "fable-5", "haiku-4-5", "3-7-sonnet-20250219"])
def test_older_claude_is_forced_by_name(claude: str):
    assert rung("x/y", openai(f"claude-{claude}")) == "name"


def test_the_client_and_its_address_tell_what_the_spec_does_not():
    assert rung("mine/deepseek-v4-pro", openai("deepseek-v4-pro", "https://api.deepseek.com/v1")) == "none"
    assert rung("mine/deepseek-v4-pro", openai("deepseek-v4-pro", "https://notdeepseek.com/v1")) == "name"
    assert rung("mine/x", ChatOllama(model="x")) == "none"
    for name, expected in (("ChatLiteLLM", "required"), ("ChatCohere", "required"), ("ChatDeepSeek", "name")):
        assert rung("mine/x", type(name, (ScriptedModel,), {})()) == expected


THINKS = [
    ({"extra_body": {"thinking": {"type": "enabled"}}}, "none"),
    ({"extra_body": {"thinking": {"type": "disabled"}}}, "name"),
    ({"extra_body": {"reasoning": {"effort": "none"}}}, "name"),
    ({"reasoning_effort": "none"}, "name"),
    ({"model_kwargs": {"enable_thinking": False}}, "name"),
    ({"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}}, "name"),
    ({}, "none"),
]


@pytest.mark.parametrize(("settings", "expected"), THINKS)
def test_thinking_is_read_as_constructed_and_as_bound(settings: dict[str, Any], expected: str):
    """A model whose thinking is off starts at its tool's name again."""
    name, url = "deepseek-v4-pro", "https://api.deepseek.com/v1"
    assert rung("deepseek/deepseek-v4-pro", openai(name, url, **settings)) == expected
    assert rung("deepseek/deepseek-v4-pro", openai(name, url), **settings) == expected
    assert rung("deepseek/deepseek-chat", openai("deepseek-chat", url, extra_body={"thinking": {"type": "enabled"}})) == "none"


def test_what_is_bound_goes_before_what_the_client_was_made_with():
    model = openai("deepseek-v4-pro", extra_body={"thinking": {"type": "enabled"}})
    assert rung("deepseek/x", model, extra_body={"thinking": {"type": "disabled"}}) == "name"


@pytest.mark.parametrize(
    ("thinking", "expected"), [(None, "name"), ({"type": "disabled"}, "name"), ({"type": "enabled", "budget_tokens": 1024}, "none")]
)
def test_claude_is_forced_unless_it_thinks(thinking: Any, expected: str):
    model = ChatAnthropic(model="claude-sonnet-4-6", api_key="key", thinking=thinking, max_tokens=4096)  # type: ignore[call-arg]
    assert rung("anthropic/claude-sonnet-4-6", model) == expected


def test_langchains_profile_and_the_clients_own_list_of_choices_count():
    assert forcing(Sender("a/b", "b", profile={"tool_choice": False})).rung == "none"
    for choices, expected in (((), "none"), (("auto",), "none"), (("auto", "any"), "required"), (("auto", "any", "tool"), "name")):
        assert forcing(Sender("bedrock/x", "x", choices=choices)).rung == expected


@pytest.mark.parametrize(
    ("spec", "switch"),
    [
        ("deepseek/deepseek-v4-pro", {"thinking": {"type": "disabled"}}),
        ("qwen/qwen3.6-plus", {"enable_thinking": False}),
        ("moonshot/kimi-k2.6", {"thinking": {"type": "disabled"}}),
        ("moonshot/kimi-k2.7-code", None),
        ("moonshot/kimi-k3", None),
        ("qwen/qwq-32b", None),
        ("x/claude-opus-5-5", None),
        ("unknown/unknown", None),
    ],
)
def test_thinking_is_switched_off_where_that_is_known_to_work(spec: str, switch: Any):
    way = forcing(sender_of(spec, openai(spec.partition("/")[2]), {}), switch_off=True)
    assert way.switch == switch
    assert way.thinks is False or switch is None


def test_a_switch_that_was_refused_is_not_sent_again_and_one_that_changes_nothing_is_not_sent_at_all():
    sender = sender_of("deepseek/deepseek-v4-pro", openai("deepseek-v4-pro"), {})
    assert forcing(sender, switch_off=True, refused=[Refused("thinking")]).switch is None
    silent = sender_of("deepseek/deepseek-v4-pro", openai("deepseek-v4-pro", extra_body={"thinking": {"type": "disabled"}}), {})
    assert (forcing(silent, switch_off=True).switch, forcing(silent, switch_off=True).rung) == (None, "name")


def test_the_configuration_goes_before_the_table_and_a_refusal_before_both():
    sender = sender_of("deepseek/deepseek-v4-pro", openai("deepseek-v4-pro"), {})
    assert forcing(sender, "name").rung == "name"
    assert forcing(sender, "auto").rung == forcing(sender).rung == "none"
    assert forcing(sender, "name", refused=[Refused("tool_choice", "required", why="no")]).rung == "required"
    assert forcing(sender, "none", refused=[Refused("tool_choice", "required")]).rung == "none"


# -- a client that cannot express it ---------------------------------------------------------------------------------------------------------


class Raises(ScriptedModel):
    """A client that raises at some choices, as Bedrock's does."""

    takes: tuple[Any, ...] = ()

    def bind_tools(self, tools: Any, *, tool_choice: Any = None, **settings: Any) -> Any:
        if tool_choice is not None and tool_choice not in self.takes:
            raise ValueError(f"tool_choice {tool_choice!r} is not supported")
        return super().bind_tools(tools, tool_choice=tool_choice, **settings)


def written(model: Any, wanted: tuple[str, ...] = ("edit",)) -> Request:
    router = ToolRouter({"model": "a/a", "toolRouting": {"edit": "b/b", "write": "b/b"}}, models={"a/a": ScriptedModel(), "b/b": model})
    inputs = read_inputs(router, [], TOOLS)
    job = writing("b/b", "a/a", tools=wanted, ids=tuple(map(str, range(len(wanted)))), slots=tuple(range(len(wanted))), exact=len(wanted) > 1)
    return RequestBuilder(router, inputs, [], TOOLS).build(Turn("turn", jobs=(job,)), job, ())


@pytest.mark.parametrize(
    ("takes", "choice", "tools"), [(("edit", "any"), "edit", ["edit", "write"]), (("any",), "any", ["edit"]), ((), None, ["edit"])]
)
def test_a_client_that_raises_at_a_choice_is_asked_on_a_lower_rung(takes: tuple[Any, ...], choice: Any, tools: list[str]):
    request = written(Raises(takes=takes))
    assert (request.tool_choice, [each.name for each in request.tools]) == (choice, tools)
    assert request.forcing is not None
    assert ("cannot express" in request.forcing.why) is (choice != "edit")


def test_several_wanted_tools_are_all_bound_and_any_of_them_is_required():
    request = written(ScriptedModel(), ("edit", "write"))
    assert (request.tool_choice, [each.name for each in request.tools]) == ("any", ["edit", "write"])
    request = written(ChatOllama(model="x"), ("edit", "write"))
    assert (request.tool_choice, [each.name for each in request.tools]) == (None, ["edit", "write"])


def test_of_a_model_with_fallbacks_the_one_that_takes_least_decides():
    request = written(ScriptedModel().with_fallbacks([ChatOllama(model="x")]))
    assert (request.tool_choice, [each.name for each in request.tools]) == (None, ["edit"])


# -- what is said of it --------------------------------------------------------------------------------------------------------------------------


def test_explain_says_how_each_candidate_is_made_to_call_and_why():
    router = ToolRouter({"model": "kimi/kimi-for-coding", "toolRouting": {"edit": {"model": "deepseek/deepseek-v4-pro", "thinking": "off"}}})
    lines = router.explain("edit").splitlines()
    assert "  forced      deepseek/deepseek-v4-pro: the tool's name is its tool_choice; its thinking is switched off for the call" in lines
    [kimi] = [line for line in lines if "kimi/kimi-for-coding: asked, not forced, and no other tool is bound; Kimi refuses a forced call" in line]
    assert "its thinking stays as it is: its provider does not let its thinking be switched off" in kimi


def test_a_switch_that_does_nothing_is_found_by_check_with_its_place_and_remedy():
    router = ToolRouter({"model": "a/b", "toolRouting": {"edit": {"model": "kimi/kimi-for-coding", "thinking": False}}})
    [problem] = router.models.ways.remarks()
    assert problem.path == "toolRouting.edit.thinking"
    assert problem.message.startswith("'off' does nothing for kimi/kimi-for-coding: its provider does not let")
    assert "name a model whose provider lets" in problem.hint


def test_an_impossible_choice_of_a_model_stands_at_the_model():
    entries = [{"id": "x", "toolChoice": "name"}]
    config = {"model": "ollama/x", "models": {"providers": {"ollama": {"api": "ollama", "models": entries}}}}
    [problem] = ToolRouter(config).models.check()
    assert (problem.path, problem.message) == ("models.providers.ollama.models[0].toolChoice", "toolChoice 'name' is not possible for ollama/x")
    assert problem.hint.endswith("write 'none' or 'auto'")


@pytest.mark.parametrize(("written", "meant"), [("nmae", "name"), ("requird", "required")])
def test_a_misspelt_choice_is_a_mistake_with_the_nearest_word(written: str, meant: str):
    says = rf"models\.providers\.x\.toolChoice: '{written}' is not one of auto, name, required, none; did you mean '{meant}'"
    with pytest.raises(ConfigError, match=says):
        ToolRouter({"model": "x/y", "models": {"providers": {"x": {"toolChoice": written}}}})


def test_the_table_in_the_docs_is_the_one_that_is_used():
    lines = ["| who | highest rung | why not higher | thinking can be switched off | source |", "|---|---|---|---|---|"]
    for row in ROWS:
        off = "no" if row.off is None else f"`{row.off}`" + (", but for some models" if row.never_off else "")
        lines.append(f"| {row.who.rstrip(',')} | `{row.rung}`{' while it thinks' if row.only_thinking else ''} | {row.why} | {off} | {row.source} |")
    check_table("tool_choice.md", "known", "\n".join(lines))
    assert row_of(Sender("a/b", "b")) is None
