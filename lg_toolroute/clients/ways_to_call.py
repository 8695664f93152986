"""How each model of a router is made to call a tool: the facts of `tool_choice.py`, the configuration, what was learned, and the client itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableBinding

from lg_toolroute.clients.bindings import Bound, IdentityCache
from lg_toolroute.clients.known_ways import KnownWays
from lg_toolroute.clients.tool_choice import Forcing, Sender, forcing, sender_of
from lg_toolroute.clients.wrappers import LanguageModel, is_configurable, leaves, map_leaves
from lg_toolroute.core.failures.failure import Refused, Rung
from lg_toolroute.core.failures.rungs import RUNGS, lowest
from lg_toolroute.core.rules.tools import tool_name
from lg_toolroute.rulebook.book import RuleBook

_CANNOT = (ValueError, TypeError, NotImplementedError)
"""What a client's `bind_tools` raises at a choice that it cannot express."""


class Bind(Protocol):
    """Binds tools to a chat model; `BindingCache.bound` does."""

    def __call__(self, model: BaseChatModel, tools: Sequence[Any], tool_choice: Any = None) -> Bound: ...


class WaysToCall(KnownWays):
    """How the models of a router are made to call, those that were handed in among them.

    Args:
        book: The compiled rules, which know the settings of each model.
        bind: Binds tools to a chat model.
        at_hand: Gives the model of a spec, if it was handed in or built.
    """

    def __init__(self, book: RuleBook, bind: Bind, at_hand: Callable[[str], LanguageModel | None]) -> None:
        super().__init__(book)
        self._bind = bind
        self._at_hand = at_hand
        self._switched: IdentityCache[LanguageModel] = IdentityCache()

    def expressible(self, model: LanguageModel, way: Forcing, tools: Mapping[Rung, Sequence[Any]], name: str | None) -> tuple[Rung, str]:
        """The highest rung from `way` downwards that the clients inside a model can express, and why it is not a higher one.

        Args:
            model: The model.
            way: How it would be made to call.
            tools: What is bound on each rung.
            name: The tool's name; `None` if several are wanted.
        """
        why = way.why
        for rung in RUNGS[RUNGS.index(way.rung) : -1]:
            try:
                for leaf in [] if is_configurable(model) else leaves(model):
                    self._bind(leaf, tools[rung], name if rung == "name" else way.any)
            except _CANNOT as error:
                why = f"its client cannot express more: {error}"
                continue
            return rung, why
        return "none", why

    def stand_in(
        self, spec: str, model: BaseChatModel, tools: Sequence[Any], choice: Any, wanted: Collection[str], refused: Iterable[Refused]
    ) -> tuple[Sequence[Any], Any]:
        """The tools and the choice for a model that other code puts in the place of the one that was to be made to call: on no higher rung.

        Args:
            spec: Its spec.
            model: The model.
            tools: What it may see of the tools that were bound.
            choice: The choice that was made for the other model.
            wanted: The names of the tools that are to be called.
            refused: What its provider refused of late.
        """
        alone = [tool for tool in tools if tool_name(tool) in wanted]
        asked: Rung = "none" if choice is None else "name" if choice in wanted else "required"
        way = self.forcing(spec, model, refused=refused)
        way = replace(way, rung=lowest(way.rung, asked))
        rung, _ = self.expressible(model, way, {"name": tools, "required": alone, "none": alone}, choice)
        return (tools if rung == "name" else alone), {"name": choice, "required": way.any, "none": None}[rung]

    def switched(self, spec: str, model: LanguageModel) -> LanguageModel:
        """The same model, its thinking switched off where that is possible; made once for each model.

        Args:
            spec: Its spec.
            model: A chat model, or a runnable around one.
        """
        bound = _bound(model)

        def switch(leaf: BaseChatModel) -> BaseChatModel:
            off = forcing(sender_of(spec, leaf, bound), switch_off=True).switch
            return leaf if off is None else _told(leaf, off)

        def make() -> LanguageModel:
            changed: LanguageModel = map_leaves(model, switch)
            body, off = bound.get("extra_body"), forcing(next(self._senders(spec, model, {})), switch_off=True).switch
            # What is bound goes before what a client was made with.
            return changed.bind(extra_body={**body, **off}) if isinstance(body, Mapping) and off is not None else changed

        return self._switched.get(spec, (model,), make)

    def _senders(self, spec: str, model: Any, said: Mapping[str, Any]) -> Iterator[Sender]:
        model = model if model is not None else self._at_hand(spec)
        inside = leaves(model) if model is not None and not is_configurable(model) else []
        bound = {**_bound(model), **said}
        yield from (sender_of(spec, leaf, bound) for leaf in inside)
        if not inside:
            yield from super()._senders(spec, model, said)


def _bound(model: Any) -> dict[str, Any]:
    """The settings that are bound to a model, the outer ones last."""
    settings: dict[str, Any] = {}
    while isinstance(model, RunnableBinding):
        settings = {**model.kwargs, **settings}
        model = model.bound
    return settings


def _told(leaf: BaseChatModel, switch: Mapping[str, Any]) -> BaseChatModel:
    """A copy of a chat model with `switch` among its settings: as a field where its class has one, else in the body of its requests."""
    fields = type(leaf).model_fields
    if switch.keys() <= fields.keys():
        return leaf.model_copy(update=dict(switch))
    body = next((name for name in ("extra_body", "model_kwargs") if name in fields), None)
    return leaf if body is None else leaf.model_copy(update={body: {**(getattr(leaf, body) or {}), **switch}})
