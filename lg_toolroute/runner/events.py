"""The events of a run: one dict each, written to LangGraph's `custom` stream while the run goes on.

| event | when | carries |
|---|---|---|
| `ask` | a model is about to be asked | `model`, `tool`, `rule`, `moment`, `source`, `why`, `skipped` |
| `attempt` | it has answered, was cut, or failed | `model`, `tool`, `outcome`, `reason`, `detail`, `latency_s`, `usage`, `usage_estimated` |
| `handoff` | a routed tool was named | `tool`, `from`, `chain`, `rule`, `why` |
| `landed` | the message is whole | `record`, as on the message |
| `denied` | a tool call was refused | `tool`, `model`, `why` |

Every event has `type: "toolroute"`, `event` and `message_id`. None carries arguments, prompts or keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lg_toolroute.core.turn.turn import Attempt, Job, Turn

Emit = Callable[[dict[str, Any]], None]


def silent(event: dict[str, Any]) -> None:
    """Drops an event, for runs outside of LangGraph, which have no `custom` stream."""


def _event(name: str, message_id: str | None, **values: Any) -> dict[str, Any]:
    return {"type": "toolroute", "event": name, "message_id": message_id, **values}


def asking(turn: Turn, job: Job) -> dict[str, Any]:
    skipped = [{"model": skip.model, "why": skip.why} for skip in turn.skipped if skip.model in job.chain]
    about = {"rule": job.rule, "moment": job.moment, "source": job.source, "why": job.why}
    return _event("ask", turn.id, model=job.candidate, tool=job.tool, **about, skipped=skipped)


def attempted(turn: Turn, attempt: Attempt) -> dict[str, Any]:
    return _event(
        "attempt",
        turn.id,
        model=attempt.model,
        tool=attempt.tool,
        outcome=attempt.outcome,
        reason=attempt.reason,
        detail=attempt.detail,
        latency_s=attempt.latency_s,
        usage=None if attempt.usage is None else dict(attempt.usage),
        usage_estimated=attempt.usage_estimated,
        **({} if attempt.handoff is None else {"handoff": dict(attempt.handoff)}),
    )


def handed_off(turn: Turn, job: Job) -> dict[str, Any]:
    return _event("handoff", turn.id, tool=job.tool, **{"from": turn.reasoner}, chain=list(job.chain), rule=job.rule, why=job.why)


def landed(turn: Turn, record: dict[str, Any]) -> dict[str, Any]:
    return _event("landed", turn.id, record=record)


def denied(tool: str, model: str, why: str) -> dict[str, Any]:
    return _event("denied", None, tool=tool, model=model, why=why)
