"""What a writer is told besides the instruction: what the primary did in this message, and what was wrong with the writer's last answer.

All of it is plain words in the last message of the request: reasoning and calls of another model, as blocks of their own, would be refused, and
what stands before the last message has to stay the same, for the provider's prompt cache.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from lg_toolroute.core.turn.turn import Job
from lg_toolroute.gates.chunks import shortened, thought
from lg_toolroute.runner.segments import Segment, shown_text

MOST_REASONING = 4000
"""Characters of the primary's reasoning that a writer is told: the last ones, which are nearest to the call."""
MOST_ARGUMENTS = 600
"""Characters of the arguments of one kept call."""
MOST_CALLS = 4000
"""Characters of all kept calls."""

KEPT = "Called before it in this same message, and not run yet: {calls}."
REASONING = "What the assistant reasoned before this call:\n{reasoning}"
SILENT = "The assistant did not say what this call is for: only the conversation above tells. Do not assume what does not stand there."
DECIDED = "These arguments of {call} are decided, and are put into it as they stand: {fixed}. Write the other arguments, to go with them."
WROTE = "Your last answer was:\n{written}"
MEND_CALL = "Your last answer could not be used: {complaint}. Write the call of {tools} again, correctly, and nothing else."


def what_is_going_on(segments: Sequence[Segment], *, drafted: bool = False) -> list[str]:
    """What the primary did in this message before the routed call, but for its words, which stand in a message of their own.

    Args:
        segments: What was shown of this message so far; none if no model was asked before the writer.
        drafted: The writer is told the primary's own arguments, too.
    """
    spoken = [segment for segment in segments if not segment.writes]
    if not spoken:
        return []
    calls = [call for segment in spoken for call in segment.message.tool_calls]
    written = ", ".join(f"{call['name']}({shortened(_json(call['args']), MOST_ARGUMENTS)})" for call in calls)
    lines = [KEPT.format(calls=shortened(written, MOST_CALLS))] if calls else []
    if shown_text(spoken).strip():
        return lines
    reasoning = "\n".join(filter(None, (thought(segment.message).strip() for segment in spoken)))
    if not reasoning:
        return lines if drafted else [*lines, SILENT]
    return [*lines, REASONING.format(reasoning=reasoning if len(reasoning) <= MOST_REASONING else f"[…] {reasoning[-MOST_REASONING:]}")]


def what_is_decided(job: Job) -> list[str]:
    """The arguments that the primary has written of each call, and that stay."""
    several = len(job.calls) > 1
    named = ((f"call {place} ({call.tool})" if several else "the call", call.fixed) for place, call in enumerate(job.calls, 1))
    return [DECIDED.format(call=name, fixed=fixed) for name, fixed in named if fixed]


def mend(job: Job, written: str) -> list[str]:
    """What a writer is told whose answer could not be used.

    Args:
        job: With the complaint.
        written: What the writer wrote, as plain words; empty if that is not known any more.
    """
    told = MEND_CALL.format(complaint=job.complaint, tools=", ".join(f"`{tool}`" for tool in dict.fromkeys(job.tools)))
    return [WROTE.format(written=written), told] if written else [told]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)
