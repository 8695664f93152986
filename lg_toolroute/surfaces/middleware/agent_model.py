"""The chat model of an agent that the application built: what it is called, and how a gate gets into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableBinding, RunnableConfig

from lg_toolroute.clients.wrappers import first_leaf, is_configurable, leaves, map_leaves, toolless
from lg_toolroute.core.rules.spec import canonical
from lg_toolroute.errors import ConfigError, Problem

_BOUND_ANEW = frozenset({"tools", "tool_choice", "functions", "function_call"})
"""What an agent binds for itself at every call, so that an earlier binding of it is void."""


def spec_of(model: Any) -> str:
    """The spec of a chat model, as its client describes it to traces: `openai/gpt-5`.

    A model without a name of its own goes by its class: `fakelistchatmodel/default`.
    """
    leaf = first_leaf(model)
    if leaf is None:
        defaults = getattr(model, "_default_config", None)
        params = defaults if isinstance(defaults, Mapping) else {}
        before, colon, after = str(params.get("model") or "default").partition(":")
        provider = params.get("model_provider") or (before if colon else "configurable")
        return _spec(provider, after if colon and before == provider else params.get("model") or "default")
    described = leaf._get_ls_params()
    name = described.get("ls_model_name") or getattr(leaf, "model_name", None) or getattr(leaf, "model", None)
    return _spec(described.get("ls_provider") or type(leaf).__name__, name or "default")


def _spec(provider: Any, name: Any) -> str:
    # `/` and `:` would end the provider, and no provider has a space in its name.
    first = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in str(provider)).strip("-") or "model"
    return canonical(f"{first}/{name}")


def plain(model: Any) -> tuple[BaseChatModel, dict[str, Any]] | None:
    """A chat model and the settings bound to it; `None` if more than settings stands around it (retries, fallbacks, a config).

    So that middlewares that look at the class of the agent's model still find it.
    """
    settings: dict[str, Any] = {}
    while isinstance(model, RunnableBinding) and not model.config and not model.config_factories:
        settings = {**{key: value for key, value in model.kwargs.items() if key not in _BOUND_ANEW}, **settings}
        model = model.bound
    return (model, settings) if isinstance(model, BaseChatModel) else None


class WrappedModel:
    """A chat model inside retries, fallbacks or a config, as the model of an agent: tools are bound to the chat models inside.

    LangChain's own `bind_tools` on such a model loses what stands around it, or does not exist.

    Args:
        model: What wraps the chat model.
        change: Gives what stands in for each chat model inside.
        config: The run's config, which chooses where the model is configurable.
    """

    def __init__(self, model: Any, change: Callable[[BaseChatModel], BaseChatModel], config: RunnableConfig | None) -> None:
        self._model = model
        self._change = change
        self._config = config

    def bind_tools(self, tools: Sequence[Any], *, tool_choice: Any = None, **settings: Any) -> Any:
        return map_leaves(self._model, lambda leaf: self._change(leaf).bind_tools(tools, tool_choice=tool_choice, **settings), self._config)

    def bind(self, **settings: Any) -> Any:
        return map_leaves(self._model, lambda leaf: self._change(leaf).bind(**settings), self._config)

    def __getattr__(self, name: str) -> Any:
        leaf = first_leaf(self._model)
        if leaf is None or name.startswith("__"):
            raise AttributeError(name)
        return getattr(leaf, name)


def check_agent_model(model: Any, path: str, *, needs_tools: bool) -> list[Problem]:
    """Why a model cannot be used in an agent; empty if it can.

    Args:
        model: A chat model, or what wraps one.
        path: Where it was given, for the message.
        needs_tools: Tools will be bound to it.
    """
    if isinstance(model, str):
        return [Problem(path, f"{model!r} is a string, not a chat model", f"write init_chat_model({model!r})")]
    if is_configurable(model):
        return []
    inside = leaves(model)
    if not inside:
        hint = "hand in a BaseChatModel, or one inside bind, with_config, with_retry or with_fallbacks"
        return [Problem(path, f"there is no chat model inside a {type(model).__name__}", hint)]
    problem = toolless(model, path) if needs_tools else None
    return [] if problem is None else [problem]


def refuse(problems: Sequence[Problem], source: str) -> None:
    """Raise all problems at once, if there are any.

    Raises:
        ConfigError: There are.
    """
    if problems:
        raise ConfigError(problems, source=source)
