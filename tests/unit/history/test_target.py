"""The reader of a history is recognised by the client's class and settings; settings and reasoning that travel beside the messages."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import tool_call
from langchain_deepseek import ChatDeepSeek
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_groq import ChatGroq
from langchain_mistralai import ChatMistralAI
from langchain_ollama import ChatOllama
from langchain_openai import AzureChatOpenAI, ChatOpenAI

from lg_toolroute.history import Target, replay_reasoning, sanitize_settings, target_of
from lg_toolroute.history.media import read_medium, write_medium
from lg_toolroute.history.provenance import same_model

KEY: Any = "none"
TOOL = {"type": "function", "function": {"name": "edit", "parameters": {"type": "object", "properties": {}}}}


@pytest.mark.parametrize(
    ("model", "api", "first_party"),
    [
        (ChatOpenAI(model="gpt-4o", api_key=KEY), "openai-chat", True),
        (ChatOpenAI(model="gpt-4o", api_key=KEY, base_url="http://127.0.0.1:1/v1"), "openai-chat", False),
        (ChatOpenAI(model="gpt-4o", api_key=KEY, use_responses_api=True), "openai-responses", True),
        (ChatOpenAI(model="gpt-4o", api_key=KEY, reasoning={"effort": "low"}), "openai-responses", True),
        (ChatOpenAI(model="gpt-4o", api_key=KEY, output_version="responses/v1"), "openai-responses", True),
        (AzureChatOpenAI(azure_endpoint="https://x.openai.azure.com", api_version="1", api_key=KEY), "openai-chat", True),
        (ChatAnthropic(model="claude-sonnet-4-6", api_key=KEY), "anthropic", True),
        (ChatGoogleGenerativeAI(model="gemini-2.5-flash", api_key=KEY), "google", True),
        (ChatMistralAI(model="mistral-large-latest", api_key=KEY), "mistral", True),
        (ChatGroq(model="llama-3.3-70b-versatile", api_key=KEY), "groq", True),
        (ChatOllama(model="qwen3"), "ollama", True),
        (ChatDeepSeek(model="deepseek-chat", api_key=KEY), "deepseek", True),
        (FakeListChatModel(responses=["x"]), "unknown", False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_client_class_and_its_settings_say_which_api_is_spoken(model: Any, api: str, first_party: bool) -> None:
    """A model's name decides nothing; an unknown class gets the strictest form."""
    target = target_of(model)
    assert (target.api, target.first_party) == (api, first_party)
    assert target_of(model) == target


def test_a_subclass_made_while_running_is_known_by_its_parent() -> None:
    """A gate around a model is a subclass with the same name."""
    model = ChatDeepSeek(model="deepseek-chat", api_key=KEY)
    gated = model.model_copy()
    object.__setattr__(gated, "__class__", type("ChatDeepSeek", (ChatDeepSeek,), {}))
    assert target_of(gated) == target_of(model)


def test_what_is_bound_counts_as_a_setting() -> None:
    """A built-in tool makes the client speak Responses; bound thinking makes Claude strict."""
    openai = ChatOpenAI(model="gpt-4o", api_key=KEY)
    assert target_of(openai.bind(tools=[{"type": "web_search"}])).api == "openai-responses"
    assert target_of(openai.bind_tools([TOOL])).api == "openai-chat"
    claude = ChatAnthropic(model="claude-sonnet-4-6", api_key=KEY)
    assert not target_of(claude).thinking_leads
    assert target_of(claude.bind(thinking={"type": "enabled", "budget_tokens": 1024})).thinking_leads
    assert not target_of(claude.bind(thinking={"type": "adaptive"})).thinking_leads


def test_the_profile_says_what_reaches_the_model_and_the_dialect_where_it_is_silent() -> None:
    """A given profile stands before the model's own."""
    claude = ChatAnthropic(model="claude-sonnet-4-6", api_key=KEY)
    assert target_of(claude).images
    assert not target_of(claude, {"image_inputs": False}).images
    assert target_of(ChatOllama(model="unheard-of")).images
    assert not target_of(ChatDeepSeek(model="deepseek-chat", api_key=KEY), {}).images
    assert target_of(FakeListChatModel(responses=["x"])).images, "no profile is not text only"
    assert not target_of(FakeListChatModel(responses=["x"]), {"image_inputs": False}).images


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5", True),
        ("gpt-4o-2024-08-06", "gpt-4o", True),
        ("models/gemini-3-pro-preview", "gemini-3-pro-preview", True),
        ("anthropic/claude-opus-4-8", "claude-opus-4-8", True),
        ("mistral-large-latest", "mistral-large", True),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", True),
        ("deepseek-v3", "deepseek-v4", False),
        ("gpt-4.1", "gpt-4", False),
        ("claude-sonnet-4-5", "claude-sonnet-4", False),
        ("gpt-5", "gpt-5-mini", False),
        ("claude-opus-4-8", "kimi-k2", False),
        ("", "", False),
    ],
)
def test_a_dated_name_is_the_same_model_and_a_sibling_is_not(first: str, second: str, same: bool) -> None:
    """Signatures are bound to the model; a wrong yes is a 400 turns later."""
    assert same_model(first, second) is same
    assert same_model(second, first) is same


def test_audio_reaches_a_model_only_if_its_profile_says_so_except_at_google() -> None:
    """The API has a form for it; most models behind it do not read it."""
    openai = ChatOpenAI(model="gpt-4o", api_key=KEY)
    assert not target_of(openai, {}).audio
    assert target_of(openai, {"audio_inputs": True}).audio
    assert target_of(ChatGoogleGenerativeAI(model="gemini-2.5-flash", api_key=KEY), {}).audio
    assert not target_of(ChatMistralAI(model="mistral-large-latest", api_key=KEY), {"pdf_inputs": True}).files


def test_servers_behind_openais_client_are_known_by_their_host() -> None:
    """OpenRouter takes cache markers and `reasoning_details`, Kimi `reasoning_content`; other servers and other clients do not."""
    openrouter, kimi, local = (ChatOpenAI(model="m", api_key=KEY, base_url=url) for url in (
        "https://openrouter.ai/api/v1", "https://api.moonshot.ai/v1", "http://127.0.0.1:1/v1",
    ))  # fmt: skip
    known = [(target.cache_markers, target.echo_details, target.echo_reasoning) for target in map(target_of, (openrouter, kimi, local))]
    assert known == [(True, True, False), (False, False, True), (False, False, False)]
    assert not target_of(ChatAnthropic(model="kimi-k2", api_key=KEY, base_url="https://api.moonshot.ai/anthropic")).echo_reasoning


@pytest.mark.parametrize("api", ["openai-chat", "openai-responses"])
def test_a_server_that_imitates_openai_gets_stricter_rules(api: Any) -> None:
    """Such servers often refuse OpenAI's own cache settings, and they do not have OpenAI's uploaded files."""
    own, imitated = Target(api=api, first_party=True).rules, Target(api=api).rules
    assert (own.cache_breakpoints, own.file_ids) == (True, "file-")
    assert (imitated.cache_breakpoints, imitated.file_ids) == (False, None)
    assert {"prompt_cache_key", "store"} <= own.settings - imitated.settings


def test_settings_for_another_model_are_left_behind() -> None:
    """LangChain's own names pass; a provider's go to that provider only."""
    settings = {"temperature": 0.1, "cache_control": {}, "prompt_cache_key": "k", "reasoning_effort": "low", "betas": ["x"], "num_ctx": 1}
    claude = {"temperature", "cache_control", "reasoning_effort", "betas"}
    assert sanitize_settings(settings, Target(api="anthropic", cache_markers=True)).keys() == claude
    assert sanitize_settings(settings, Target(api="openai-chat", first_party=True)).keys() == {"temperature", "prompt_cache_key", "reasoning_effort"}
    assert sanitize_settings(settings, Target(api="openai-chat")).keys() == {"temperature", "reasoning_effort"}
    assert sanitize_settings(settings, Target(api="ollama")).keys() == {"temperature", "num_ctx"}
    assert sanitize_settings(settings, Target()) == {"temperature": 0.1}
    assert "betas" in settings


@pytest.mark.parametrize(
    ("base_url", "extra_body", "echoes"),
    [
        ("https://api.moonshot.ai/v1", None, True),
        ("https://api.kimi.com/coding/v1", None, True),
        ("https://api.deepseek.com", None, True),
        ("https://api.deepseek.com", {"thinking": {"type": "disabled"}}, False),
        ("https://api.openai.com/v1", None, False),
        ("http://127.0.0.1:1/v1", None, False),
    ],
)
def test_hosts_that_want_reasoning_back_are_known(base_url: str, extra_body: dict[str, Any] | None, echoes: bool) -> None:
    """Unless thinking is switched off."""
    model = ChatOpenAI(model="m", api_key=KEY, base_url=base_url, extra_body=extra_body)
    assert target_of(model).echo_reasoning is echoes


def test_reasoning_is_put_into_a_copy_of_the_payload() -> None:
    """Own reasoning word for word, a line for the rest, and never null beside it."""
    target = Target(api="deepseek", model="d", echo_reasoning=True)
    own = AIMessage("", additional_kwargs={"reasoning_content": "Hm."}, response_metadata={"model_provider": "deepseek", "model_name": "d"})
    own = own.model_copy(update={"tool_calls": [tool_call(name="edit", args={}, id="c")]})
    history = [HumanMessage("Hi."), own, ToolMessage("ok", tool_call_id="c"), AIMessage("Yes.")]
    entries = [{"role": "user"}, {"role": "assistant", "content": None}, {"role": "tool"}, {"role": "assistant", "content": "Yes."}]
    payload = {"model": "d", "messages": entries}
    sent = replay_reasoning(payload, history, target)["messages"]
    assert sent[1] == {"role": "assistant", "content": "", "reasoning_content": "Hm."}
    assert sent[3]["reasoning_content"] == "(not recorded)"
    assert entries[1] == {"role": "assistant", "content": None}
    assert replay_reasoning(payload, history, Target(api="openai-chat")) == payload


@pytest.mark.parametrize(
    ("block", "data", "mime", "url"),
    [
        ({"type": "image", "base64": "iVBORw0", "mime_type": "image/png"}, "iVBORw0", "image/png", ""),
        ({"type": "image", "base64": "/9j/4A"}, "/9j/4A", "image/jpeg", ""),
        ({"type": "image", "source": {"type": "url", "url": "https://e.com/a.png"}}, "", "", "https://e.com/a.png"),
        ({"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGOD"}}, "R0lGOD", "image/gif", ""),
        ({"type": "media", "mime_type": "image/webp", "data": "UklGR"}, "UklGR", "image/webp", ""),
        ({"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}}, "JVBERi0=", "application/pdf", ""),
    ],
)
def test_every_spelling_of_an_image_is_read_alike(block: dict[str, Any], data: str, mime: str, url: str) -> None:
    """And written in the one that every client translates."""
    medium = read_medium(block)
    assert medium is not None
    assert (medium.data, medium.mime, medium.url) == (data, mime, url)
    assert read_medium(write_medium(medium)).data == data  # type: ignore[union-attr]


@pytest.mark.parametrize("block", [{"type": "image"}, {"type": "text", "text": "x"}, {"type": "image", "base64": 7}, {}])
def test_a_block_that_shows_nothing_is_read_as_nothing(block: dict[str, Any]) -> None:
    """Nothing is guessed."""
    assert read_medium(block) is None
