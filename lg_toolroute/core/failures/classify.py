"""One exception in, one `Failure` out: the same table for every client, without importing any of them.

In this order:

1. **Not the model's**: a run that was cancelled, interrupted or stopped by a limit of its own; errors of this package and its caller.
2. **What the provider says**: a code that stands for one class, sentences that say more than any parameter's name, a refused parameter,
   words in a code, sentences (`families`), the place that the body blames, the status; without a status the client's own classes.
3. **Whose code raised it**, when nothing was said (`origin`).

`classify` never raises, whatever it is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import replace
from typing import TypeVar

from lg_toolroute.core.failures import client_classes, families, spellings
from lg_toolroute.core.failures.evidence import Evidence, class_names, gather, words_of
from lg_toolroute.core.failures.failure import CLASSES, Failure, FailureClass
from lg_toolroute.core.failures.origin import PROGRAMMING, class_by_origin
from lg_toolroute.core.failures.parameters import refused_parameter, while_thinking
from lg_toolroute.core.failures.redact import presentable
from lg_toolroute.core.failures.wait import wait_s
from lg_toolroute.errors import AnswerRejected, CandidateSkipped, ChainExhausted, ToolRouteError

_T = TypeVar("_T")

_PLAIN = frozenset({401, 403, 408, 499, 504, 522, 524, 529})
"""Statuses that say what no sentence about the request could say better."""


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
    status, names = evidence.meant, evidence.names
    words = families.without_quotes(evidence.text)
    if status == 413:
        return "context_overflow"
    programming = status is None and bool(names & PROGRAMMING)
    if spellings.WEB_PAGE.search(words) and not programming:
        return _by_status(status or 500, "")
    if status == 402:
        return "rate_limit" if families.limited(words) == "rate_limit" else "quota"
    coded = _first(spellings.CODES, evidence.codes)
    if status == 429 or coded == "rate_limit":
        return _limited(evidence, coded, words)
    parameter = None if programming else refused_parameter(evidence)
    if coded is not None and not _doubtful(coded, status, parameter is not None):
        return coded
    if not programming and (telling := _first(client_classes.TELLING_CLASSES, names)) is not None:
        return telling
    if programming:
        return next((cls for cls, said in client_classes.PHRASES.items() if said.search(words)), None)
    if status not in _PLAIN and (found := families.first(words, parameter)) is not None:
        return found
    if parameter is not None:
        return "parameter_refused"
    spelled = None if status is None else families.by_code(evidence.codes, status)
    if "auth" in {coded, spelled}:
        return families.by_words(words, 401) or "auth"
    if spelled is not None:
        return spelled
    if (found := families.by_words(words, status)) is not None:
        return found
    if status is not None:
        return _blamed(evidence) or _by_status(status, words)
    named = _first(client_classes.NEUTRAL_CLASSES, names) or _first(client_classes.CLIENT_CLASSES, names)
    return named or next((cls for cls, said in spellings.WITHOUT_STATUS.items() if said.search(words)), None)


def _limited(evidence: Evidence, coded: FailureClass | None, words: str) -> FailureClass:
    """Which limit was reached: a code says it if it stands for one limit alone."""
    if coded not in {None, "rate_limit", "server_error"}:
        return coded
    spelled = families.by_code(evidence.codes, 429)
    return families.limited(words) or ("quota" if spelled == "quota" else "rate_limit")


def _blamed(evidence: Evidence) -> FailureClass | None:
    """What a body means that says no more than where in the request the mistake is."""
    if evidence.meant not in {400, 404, 422}:
        return None
    roots = {re.split(r"\W", place.removeprefix("body."))[0] for place in evidence.blamed}
    if "model" in roots:
        return "model_not_found"
    return "invalid_request" if roots & {"messages", "input", "contents", "tools"} else None


def _doubtful(coded: FailureClass, status: int | None, refused: bool) -> bool:
    """Whether a code says less than the words: `permission_error` stands for every refusal, gateways send `server_error` with any status."""
    if coded == "model_not_found":
        return refused or (status is not None and status >= 500)
    return coded == "auth" or (coded == "server_error" and status is not None)


def _by_status(status: int, words: str) -> FailureClass:
    """The class of a status, given words that say nothing plainer."""
    if status == 404 and spellings.NAMES_MODEL.search(words):
        return "model_not_found"
    if (known := _first(spellings.STATUSES, {status})) is not None:
        return known
    if status < 500:
        return "server_error" if spellings.TRY_LATER.search(words) else "invalid_request"
    return "timeout" if spellings.WITHOUT_STATUS["timeout"].search(words) else "server_error"


def _first(table: Mapping[FailureClass, Set[_T]], found: Set[_T]) -> FailureClass | None:
    return next((cls for cls, spelled in table.items() if found & spelled), None)
