"""The state and the runtime context of a routed graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Annotated, Any, ClassVar, NotRequired, cast, get_origin, get_type_hints

from langchain_core.messages import AnyMessage
from langgraph.graph import StateGraph
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict, Field

# Pydantic, which makes the JSON Schemas that Studio shows, refuses the standard library's before Python 3.12.
from typing_extensions import TypedDict, is_typeddict


class ToolRouteInput(TypedDict):
    """What a routed graph takes.

    Attributes:
        messages: The conversation.
        expected_tool: A tool that is known to come next: written by a caller, a planner node, a human, or a `Command`. Used once.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    expected_tool: NotRequired[str | None]


class ToolRouteOutput(TypedDict):
    """What a routed graph gives back: the conversation, one AI message a turn."""

    messages: Annotated[list[AnyMessage], add_messages]


class ToolRouteState(ToolRouteInput):
    """All state of a routed graph.

    Attributes:
        toolroute: The turn under way; private, `None` between turns. Plain data and LangChain messages only, so that any checkpointer
            can keep it.
    """

    toolroute: NotRequired[dict[str, Any] | None]


def node_schema(schema: type[Any]) -> type[Any]:
    """What the nodes of a routed graph read: every key of the graph's own state, so that tools see them too, and the keys of a turn.

    Args:
        schema: The graph's state: a typed dict, a dataclass or a pydantic model.
    """
    theirs = get_type_hints(schema, include_extras=True) if hasattr(schema, "__annotations__") else {}
    keys = {name: hint for name, hint in theirs.items() if get_origin(hint) is not ClassVar and not name.startswith("__")}
    ours = get_type_hints(ToolRouteState, include_extras=True)
    return cast("Any", TypedDict)("ToolRouteNodeState", {**ours, **keys})  # type: ignore[no-any-return]  # made at run time


def input_and_output(schema: type[Any]) -> tuple[type[Any] | None, type[Any] | None]:
    """What a graph of this state takes, and what it gives back: everything but the keys of a turn. `None`: the state itself.

    Args:
        schema: The graph's state.
    """
    if schema is ToolRouteState:
        return ToolRouteInput, ToolRouteOutput
    hints = get_type_hints(schema, include_extras=True) if is_typeddict(schema) else {}
    if "toolroute" not in hints:
        return None, None
    managed = StateGraph(schema).managed  # `RemainingSteps` and its like are LangGraph's to give
    taken = {name: hint for name, hint in hints.items() if name != "toolroute" and name not in managed}
    given = {name: hint for name, hint in taken.items() if name != "expected_tool"}
    made = cast("Any", TypedDict)
    return made(f"{schema.__name__}Input", taken), made(f"{schema.__name__}Output", given)


def state_for_tools(state: Any, schema: type[Any] | None) -> Any:
    """The state as a tool may have it injected: in the shape of the graph's own schema, without the turn under way.

    Args:
        state: What a node read.
        schema: The graph's state; unset: a mapping is wanted.
    """
    if not isinstance(state, Mapping):
        return state
    plain = {key: value for key, value in state.items() if key != "toolroute"}
    if schema is None or not (is_dataclass(schema) or issubclass(schema, BaseModel)):
        return plain
    known = get_type_hints(schema)
    return schema(**{key: value for key, value in plain.items() if key in known})


class ToolRouteContext(BaseModel):
    """What a run may say about its routing: `graph.invoke(…, context={"agent": "coder"})`. Studio shows it as a form."""

    model_config = ConfigDict(extra="ignore")

    agent: str | None = Field(
        default=None, title="Agent", description="An id under agents, for that agent's rules and tool policy; empty: the defaults."
    )
    role: str | None = Field(default=None, title="Role", description="The role of this run (`heartbeat`, …), which picks the chain that reasons.")
    model: str | None = Field(
        default=None,
        title="Model",
        description="Reason on this model instead of the primary, as provider/model. Rules, policies and fallbacks stay as they are.",
        json_schema_extra={"langgraph_nodes": ["model"]},
    )
