"""The runnables that may stand around a chat model: bindings, retries, fallbacks, configurable alternatives.

They are kept; the chat models inside are replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig, RunnableWithFallbacks
from langchain_core.runnables.configurable import DynamicRunnable
from langchain_core.runnables.retry import RunnableRetry

from lg_toolroute.errors import ConfigError, Problem
from lg_toolroute.langchain_hooks import check_hooks

LanguageModel = Runnable[Any, Any]
"""A chat model, or a runnable around one."""

NO_CHAT_MODEL = "hand in a BaseChatModel, or one inside bind, with_config, with_retry or with_fallbacks"
"""The hint for an object that is no chat model and has none inside."""


def is_configurable(model: Any) -> bool:
    """Is this an `init_chat_model` with configurable fields, which is a model only once it has a config?"""
    return hasattr(type(model), "_model") and hasattr(type(model), "_model_params")


def map_leaves(model: Any, change: Callable[[BaseChatModel], Any], config: RunnableConfig | None = None) -> Any:
    """The same runnable, with every chat model in it replaced by `change(chat model)`.

    Args:
        model: A chat model, or bindings, retries, fallbacks and configurable alternatives around one.
        change: Returns the replacement of a chat model.
        config: Resolves configurable models.
    """
    if isinstance(model, BaseChatModel):
        return change(model)
    if is_configurable(model):
        return map_leaves(model._model(config), change, config)
    if isinstance(model, DynamicRunnable):
        chosen, _ = model.prepare(config)
        return map_leaves(chosen, change, config)
    if isinstance(model, RunnableWithFallbacks):
        first = map_leaves(model.runnable, change, config)
        return model.model_copy(update={"runnable": first, "fallbacks": [map_leaves(m, change, config) for m in model.fallbacks]})
    if isinstance(model, (RunnableBinding, RunnableRetry)):
        return model.model_copy(update={"bound": map_leaves(model.bound, change, config)})
    check_hooks("clients.wrappers")  # a model with configurable fields is recognised by them
    raise ConfigError([Problem("models", f"there is no chat model inside a {type(model).__name__}", NO_CHAT_MODEL)], source="models")


def leaves(model: Any) -> list[BaseChatModel]:
    """Every chat model inside a runnable; empty if there is none."""
    found: list[BaseChatModel] = []

    def collect(leaf: BaseChatModel) -> BaseChatModel:
        found.append(leaf)
        return leaf

    try:
        map_leaves(model, collect)
    except ConfigError:
        return []
    return found


def toolless(model: Any, path: str) -> Problem | None:
    """Why a model cannot be given tools; `None` if it can, or if that depends on the run's config.

    Args:
        model: A chat model, or what wraps one.
        path: Where it was given, for the message.
    """
    inside = [] if is_configurable(model) else leaves(model)
    mute = next((leaf for leaf in inside if type(leaf).bind_tools is BaseChatModel.bind_tools), None)
    if mute is None:
        return None
    return Problem(path, f"a {type(mute).__name__} cannot be given tools, and this agent has some", "use a chat model whose class has `bind_tools`")


def first_leaf(model: Any) -> BaseChatModel | None:
    """The chat model that is asked first; `None` if there is none, or if it depends on the run's config."""
    if isinstance(model, BaseChatModel):
        return model
    return None if is_configurable(model) else next(iter(leaves(model)), None)
