"""Asking a model through an agent's own handler: other code stands in between, and may fail, answer, or ask somebody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage

from lg_toolroute.core.turn.flow import Reply
from lg_toolroute.core.turn.turn import Attempt
from lg_toolroute.errors import AnswerRejected, ChainExhausted
from lg_toolroute.runner.landing import Part
from lg_toolroute.runner.perform import Performer
from lg_toolroute.runner.request import Request


class SegmentPerformer(Performer):
    """A performer that knows other code stands between it and the model."""

    def _after_error(self, request: Request, error: Exception, started: float) -> tuple[Reply, Part | None]:
        if request.gate.raised is None and not isinstance(error, AnswerRejected):
            raise error  # not the model's: a middleware further in, a limit, a response format
        return super()._after_error(request, error, started)

    def _after_message(self, request: Request, message: AIMessage, started: float) -> tuple[Reply, Part | None]:
        raised = request.gate.raised
        if isinstance(raised, Exception):
            # The model failed, and something further in made an answer of it (`ModelRetryMiddleware` does): the chain knows better.
            return self._after_error(request, raised, started)
        return super()._after_message(request, message, started)

    def _attempt(self, request: Request, outcome: Any, started: float, **more: Any) -> Attempt:
        attempt = super()._attempt(request, outcome, started, **more)
        # Something further in may have put another model behind the gate. A failure still counts for the candidate that was asked.
        return attempt if outcome == "failed" else replace(attempt, model=request.gate.model)


def exhausted(error: ChainExhausted) -> Exception:
    """What the agent is told when nobody is left.

    Where there was only one model to reason, and it was asked once, that is its client's own exception: whatever stands around the agent
    (a retry, a handler of the caller's) knows it by its class.
    """
    cause = error.exceptions[0].__cause__ if len(error.exceptions) == 1 and error.tool is None else None
    return cause if isinstance(cause, Exception) and not isinstance(cause, AnswerRejected) else error
