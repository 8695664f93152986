"""Chat models of `langchain-community` as candidates, by spec: `api: "community:ChatX"` in the provider's section.

```yaml
models:
  providers:
    llamacpp:                                   # llama.cpp in this process
      api: "community:ChatLlamaCpp"
      params: {n_gpu_layers: -1}                # fields of the class
      models:
        - {id: qwen3-4b, contextWindow: 8192, params: {model_path: "~/models/Qwen3-4B-Q4_K_M.gguf"}}
    minimax:                                    # over HTTP
      api: "community:MiniMaxChat"
      apiKey: "${MINIMAX_API_KEY}"
model:
  primary: kimi/kimi-for-coding
  fallbacks: [minimax/MiniMax-M2, llamacpp/qwen3-4b]
```

The package comes with the extra: `pip install 'lg_toolroute[community]'`. It is imported when such a model is checked or built, never before.

Classes that run a model in this process have a module each in `local/`. All others get, where they have a field for it: the model's name, the key,
the base URL, no retries, and the time limit. Two habits of these classes would break a tool loop and are made up for: most lose tool calls when
they stream, so a request with tools is answered in one piece (`params: {disable_streaming: false}` streams it all the same); and some look for the
calls of earlier messages in `additional_kwargs` only, so they are written there too.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Any, Protocol, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from pydantic.fields import FieldInfo

from lg_toolroute.clients.hidden_fields import hide_fields
from lg_toolroute.config.models import ProviderSettings
from lg_toolroute.config.providers import COMMUNITY, is_community
from lg_toolroute.core.rules.facts import ModelFacts
from lg_toolroute.core.rules.nearest import did_you_mean
from lg_toolroute.core.rules.spec import parse_spec
from lg_toolroute.errors import ConfigError, Problem

_REQUIRES = {
    "ChatLlamaCpp": ("llama_cpp", "llama-cpp-python"),
    "ChatMLX": ("mlx_lm", "mlx-lm"),
    "ChatMlflow": ("mlflow", "mlflow"),
    "ChatOCIGenAI": ("oci", "oci"),
    "ChatOCIModelDeployment": ("ads", "oracle-ads"),
    "ChatOutlines": ("outlines", "outlines"),
    "ChatPremAI": ("premai", "premai"),
    "ChatReka": ("reka", "reka-api"),
    "ChatSnowflakeCortex": ("snowflake", "snowflake-snowpark-python"),
    "ChatTongyi": ("dashscope", "dashscope"),
    "ChatZhipuAI": ("jwt", "pyjwt"),
    "QianfanChatEndpoint": ("qianfan", "qianfan"),
}
"""What a class needs beside `langchain-community`: the module, and what pip calls it. For classes that can call tools; others say it themselves."""

_MODEL = ("model", "model_name", "model_id")
_KEY = ("api_key", "_api_key", "_api_token", "_token")
_URL = ("base_url", "api_base", "url", "endpoint", "_api_base", "_api_host", "_url")
_TIMEOUT = ("request_timeout", "timeout", "default_request_timeout")
"""Names and aliases of fields, the most usual first; one that begins with `_` is the end of a name."""


class _LocalModule(Protocol):
    """A module of `local/`.

    Attributes:
        PER_CALL: Settings that can differ between calls of one loaded model.
        check: Raises `ConfigError` if the model cannot be loaded with its settings.
        build: Loads the model.
    """

    PER_CALL: frozenset[str]
    check: Callable[[str, Mapping[str, Any]], None]
    build: Callable[[str, Mapping[str, Any], ModelFacts], BaseChatModel]


def per_call_settings(client: str, spec: str) -> frozenset[str]:
    """The settings that are passed with each call instead of building another client; only for models that are loaded into this process.

    Raises:
        ConfigError: `langchain-community`, or what the class needs, is not installed.
    """
    local = _local_module(client, spec) if is_community(client) else None
    return local.PER_CALL if local is not None else frozenset()


def check(spec: str, settings: ProviderSettings, params: Mapping[str, Any]) -> None:
    """Check that the class exists and what it needs is installed. No model is loaded and no network is used.

    Raises:
        ConfigError: With the command that installs what is missing, or the setting to write.
    """
    local = _local_module(settings.client, spec)
    if local is None:
        _class(settings, spec)
        return
    if settings.base_url is not None or settings.headers:
        message = f"{_name(settings.client)} runs in this process and takes no base URL and no headers"
        raise _error(f"models.providers.{settings.provider}", message, "leave them out, or leave `api` out to talk to a server")
    local.check(spec, params)


def build(spec: str, settings: ProviderSettings, params: dict[str, Any], silence_s: float | None, facts: ModelFacts) -> BaseChatModel:
    """The client of a model.

    Args:
        spec: `provider/model`, canonical.
        settings: The provider's settings, resolved.
        params: Fields of the class; they win over what would be set here.
        silence_s: How long a request may be silent, in seconds.
        facts: What the configuration says about the model.

    Raises:
        ConfigError: Something is not installed, or the class refuses the settings.
    """
    model = parse_spec(spec).model
    local = _local_module(settings.client, spec)
    try:
        if local is not None:
            return local.build(model, params, facts)
        cls = _class(settings, spec)
        built = cls(**_fields(cls, model, settings, params, silence_s))
    except (ImportError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise _error(spec, f"{_name(settings.client)} cannot be built: {_message(error)}") from error
    key = _find(cls, _KEY)
    return hide_fields(built, key) if key is not None else built  # some classes keep their key as plain text


def _local_module(client: str, where: str) -> _LocalModule | None:
    """The module of a class that runs in this process; `None` for all others. What the class needs is installed."""
    name = _name(client)
    _need("langchain_community", "lg_toolroute[community]", where, name)
    if name in _REQUIRES:
        _need(*_REQUIRES[name], where, name)
    if name == "ChatLlamaCpp":
        from lg_toolroute.clients.local import llama_cpp

        return cast("_LocalModule", llama_cpp)
    if name == "ChatMLX":
        from lg_toolroute.clients.local import mlx

        return cast("_LocalModule", mlx)
    return None


def _need(module: str, package: str, where: str, name: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise _error(where, f"{name} needs {module}, which is not installed", f"run: pip install '{package}'")


def _class(settings: ProviderSettings, where: str) -> type[BaseChatModel]:
    """The class, adapted to tool loops.

    Raises:
        ConfigError: There is no such class, or it cannot be imported, or it lacks a field for a configured setting.
    """
    name = _name(settings.client)
    module = importlib.import_module("langchain_community.chat_models")
    if name not in module.__all__:
        raise _error(where, f"langchain_community.chat_models has no {name!r}", did_you_mean(name, module.__all__))
    try:
        cls: type[BaseChatModel] = getattr(module, name)
    except ImportError as error:
        raise _error(where, f"{name} cannot be imported: {error}") from error
    section = f"models.providers.{settings.provider}"
    if settings.headers:
        raise _error(f"{section}.headers", f"{name} takes no headers", "leave them out, or hand the model in")
    if settings.base_url is not None and _find(cls, _URL) is None:
        raise _error(f"{section}.baseUrl", f"{name} takes no base URL", "leave it out, or write the class's own setting under params")
    return _reads_calls(cls)


def _fields(cls: type[BaseChatModel], model: str, settings: ProviderSettings, params: Mapping[str, Any], silence_s: float | None) -> dict[str, Any]:
    """The arguments of the class: what the configuration knows, where the class has a field for it, below the params."""
    values = [
        (_MODEL, model),
        (_KEY, settings.api_key.get_secret_value() if settings.api_key is not None else None),
        (_URL, settings.base_url),
        # Whole seconds: some classes take no fractions.
        (_TIMEOUT, max(round(silence_s), 1) if silence_s is not None else None),
        (("max_retries",), 0),
    ]
    fields: dict[str, Any] = {"disable_streaming": "tool_calling"}
    for names, value in values:
        field = _find(cls, names) if value is not None else None
        if field is not None and not {field, cls.model_fields[field].alias} & params.keys():
            fields[_argument(cls, field)] = value
    return {**fields, **params}


def _find(cls: type[BaseChatModel], names: tuple[str, ...]) -> str | None:
    """The name of the field that has one of these names, aliases or endings."""

    def bears(field: str, info: FieldInfo, name: str) -> bool:
        return field.endswith(name) if name.startswith("_") else name in (field, info.alias)

    return next((field for name in names for field, info in cls.model_fields.items() if bears(field, info, name)), None)


def _argument(cls: type[BaseChatModel], field: str) -> str:
    alias = cls.model_fields[field].alias
    return field if alias is None or cls.model_config.get("populate_by_name") else alias


@lru_cache(maxsize=64)
def _reads_calls(cls: type[BaseChatModel]) -> type[BaseChatModel]:
    """A subclass whose messages carry their tool calls in `additional_kwargs` too, in OpenAI's form."""
    methods = [name for name in ("_generate", "_agenerate", "_stream", "_astream") if getattr(cls, name) is not getattr(BaseChatModel, name)]
    body = {name: _with_openai_calls(getattr(cls, name)) for name in methods}
    # The name stays: it is written into traces, and some middleware looks at it.
    return cast("type[BaseChatModel]", type(cls.__name__, (cls,), {**body, "__module__": cls.__module__, "__qualname__": cls.__qualname__}))


def _with_openai_calls(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(self: BaseChatModel, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        return method(self, [_openai_calls(message) for message in messages], *args, **kwargs)

    return call


def _openai_calls(message: BaseMessage) -> BaseMessage:
    if not isinstance(message, AIMessage) or not message.tool_calls or "tool_calls" in message.additional_kwargs:
        return message
    (converted,) = convert_to_openai_messages([message])
    return message.model_copy(update={"additional_kwargs": {**message.additional_kwargs, "tool_calls": converted["tool_calls"]}})


def _name(client: str) -> str:
    return client.removeprefix(COMMUNITY)


def _message(error: ImportError | ValueError) -> str:
    """What a class said, without the values it was given: they may be secrets."""
    details = getattr(error, "errors", None)
    return "; ".join(found["msg"].removeprefix("Value error, ") for found in details()) if callable(details) else str(error)


def _error(where: str, message: str, hint: str = "") -> ConfigError:
    return ConfigError([Problem(where, message, hint)], source="models")
