"""Who will read the history: known by its client class and settings, never by the model's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from lg_toolroute.history.dialects import DIALECTS, Api, Dialect

_CLASSES: Final[dict[str, Api]] = {
    "ChatDeepSeek": "deepseek",
    "ChatAnthropic": "anthropic",
    "ChatAnthropicVertex": "anthropic",
    "ChatGoogleGenerativeAI": "google",
    "ChatVertexAI": "google",
    "ChatMistralAI": "mistral",
    "ChatGroq": "groq",
    "ChatOllama": "ollama",
    "BaseChatOpenAI": "openai-chat",
}
"""Class names looked for along the model's MRO; the first one found decides, so a subclass stands before its parent."""

_KIMI: Final = ("moonshot.ai", "moonshot.cn", "kimi.com")
"""Hosts of the Kimi models."""

_RESPONSES_ONLY: Final = ("reasoning", "include", "truncation", "context_management", "use_previous_response_id")
"""Fields of `ChatOpenAI` that make it speak the Responses API when they are set."""


@dataclass(frozen=True, slots=True)
class Target:
    """The reader of a history: an API, a model, and what that model takes.

    Attributes:
        api: The API spoken: `"openai-chat"`, `"anthropic"`, … or `"unknown"`, which gets the strictest common form.
        model: The model's name at its provider; thinking and signatures go only to the model that made them.
        spec: The model's canonical spec, if the caller knows it; compared with what a routed message says of its writer.
        first_party: The API is its maker's own, not a server that speaks its dialect.
        images: Images reach the model; otherwise each becomes a line of text.
        tool_images: Images inside tool results reach it; otherwise they are shown after the results, in the user's role.
        files: Documents reach it.
        audio: Audio reaches it.
        video: Video reaches it.
        thinking_leads: Thinking is on in the mode in which the last turn of a tool loop must open with a thinking block.
        system_in_place: The client sends a system message where it stands, if its neighbours allow that.
        cache_markers: `cache_control` on blocks means something to this API.
        echo_reasoning: The API refuses an assistant message with calls that lacks `reasoning_content`.
        own_ids: Ids that the model wrote itself go back to it in its own form (`functions.edit:0`), which it was trained on.
        dialect: The API's row of facts.
    """

    api: Api = "unknown"
    model: str = ""
    spec: str = ""
    first_party: bool = False
    images: bool = False
    tool_images: bool = False
    files: bool = False
    audio: bool = False
    video: bool = False
    thinking_leads: bool = False
    system_in_place: bool = False
    cache_markers: bool = False
    echo_reasoning: bool = False
    own_ids: bool = False
    dialect: Dialect = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dialect", DIALECTS[self.api])

    @property
    def flat_text(self) -> bool:
        """Whether text blocks are joined to one string: always where a server only imitates the API it speaks."""
        return self.dialect.flat_text or (self.api == "openai-chat" and not self.first_party)

    @property
    def system_anywhere(self) -> bool:
        """Whether a system message may stand in the middle; a server that imitates OpenAI often refuses it."""
        return self.dialect.system_anywhere and (self.api != "openai-chat" or self.first_party)


def target_of(model: Any, profile: Mapping[str, Any] | None = None, *, spec: str = "") -> Target:
    """Describe the reader that a chat model is.

    Args:
        model: A LangChain chat model, or a binding around one (bound arguments count: `thinking`, built-in tools).
        profile: What the model takes, in the words of LangChain's `model.profile`; `None` asks the model itself.
            Where a profile is silent the API's own dialect decides.
        spec: The canonical `provider/model`, if there is one.

    Returns:
        The target; equal for equal settings, so it may be kept with the model.
    """
    bound: dict[str, Any] = {}
    while hasattr(model, "bound") and hasattr(model, "kwargs"):
        bound = {**model.kwargs, **bound}
        model = model.bound
    facts: Mapping[str, Any] = profile if profile is not None else (_read(model, "profile") or {})
    api = _api(model, bound)
    dialect = DIALECTS[api]
    host = _host(model)
    images = _fact(facts, "image_inputs", api not in ("deepseek", "unknown"))
    return Target(
        api=api,
        model=model_name(model),
        spec=spec,
        first_party=_first_party(model, api, host),
        images=images,
        tool_images=images and dialect.tool_images and _fact(facts, "image_tool_message", True),
        files=dialect.files and _fact(facts, "pdf_inputs", True),
        audio=dialect.audio and _fact(facts, "audio_inputs", api == "google"),
        video=dialect.video and _fact(facts, "video_inputs", api == "google"),
        thinking_leads=api == "anthropic" and _thinking(model, bound) == "enabled",
        system_in_place=api == "anthropic" and _fact(facts, "mid_conversation_system_messages", False),
        cache_markers=api == "anthropic" or host.endswith("openrouter.ai"),
        echo_reasoning=_echoes_reasoning(api, host, model, bound),
        own_ids=api == "openai-chat" and host.endswith(_KIMI),
    )


def model_name(model: Any) -> str:
    """Give the name of a chat model at its provider; empty if it has none."""
    return str(_read(model, "model_name") or _read(model, "model") or _read(model, "model_id") or "")


def _read(model: Any, name: str) -> Any:
    return getattr(model, name, None)


def _fact(facts: Mapping[str, Any], name: str, otherwise: bool) -> bool:
    value = facts.get(name)
    return otherwise if value is None else bool(value)


def _api(model: Any, bound: Mapping[str, Any]) -> Api:
    for cls in type(model).__mro__:
        api = _CLASSES.get(cls.__name__)
        if api == "openai-chat":
            return "openai-responses" if _speaks_responses(model, bound) else "openai-chat"
        if api is not None:
            return api
    return "unknown"


def _speaks_responses(model: Any, bound: Mapping[str, Any]) -> bool:
    """Say whether a `ChatOpenAI` uses the Responses API.

    A wrong "no" costs the replay of reasoning and nothing else: what is legal for Chat Completions is legal for both.
    """
    chosen = _read(model, "use_responses_api")
    if isinstance(chosen, bool):
        return chosen
    if _read(model, "output_version") == "responses/v1" or any(_read(model, name) for name in _RESPONSES_ONLY):
        return True
    tools = bound.get("tools") or ()
    asks = getattr(model, "_use_responses_api", None)
    if callable(asks):
        # The client's own answer covers the model names it treats apart; agents bind tools, so it is asked with one.
        return bool(asks({"tools": list(tools) or [{"type": "function", "function": {"name": "tool"}}]}))
    return any(isinstance(tool, Mapping) and tool.get("type") not in (None, "function") for tool in tools)


def _host(model: Any) -> str:
    for name in ("openai_api_base", "azure_endpoint", "anthropic_api_url", "api_base", "base_url"):
        url = _read(model, name)
        if isinstance(url, str) and url:
            return (urlsplit(url).hostname or "").lower()
    return ""


def _first_party(model: Any, api: Api, host: str) -> bool:
    if api not in ("openai-chat", "openai-responses"):
        return api != "unknown"
    if not any(cls.__name__ in ("ChatOpenAI", "AzureChatOpenAI") for cls in type(model).__mro__):
        return False  # another vendor's client, built on the same base class
    return host == "" or host == "api.openai.com" or host.endswith((".openai.azure.com", ".api.openai.com"))


def _thinking(model: Any, bound: Mapping[str, Any]) -> str:
    thinking = bound.get("thinking", _read(model, "thinking"))
    return str(thinking.get("type", "")) if isinstance(thinking, Mapping) else ""


def _echoes_reasoning(api: Api, host: str, model: Any, bound: Mapping[str, Any]) -> bool:
    """Say whether this endpoint wants each earlier call's `reasoning_content` back.

    Source: DeepSeek, "Thinking Mode" guide (on by default; omission is a 400 once tools were called); Moonshot, "Use the
    Kimi thinking model" (the same).
    """
    by_host = api == "openai-chat" and host.endswith((*_KIMI, "deepseek.com", "xiaomimimo.com"))
    if api != "deepseek" and not by_host and not _read(model, "echo_reasoning"):
        return False
    extra = {**(_read(model, "extra_body") or {}), **(bound.get("extra_body") or {})}
    thinking = extra.get("thinking")
    return not (isinstance(thinking, Mapping) and thinking.get("type") == "disabled")
