"""Tools converted and bound once for each model, and the JSON Schema of each tool's arguments read once.

Converting 50 tools takes milliseconds; a turn that asks two models would do it twice.
"""

from __future__ import annotations

import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableBinding
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from lg_toolroute.errors import ConfigError, Problem

V = TypeVar("V")

_CACHED = 512


class Bound(NamedTuple):
    """A chat model with tools bound.

    Attributes:
        model: The model to ask; the same one, unless its `bind_tools` returns another.
        kwargs: Keyword arguments of each call. They are cached: do not change them.
    """

    model: BaseChatModel
    kwargs: dict[str, Any]


class BindingCache:
    """What tools become for a model: bound, and as JSON Schemas. Safe to use from several threads."""

    def __init__(self) -> None:
        self._bindings: IdentityCache[Bound] = IdentityCache()
        self._schemas: IdentityCache[Mapping[str, Any] | None] = IdentityCache()

    def bound(self, model: BaseChatModel, tools: Sequence[Any], tool_choice: Any = None, **settings: Any) -> Bound:
        """What `model.bind_tools(tools, …)` returns, converted once for each combination of model, tools, choice and settings.

        Args:
            model: The chat model itself, not a gated copy.
            tools: In the order in which the model sees them.
            tool_choice: As `bind_tools` takes it; left out for a model whose `bind_tools` has no such parameter.
            settings: Further settings.

        Raises:
            ConfigError: The model's `bind_tools` returns neither a binding nor a chat model.
        """

        def bind() -> Bound:
            choice = {"tool_choice": tool_choice} if tool_choice is not None and _takes_tool_choice(type(model)) else {}
            return _read_binding(model.bind_tools(tools, **settings, **choice), model)

        key = (tuple(map(id, tools)), repr(tool_choice), repr(sorted(settings.items(), key=lambda item: item[0])))
        return self._bindings.get(key, (model, *tools), bind)

    def schema(self, tool: Any) -> Mapping[str, Any] | None:
        """The JSON Schema of a tool's arguments; `None` for a tool that runs at the provider."""
        return self._schemas.get(None, (tool,), lambda: arguments_schema(tool))


class IdentityCache(Generic[V]):
    """Values by the identity of the objects they were made from; the least recently used are dropped first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, tuple[V, tuple[Any, ...]]] = OrderedDict()

    def get(self, key: Hashable, objects: tuple[Any, ...], make: Callable[[], V]) -> V:
        """The value for these objects and this key, made if it is missing."""
        full_key = (id(objects[0]), key)
        with self._lock:
            entry = self._entries.get(full_key)
            if entry is not None:
                self._entries.move_to_end(full_key)
                return entry[0]
        value = make()  # outside the lock: it may take milliseconds
        with self._lock:
            # The entry holds on to the objects, so that no other object can get their ids.
            value, _ = self._entries.setdefault(full_key, (value, objects))
            while len(self._entries) > _CACHED:
                self._entries.popitem(last=False)
        return value


def arguments_schema(tool: Any) -> Mapping[str, Any] | None:
    """The JSON Schema of what a model writes for a tool, without what the graph injects; `None` for a tool that runs at the provider."""
    if isinstance(tool, Mapping) and not ({"function", "input_schema", "parameters"} & tool.keys()):
        return None
    if isinstance(tool, Mapping) and isinstance(tool.get("input_schema"), Mapping):
        return _sound(tool["input_schema"])
    schema = convert_to_openai_tool(cast("Any", tool))["function"].get("parameters")
    if not isinstance(schema, Mapping):
        return None
    schema = _sound(schema)
    if isinstance(tool, BaseTool) and "runtime" in schema.get("required", ()):
        # LangGraph's tool node fills a parameter of this name, whatever its annotation. The tool does not know that and lists it as required.
        return {**schema, "required": [name for name in schema["required"] if name != "runtime"]}
    return schema


def _sound(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without a list of arguments that is none: MCP servers written in Go send `null` for an empty one."""
    kinds: dict[str, Any] = {"properties": Mapping, "required": (list, tuple)}
    return {name: value for name, value in schema.items() if name not in kinds or isinstance(value, kinds[name])}


def _read_binding(result: Any, model: BaseChatModel) -> Bound:
    """What a `bind_tools` returned: a binding, as chat models return; or a model that keeps its tools in itself, as some custom ones do."""
    if isinstance(result, BaseChatModel):
        return Bound(result, {})
    if isinstance(result, RunnableBinding):
        return Bound(result.bound if isinstance(result.bound, BaseChatModel) else model, dict(result.kwargs))
    problem = Problem(
        type(model).__name__,
        f"its bind_tools returned a {type(result).__name__}",
        "return self.bind(tools=…), as LangChain's chat models do, or a chat model",
    )
    raise ConfigError([problem], source="models")


def _takes_tool_choice(cls: type[BaseChatModel]) -> bool:
    parameters = inspect.signature(cls.bind_tools).parameters
    return "tool_choice" in parameters or any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
