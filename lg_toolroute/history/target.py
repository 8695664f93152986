"""The reader of a history: known by its client class and settings, never by the model's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit
from zlib import crc32

from lg_toolroute.history.api_rules import API_RULES, COMPATIBLE_RULES, SERVER_RULES, ApiName, ApiRules, ServerRules

_APIS: Final = {client: rules.api for rules in API_RULES.values() for client in rules.clients}

_COMMON_PACKAGES: Final = frozenset({"langchain_core", "pydantic", "abc", "builtins", "typing"})

_RESPONSES_ONLY: Final = ("reasoning", "include", "truncation", "context_management", "use_previous_response_id")
"""Fields of `ChatOpenAI` that make it speak the Responses API when they are set."""


@dataclass(frozen=True, slots=True)
class Target:
    """The reader of a history: an API, a model, and what that model takes.

    Attributes:
        api: The API spoken: `"openai-chat"`, `"anthropic"`, … or `"unknown"`, which gets the strictest common form.
        model: The model's name at its provider; thinking and signatures go only to the model that made them.
        spec: The model's canonical spec, if the caller knows it; compared with what a routed message says of its writer.
        first_party: The API is its maker's own, not a server that speaks the same API.
        images: Images reach the model; otherwise each becomes a line of text.
        tool_images: Images inside tool results reach it; otherwise they are shown after the results, in a human message.
        files: Documents reach it.
        audio: Audio reaches it.
        video: Video reaches it.
        thinking_leads: Thinking is on in the mode in which the running tool loop must open with a thinking block.
        system_in_place: The client sends a system message where it stands, if its neighbours allow that.
        cache_markers: `cache_control` on blocks means something to this API.
        echo_reasoning: The API refuses an assistant message with calls that lacks `reasoning_content`.
        echo_details: The API refuses an own call of some models without its `reasoning_details`.
        addressed: The application writes its messages (human, system, results of tools) for this model, as for the only model of an agent.
        makers: What the client's class is likely to write into `model_provider` beside what the rules know: the names of class and package.
        prefix: A checksum of this request's system prompt and tools, for models whose thinking is bound to them; empty for others. Thinking that
            answered a request with another prefix is left out.
        rules: What the API takes, whatever the model.
    """

    api: ApiName = "unknown"
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
    echo_details: bool = False
    addressed: bool = False
    makers: frozenset[str] = frozenset()
    prefix: str = ""
    rules: ApiRules = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rules = API_RULES[self.api]
        object.__setattr__(self, "rules", rules if self.first_party else COMPATIBLE_RULES.get(self.api, rules))

    @property
    def bound_thinking(self) -> bool:
        """Whether thinking is bound to the system prompt, the tools and the messages before it.

        It is from Claude 5.5 and Fable 5.1 on, whose thinking is always adaptive. An older Claude is treated as one of these and loses little by it;
        not so with a thinking budget, which only older ones have: then the running tool loop needs its thinking.

        Source: Anthropic, "Preserved thinking" and "Prefix checks on thinking blocks".
        """
        return self.api == "anthropic" and not self.thinking_leads


def behind(target: Target, system: Any, tools: Iterable[tuple[str, Any]]) -> Target:
    """The target with the `prefix` of a request with this system prompt and these tools.

    Args:
        target: The reader.
        system: The system message; `None` if there is none.
        tools: Name and tool.
    """
    described = [(name, tool.get("description") if isinstance(tool, Mapping) else getattr(tool, "description", "")) for name, tool in tools]
    return _with_prefix(target, f"{crc32(repr((getattr(system, 'content', ''), described)).encode()):08x}")


@lru_cache(maxsize=256)
def _with_prefix(target: Target, prefix: str) -> Target:
    return replace(target, prefix=prefix)


def target_of(model: Any, profile: Mapping[str, Any] | None = None, *, spec: str = "") -> Target:
    """Describe a chat model as the reader of a history.

    Args:
        model: A LangChain chat model, or a binding around one (bound arguments count: `thinking`, built-in tools).
        profile: What the model takes, in the words of LangChain's `model.profile`; `None` asks the model itself.
            Where a profile is silent, the rules of the API decide.
        spec: The canonical `provider/model`, if there is one.

    Returns:
        The target; equal for equal settings, so it may be kept with the model.
    """
    bound: dict[str, Any] = {}
    while hasattr(model, "bound") and hasattr(model, "kwargs"):
        bound = {**model.kwargs, **bound}
        model = model.bound
    facts: Mapping[str, Any] = profile if profile is not None else (getattr(model, "profile", None) or {})
    api = _api(model, bound)
    rules = API_RULES[api]
    host = _host(model)
    classes = _classes(model)
    server = next((row for row in SERVER_RULES if _speaks_to(row, api, host, classes)), ServerRules())

    def reads(kind: str, fact: str) -> bool:
        said = facts.get(fact)
        return kind in rules.inputs and (kind not in rules.profiled_inputs if said is None else bool(said))

    images = reads("image", "image_inputs")
    return Target(
        api=api,
        model=model_name(model),
        spec=spec,
        first_party=_first_party(model, api, host),
        images=images,
        tool_images=images and rules.tool_images and facts.get("image_tool_message") in (None, True),
        files=reads("file", "pdf_inputs"),
        audio=reads("audio", "audio_inputs"),
        video=reads("video", "video_inputs"),
        thinking_leads=rules.thinking_budget_leads and _type_of(bound.get("thinking", getattr(model, "thinking", None))) == "enabled",
        system_in_place=rules.system == "profile" and bool(facts.get("mid_conversation_system_messages")),
        cache_markers=rules.cache_markers or server.cache_markers,
        echo_reasoning=(rules.echo_reasoning or server.echo_reasoning or bool(getattr(model, "echo_reasoning", None))) and _thinks(model, bound),
        echo_details=server.echo_details or bool(getattr(model, "echo_details", None)),
        makers=frozenset(plain_name(name) for name in _own_names(classes)),
    )


def model_name(model: Any) -> str:
    """Give the name of a chat model at its provider; empty if it has none."""
    return str(getattr(model, "model_name", None) or getattr(model, "model", None) or getattr(model, "model_id", None) or "")


def plain_name(name: str) -> str:
    """Give a provider's name in the one spelling that names of classes and packages share: `bedrock_converse` is `bedrockconverse`."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _classes(model: Any) -> list[type[Any]]:
    """Give the classes of a client, its own first, without those that all clients have."""
    return [cls for cls in type(model).__mro__ if cls.__module__.partition(".")[0] not in _COMMON_PACKAGES]


def _own_names(classes: Iterable[type[Any]]) -> Iterator[str]:
    for cls in classes:
        yield cls.__name__.removeprefix("Chat")
        package = cls.__module__.partition(".")[0]
        if package.startswith("langchain_"):
            yield package.removeprefix("langchain_")


def _speaks_to(server: ServerRules, api: ApiName, host: str, classes: Iterable[type[Any]]) -> bool:
    return (api in COMPATIBLE_RULES and host.endswith(server.hosts)) or any(cls.__name__ in server.clients for cls in classes)


def _api(model: Any, bound: Mapping[str, Any]) -> ApiName:
    # The first class along the MRO decides, so a subclass of another vendor's stands before OpenAI's base class.
    api: ApiName = next((_APIS[cls.__name__] for cls in type(model).__mro__ if cls.__name__ in _APIS), "unknown")
    return "openai-responses" if api == "openai-chat" and _speaks_responses(model, bound) else api


def _speaks_responses(model: Any, bound: Mapping[str, Any]) -> bool:
    """Say whether a `ChatOpenAI` uses the Responses API.

    A wrong "no" costs the replay of reasoning and nothing else: what is legal for Chat Completions is legal for both.
    """
    chosen = getattr(model, "use_responses_api", None)
    if isinstance(chosen, bool):
        return chosen
    if getattr(model, "output_version", None) == "responses/v1" or any(getattr(model, name, None) for name in _RESPONSES_ONLY):
        return True
    tools = bound.get("tools") or ()
    asks = getattr(model, "_use_responses_api", None)
    if callable(asks):
        # The client's own answer covers the model names it treats apart; agents bind tools, so it is asked with one.
        return bool(asks({"tools": list(tools) or [{"type": "function", "function": {"name": "tool"}}]}))
    return any(isinstance(tool, Mapping) and tool.get("type") not in (None, "function") for tool in tools)


def _host(model: Any) -> str:
    urls = (getattr(model, name, None) for name in ("openai_api_base", "azure_endpoint", "anthropic_api_url", "api_base", "base_url"))
    url = next((url for url in urls if isinstance(url, str) and url), "")
    return (urlsplit(url).hostname or "").lower()


def _first_party(model: Any, api: ApiName, host: str) -> bool:
    if api not in COMPATIBLE_RULES:
        return api != "unknown"
    if not any(cls.__name__ in ("ChatOpenAI", "AzureChatOpenAI") for cls in type(model).__mro__):
        return False  # another vendor's client, built on the same base class
    return host in ("", "api.openai.com") or host.endswith((".openai.azure.com", ".api.openai.com"))


def _type_of(setting: Any) -> str:
    return str(setting.get("type", "")) if isinstance(setting, Mapping) else ""


def _thinks(model: Any, bound: Mapping[str, Any]) -> bool:
    extra = {**(getattr(model, "extra_body", None) or {}), **(bound.get("extra_body") or {})}
    return _type_of(extra.get("thinking")) != "disabled"
