"""Requests to candidates: messages, tools, gate, and how the model is made to call.

The stable beginning of the request (system prompt, tools, history) is the same from turn to turn, so a provider's prompt cache keeps
hitting; what belongs to this turn alone stands at the end and is never written into the state.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.utils import count_tokens_approximately

from lg_toolroute.clients.tool_choice import Forcing
from lg_toolroute.clients.wrappers import LanguageModel, first_leaf
from lg_toolroute.core.failures.classify import classify
from lg_toolroute.core.failures.failure import Rung
from lg_toolroute.core.turn.flow import NewId
from lg_toolroute.core.turn.inputs import TurnInputs
from lg_toolroute.core.turn.turn import Job, Turn
from lg_toolroute.gates.answer import schema_problem
from lg_toolroute.gates.gate import Prepare
from lg_toolroute.gates.pauses import is_claude
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.writing import WriteGate
from lg_toolroute.history.cache_markers import UNSTORED, CacheMarkers, is_stored, since_last
from lg_toolroute.history.target import Target, behind, model_name
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.ids import new_call_id
from lg_toolroute.runner.segments import Segment, next_block_index, shown_text
from lg_toolroute.runner.telling import mend, what_is_going_on

NamedTool = tuple[str, Any]
"""A tool's name, and the tool."""

CONTINUE = "The answer above was interrupted. Go on exactly where it stops; do not repeat or comment on what is already there."
UNUSABLE = "What came after it could not be used: {complaint}."
MEND = "The last answer could not be used: {complaint}. Answer again, correctly."


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
class RequestBuilder:
    """Builds the requests of one turn, from what all of them share.

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
        settings: Gives what the surface sends along with a request to a model, by spec.
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
    settings: Callable[[str], Mapping[str, Any]] = lambda _: {}

    def build(self, turn: Turn, job: Job, segments: Sequence[Segment]) -> Request:
        """The request for a job's candidate.

        Raises:
            ConfigError: The candidate's model cannot be built.
        """
        spec = job.candidate
        if spec is None:
            raise RuntimeError("a job is asked before it has a candidate; `select` comes first")
        model = self._model(spec, job)
        allowed = frozenset(self.inputs.allowed(spec))
        tools: list[NamedTool] = [(name, tool) for (name, _), tool in zip(self.inputs.tools, self.tools, strict=True) if name in allowed]
        build = self._write if job.calls else self._reason
        return build(turn, job, spec, model, tools, segments)

    def _model(self, spec: str, job: Job) -> LanguageModel:
        """The model of a spec, with its settings; a rule's settings apply to the routed model only."""
        params = dict(self.router.book.params(spec, agent=self.inputs.agent, rule_params=job.params))
        own = self.agent_models.get(spec)
        if own is not None:
            return own.bind(**params) if params else own
        return self.router.models.get(spec, params)

    def _reason(self, turn: Turn, job: Job, spec: str, model: LanguageModel, tools: list[NamedTool], segments: Sequence[Segment]) -> Request:
        extra: list[BaseMessage] = []
        words = shown_text(segments)
        if words:
            unusable = f" {UNUSABLE.format(complaint=job.complaint)}" if job.complaint else ""
            extra = [AIMessage(content=words), HumanMessage(content=CONTINUE + unusable)]
        elif job.complaint:
            extra.append(HumanMessage(content=MEND.format(complaint=job.complaint)))
        choice, way = self.tool_choice, None
        seen = frozenset(name for name, _ in tools)
        if turn.forced is not None and turn.forced not in seen:
            choice = None
        elif turn.forced is not None and self.tool_choice is None:
            model, way = self._way(model, spec, job)
            way, choice, tools = self._forced(model, way, tools, [turn.forced], seen)
            if way.rung == "none":
                extra.append(HumanMessage(content=self.router.config.handoff.text(turn.forced)))
        elif turn.forced is not None:
            choice = turn.forced
        leaf = first_leaf(model)
        bound = dict(tools)
        target, system, messages = self._adapted(turn, extra, model, leaf, spec, tools)
        gate = ReasonGate(
            turn.id,
            model=spec,
            gates=dict(turn.gates),
            bound=bound.keys(),
            tools=self.inputs.tags,
            block_offset=next_block_index(segments),
            estimate=self._estimate,
            new_id=self.new_id,
            keeps=_is_the_models_failure,
            named=model_name(leaf) if leaf is not None else None,
            keep_ids=self.keep_ids,
            only_bound=self.only_bound,
            forgets=bool(target and target.prefix) and not is_stored(messages[-1]),
            needs_arguments=lambda name: self._needs_arguments(bound.get(name)),
        )
        stream = bool(turn.gates) and self.router.config.cut_when_not_streaming
        given, markers = [tool for _, tool in tools], self._markers(target, spec, writes=False)
        return Request(job, spec, model, gate, messages, system, given, choice, stream, way, markers, "" if target is None else target.prefix)

    def _needs_arguments(self, tool: Any) -> bool:
        return tool is None or schema_problem({}, self.router.models.schema(tool)) is not None

    def _write(self, turn: Turn, job: Job, spec: str, model: LanguageModel, tools: list[NamedTool], segments: Sequence[Segment]) -> Request:
        wanted = list(dict.fromkeys(job.tools))
        words = shown_text(segments)
        extra: list[BaseMessage] = [AIMessage(content=words)] if words.strip() else []
        extra.append(HumanMessage(content=self._instruction(turn, job, wanted, segments)))
        model, way = self._way(model, spec, job)
        way, choice, bound = self._forced(model, way, tools, wanted, self._same_route(job))
        leaf = first_leaf(model)
        live = job.decision is not None and job.decision.options.stream_args == "live"
        gate = WriteGate(
            turn.id,
            model=spec,
            tools=job.tools,
            call_ids=tuple(call.call_id for call in job.calls),
            slots=tuple(call.slot for call in job.calls),
            exact=job.exact,
            known=self.inputs.tags,
            schemas={name: self.router.models.schema(tool) for name, tool in tools if name in wanted},
            announced=job.announced,
            live=live,
            blocks=tuple(call.block for call in job.calls),
            provider=next((each.message.response_metadata.get("model_provider") for each in segments if not each.writes), None),
            new_id=self.new_id,
        )
        target, system, messages = self._adapted(turn, extra, model, leaf, spec, bound)
        given, markers = [tool for _, tool in bound], self._markers(target, spec, writes=True)
        return Request(job, spec, model, gate, messages, system, given, choice, live, way, markers)

    def _way(self, model: LanguageModel, spec: str, job: Job) -> tuple[LanguageModel, Forcing]:
        """The model, its thinking switched off if the rule says so and its provider can, and how it is made to call."""
        off = job.decision is not None and bool(job.calls) and job.decision.options.thinking == "off"
        ways = self.router.models.ways
        way = ways.forcing(spec, model, switch_off=off, refused=job.refusals, said=self.settings(spec))
        return (model if way.switch is None else ways.switched(spec, model)), way

    def _forced(
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

    def _same_route(self, job: Job) -> frozenset[str]:
        """The tools whose calls go to the same chain."""
        return frozenset(name for name in self.inputs.routed if self.inputs.decide(name, job.source)[1] == job.chain)

    def _instruction(self, turn: Turn, job: Job, wanted: list[str], segments: Sequence[Segment]) -> str:
        drafted = job.decision is not None and job.decision.options.handoff == "draft"
        lines = [self.router.config.handoff.text(", ".join(wanted)), *what_is_going_on(segments, drafted=drafted)]
        if job.exact and len(job.calls) > 1:
            lines.append(f"Write {len(job.calls)} calls in this one answer, in this order: {', '.join(job.tools)}.")
        if drafted:
            drafts = [{"tool": call.tool, "arguments": self.drafts.get(call.slot, "")} for call in job.calls]
            lines.append(f"A draft to correct, which may be wrong: {json.dumps(drafts, ensure_ascii=False)}")
        if job.complaint:
            lines.extend(mend(job, self.router.rejected.of(turn.id, job)))
        return "\n".join(lines)

    def _adapted(
        self,
        turn: Turn,
        extra: Sequence[BaseMessage],
        model: LanguageModel,
        leaf: BaseChatModel | None,
        spec: str,
        tools: Sequence[NamedTool],
    ) -> tuple[Target | None, SystemMessage | None, list[BaseMessage]]:
        """The reader, and the system prompt and the history with what belongs to this turn, as it can read them."""
        extra = [message.model_copy(update={"id": f"{UNSTORED}-{place}"}) for place, message in enumerate(extra)]
        if leaf is None:
            return None, self.system, [*self.messages, *extra]
        # The application writes for the model that it gave the agent, or for the turn's primary.
        target = self.router.models.readers.reader(spec, model, leaf, addressed=spec in (self.agent_models or {turn.primary}))
        if target.bound_thinking:
            target = behind(target, self.system, tools)
        system = [] if self.system is None else [self.system]
        adapted = self.router.threads.adapt([*system, *self.messages], target, extra)
        if system and adapted and isinstance(adapted[0], SystemMessage):
            return target, adapted[0], adapted[1:]
        return target, None, adapted

    def _markers(self, target: Target | None, spec: str, *, writes: bool) -> CacheMarkers | None:
        """Where Claude's cache breakpoints stand. The agent's own model has those that its application sets, and no others."""
        if target is None or target.api != "anthropic":
            return None
        automatic = self.router.models.facts(spec).prompt_cache == "auto" and spec not in self.agent_models
        return CacheMarkers(automatic and (writes or bool(self.inputs.routed)), since_last(self.messages, spec, writes=writes))

    def _estimate(self, text: str, thought: str) -> UsageMetadata:
        """The usage of a cut answer, of its text and its reasoning: providers report none for a stream that is closed."""
        sent = self.inputs.tokens() + (count_tokens_approximately([self.system]) if self.system is not None else 0)
        wrote, reasoned = (count_tokens_approximately([AIMessage(content=each)]) if each else 0 for each in (text, thought))
        usage = UsageMetadata(input_tokens=sent, output_tokens=wrote + reasoned, total_tokens=sent + wrote + reasoned)
        return {**usage, "output_token_details": {"reasoning": reasoned}} if reasoned else usage


def _is_the_models_failure(error: BaseException) -> bool:
    return classify(error).cls not in {"bug", "cancelled"}
