"""The state and the runtime context of a routed graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict, Field

# Pydantic, which makes the JSON Schemas that Studio shows, refuses the standard library's before Python 3.12.
from typing_extensions import TypedDict


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


class ToolRouteContext(BaseModel):
    """What a run may say about its routing: `graph.invoke(…, context={"agent": "coder"})`. Studio shows it as a form."""

    model_config = ConfigDict(extra="ignore")

    agent: str | None = Field(default=None, title="Agent", description="Whose rules and tool policy apply; empty: the defaults.")
    role: str | None = Field(default=None, title="Role", description="The role of this run (`heartbeat`, …), which picks the chain that reasons.")
    model: str | None = Field(
        default=None,
        title="Model",
        description="Reason on this model instead of the primary, as provider/model. Rules, policies and fallbacks stay as they are.",
        json_schema_extra={"langgraph_nodes": ["model"]},
    )
    prediction: Literal["off", "warm", "speculate", "lead"] | None = Field(
        default=None, title="Prediction", description="How a prediction of the next tool is used in this run; empty: as configured."
    )


def context_value(context: Any, name: str) -> Any:
    """One value of a runtime context that may be a `ToolRouteContext`, any other object, a mapping, or nothing."""
    if context is None:
        return None
    if isinstance(context, Mapping):
        return context.get(name)
    return getattr(context, name, None)
