"""`RoutingConfig`: the whole configuration, validated."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, PrivateAttr

from lg_toolroute.config.agents import AgentsConfig
from lg_toolroute.config.editor import document_schema
from lg_toolroute.config.models import ModelsConfig
from lg_toolroute.config.places import Notes, Places
from lg_toolroute.config.running import HandoffConfig, HealthConfig, TimeoutsConfig
from lg_toolroute.config.section import NO_PREDICTION, SHORT_FOR_DEFAULTS, SHORT_FOR_MODEL, Section, dumped
from lg_toolroute.config.tools import SwitchConfig, ToolsConfig
from lg_toolroute.core.rules.spec import canonical


class RoutingConfig(Section):
    """The whole configuration. Make one with `load_config`, which reads every dialect and reports all mistakes at once.

    Two configurations are equal if they mean the same, wherever their parts were written.
    """

    open_ended: ClassVar[bool] = True
    short: ClassVar[tuple[str, ...]] = (*SHORT_FOR_DEFAULTS, *SHORT_FOR_MODEL)
    without: ClassVar[dict[str, str]] = {"prediction": NO_PREDICTION}
    agents: AgentsConfig = Field(default_factory=AgentsConfig)
    """Agents: their models, rules and own tool policies."""
    tools: ToolsConfig = Field(default_factory=ToolsConfig)
    """The tool policy of all agents."""
    models: ModelsConfig = Field(default_factory=ModelsConfig)
    """Providers and what is known about their models."""
    browser: SwitchConfig | None = None
    """`{"enabled": false}` removes the tool `browser` for every model."""
    cron: SwitchConfig | None = None
    """`{"enabled": false}` removes the tools `cron` and `automations` for every model."""
    health: HealthConfig = Field(default_factory=HealthConfig)
    """How long a failed model is skipped."""
    timeouts: TimeoutsConfig = Field(default_factory=TimeoutsConfig)
    """Time limits of a model call."""
    handoff: HandoffConfig = Field(default_factory=HandoffConfig)
    """What a routed model is told."""
    cut_when_not_streaming: bool = True
    """Whether the primary is streamed, and cut at a routed tool's name, even when the run is not streamed. `false` saves processor time."""

    _notes: Notes = PrivateAttr(default_factory=Notes)

    def model_post_init(self, context: Any, /) -> None:
        for provider_id, provider in self.models.providers.items():
            provider.bind(provider_id, self._notes.places)

    @property
    def aliases(self) -> dict[str, str]:
        """Canonical model specs by their short names."""
        sections = (self.agents.defaults, *self.agents.entries.values())
        named = ((settings.alias, spec) for section in sections for spec, settings in section.models.items())
        return {alias.strip(): canonical(spec) for alias, spec in named if alias is not None}

    @property
    def ignored_sections(self) -> tuple[str, ...]:
        """Sections of the document that are not ours and were left alone, as paths."""
        return self._notes.ignored

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is no mistake but may surprise, one sentence each."""
        return self._notes.warnings

    @property
    def source(self) -> str:
        """Where the configuration was read from."""
        return self._notes.source

    @property
    def places(self) -> Places:
        """Where the author wrote what."""
        return self._notes.places

    def annotated(self, notes: Notes) -> RoutingConfig:
        """The same configuration, with what reading it has shown."""
        self._notes = notes
        self.model_post_init(None)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The configuration as `load_config` reads it: camelCase, only what was set, every secret that is no `${NAME}` covered."""
        return dumped(self)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """A JSON Schema of the document for editors. It describes camelCase; snake_case is read just as well."""
        return document_schema(cls)
