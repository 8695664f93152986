"""How each model of a configuration is made to call a tool, as far as the configuration and `tool_choice.py` know: no client is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from lg_toolroute.clients.tool_choice import Forcing, Sender, cannot_switch_off, forcing, impossible, sender_to_be
from lg_toolroute.core.failures.failure import Refused, Rung
from lg_toolroute.core.failures.rungs import RUNGS
from lg_toolroute.core.rules.spec import parse_spec
from lg_toolroute.errors import Problem
from lg_toolroute.rulebook.book import RuleBook

_IN_WORDS: Mapping[Rung, str] = {
    "name": "the tool's name is its tool_choice",
    "required": "a call is required, and no other tool is bound",
    "none": "asked, not forced, and no other tool is bound",
}


class KnownWays:
    """How the models of a configuration are made to call.

    Args:
        book: The compiled rules, which know the settings of each model.
    """

    def __init__(self, book: RuleBook) -> None:
        self._book = book

    def forcing(
        self,
        spec: str,
        model: Any = None,
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

    def impossible(self, spec: str) -> Problem | None:
        """What is wrong with the `toolChoice` of a model whose client cannot do that."""
        setting = self._book.facts(spec).tool_choice
        why = next((why for each in self._senders(spec, None, {}) if (why := impossible(each, setting)) is not None), None)
        return None if why is None else Problem(self.place(spec), f"toolChoice {setting!r} is not possible for {spec}", why)

    def cannot_switch_off(self, spec: str, model: Any = None) -> str | None:
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

    def _senders(self, spec: str, model: Any, said: Mapping[str, Any]) -> Iterator[Sender]:
        """The clients that a model has inside, as senders; here the one that the configuration would build."""
        provider = self._book.config.models.provider(parse_spec(spec).provider)
        url = provider.base_url.get_secret_value() if provider.base_url is not None else None
        yield sender_to_be(spec, provider.client if model is None else None, url, {**self._book.params(spec), **said})
