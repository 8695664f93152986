"""How each model of a router is made to call a tool: the facts of `tool_choice.py`, the configuration, what was learned, and the client itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableBinding

from lg_toolroute.clients.bindings import Bound, IdentityCache
from lg_toolroute.clients.tool_choice import Forcing, Sender, cannot_switch_off, forcing, impossible, sender_of, sender_to_be
from lg_toolroute.clients.wrappers import LanguageModel, is_configurable, leaves, map_leaves
from lg_toolroute.core.failures.failure import Refused, Rung
from lg_toolroute.core.failures.rungs import RUNGS, lowest
from lg_toolroute.core.rules.spec import parse_spec
from lg_toolroute.core.rules.tools import tool_name
from lg_toolroute.errors import Problem
from lg_toolroute.rulebook.book import RuleBook

_CANNOT = (ValueError, TypeError, NotImplementedError)
"""What a client's `bind_tools` raises at a choice that it cannot express."""


_IN_WORDS: Mapping[Rung, str] = {
    "name": "the tool's name is its tool_choice",
    "required": "a call is required, and no other tool is bound",
    "none": "asked, not forced, and no other tool is bound",
}


class Bind(Protocol):
    """Binds tools to a chat model; `BindingCache.bound` does."""

    def __call__(self, model: BaseChatModel, tools: Sequence[Any], tool_choice: Any = None) -> Bound: ...


class WaysToCall:
    """How the models of a router are made to call.

    Args:
        book: The compiled rules, which know the settings of each model.
        bind: Binds tools to a chat model.
        at_hand: Gives the model of a spec, if it was handed in or built.
    """

    def __init__(self, book: RuleBook, bind: Bind, at_hand: Callable[[str], LanguageModel | None]) -> None:
        self._book = book
        self._bind = bind
        self._at_hand = at_hand
        self._switched: IdentityCache[LanguageModel] = IdentityCache()

    def forcing(
        self,
        spec: str,
        model: LanguageModel | None = None,
        *,
        switch_off: bool = False,
        refused: Iterable[Refused] = (),
        said: Mapping[str, Any] | None = None,
    ) -> Forcing:
        """How a model is made to call. Of several chat models inside it, the one that takes least decides.

        Args:
            spec: The model's spec.
            model: The model; unset: the one that was handed in or built, or what the configuration would build.
            switch_off: Thinking is to be switched off, where that is possible.
            refused: What the provider refused of late.
            said: Further settings that are sent along.
        """
        setting = self._book.facts(spec).tool_choice
        ways = [forcing(each, setting, switch_off=switch_off, refused=tuple(refused)) for each in self._senders(spec, model, said or {})]
        least = max(ways, key=lambda way: RUNGS.index(way.rung))
        return replace(least, switch=next((way.switch for way in ways if way.switch is not None), None))

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

        def switch(leaf: BaseChatModel) -> BaseChatModel:
            off = forcing(sender_of(spec, leaf, bound), switch_off=True).switch
            return leaf if off is None else _told(leaf, off)

        def make() -> LanguageModel:
            changed = map_leaves(model, switch)
            body, off = bound.get("extra_body"), forcing(next(self._senders(spec, model, {})), switch_off=True).switch
            # What is bound goes before what a client was made with.
            return changed.bind(extra_body={**body, **off}) if isinstance(body, Mapping) and off is not None else changed

        bound = _bound(model)
        return self._switched.get(spec, (model,), make)

    def impossible(self, spec: str) -> Problem | None:
        """What is wrong with the `toolChoice` of a model whose client cannot do that."""
        setting = self._book.facts(spec).tool_choice
        why = next((why for each in self._senders(spec, None, {}) if (why := impossible(each, setting)) is not None), None)
        return None if why is None else Problem(self.place(spec), f"toolChoice {setting!r} is not possible for {spec}", why)

    def cannot_switch_off(self, spec: str, model: LanguageModel | None = None) -> str | None:
        """Why the thinking of a model cannot be switched off for one request; `None` if it can, or if it does not think anyway."""
        return next((why for each in self._senders(spec, model, {}) if (why := cannot_switch_off(each)) is not None), None)

    def remarks(self) -> tuple[Problem, ...]:
        """The rules that switch off thinking which cannot be switched off: their calls are written all the same, without it."""
        hint = "take it out, or name a model whose provider lets its thinking be switched off"
        found = {}
        for rule in (rule for agent in (None, *self._book.agents) for rule in self._book.rules(agent)):
            spec = next(iter(rule.chain), None)
            if rule.options.thinking == "off" and spec is not None and (why := self.cannot_switch_off(spec)) is not None:
                found[rule.path] = Problem(f"{rule.path}.thinking", f"'off' does nothing for {spec}: {why}", hint)
        return tuple(found.values())

    def limited(self) -> list[tuple[str, str]]:
        """The models that write calls and cannot be made to by the tool's name, each with how they are made to, in words."""
        rules = [rule for agent in (None, *self._book.agents) for rule in self._book.rules(agent) if "call" in rule.moments]
        asked = dict.fromkeys((spec, rule.options.thinking == "off") for rule in rules for spec in rule.chain)
        return [(spec, self.told(spec, switch_off=off)) for spec, off in asked if self.forcing(spec, switch_off=off).rung != "name"]

    def told(self, spec: str, *, switch_off: bool = False, refused: Iterable[Refused] = (), now: float = 0.0) -> str:
        """How a model is made to call, and why, for people.

        Args:
            spec: The model's spec.
            switch_off: Thinking is to be switched off, where that is possible.
            refused: What the provider refused of late.
            now: The moment, in seconds of the clock that the refusals were noted with.
        """
        way = self.forcing(spec, switch_off=switch_off, refused=refused)
        parts = [_IN_WORDS[way.rung]]
        if way.learned is not None:
            parts.append(f"learned from a refusal {(now - way.learned.at) / 60:.0f} min ago: {way.why}")
        elif way.why:
            parts.append(way.why)
        if way.switch is not None:
            parts.append("its thinking is switched off for the call")
        elif switch_off and (why := self.cannot_switch_off(spec)) is not None:
            parts.append(f"its thinking stays as it is: {why}")
        return "; ".join(parts)

    def place(self, spec: str) -> str:
        """Where the configuration says how a model is made to call, or may say it."""
        wanted, name = parse_spec(spec).provider, parse_spec(spec).model
        for key, provider in self._book.config.models.providers.items():
            if key.lower() == wanted:
                for number, entry in enumerate(provider.models):
                    if entry.id == name and entry.tool_choice is not None:
                        return self._book.config.places.of("models", "providers", key, "models", number, "tool_choice")
                return self._book.config.places.of("models", "providers", key, "tool_choice")
        return f"models.providers.{wanted}.toolChoice"

    def _senders(self, spec: str, model: LanguageModel | None, said: Mapping[str, Any]) -> Iterator[Sender]:
        model = model if model is not None else self._at_hand(spec)
        inside = leaves(model) if model is not None and not is_configurable(model) else []
        bound = {**_bound(model), **said}
        yield from (sender_of(spec, leaf, bound) for leaf in inside)
        if not inside:
            provider = self._book.config.models.provider(parse_spec(spec).provider)
            url = provider.base_url.get_secret_value() if provider.base_url is not None else None
            yield sender_to_be(spec, provider.client if model is None else None, url, {**self._book.params(spec), **said})


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
