"""One exception in, one `Failure` out: the same table for every client, without importing any of them.

In this order:

1. **Not the model's**: a run that was cancelled, interrupted or stopped by a limit of its own; errors of this package and its caller.
2. **What the provider says**: codes in the body, LangChain's provider-neutral classes, telling phrases, the status, the client's own
   classes, general phrases (`spellings`).
3. **Whose code raised it**, when nothing was said (`origin`).

`classify` never raises, whatever it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import TypeVar

from lg_toolroute.core.failures import client_classes, spellings
from lg_toolroute.core.failures.evidence import Evidence, class_names, gather, words_of
from lg_toolroute.core.failures.failure import CLASSES, Failure, FailureClass
from lg_toolroute.core.failures.origin import PROGRAMMING, class_by_origin
from lg_toolroute.core.failures.parameters import refused_parameter, while_thinking
from lg_toolroute.core.failures.redact import presentable
from lg_toolroute.core.failures.wait import wait_s
from lg_toolroute.errors import AnswerRejected, CandidateSkipped, ChainExhausted, ToolRouteError

_T = TypeVar("_T")


def classify(error: BaseException, *, now: float | None = None) -> Failure:
    """What a failed attempt means for the chain and for the model's health.

    Args:
        error: What was raised. Its traceback and the errors it was raised from are read too.
        now: Wall-clock seconds since 1970, for a `Retry-After` that is a date where the response carries no `Date`.
    """
    if isinstance(error, ToolRouteError):
        return _of_this_package(error, now)
    if isinstance(error, BaseExceptionGroup):
        return _gravest(error, now)
    if class_names(error) & client_classes.CONTROL_FLOW or not isinstance(error, Exception):
        return Failure("cancelled", presentable(words_of(error)))
    evidence = gather(error)
    said = _said(evidence)
    too_much_a_minute = evidence.status in {413, 429} and spellings.TOKENS_PER_MINUTE.search(evidence.text)
    cls = said or class_by_origin(error)
    parameter = refused_parameter(evidence) if cls == "parameter_refused" else None
    return Failure(
        cls=cls,
        text=presentable(_with_remedy(evidence) if said else _described(error)),
        retry_after_s=wait_s(evidence.headers, evidence.body, evidence.text, now),
        status=evidence.status,
        larger_window=cls == "context_overflow" and not too_much_a_minute,
        parameter=parameter or "",
        while_thinking=parameter is not None and while_thinking(evidence, parameter),
    )


def _with_remedy(evidence: Evidence) -> str:
    """The provider's words, and what to do about them where they do not say it."""
    remedy = next((what for what, phrases in spellings.REMEDIES.items() if phrases.search(evidence.text)), None)
    return evidence.message if remedy is None else f"{evidence.message} ({remedy})"


def _described(error: BaseException) -> str:
    name, words = type(error).__name__, words_of(error)
    return name if words == name else f"{name}: {words}"


def _of_this_package(error: ToolRouteError, now: float | None) -> Failure:
    if isinstance(error, AnswerRejected):
        known: FailureClass = next((cls for cls in CLASSES if cls == error.reason), "invalid_tool_call")
        return Failure(known, presentable(error.detail))
    if isinstance(error, CandidateSkipped):
        return Failure("overloaded", presentable(error.why), error.due_in_s)
    if isinstance(error, ChainExhausted):
        # A routed model may itself be a candidate of another chain: that chain goes on.
        return replace(_gravest(error, now), text=presentable(error.message), retry_after_s=error.due_in_s)
    return Failure("bug", presentable(_described(error)))


def _gravest(group: BaseExceptionGroup[BaseException], now: float | None) -> Failure:
    return min((classify(inner, now=now) for inner in group.exceptions), key=lambda found: CLASSES.index(found.cls))


def _said(evidence: Evidence) -> FailureClass | None:
    """The class that the provider's words, status or class name; `None` if they name none."""
    status, text, names = evidence.status, evidence.text, evidence.names
    if status == 413:
        return "context_overflow"
    if status is not None and spellings.WEB_PAGE.search(text):
        return _by_status(status, "")
    if status == 402 and spellings.USAGE_WINDOW.search(text):
        return "rate_limit"
    coded = _first(spellings.CODES, evidence.codes)
    if (coded == "rate_limit" or status == 429) and coded != "quota":
        if spellings.ENGINE_OVERLOADED.search(text):
            return "overloaded"
        if spellings.RATE_LIMITED.search(text):
            return "rate_limit"
    if coded in {"auth", "rate_limit"} and spellings.SPECIFIC["quota"].search(text):
        return "quota"  # Kimi: a subscription that is used up is a `permission_error`
    programming = status is None and names & PROGRAMMING
    refused = not programming and refused_parameter(evidence) is not None
    if coded is not None and not _doubtful(coded, status, refused):
        return coded
    if not programming and (telling := _first(client_classes.TELLING_CLASSES, names)) is not None:
        return telling
    for cls, phrases in spellings.SPECIFIC.items():
        if cls == "quota" and refused and status != 429:
            return "parameter_refused"  # what says more than the name of a parameter stands before `quota`
        if _overrules(cls, status) and phrases.search(text):
            return cls
    if programming:
        return None  # general phrases prove nothing about an error that looks like a mistake in a program
    if status is not None:
        return _by_status(status, text)
    named = _first(client_classes.NEUTRAL_CLASSES, names) or _first(client_classes.CLIENT_CLASSES, names)
    return named or next((cls for cls, phrases in spellings.GENERAL.items() if phrases.search(text)), None)


def _doubtful(coded: FailureClass, status: int | None, refused: bool) -> bool:
    """Whether a code says less than the rest: gateways send `server_error` with any status, and `model_not_found` when no channel is free."""
    if coded == "model_not_found":
        return refused or (status is not None and status >= 500)
    return coded == "server_error" and status is not None


def _by_status(status: int, text: str) -> FailureClass:
    """The class of a status, given words that say nothing plainer."""
    if status == 404 and spellings.NAMES_MODEL.search(text):
        return "model_not_found"
    if (known := _first(spellings.STATUSES, {status})) is not None:
        return known
    if status < 500:
        return "invalid_request"
    if spellings.OVERLOADED.search(text):
        return "overloaded"
    return "timeout" if spellings.GENERAL["timeout"].search(text) else "server_error"


def _first(table: Mapping[FailureClass, Set[_T]], found: Set[_T]) -> FailureClass | None:
    return next((cls for cls, spelled in table.items() if found & spelled), None)


def _overrules(cls: FailureClass, status: int | None) -> bool:
    """Whether a phrase of this class says more than the status: a 429 that mentions a context window is still a 429."""
    if status == 429:
        return cls == "quota"
    return status is None or status < 500 or cls in {"context_overflow", "no_tool_support", "quota", "invalid_tool_call", "invalid_request"}
