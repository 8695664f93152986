"""Middleware for LangGraph that hands each tool call of an agent to the chat model that writes it best.

The names below are all there is to know; adapters load when they are first used, and no provider's client is imported here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lg_toolroute.errors import ChainExhausted, ConfigError, ToolRouteError

if TYPE_CHECKING:
    from lg_toolroute.briefs.looks import LookRequest
    from lg_toolroute.briefs.request import Brief, BriefRequest
    from lg_toolroute.config import RoutingConfig, load_config
    from lg_toolroute.core.rules.decision import Decision
    from lg_toolroute.forms.form import FormTool, ToolForm
    from lg_toolroute.forms.refused import FormRefused
    from lg_toolroute.router import ToolRouter
    from lg_toolroute.state import ToolRouteContext, ToolRouteState
    from lg_toolroute.surfaces.chat.chat_model import ToolRoutedChatModel
    from lg_toolroute.surfaces.graph.build import add_toolroute, create_toolroute_agent
    from lg_toolroute.surfaces.middleware.middleware import ToolRouteMiddleware

_HOMES = {
    "Brief": "briefs.request",
    "BriefRequest": "briefs.request",
    "load_config": "config",
    "RoutingConfig": "config",
    "ToolRouter": "router",
    "Decision": "core.rules.decision",
    "LookRequest": "briefs.looks",
    "ToolForm": "forms.form",
    "FormTool": "forms.form",
    "FormRefused": "forms.refused",
    "create_toolroute_agent": "surfaces.graph.build",
    "add_toolroute": "surfaces.graph.build",
    "ToolRouteState": "state",
    "ToolRouteContext": "state",
    "ToolRouteMiddleware": "surfaces.middleware.middleware",
    "ToolRoutedChatModel": "surfaces.chat.chat_model",
}

__all__ = [
    "Brief",
    "BriefRequest",
    "ChainExhausted",
    "ConfigError",
    "Decision",
    "FormRefused",
    "FormTool",
    "LookRequest",
    "RoutingConfig",
    "ToolForm",
    "ToolRouteContext",
    "ToolRouteError",
    "ToolRouteMiddleware",
    "ToolRouteState",
    "ToolRoutedChatModel",
    "ToolRouter",
    "add_toolroute",
    "create_toolroute_agent",
    "load_config",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
