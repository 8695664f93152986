"""The private and undocumented names of LangChain and LangGraph that this package builds on: what, where it is used, and why.

They can disappear in any release. `check_hooks` raises one error that names the missing ones, and each place that needs some calls it before it
imports them. `pyproject.toml` allows the minor versions in which they are known to exist.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from types import CodeType
from typing import Any

from lg_toolroute.errors import ToolRouteError

SUPPORTED = {
    "langchain-core": ">=1.7.2,<1.9",
    "langchain": ">=1.4.7,<1.5",
    "langchain-openai": ">=1.7.3,<1.8",
    "langgraph-prebuilt": ">=1.1.2,<1.2",
}
"""The versions in which all hooks are known to exist, as in `pyproject.toml`."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One name that LangChain may change without notice.

    Attributes:
        place: The object, as `module:name`.
        used_in: The modules or packages below `lg_toolroute` that use it.
        why: What for, after "to".
        takes: The parameters that it must have.
        mentions: A name or string in its code: attributes that LangChain looks up by name, or keys of its dicts.
    """

    place: str
    used_in: tuple[str, ...]
    why: str
    takes: tuple[str, ...] = ()
    mentions: str = ""

    @property
    def name(self) -> str:
        """The name as this package spells it."""
        return self.mentions or self.place.rpartition(":")[2].rpartition(".")[2]

    @property
    def package(self) -> str:
        """The distribution that it comes from."""
        module = self.place.partition(".")[0].partition(":")[0]
        return "langgraph-prebuilt" if module == "langgraph" else module.replace("_", "-")

    def problem(self) -> str | None:
        """What is missing, in a sentence that says what to install; `None` if the hook is there."""
        missing = self._missing()
        if missing is None:
            return None
        try:
            installed = f"{self.package} {version(self.package)}, which is installed, does not have it"
        except PackageNotFoundError:
            installed = f"{self.package} is not installed"
        return f"lg_toolroute needs {missing} of {self.package}, to {self.why}; {installed}; install '{self.package}{SUPPORTED[self.package]}'"

    def _missing(self) -> str | None:
        what = self.place.rpartition(":")[2]
        try:
            found = pkgutil.resolve_name(self.place)
        except (ImportError, AttributeError):
            return f"{what} ({self.place.partition(':')[0]})"
        codes = list(_codes(found))
        parameters = [name for code in codes[:1] for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]]
        if unknown := [name for name in self.takes if name not in parameters]:
            return f"the parameter {unknown[0]!r} of {what}"
        if self.mentions and not any(self.mentions in (*code.co_names, *code.co_consts) for code in codes):
            return f"the name {self.mentions!r} in {what}"
        return None


class MissingHookError(ToolRouteError, ImportError):
    """An installed package lacks private names that this package builds on; the text says which, and what to install."""


def check_hooks(*users: str) -> None:
    """Raise if a hook is missing.

    Args:
        users: Whose hooks are checked, as in `Hook.used_in`; none: all.

    Raises:
        MissingHookError: At least one is missing. Every missing one is in the text.
    """
    problems = [hook.problem() for hook in HOOKS if not users or set(users) & set(hook.used_in)]
    if missing := [problem for problem in problems if problem is not None]:
        raise MissingHookError("\n".join(missing))


def _codes(found: Any) -> Iterator[CodeType]:
    """The code of a function, or of all functions of a class, with the functions inside."""
    functions = vars(found).values() if isinstance(found, type) else [found]
    waiting = [function.__code__ for function in functions if hasattr(function, "__code__")]
    while waiting:
        code = waiting.pop(0)
        yield code
        waiting += [const for const in code.co_consts if isinstance(const, CodeType)]


def _of_chat_model(name: str, used_in: tuple[str, ...], why: str, **more: Any) -> Hook:
    return Hook(f"langchain_core.language_models.chat_models:BaseChatModel{name and '.' + name}", used_in, why, **more)


_CALLS = ("gates", "surfaces.chat", "clients.local", "testing")
_CHAT, _MIDDLEWARE = ("surfaces.chat",), ("surfaces.middleware",)
_WRAPPERS, _THINKING = ("clients.wrappers",), ("clients.thinking_client",)
_ASKED = ("messages", "stop", "run_manager")

HOOKS = (
    _of_chat_model("_stream", _CALLS, "read and replace the stream of a chat model", takes=_ASKED),
    _of_chat_model("_astream", ("gates", "surfaces.chat", "testing"), "read and replace the awaited stream of a chat model", takes=_ASKED),
    _of_chat_model("_generate", _CALLS, "read and replace the whole answer of a chat model", takes=_ASKED),
    _of_chat_model("_agenerate", _CALLS, "read and replace the awaited whole answer of a chat model", takes=_ASKED),
    _of_chat_model("_serialized", ("gates",), "serialise a model for traces once, and not once a call"),
    _of_chat_model("_streaming_disabled", ("gates",), "find out whether a chat model streams"),
    _of_chat_model("", ("gates",), "gate the stream of `stream_events` (v3)", mentions="_stream_chat_model_events"),
    _of_chat_model("", ("gates",), "gate the stream of `astream_events` (v3)", mentions="_astream_chat_model_events"),
    Hook("langchain_core.language_models._compat_bridge:chunks_to_events", ("gates",), "make v3 events of gated chunks", ("message_id",)),
    Hook("langchain_core.language_models._compat_bridge:achunks_to_events", ("gates",), "make v3 events of gated awaited chunks", ("message_id",)),
    _of_chat_model("_llm_type", ("surfaces.chat", "testing"), "name the routed chat model"),
    _of_chat_model("_identifying_params", ("surfaces.chat", "testing"), "tell one routed chat model from another in caches and traces"),
    _of_chat_model("_get_ls_params", ("surfaces.chat", "surfaces.middleware", "testing"), "read and give a model's provider and name"),
    _of_chat_model("_get_llm_string", _CHAT, "cache an answer under the rules that made it", takes=("stop",)),
    _of_chat_model("_resolve_model_profile", _CHAT, "give the routed chat model the profile of its primary"),
    _of_chat_model("_generate_with_cache", _CHAT, "run the inner models as children of the outer run", takes=_ASKED),
    _of_chat_model("_agenerate_with_cache", _CHAT, "run the awaited inner models as children of the outer run", takes=_ASKED),
    Hook("langchain_core.utils._merge:merge_dicts", ("gates",), "add up the metadata of chunks"),
    Hook("langchain_core.tracers._streaming:_StreamingCallbackHandler", _CHAT, "know the callback handlers that show tokens"),
    Hook("langchain_core.tracers._streaming:_V2StreamingCallbackHandler", _CHAT, "know the callback handlers that show v3 events"),
    Hook("langchain_core.tracers.context:_configure_hooks", _CHAT, "know the callback handlers that LangChain adds from the context"),
    Hook("langchain_core.runnables.config:var_child_runnable_config", _CHAT, "make the outer run the parent of the inner models' runs"),
    Hook("langchain_core.utils.utils:LC_ID_PREFIX", _CHAT, "give a message the id that LangChain gives it"),
    Hook("langchain.agents:create_agent", _MIDDLEWARE, "check the order of the middlewares at build time", ("model", "tools", "middleware")),
    Hook("langchain.chat_models.base:_ConfigurableModel._model", _WRAPPERS, "find the chat model of a configurable one", ("config",)),
    Hook("langchain.chat_models.base:_ConfigurableModel._model_params", _WRAPPERS, "recognise a configurable chat model"),
    Hook("langchain.chat_models.base:_ConfigurableModel", _MIDDLEWARE, "name a configurable chat model", mentions="_default_config"),
    Hook("langgraph.prebuilt:ToolNode", ("surfaces.graph",), "send each tool call to the tools node by itself", mentions="tool_call_with_context"),
    _of_chat_model("_convert_input", _THINKING, "find the messages that a payload was made of"),
    Hook("langchain_openai:ChatOpenAI._get_request_payload", _THINKING, "send reasoning to the APIs that require it", ("input_", "stop")),
    Hook("langchain_openai:ChatOpenAI._convert_chunk_to_generation_chunk", _THINKING, "keep the reasoning of a chunk", ("chunk",)),
    Hook("langchain_openai:ChatOpenAI._create_chat_result", _THINKING, "keep the reasoning of a whole answer", ("response", "generation_info")),
    Hook("langchain_openai:ChatOpenAI._use_responses_api", ("history.target",), "find out which of OpenAI's APIs a client calls"),
)
