"""What a configuration says about single models: their facts (window, inputs, prices, size) and the settings of their calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lg_toolroute.config import RoutingConfig
from lg_toolroute.config.models import ModelEntry
from lg_toolroute.core.rules.facts import NO_FACTS, Cost, ModelFacts
from lg_toolroute.core.rules.spec import Size
from lg_toolroute.rulebook.agent_rules import agent_sections
from lg_toolroute.rulebook.policy import ModelPattern, pattern_spec


def compile_facts(config: RoutingConfig) -> dict[str, ModelFacts]:
    """Facts by canonical spec; under `provider/` those of all other models of the provider."""
    facts: dict[str, ModelFacts] = {}
    for provider_id, provider in config.models.providers.items():
        name = provider_id.lower()
        known = ModelFacts(max_output=provider.max_tokens, tool_choice=provider.tool_choice, prompt_cache=provider.prompt_cache or "auto")
        if known != NO_FACTS:
            facts[f"{name}/"] = known
        for entry in provider.models:
            facts[f"{name}/{entry.id}"] = _facts(entry, known)
    return facts


def _facts(entry: ModelEntry, provider: ModelFacts) -> ModelFacts:
    windows = [size for size in (entry.context_window, entry.context_tokens) if size is not None]
    return ModelFacts(
        context_window=min(windows, default=None),
        max_output=entry.max_tokens if entry.max_tokens is not None else provider.max_output,
        inputs=None if entry.input is None else frozenset(entry.input),
        supports_tools=None if entry.compat is None else entry.compat.supports_tools,
        cost=None if entry.cost is None else Cost(entry.cost.input, entry.cost.output, entry.cost.cache_read),
        size=None if entry.size_b is None else Size(entry.size_b),
        tool_choice=entry.tool_choice or provider.tool_choice,
        prompt_cache=entry.prompt_cache or provider.prompt_cache,
    )


def param_layers(config: RoutingConfig, spec: str, agent: str | None) -> Iterator[Mapping[str, Any]]:
    """Settings for a model, given by its canonical spec, from the broadest to the most specific."""
    sections = [section for _, section in agent_sections(config, agent)]
    yield sections[0].params
    provider_id, _, name = spec.partition("/")
    for key, provider in config.models.providers.items():
        if key.lower() == provider_id:
            yield provider.params
            yield from (entry.params for entry in provider.models if entry.id == name)
    for section in sections:
        patterns = [(key, settings) for key, settings in section.models.items() if settings.params]
        yield from (settings.params for key, settings in patterns if pattern_spec(key) is None and ModelPattern.of(key).matches(spec))
        yield from (settings.params for key, settings in patterns if pattern_spec(key) == spec)
    if len(sections) > 1:
        yield sections[1].params
