"""What a candidate is asked: its messages, its tools, its gate.

The stable beginning of the request (system prompt, tools, history) is the same from turn to turn, so a provider's prompt cache keeps
hitting; what belongs to this turn alone stands at the end and is never stored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.runnables import RunnableBinding

from lg_toolroute.clients.wrappers import LanguageModel, first_leaf
from lg_toolroute.core.failures.classify import classify
from lg_toolroute.core.turn.selection import Scene
from lg_toolroute.core.turn.turn import Job, Turn
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.writing import WriteGate
from lg_toolroute.history import adapt, target_of
from lg_toolroute.history.target import model_name
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.landing import Part, next_block, words_of

if TYPE_CHECKING:
    from lg_toolroute.core.turn.flow import NewId

Named = tuple[str, Any]
"""A tool behind its name."""

CONTINUE = "The answer above was interrupted. Go on exactly where it stops; do not repeat or comment on what is already there."
UNUSABLE = "What came after it could not be used: {complaint}."
MEND = "The last answer could not be used: {complaint}. Answer again, correctly."


@dataclass(frozen=True, slots=True)
class Request:
    """One request to one candidate, ready to be sent by whatever surface sends it.

    Attributes:
        job: What is to be done.
        spec: Who is asked, `provider/model`.
        model: The chat model, or what wraps one.
        gate: Decides what may be shown.
        messages: The history, adapted to this model, and what belongs to this turn.
        system: The system prompt, which stands before the messages.
        tools: The tools to bind, in a stable order.
        tool_choice: The forced tool, `any`, what the caller chose, or `None`.
        stream_always: Stream although nobody listens.
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
class Stage:
    """What stays the same for all requests of one turn.

    Attributes:
        router: Rules, models, health.
        scene: What the turn is about.
        messages: The history, as it is stored.
        tools: What the graph binds.
        new_id: Makes ids of calls.
        system: The system prompt.
        tool_choice: What the caller chose, for the reasoning model.
        given: A primary that is handed in for this turn, by spec.
        drafts: The primary's own arguments of intercepted calls, by slot; never stored.
        keep_ids: Intercepted calls keep the id that the reasoning model gave them, if every provider takes it.
        only_bound: A call of a tool that its writer does not see is withheld, because this surface runs no tools and cannot refuse it there.
    """

    router: ToolRouter
    scene: Scene
    messages: Sequence[BaseMessage]
    tools: Sequence[Any]
    new_id: NewId
    system: SystemMessage | None = None
    tool_choice: Any = None
    given: Mapping[str, LanguageModel] = field(default_factory=dict)
    drafts: dict[int, str] = field(default_factory=dict)
    keep_ids: bool = False
    only_bound: bool = False

    def model(self, spec: str, job: Job) -> LanguageModel:
        """The model of a spec, with its settings; a rule's settings apply to the routed model only."""
        rule_params = job.params if spec == job.params_for else None
        params = dict(self.router.book.params(spec, agent=self.scene.agent, rule_params=rule_params))
        given = self.given.get(spec)
        if given is not None:
            return given.bind(**params) if params else given
        return self.router.models.get(spec, params)

    def request(self, turn: Turn, job: Job, parts: Sequence[Part]) -> Request:
        """The request for a job's candidate.

        Raises:
            ConfigError: The candidate's model cannot be built.
        """
        spec = job.candidate
        if spec is None:
            raise RuntimeError("a job is asked before it has a candidate; `select` comes first")
        model = self.model(spec, job)
        leaf = first_leaf(model)
        allowed = set(self.scene.bound_for(spec))
        tools = [(name, tool) for (name, _), tool in zip(self.scene.tools, self.tools, strict=True) if name in allowed]
        build = self._write if job.tools else self._reason
        return build(turn, job, spec, model, leaf, tools, parts)

    def _reason(
        self, turn: Turn, job: Job, spec: str, model: LanguageModel, leaf: BaseChatModel | None, tools: list[Named], parts: Sequence[Part]
    ) -> Request:
        extra: list[BaseMessage] = []
        words = words_of(parts)
        if words:
            unusable = f" {UNUSABLE.format(complaint=job.complaint)}" if job.complaint else ""
            extra = [AIMessage(content=words), HumanMessage(content=CONTINUE + unusable)]
        elif job.complaint:
            extra.append(HumanMessage(content=MEND.format(complaint=job.complaint)))
        gate = ReasonGate(
            turn.id,
            model=spec,
            gates=dict(turn.gates),
            bound=[name for name, _ in tools],
            block_offset=next_block(parts),
            estimate=self._estimator(),
            new_id=self.new_id,
            keeps=lambda error: classify(error).cls not in {"bug", "cancelled"},
            named=model_name(leaf) if leaf is not None else None,
            keep_ids=self.keep_ids,
            only_bound=self.only_bound,
        )
        choice = self.tool_choice
        if turn.forced is not None:
            choice = turn.forced if turn.forced in {name for name, _ in tools} else None
        stream = bool(turn.gates) and self.router.config.cut_when_not_streaming
        system, messages = self._readable(extra, model, spec)
        return Request(job, spec, model, gate, messages, system, [tool for _, tool in tools], choice, stream)

    def _write(
        self, turn: Turn, job: Job, spec: str, model: LanguageModel, leaf: BaseChatModel | None, tools: list[Named], parts: Sequence[Part]
    ) -> Request:
        wanted = list(dict.fromkeys(job.tools))
        extra: list[BaseMessage] = []
        words = words_of(parts)
        if words:
            extra.append(AIMessage(content=words))
        extra.append(HumanMessage(content=self._instruction(job, wanted)))
        beside = () if ignores_forced_choice(leaf) else self._same_route(job)
        bound = [tool for name, tool in tools if name in wanted or name in beside]
        schemas = {name: self.router.models.schema(tool) for name, tool in tools if name in wanted}
        gate = WriteGate(
            turn.id,
            model=spec,
            tools=job.tools,
            call_ids=job.call_ids,
            slots=job.slots,
            exact=job.exact,
            schemas=schemas,
            announced=job.announced,
            live=job.live,
            blocks=job.blocks,
            provider=next((part.message.response_metadata.get("model_provider") for part in parts if not part.writes), None),
            new_id=self.new_id,
        )
        choice = wanted[0] if len(wanted) == 1 else "any"
        system, messages = self._readable(extra, model, spec)
        return Request(job, spec, model, gate, messages, system, bound, choice, job.live)

    def _same_route(self, job: Job) -> frozenset[str]:
        """The tools whose calls go to the same chain."""
        return frozenset(name for name in self.scene.routed if self.scene.decide(name, job.source)[1] == job.chain)

    def _instruction(self, job: Job, wanted: list[str]) -> str:
        lines = [self.router.config.handoff.text(", ".join(wanted))]
        if job.exact and len(job.tools) > 1:
            lines.append(f"Write {len(job.tools)} calls in this one answer, in this order: {', '.join(job.tools)}.")
        if job.draft:
            drafts = [{"tool": tool, "arguments": self.drafts.get(slot, "")} for tool, slot in zip(job.tools, job.slots, strict=True)]
            lines.append(f"A draft to correct, which may be wrong: {json.dumps(drafts, ensure_ascii=False)}")
        if job.complaint:
            lines.append(MEND.format(complaint=job.complaint))
        return "\n".join(lines)

    def _readable(self, extra: Sequence[BaseMessage], model: LanguageModel, spec: str) -> tuple[SystemMessage | None, list[BaseMessage]]:
        """The system prompt and the history with what belongs to this turn, as the model can read them."""
        # A binding says more than the model in it: `thinking` may be bound, and tools that run at the provider.
        reader = model if isinstance(model, RunnableBinding) else first_leaf(model)
        if reader is None:
            return self.system, [*self.messages, *extra]
        if self.system is None:
            return None, self._adapted([*self.messages, *extra], reader, spec)
        adapted = self._adapted([self.system, *self.messages, *extra], reader, spec)
        first = adapted[0] if adapted else None
        return (first, adapted[1:]) if isinstance(first, SystemMessage) else (None, adapted)

    def _adapted(self, messages: list[BaseMessage], reader: Any, spec: str) -> list[BaseMessage]:
        leaf = first_leaf(reader)
        if leaf is None:
            return messages
        return adapt(messages, target_of(reader, self._target_profile(leaf, spec), spec=spec))

    def _target_profile(self, leaf: BaseChatModel, spec: str) -> Mapping[str, Any]:
        """LangChain's profile of a model, with what the configuration says about its inputs on top."""
        profile = dict(leaf.profile or {})
        inputs = self.router.book.facts(spec).inputs
        if inputs is not None:
            profile["image_inputs"] = "image" in inputs
            profile["pdf_inputs"] = "pdf" in inputs
        return profile

    def _estimator(self) -> Callable[[str], UsageMetadata]:
        def estimate(text: str) -> UsageMetadata:
            system = [self.system] if self.system is not None else []
            sent = count_tokens_approximately([*system, *self.messages])
            wrote = count_tokens_approximately([AIMessage(content=text)]) if text else 0
            return UsageMetadata(input_tokens=sent, output_tokens=wrote, total_tokens=sent + wrote)

        return estimate


def ignores_forced_choice(leaf: BaseChatModel | None) -> bool:
    """Clients that drop a forced tool choice without an error: Ollama's, and Anthropic's while thinking. They are shown one tool only."""
    if leaf is None:
        return True
    names = {cls.__name__ for cls in type(leaf).__mro__}
    if "ChatAnthropic" in names:
        thinking = getattr(leaf, "thinking", None)
        return isinstance(thinking, Mapping) and thinking.get("type") in {"enabled", "adaptive"}
    return "ChatOllama" in names
