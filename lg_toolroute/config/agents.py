"""The schema of agents: their models, chains and rules."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from lg_toolroute.config import foreign
from lg_toolroute.config.nodes import shown
from lg_toolroute.config.section import NO_PREDICTION, Section, Spec
from lg_toolroute.config.tools import ToolsConfig
from lg_toolroute.core.rules.handoff import LEAST_BRIEF, SIZES


class EscalateConfig(Section):
    """When the calls of a rule go one step up its chain."""

    after: int = Field(default=2, ge=1, le=100)
    """Failed results of the same tool in a row, within one user's turn, before the next call goes up."""
    to: Spec | None = None
    """The model to go to. Unset: the next candidate of the chain."""


class ChainConfig(Section):
    """A model and what to use when it fails. Plain text is short for `{"primary": text}`."""

    foreign: ClassVar[frozenset[str]] = foreign.CHAIN
    text_key: ClassVar[str] = "primary"
    primary: Spec | None = None
    """The first model of the chain. Unset: inherited."""
    fallbacks: tuple[Spec, ...] | None = None
    """The models after it, in order. `[]` means none; unset means inherited."""


class RuleHandoffConfig(Section):
    """What the model that writes the call is sent. Plain text is short for `{"mode": text}`."""

    text_key: ClassVar[str] = "mode"
    instead: ClassVar[str] = 'write auto, full, brief or draft, or {"brief": 4000} for a brief of so many tokens'
    mode: Literal["auto", "full", "text", "brief", "draft"] | None = None
    """`full`: the whole history (`text` is its older name); `brief`: what the call needs and no more; `draft`: the history, and the primary's own
    arguments as a draft to correct; `auto`: `full` or `brief`, by what is known and by prices. Unset: `auto`, but `brief` beside a size."""
    brief: int | str | None = None
    """How much a brief holds: `lean`, `mid`, `rich`, a number of tokens, or a name in `ToolRouter(…, briefs=)`. Unset: by the call."""

    @field_validator("brief", mode="before")
    @classmethod
    def _size(cls, value: Any) -> Any:
        if isinstance(value, str) and value.strip().isdigit():
            raise ValueError(f"{value!r} is a text; write {value.strip()} without quotes")
        if not (value is None or isinstance(value, str) or (type(value) is int and value >= LEAST_BRIEF)):
            raise ValueError(f"{shown(value)} is no size of a brief; write lean, mid, rich, or {LEAST_BRIEF} tokens or more")
        return value

    @field_validator("mode", mode="before")
    @classmethod
    def _no_size(cls, value: Any) -> Any:
        if isinstance(value, str) and (value in SIZES or value.isdigit()):
            size = value if value.isdigit() else f'"{value}"'
            raise ValueError(f'{value!r} is the size of a brief; write {{"brief": {size}}}')
        return value

    @property
    def meant(self) -> Literal["auto", "full", "brief", "draft"]:
        """The mode, where it is left out and where it is written with its older name."""
        mode = self.mode or ("auto" if self.brief is None else "brief")
        return "full" if mode == "text" else mode


class RuleConfig(ChainConfig):
    """Who writes the calls of a tool. Plain text is short for `{"primary": text}`; `model` is another name for `primary`."""

    foreign: ClassVar[frozenset[str]] = frozenset()
    short: ClassVar[tuple[str, ...]] = ("model", "tools")
    without: ClassVar[dict[str, str]] = {"predict": NO_PREDICTION}
    moments: tuple[Literal["call", "result"], ...] = Field(default=("call",), min_length=1)
    """When the rule acts: `call`, its model writes the tool call; `result`, its model runs the turn that reads the tool's result."""
    on_intercept: Literal["cut", "drain"] | None = None
    """`cut` closes the primary's stream at the routed call; `drain` reads its whole message. Unset: `cut`, but `drain` with a draft."""
    cut_at: Literal["name", "argument"] | tuple[str, ...] | None = None
    """`name` cuts at the tool's name; `argument` where the first long argument begins, as does a list of the long ones. Unset: `argument` where the
    handoff is a brief of a file that an argument names, else `name`."""
    handoff: RuleHandoffConfig = Field(default_factory=RuleHandoffConfig)
    """What the model that writes the call is sent: `auto`, `full`, `brief`, `draft`, or `{"brief": size}`."""
    stream_args: Literal["checked", "live"] = "checked"
    """`checked` shows arguments once they are checked; `live` as they come, which gives up the right to another candidate."""
    escalate: EscalateConfig | None = None
    """When to go one step up the chain after failed results. Unset: never."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Settings for the routed model only (temperature, thinking, …), on top of all others."""
    thinking: Literal["off"] | None = None
    """`off` switches the thinking of the model off while it writes the call, where its provider can; then the call can be forced. Unset: as it is."""
    look: Literal[True] | str | None = None
    """`true` looks at an edit before it lands: is the text that it replaces in the file as it must be by now? If not, its model mends it once. Other
    names are those of functions in `ToolRouter(…, looks=)`. With a look and no model, the primary writes the call. Unset: no look."""
    form: str | dict[Spec, str] | None = None
    """The form in which the model is shown the tool, and in which it writes: `exact`, `blocks`, `v4a`, `unified`, `lines`, `whole`, or a name in
    `ToolRouter(…, forms=)`. Forms by model are for candidates of the chain. Unset: the tool's own form."""
    refusal_falls_back: bool = False
    """Whether a refusal for reasons of content goes to the next candidate instead of being the answer."""

    @field_validator("look", mode="before")
    @classmethod
    def _no_look(cls, value: Any) -> Any:
        if value is None or value is False:
            return None
        if value is not True and not (isinstance(value, str) and value.lower() not in ("true", "false")):
            raise ValueError(f"{shown(value)} is no look; write true without quotes, or the name of a function in ToolRouter(…, looks=)")
        return value

    @field_validator("form", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        if not (value is None or isinstance(value, (str, dict))):
            forms = 'write exact, blocks, v4a, unified, lines or whole, or {"provider/model": "v4a"}, or leave `form` out'
            raise ValueError(f"{shown(value)} is no form; {forms}")
        return value

    @field_validator("cut_at", mode="before")
    @classmethod
    def _place(cls, value: Any) -> Any:
        if value is None or value in ("name", "argument"):
            return value
        names = list(value) if isinstance(value, (list, tuple)) else []
        if not names or not all(isinstance(name, str) and name.strip() for name in names):
            example = f', for instance ["{value}"]' if isinstance(value, str) and value.isidentifier() else ""
            raise ValueError(f"{value!r} is no place in a call; write name, argument, or a list of the arguments that are long{example}")
        return tuple(names)

    @field_validator("thinking", mode="before")
    @classmethod
    def _yaml_off(cls, value: Any) -> Any:
        return "off" if value is False else value  # YAML reads a bare `off` as false


class ModelConfig(ChainConfig):
    """The reasoning chain of an agent, and its rules."""

    tool_routing: dict[str, RuleConfig | None] = Field(default_factory=dict)
    """Rules by tool pattern, or a list of rules that name their `tools`. `null` removes an inherited rule."""
    refusal_falls_back: bool | None = None
    """Whether a refusal of the reasoning model goes to the next candidate. Unset: inherited, in the end no."""


class ModelSettings(Section):
    """Settings of one model of an agent."""

    foreign: ClassVar[frozenset[str]] = foreign.MODEL_SETTINGS
    alias: str | None = Field(default=None, min_length=1)
    """A short name that may stand wherever a model spec may."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Settings of its calls. The agent's go over the defaults', key by key."""


class RoleConfig(Section):
    """The models of runs whose runtime context names this role."""

    model: ModelConfig = Field(default_factory=ModelConfig)
    """The chain. What it leaves unset, it inherits from the agent."""


class HeartbeatConfig(Section):
    """The role `heartbeat`, where OpenClaw writes it."""

    foreign: ClassVar[frozenset[str]] = foreign.HEARTBEAT
    model: ModelConfig | None = None
    """The chain of heartbeat runs. It never leaks into later runs of the thread."""


class AgentConfig(Section):
    """An agent, or the defaults of all agents."""

    foreign: ClassVar[frozenset[str]] = foreign.AGENT
    open_ended: ClassVar[bool] = True
    model: ModelConfig = Field(default_factory=ModelConfig)
    """Its reasoning chain and its rules. Plain text replaces the primary and inherits the fallbacks and the rules."""
    image_model: ChainConfig | None = None
    """Used when the newest message carries an image that the active model does not take."""
    pdf_model: ChainConfig | None = None
    """Used when the newest message carries a PDF that the active model does not take. Unset: the image model."""
    models: dict[str, ModelSettings] = Field(default_factory=dict)
    """Settings by model spec; `provider/*` is for all models of a provider."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Settings of all calls of this agent's models."""
    tools: ToolsConfig | None = None
    """Its own tool policy. It can only remove."""
    heartbeat: HeartbeatConfig | None = None
    """The role `heartbeat`."""
    roles: dict[str, RoleConfig] = Field(default_factory=dict)
    """Chains for runs whose runtime context names a role."""


class AgentsConfig(Section):
    """All agents."""

    foreign: ClassVar[frozenset[str]] = foreign.AGENTS
    short: ClassVar[tuple[str, ...]] = ("list",)
    defaults: AgentConfig = Field(default_factory=AgentConfig)
    """What every agent inherits."""
    entries: dict[str, AgentConfig] = Field(default_factory=dict)
    """Agents by id. The older form `list`, with an `id` in each, is read too."""
