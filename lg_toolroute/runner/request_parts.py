"""What the requests of one turn share: what the turn reads, the models, how a model is made to call, and the history as it can read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, SystemMessage

from lg_toolroute.clients.tool_choice import Forcing
from lg_toolroute.clients.wrappers import LanguageModel, first_leaf
from lg_toolroute.core.failures.failure import Rung
from lg_toolroute.core.turn.flow import NewId
from lg_toolroute.core.turn.inputs import TurnInputs
from lg_toolroute.core.turn.turn import Job, Turn, changed
from lg_toolroute.gates.gate import Prepare
from lg_toolroute.gates.pauses import is_claude
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.writing import WriteGate
from lg_toolroute.history.cache_markers import UNSTORED, CacheMarkers, since_last
from lg_toolroute.history.target import Target, behind
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.handoffs import Handed, HandoffChooser
from lg_toolroute.runner.ids import new_call_id

NamedTool = tuple[str, Any]
"""A tool's name, and the tool."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request to one candidate, ready to be sent by a surface.

    Attributes:
        job: What is to be done.
        spec: The model that is asked, `provider/model`.
        model: The chat model, or what wraps one.
        gate: Decides what may be shown.
        messages: The history, adapted to this model, and what belongs to this turn.
        system: The system prompt, which stands before the messages.
        tools: The tools to bind, in a stable order.
        tool_choice: The forced tool, `any`, what the caller chose, or `None`.
        stream_always: Stream although no consumer listens.
        forcing: How the model is made to call; `None` where it is not, or where the caller chose how.
        markers: Where the breakpoints of Claude's prompt cache stand; `None` for other models.
        prefix: What Claude's thinking in the answer is bound to; empty if nothing of it is kept.
        handed: What it is sent in place of the history, or why the history; `None` where it is to reason.
    """

    job: Job
    spec: str
    model: LanguageModel
    gate: ReasonGate | WriteGate
    messages: list[BaseMessage]
    system: SystemMessage | None
    tools: list[Any]
    tool_choice: Any
    stream_always: bool
    forcing: Forcing | None = None
    markers: CacheMarkers | None = None
    prefix: str = ""
    handed: Handed | None = None

    def prepare(self, model: BaseChatModel) -> Prepare | None:
        """What places Claude's cache markers when this request goes to a model, as `gated` takes it; `None` for other clients."""
        return self.markers.place if self.markers is not None and is_claude(type(model)) else None

    def without_thinking(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings that are sent along, without a word against the switch that turns the model's thinking off."""
        switch = self.forcing.switch if self.forcing is not None else None
        body = settings.get("extra_body")
        if switch is None:
            return dict(settings)
        kept = {name: value for name, value in settings.items() if name not in {"thinking", "reasoning", "reasoning_effort"}}
        return {**kept, "extra_body": {**body, **switch}} if isinstance(body, Mapping) else kept


@dataclass(slots=True)
class RequestParts:
    """What all requests of one turn share.

    Attributes:
        router: Rules, models, health.
        inputs: What the turn reads.
        messages: The history, as it is stored.
        tools: What the agent binds.
        new_id: Makes ids of calls.
        system: The system prompt.
        tool_choice: What the caller chose, for the reasoning model.
        agent_models: Models that were handed in for this turn, by spec: an agent's own.
        keep_ids: Intercepted calls keep the id that the reasoning model gave them, if every provider takes it.
        only_bound: A call of a tool that its writer does not see is withheld, because this surface runs no tools and cannot refuse it there.
        drafts: The primary's own arguments of intercepted calls, by slot; never stored.
        standing: The arguments of calls that a look sent back, as JSON, by id; never stored.
        settings: Gives what the surface sends along with a request to a model, by spec.
        handoffs: Chooses what each candidate for a routed call is sent.
    """

    router: ToolRouter
    inputs: TurnInputs
    messages: Sequence[BaseMessage]
    tools: Sequence[Any]
    new_id: NewId = new_call_id
    system: SystemMessage | None = None
    tool_choice: Any = None
    agent_models: Mapping[str, LanguageModel] = field(default_factory=dict)
    keep_ids: bool = False
    only_bound: bool = False
    drafts: dict[int, str] = field(default_factory=dict)
    standing: dict[str, str] = field(default_factory=dict)
    settings: Callable[[str], Mapping[str, Any]] = lambda _: {}
    handoffs: HandoffChooser = field(init=False)

    def __post_init__(self) -> None:
        self.handoffs = HandoffChooser(self.router, self.inputs, self.messages, self.tools, self.system, self.drafts)
        self.inputs = changed(self.inputs, least_brief=self.handoffs.least)

    def model(self, spec: str, job: Job) -> LanguageModel:
        """The model of a spec, with its settings; a rule's settings apply to the routed model only."""
        params = dict(self.router.book.params(spec, agent=self.inputs.agent, rule_params=job.params))
        own = self.agent_models.get(spec)
        if own is not None:
            return own.bind(**params) if params else own
        return self.router.models.get(spec, params)

    def way(self, model: LanguageModel, spec: str, job: Job) -> tuple[LanguageModel, Forcing]:
        """The model, its thinking switched off if the rule says so and its provider can, and how it is made to call."""
        off = job.decision is not None and bool(job.calls) and job.decision.options.thinking == "off"
        ways = self.router.models.ways
        way = ways.forcing(spec, model, switch_off=off, refused=job.refusals, said=self.settings(spec))
        return (model if way.switch is None else ways.switched(spec, model)), way

    def forced(
        self, model: LanguageModel, way: Forcing, tools: list[NamedTool], wanted: Sequence[str], beside: frozenset[str]
    ) -> tuple[Forcing, Any, list[NamedTool]]:
        """How the model is made to call at last, the tool choice, and what is bound: other tools only beside one that is called by its name.

        Args:
            model: The model that is asked.
            way: How it is made to call, by what is known.
            tools: The tools that it may see.
            wanted: The tools that are to be called.
            beside: Tools that may be bound beside a tool that is called by its name.
        """
        alone = [(name, tool) for name, tool in tools if name in wanted]
        together = [(name, tool) for name, tool in tools if name in wanted or name in beside]
        leaf = first_leaf(model)
        if way.rung == "name" and (len(wanted) > 1 or leaf is None):
            way = replace(way, rung="required")
        bound: dict[Rung, list[NamedTool]] = {"name": together, "required": alone, "none": alone}
        plain = {rung: [tool for _, tool in each] for rung, each in bound.items()}
        rung, why = self.router.models.ways.expressible(model, way, plain, wanted[0])
        # Another choice would invalidate Claude's cached messages: for the tools of one route it stays the same, and the instruction says which.
        stable = len(together) > 1 and leaf is not None and is_claude(type(leaf))
        choices = {"name": way.any if stable else wanted[0], "required": way.any, "none": None}
        return replace(way, rung=rung, why=why), choices[rung], bound[rung]

    def adapted(
        self,
        turn: Turn,
        extra: Sequence[BaseMessage],
        model: LanguageModel,
        leaf: BaseChatModel | None,
        spec: str,
        tools: Sequence[NamedTool],
        brief: Sequence[BaseMessage] | None = None,
        history: Sequence[BaseMessage] | None = None,
    ) -> tuple[Target | None, SystemMessage | None, list[BaseMessage]]:
        """The reader, and the system prompt and the history (or a brief) with what belongs to this turn, as it can read them."""
        own, stored = (self.system, self.messages if history is None else history) if brief is None else (None, ())
        extra = [message.model_copy(update={"id": f"{UNSTORED}-{place}"}) for place, message in enumerate([*(brief or ()), *extra])]
        if leaf is None:
            first = extra[0] if brief and isinstance(extra[0], SystemMessage) else None
            return None, first or own, [*stored, *extra[first is not None :]]
        # The application writes for the model that it gave the agent, or for the turn's primary.
        target = self.router.models.readers.reader(spec, model, leaf, addressed=spec in (self.agent_models or {turn.primary}))
        if target.bound_thinking:
            target = behind(target, own, tools)
        system = [] if own is None else [own]
        adapted = self.router.threads.adapt([*system, *stored], target, extra)
        if (system or brief) and adapted and isinstance(adapted[0], SystemMessage):
            return target, adapted[0], adapted[1:]
        return target, None, adapted

    def markers(self, target: Target | None, spec: str, *, writes: bool) -> CacheMarkers | None:
        """Where Claude's cache breakpoints stand. The agent's own model has those that its application sets, and no others."""
        if target is None or target.api != "anthropic":
            return None
        automatic = self.router.models.facts(spec).prompt_cache == "auto" and spec not in self.agent_models
        return CacheMarkers(automatic and (writes or bool(self.inputs.routed)), since_last(self.messages, spec, writes=writes))
