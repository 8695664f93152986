"""The request for a routed call: what its writer reads, what is bound, and the gate that checks what it writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from lg_toolroute.clients.wrappers import LanguageModel, first_leaf
from lg_toolroute.core.turn.turn import Job, Turn
from lg_toolroute.gates.arguments import members_of
from lg_toolroute.gates.formed import FormedTool
from lg_toolroute.gates.writing import WriteGate
from lg_toolroute.history.cache_markers import CacheMarkers
from lg_toolroute.runner.formed import formed_draft, formed_history, formed_tools
from lg_toolroute.runner.looking import answer_look, stands_after
from lg_toolroute.runner.request_parts import NamedTool, Request, RequestParts
from lg_toolroute.runner.segments import Segment, placed_calls, shown_text
from lg_toolroute.runner.telling import look_again, mend, what_is_decided, what_is_going_on


def write_request(
    parts: RequestParts, turn: Turn, job: Job, spec: str, model: LanguageModel, tools: list[NamedTool], segments: Sequence[Segment]
) -> Request:
    """The request for the calls of a job.

    Args:
        parts: What the requests of the turn share.
        turn: The turn.
        job: What is to be written.
        spec: The candidate.
        model: Its model.
        tools: The tools that it may see.
        segments: What was shown of the message so far.
    """
    wanted = list(dict.fromkeys(job.tools))
    written = placed_calls(segments)
    handed = parts.handoffs.handed(turn, job, spec, written)
    own, (tools, formed) = dict(tools), formed_tools(parts, turn, job, spec, tools, written)
    brief = list(handed.messages) if handed.kind == "brief" else None
    extra = _what_belongs_to_the_turn(shown_text(segments), _instruction(parts, turn, job, wanted, segments, formed), brief)
    model, way = parts.way(model, spec, job)
    # A primary that mends its own call has read all its tools a moment ago: bound again, they are in its prompt cache.
    mends = job.source == "looked"
    beside = frozenset(name for name, _ in tools) if mends else _same_route(parts, job) if brief is None else frozenset()
    way, choice, bound = parts.forced(model, way, tools, wanted, beside)
    if brief is not None or len(bound) == len(wanted):  # before the whole history the tools of a route stay as they are, for its prompt cache
        bound = _without_fixed(parts, job, bound)
    leaf = first_leaf(model)
    live = job.decision is not None and job.decision.options.stream_args == "live"
    gate = WriteGate(
        turn.id,
        model=spec,
        tools=job.tools,
        call_ids=tuple(call.call_id for call in job.calls),
        slots=tuple(call.slot for call in job.calls),
        exact=job.exact,
        known=parts.inputs.tags,
        schemas={name: parts.router.models.schema(tool) for name, tool in own.items() if name in wanted},
        fixed=tuple(call.fixed for call in job.calls),
        announced=job.announced,
        live=live,
        blocks=tuple(call.block for call in job.calls),
        provider=next((each.message.response_metadata.get("model_provider") for each in segments if not each.writes), None),
        new_id=parts.new_id,
        look=answer_look(parts, turn, job, segments),
        standing=tuple(parts.standing[call.call_id] for call in job.calls) if job.sent_back else (),
        stands_after=stands_after(job, way),
        formed=formed,
    )
    target, system, messages = parts.adapted(turn, extra, model, leaf, spec, bound, brief, formed_history(parts, formed) if brief is None else None)
    # What is sent in place of the history is stored nowhere, so that there is nothing behind which a breakpoint would be read again.
    markers = parts.markers(target, spec, writes=True)
    if brief is not None and markers is not None:
        markers = CacheMarkers(sets=False)
    return Request(job, spec, model, gate, messages, system, [tool for _, tool in bound], choice, gate.live, way, markers, handed=handed)


def _what_belongs_to_the_turn(words: str, instruction: str, brief: list[BaseMessage] | None) -> list[BaseMessage]:
    """The primary's words of this message, and the instruction, as messages; a brief that ends with a human's takes in the instruction."""
    if words.strip():
        return [AIMessage(content=words), HumanMessage(content=instruction)]
    if brief and isinstance(brief[-1], HumanMessage) and isinstance(brief[-1].content, str):
        # Two human messages in a row would be bridged for the APIs that refuse them.
        last = brief.pop()
        return [HumanMessage(content=f"{last.content}\n\n{instruction}")]
    return [HumanMessage(content=instruction)]


def _without_fixed(parts: RequestParts, job: Job, tools: list[NamedTool]) -> list[NamedTool]:
    """The tools without the arguments that are decided. Of several calls of one tool each may have others, so that they stay."""
    decided = {call.tool: frozenset(members_of(call.fixed)) for call in job.calls if call.fixed and job.tools.count(call.tool) == 1}
    return [(name, parts.router.models.without(tool, decided[name]) if name in decided else tool) for name, tool in tools]


def _same_route(parts: RequestParts, job: Job) -> frozenset[str]:
    """The tools whose calls go to the same chain."""
    return frozenset(name for name in parts.inputs.routed if parts.inputs.decide(name, job.source)[1] == job.chain)


def _instruction(parts: RequestParts, turn: Turn, job: Job, wanted: list[str], segments: Sequence[Segment], formed: Mapping[str, FormedTool]) -> str:
    drafted = job.decision is not None and job.decision.options.handoff == "draft" and not job.sent_back
    before = max(call.slot for call in job.calls)
    lines = [parts.router.config.handoff.text(", ".join(wanted)), *what_is_going_on(segments, drafted=drafted or job.sent_back, before=before)]
    if job.exact and len(job.calls) > 1:
        lines.append(f"Write {len(job.calls)} calls in this one answer, in this order: {', '.join(job.tools)}.")
    lines.extend(what_is_decided(job))
    if drafted:
        drafts = [{"tool": call.tool, "arguments": formed_draft(formed, call.tool, parts.drafts.get(call.slot, ""))} for call in job.calls]
        lines.append(f"A draft to correct, which may be wrong: {json.dumps(drafts, ensure_ascii=False)}")
    if job.sent_back:
        lines.append(look_again(job, {call.call_id: formed_draft(formed, call.tool, parts.standing[call.call_id]) for call in job.calls}))
    elif job.complaint:
        lines.extend(mend(job, parts.router.rejected.of(turn.id, job)))
    return "\n".join(lines)
