"""What an agent's request carries for its own model, as far as another model takes it: settings, system prompt, tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import SystemMessage
from langchain_core.tools import BaseTool

from lg_toolroute.clients.bindings import arguments_schema
from lg_toolroute.history import adapt, sanitize_settings, target_of


def fit_settings(settings: Mapping[str, Any], leaf: BaseChatModel | None) -> dict[str, Any]:
    """The settings that a middleware wrote for the agent's own model, without those that another client would refuse."""
    if not settings or leaf is None:
        return {}
    return sanitize_settings(settings, target_of(leaf))


def fit_system(system: SystemMessage | None, leaf: BaseChatModel | None) -> SystemMessage | None:
    """The system prompt without another provider's cache markers."""
    if system is None or leaf is None or isinstance(system.content, str):
        return system
    adapted = adapt([system], target_of(leaf))
    first = adapted[0] if adapted else system
    return first if isinstance(first, SystemMessage) else system


def fit_tools(tools: Sequence[Any], *, its_own: bool, writes: bool) -> list[Any]:
    """The tools as the model of one segment takes them.

    Args:
        tools: What the policy lets it see.
        its_own: It is the agent's own model, for which the tools were made out.
        writes: It writes a call: then the tool is needed at once, not to be searched for first.
    """
    if its_own and not writes:
        return list(tools)
    fitted: list[Any] = []
    for tool in tools:
        if isinstance(tool, Mapping):
            if its_own or arguments_schema(tool) is not None:
                fitted.append(tool)  # a tool that runs at a provider is another provider's no more
        elif writes and isinstance(tool, BaseTool) and (tool.extras or {}).get("defer_loading"):
            fitted.append(tool.model_copy(update={"extras": {k: v for k, v in (tool.extras or {}).items() if k != "defer_loading"} or None}))
        else:
            fitted.append(tool)
    return fitted
