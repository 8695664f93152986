"""Requests to candidates: messages, tools, gate, and how the model is made to call.

The stable beginning of the request (system prompt, tools, history) is the same from turn to turn, so a provider's prompt cache keeps
hitting; what belongs to this turn alone stands at the end and is never written into the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.utils import count_tokens_approximately

from lg_toolroute.clients.wrappers import LanguageModel, first_leaf
from lg_toolroute.core.failures.classify import classify
from lg_toolroute.core.turn.turn import Job, Turn
from lg_toolroute.gates.answer import schema_problem
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.history.cache_markers import is_stored
from lg_toolroute.history.target import model_name
from lg_toolroute.runner.cut_at import cut_in
from lg_toolroute.runner.looking import answer_look
from lg_toolroute.runner.request_parts import NamedTool, Request, RequestParts
from lg_toolroute.runner.segments import Segment, next_block_index, shown_text
from lg_toolroute.runner.write_request import write_request

CONTINUE = "The answer above was interrupted. Go on exactly where it stops; do not repeat or comment on what is already there."
UNUSABLE = "What came after it could not be used: {complaint}."
MEND = "The last answer could not be used: {complaint}. Answer again, correctly."


@dataclass(slots=True)
class RequestBuilder(RequestParts):
    """Builds the requests of one turn, from what all of them share."""

    def build(self, turn: Turn, job: Job, segments: Sequence[Segment]) -> Request:
        """The request for a job's candidate.

        Raises:
            ConfigError: The candidate's model cannot be built.
        """
        spec = job.candidate
        if spec is None:
            raise RuntimeError("a job is asked before it has a candidate; `select` comes first")
        model = self.model(spec, job)
        allowed = frozenset(self.inputs.allowed(spec))
        tools: list[NamedTool] = [(name, tool) for (name, _), tool in zip(self.inputs.tools, self.tools, strict=True) if name in allowed]
        if job.calls:
            return write_request(self, turn, job, spec, model, tools, segments)
        return self._reason(turn, job, spec, model, tools, segments)

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
            model, way = self.way(model, spec, job)
            way, choice, tools = self.forced(model, way, tools, [turn.forced], seen)
            if way.rung == "none":
                extra.append(HumanMessage(content=self.router.config.handoff.text(turn.forced)))
        elif turn.forced is not None:
            choice = turn.forced
        leaf = first_leaf(model)
        bound = dict(tools)
        target, system, messages = self.adapted(turn, extra, model, leaf, spec, tools)
        gate = ReasonGate(
            turn.id,
            model=spec,
            gates=dict(turn.gates),
            cut_in=cut_in(self, tools),
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
            look=answer_look(self, turn, job, segments),
        )
        stream = bool(turn.gates) and self.router.config.cut_when_not_streaming
        given, markers = [tool for _, tool in tools], self.markers(target, spec, writes=False)
        return Request(job, spec, model, gate, messages, system, given, choice, stream, way, markers, "" if target is None else target.prefix)

    def _needs_arguments(self, tool: Any) -> bool:
        return tool is None or schema_problem({}, self.router.models.schema(tool)) is not None

    def _estimate(self, text: str, thought: str) -> UsageMetadata:
        """The usage of a cut answer, of its text and its reasoning: providers report none for a stream that is closed."""
        sent = self.inputs.tokens() + (count_tokens_approximately([self.system]) if self.system is not None else 0)
        wrote, reasoned = (count_tokens_approximately([AIMessage(content=each)]) if each else 0 for each in (text, thought))
        usage = UsageMetadata(input_tokens=sent, output_tokens=wrote + reasoned, total_tokens=sent + wrote + reasoned)
        return {**usage, "output_token_details": {"reasoning": reasoned}} if reasoned else usage


def _is_the_models_failure(error: BaseException) -> bool:
    return classify(error).cls not in {"bug", "cancelled"}
