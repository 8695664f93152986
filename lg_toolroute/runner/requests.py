"""Requests to candidates: messages, tools, gate.

The stable beginning of the request (system prompt, tools, history) is the same from turn to turn, so a provider's prompt cache keeps
hitting; what belongs to this turn alone stands at the end and is never written into the state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.utils import count_tokens_approximately

from lg_toolroute.clients.wrappers import LanguageModel, first_leaf
from lg_toolroute.core.failures.classify import classify
from lg_toolroute.core.turn.flow import NewId
from lg_toolroute.core.turn.inputs import TurnInputs
from lg_toolroute.core.turn.turn import Job, Turn
from lg_toolroute.gates.answer import schema_problem
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.writing import WriteGate
from lg_toolroute.history.target import model_name
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.ids import new_call_id
from lg_toolroute.runner.segments import Segment, next_block_index, shown_text

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
        leaf = first_leaf(model)
        names = [name for name, _ in tools]
        gate = ReasonGate(
            turn.id,
            model=spec,
            gates=dict(turn.gates),
            bound=names,
            block_offset=next_block_index(segments),
            estimate=self._estimate,
            new_id=self.new_id,
            keeps=_is_the_models_failure,
            named=model_name(leaf) if leaf is not None else None,
            keep_ids=self.keep_ids,
            only_bound=self.only_bound,
            needs_arguments=lambda name: self._needs_arguments(dict(tools).get(name)),
        )
        choice = self.tool_choice
        if turn.forced is not None:
            choice = turn.forced if turn.forced in names else None
        stream = bool(turn.gates) and self.router.config.cut_when_not_streaming
        system, messages = self._adapted(extra, model, leaf, spec)
        return Request(job, spec, model, gate, messages, system, [tool for _, tool in tools], choice, stream)

    def _needs_arguments(self, tool: Any) -> bool:
        return tool is None or schema_problem({}, self.router.models.schema(tool)) is not None

    def _write(self, turn: Turn, job: Job, spec: str, model: LanguageModel, tools: list[NamedTool], segments: Sequence[Segment]) -> Request:
        wanted = list(dict.fromkeys(job.tools))
        words = shown_text(segments)
        extra: list[BaseMessage] = [AIMessage(content=words)] if words else []
        extra.append(HumanMessage(content=self._instruction(job, wanted)))
        leaf = first_leaf(model)
        beside = () if ignores_forced_choice(leaf) else self._same_route(job)
        live = job.decision is not None and job.decision.options.stream_args == "live"
        gate = WriteGate(
            turn.id,
            model=spec,
            tools=job.tools,
            call_ids=tuple(call.call_id for call in job.calls),
            slots=tuple(call.slot for call in job.calls),
            exact=job.exact,
            schemas={name: self.router.models.schema(tool) for name, tool in tools if name in wanted},
            announced=job.announced,
            live=live,
            blocks=tuple(call.block for call in job.calls),
            provider=next((each.message.response_metadata.get("model_provider") for each in segments if not each.writes), None),
            new_id=self.new_id,
        )
        bound = [tool for name, tool in tools if name in wanted or name in beside]
        system, messages = self._adapted(extra, model, leaf, spec)
        return Request(job, spec, model, gate, messages, system, bound, wanted[0] if len(wanted) == 1 else "any", live)

    def _same_route(self, job: Job) -> frozenset[str]:
        """The tools whose calls go to the same chain."""
        return frozenset(name for name in self.inputs.routed if self.inputs.decide(name, job.source)[1] == job.chain)

    def _instruction(self, job: Job, wanted: list[str]) -> str:
        lines = [self.router.config.handoff.text(", ".join(wanted))]
        if job.exact and len(job.calls) > 1:
            lines.append(f"Write {len(job.calls)} calls in this one answer, in this order: {', '.join(job.tools)}.")
        if job.decision is not None and job.decision.options.handoff == "draft":
            drafts = [{"tool": call.tool, "arguments": self.drafts.get(call.slot, "")} for call in job.calls]
            lines.append(f"A draft to correct, which may be wrong: {json.dumps(drafts, ensure_ascii=False)}")
        if job.complaint:
            lines.append(MEND.format(complaint=job.complaint))
        return "\n".join(lines)

    def _adapted(
        self, extra: Sequence[BaseMessage], model: LanguageModel, leaf: BaseChatModel | None, spec: str
    ) -> tuple[SystemMessage | None, list[BaseMessage]]:
        """The system prompt and the history with what belongs to this turn, as the model can read them."""
        if leaf is None:
            return self.system, [*self.messages, *extra]
        target = self.router.models.readers.reader(spec, model, leaf)
        if spec in self.agent_models and target.api == "unknown":
            # The agent's own model, of a client that is not known here: it gets what the agent would have sent.
            return self.system, [*self.messages, *extra]
        system = [] if self.system is None else [self.system]
        adapted = self.router.threads.adapt([*system, *self.messages], target, extra)
        if system and adapted and isinstance(adapted[0], SystemMessage):
            return adapted[0], adapted[1:]
        return None, adapted

    def _estimate(self, text: str) -> UsageMetadata:
        """The usage of a cut answer: providers report none for a stream that is closed."""
        sent = self.inputs.tokens() + (count_tokens_approximately([self.system]) if self.system is not None else 0)
        wrote = count_tokens_approximately([AIMessage(content=text)]) if text else 0
        return UsageMetadata(input_tokens=sent, output_tokens=wrote, total_tokens=sent + wrote)


def _is_the_models_failure(error: BaseException) -> bool:
    return classify(error).cls not in {"bug", "cancelled"}


def ignores_forced_choice(leaf: BaseChatModel | None) -> bool:
    """Clients that drop a forced tool choice without an error: Ollama's, and Anthropic's while thinking. They are shown one tool only."""
    if leaf is None:
        return True
    names = {cls.__name__ for cls in type(leaf).__mro__}
    if "ChatAnthropic" in names:
        thinking = getattr(leaf, "thinking", None)
        return isinstance(thinking, Mapping) and thinking.get("type") in {"enabled", "adaptive"}
    return "ChatOllama" in names
