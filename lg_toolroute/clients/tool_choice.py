"""How a model can be made to call a tool, as far as it is known before it is asked: by its client, its provider, and whether it thinks.

`ROWS` is the one table of facts, each with its source. What no row knows is found out by asking (`core/failures/rungs.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from lg_toolroute.config.providers import COMMUNITY, is_community
from lg_toolroute.core.failures.failure import Refused, Rung
from lg_toolroute.core.failures.rungs import RUNGS, THINKING, lowest, rung_left

_DISABLED: Final[Mapping[str, Any]] = {"thinking": {"type": "disabled"}}


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a family of models, or of a client.

    Attributes:
        who: What it is called in sentences.
        rung: The highest rung that it takes.
        why: Why not a higher one; follows `who` in a sentence.
        source: Where that is said: a repository and a number, or a document.
        classes: Client classes that it is about, subclasses included.
        providers: Ids of providers, as they stand in a model spec.
        hosts: Ends of the host names of their APIs.
        models: What a model's name matches somewhere; empty for every model of the clients and providers above.
        only_thinking: `rung` holds only while the model thinks.
        thinks: What the names of models match that think unless they are told otherwise.
        off: The setting that switches thinking off; `None` if there is none.
        never_off: What the names of models match whose thinking cannot be switched off.
        client: The rung is the client's limit: it cannot express a higher one, whatever the provider takes.
        any: How the client spells `required`.
    """

    who: str
    rung: Rung
    why: str
    source: str
    classes: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    models: str = ""
    only_thinking: bool = False
    thinks: str = ""
    off: Mapping[str, Any] | None = None
    never_off: str = ""
    client: bool = False
    any: str = "any"


_KIMI: Final = ("kimi", "kimi-code", "moonshot", "moonshotai")
_KIMI_HOSTS: Final = ("kimi.com", "moonshot.ai", "moonshot.cn")
_CLAUDE_FORCED_NEVER: Final = (
    r"claude-(?:opus|sonnet|haiku)-(?:5[-.](?:[5-9]|\d\d)|[6-9]|\d\d)(?!\d)|claude-(?:fable|mythos)-(?:5[-.](?:[1-9]|\d\d)|[6-9]|\d\d)(?!\d)"
    r"|claude-mythos-preview"
)

ROWS: Final = (
    Row("ChatOllama", "none", "drops `tool_choice` without a word", "langchain-ollama, bind_tools",
        classes=("ChatOllama",), client=True, off={"reasoning": False}),
    Row("ChatLiteLLM", "required", "sends a tool's name as a bare string", "langchain-litellm, bind_tools",
        classes=("ChatLiteLLM", "ChatLiteLLMRouter"), client=True, any="required"),
    Row("ChatCohere", "required", "sends a tool's name as a bare string", "langchain-cohere, bind_tools",
        classes=("ChatCohere",), client=True, any="REQUIRED"),
    Row("Ollama", "none", "drops `tool_choice` without a word", "docs.ollama.com, OpenAI compatibility", providers=("ollama",)),
    Row("LM Studio", "required", "refuses `tool_choice` objects", "lmstudio-bug-tracker#670", providers=("lmstudio",)),
    Row("Claude, from 5.5 on,", "none", "refuses `any` and `tool`", "oh-my-pi#12939, vercel/ai#21364, celeste-python#393",
        models=_CLAUDE_FORCED_NEVER, never_off="claude"),
    Row("Claude", "none", "refuses a forced call while it thinks", "Anthropic, Extended thinking: tool use",
        classes=("ChatAnthropic",), only_thinking=True, off=_DISABLED, never_off=r"claude-(?:fable|mythos)"),
    Row("DeepSeek", "none", "refuses `tool_choice` while it thinks", "DeepSeek-V3#1376, any-llm#1384",
        providers=("deepseek",), hosts=("deepseek.com",), classes=("ChatDeepSeek",), only_thinking=True,
        thinks=r"deepseek-(?:v[4-9]|reasoner)", off=_DISABLED),
    Row("Kimi K3", "required", "refuses a tool's name", "oh-my-pi#5994",
        providers=_KIMI, hosts=_KIMI_HOSTS, classes=("ChatMoonshot",), models=r"kimi-k3", never_off="kimi"),
    Row("Kimi", "none", "refuses a forced call while it thinks", "inspect_ai#5152, oh-my-pi#3853",
        providers=_KIMI, hosts=_KIMI_HOSTS, classes=("ChatMoonshot",), only_thinking=True,
        thinks=r"kimi-for-coding|kimi-k2[.-][5-9]|kimi-k2-thinking", off=_DISABLED, never_off=r"kimi-for-coding|kimi-k2[.-]7|kimi-k2-thinking"),
    Row("Qwen", "none", "refuses a forced call while it thinks", "eino#994, qwen-code#7659, dify-official-plugins#2628",
        providers=("qwen", "dashscope", "tongyi", "alibaba"), hosts=("aliyuncs.com",), classes=("ChatTongyi", "ChatQwen", "ChatQwQ"),
        only_thinking=True, thinks=r"qwq|thinking|qwen3\.[5-9]|qwen3-\d+(?:\.\d+)?b(?!.*instruct)",
        off={"enable_thinking": False}, never_off=r"qwq|thinking"),
    Row("Z.ai", "none", "takes `auto` only", "agentscope docs, code 1210",
        providers=("zai", "z-ai", "zhipu", "bigmodel"), hosts=("z.ai", "bigmodel.cn"), classes=("ChatZhipuAI",), off=_DISABLED),
)  # fmt: skip
"""The first row that is about a client or a model holds, those of clients before those of providers."""


@dataclass(frozen=True, slots=True)
class Sender:
    """What is known of the client that sends a request.

    Attributes:
        spec: The model's spec.
        model: Its name at its provider.
        classes: The names of the client's class and its bases; of a client that is not built yet, those that it will have.
        host: The host name of its API, where the client shows it.
        settings: Settings of the client that say whether the model thinks: `thinking`, `reasoning`, `extra_body`, `model_kwargs`.
        profile: LangChain's profile of the model.
        choices: The values of `tool_choice` that the client says the model takes (`any`, `tool`); `None` if it does not say.
    """

    spec: str
    model: str
    classes: frozenset[str] = frozenset()
    host: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Forcing:
    """How a model is made to call a tool.

    Attributes:
        rung: The rung that it is on.
        why: Why it is not on a higher one, for people; empty where nothing speaks against `name`.
        any: How its client spells `required`.
        thinks: Whether it thinks in this request; `None` if that is not known.
        switch: The settings that switch its thinking off in this request; `None` where it is not switched.
        learned: The refusal that brought it to this rung; `None` where it was known.
    """

    rung: Rung = "name"
    why: str = ""
    any: str = "any"
    thinks: bool | None = None
    switch: Mapping[str, Any] | None = None
    learned: Refused | None = None


_SETTINGS: Final = ("thinking", "reasoning", "reasoning_effort", "extra_body", "model_kwargs", "enable_thinking", "output_config", "effort")
_MOST_EFFORT: Final = frozenset({"xhigh", "max"})
"""Claude does not take `thinking: disabled` with these. Source: langchain-anthropic, `_assert_valid_model_configuration`."""
_URLS: Final = ("openai_api_base", "api_base", "anthropic_api_url", "base_url")


def sender_of(spec: str, leaf: Any, bound: Mapping[str, Any]) -> Sender:
    """A chat model as a sender.

    Args:
        spec: Its spec.
        leaf: The chat model.
        bound: Settings that are bound to it or sent along.
    """
    own = {name: value for name in _SETTINGS if (value := getattr(leaf, name, None)) is not None}
    said = {name: bound[name] for name in _SETTINGS if bound.get(name) is not None}
    url = next((url for name in _URLS if isinstance(url := getattr(leaf, name, None), str) and url), "")
    names = (getattr(leaf, name, None) for name in ("model_name", "model", "model_id"))
    choices = getattr(leaf, "supports_tool_choice_values", None)
    return Sender(
        spec,
        next((name for name in names if isinstance(name, str) and name), spec.partition("/")[2]),
        frozenset(cls.__name__ for cls in type(leaf).__mro__),
        (urlsplit(url).hostname or "").lower(),
        {**own, **said},
        getattr(leaf, "profile", None) or {},
        tuple(choices) if isinstance(choices, tuple | list) else None,
    )


_CLASSES: Final[Mapping[str, frozenset[str]]] = {
    "openai": frozenset({"ChatOpenAI"}),
    "anthropic": frozenset({"ChatAnthropic"}),
    "anthropic_bedrock": frozenset({"ChatAnthropicBedrock", "ChatAnthropic"}),
    "ollama": frozenset({"ChatOllama"}),
    "litellm": frozenset({"ChatLiteLLM"}),
    "cohere": frozenset({"ChatCohere"}),
}
"""The classes of clients that are built from the configuration, where a row is about them."""


def sender_to_be(spec: str, client: str | None, base_url: str | None, params: Mapping[str, Any]) -> Sender:
    """A model that is not built yet, as a sender.

    Args:
        spec: Its spec.
        client: `openai`, `community:` and a class, or a `model_provider` of `init_chat_model`.
        base_url: Where its API is, if the configuration says so.
        params: Its settings.
    """
    named = frozenset({client.removeprefix(COMMUNITY)}) if client is not None and is_community(client) else frozenset()
    host = (urlsplit(base_url).hostname or "").lower() if base_url else ""
    settings = {name: params[name] for name in _SETTINGS if name in params}
    return Sender(spec, spec.partition("/")[2], _CLASSES.get(client or "", named), host, settings)


def forcing(sender: Sender, setting: str | None = None, *, switch_off: bool = False, refused: Iterable[Refused] = ()) -> Forcing:
    """How a model is made to call, by what is known of it and by what its provider refused.

    Args:
        sender: The client.
        setting: The configuration's `toolChoice`: `name`, `required` or `none`; `auto` and `None` leave it to what is known.
        switch_off: Thinking is to be switched off, where that is possible.
        refused: What the provider refused of late.
    """
    refused = tuple(refused)
    row = row_of(sender)
    switch = None
    if switch_off and row is not None and not any(each.parameter == THINKING for each in refused):
        switch = row.off if _thinks(sender, row) is not False and cannot_switch_off(sender) is None else None
    thinks = False if switch is not None else _thinks(sender, row)
    rung, why = _known(sender, row, thinks)
    limit = _client_limit(sender, row)
    if setting in RUNGS:
        rung = next(each for each in RUNGS if each == setting)
        why = "the configuration says so (toolChoice)"
        if limit is not None and lowest(rung, limit[0]) != rung:
            rung, why = limit
    after = rung_left(refused, thinks=thinks)
    if after is None or lowest(rung, after.left) == rung:
        return Forcing(rung, why, row.any if row is not None else "any", thinks, switch)
    return Forcing(after.left, after.why, row.any if row is not None else "any", thinks, switch, after)


def row_of(sender: Sender) -> Row | None:
    """The row that is about a sender; `None` if there is none."""
    return next((row for row in ROWS if _is_about(row, sender)), None)


def impossible(sender: Sender, setting: str | None) -> str | None:
    """Why the client cannot do what `toolChoice` says; `None` if it can."""
    limit = _client_limit(sender, row_of(sender))
    if limit is None or setting not in RUNGS or lowest(limit[0], *(rung for rung in RUNGS if rung == setting)) == setting:
        return None
    return f"{limit[1]}; write {limit[0]!r} or 'auto'"


def cannot_switch_off(sender: Sender) -> str | None:
    """Why the model's thinking cannot be switched off for one request; `None` if it can, or if it does not think anyway."""
    row = row_of(sender)
    if _thinks(sender, row) is False:
        return None
    if row is None:
        return "it is not known how to switch its thinking off"
    if row.off is None or (row.never_off and re.search(row.never_off, sender.model, re.IGNORECASE)):
        return f"its provider does not let its thinking be switched off ({row.source})"
    settings, output = sender.settings, sender.settings.get("output_config")
    efforts = {settings.get("effort"), settings.get("reasoning_effort"), output.get("effort") if isinstance(output, Mapping) else None}
    if row.who == "Claude" and efforts & _MOST_EFFORT:
        return "Claude does not let its thinking be switched off at this effort"
    return None


def _known(sender: Sender, row: Row | None, thinks: bool | None) -> tuple[Rung, str]:
    if (limit := _client_limit(sender, row)) is not None:
        return limit
    if sender.profile.get("tool_choice") is False:
        return "none", "LangChain's profile of the model says that it takes no forced `tool_choice`"
    if row is None or (row.only_thinking and not thinks):
        return "name", ""
    return row.rung, f"{row.who} {row.why} ({row.source})"


def _client_limit(sender: Sender, row: Row | None) -> tuple[Rung, str] | None:
    """The highest rung that the client can express, and why not a higher one; `None` if it can express all."""
    if row is not None and row.client:
        return row.rung, f"{row.who} {row.why} ({row.source})"
    if sender.choices is None or "tool" in sender.choices:
        return None
    taken = ", ".join(sender.choices) or "no tool_choice"
    return ("required" if "any" in sender.choices else "none"), f"its client takes only {taken} for this model"


def _is_about(row: Row, sender: Sender) -> bool:
    clients = bool(row.classes or row.providers or row.hosts)
    if clients and not (
        sender.classes.intersection(row.classes)
        or sender.spec.partition("/")[0] in row.providers
        or any(sender.host == host or sender.host.endswith("." + host) for host in row.hosts)
    ):
        return False
    return not row.models or re.search(row.models, sender.model, re.IGNORECASE) is not None


def _thinks(sender: Sender, row: Row | None) -> bool | None:
    """Whether the model thinks; `None` if that is not known."""
    if row is not None and row.never_off and row.thinks and re.search(row.never_off, sender.model, re.IGNORECASE):
        return True
    said = _said(sender.settings)
    if said is None and row is not None and row.thinks and re.search(row.thinks, sender.model, re.IGNORECASE):
        return True
    return said


def _said(settings: Mapping[str, Any]) -> bool | None:
    """What the settings of a client say about thinking; `None` if they say nothing."""
    for mapping in (settings.get("extra_body"), settings.get("model_kwargs"), settings):
        if not isinstance(mapping, Mapping):
            continue
        template = mapping.get("chat_template_kwargs")
        for place in (mapping, template if isinstance(template, Mapping) else {}):
            if isinstance(enabled := place.get("enable_thinking"), bool):
                return enabled
            if isinstance(thinking := place.get("thinking"), bool):
                return thinking
            if isinstance(thinking, Mapping) and isinstance(kind := thinking.get("type"), str):
                return kind != "disabled"
        reasoning = mapping.get("reasoning")
        if isinstance(reasoning, bool):
            return reasoning
        efforts = (mapping.get("reasoning_effort"), reasoning.get("effort") if isinstance(reasoning, Mapping) else None)
        if "none" in efforts or (isinstance(reasoning, Mapping) and reasoning.get("enabled") is False):
            return False
    return None
