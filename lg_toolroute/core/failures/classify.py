"""One exception in, one `Failure` out: the same table for every client, without importing any of them.

In this order:

1. **Not the model's**: a run that was cancelled, interrupted or stopped by a limit of its own; our errors and the caller's.
2. **What the provider says**: codes in the body, LangChain's provider-neutral classes, telling phrases, the status, the client's own
   classes, general phrases.
3. **Whose code raised it**, when nothing was said. A `KeyError` that a client raised while it read an answer means a malformed answer; a
   `KeyError` from anywhere else is a mistake in a program and never falls back, because another model would only hide it. A
   `ValueError` is a refusal of this very request, and another candidate may take it, unless the framework raised it: then the caller's
   input is wrong for every model. Anything else that a model raises counts as a failure of its server.

`classify` never raises, whatever it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from lg_toolroute.core.failures import spellings
from lg_toolroute.core.failures.evidence import Evidence, causes, gather, innermost, mro_names, owner, words_of
from lg_toolroute.core.failures.failure import CLASSES, LONGEST_TEXT, Failure, FailureClass, failure
from lg_toolroute.core.failures.redact import presentable
from lg_toolroute.core.failures.wait import wait_s
from lg_toolroute.errors import AnswerRejected, CandidateSkipped, ChainExhausted, ToolRouteError

__all__ = ["Failure", "FailureClass", "classify", "failure"]

_STATUS: Final[Mapping[int, FailureClass]] = {
    400: "invalid_request",
    401: "auth",
    402: "quota",
    403: "auth",
    404: "model_not_found",
    408: "timeout",
    409: "server_error",
    410: "timeout",
    413: "context_overflow",
    425: "server_error",
    429: "rate_limit",
    499: "timeout",
    504: "timeout",
    522: "timeout",
    524: "timeout",
    529: "overloaded",
}
"""Other 4xx are `invalid_request`, other 5xx `server_error`."""

_GRAVEST_FIRST: Final[tuple[FailureClass, ...]] = (
    "cancelled",
    "bug",
    "content_policy",
    *(cls for cls in CLASSES if cls not in {"cancelled", "bug", "content_policy"}),
)


def classify(error: BaseException, *, ours: bool = False, now: float | None = None, modules: Iterable[str] | None = None) -> Failure:
    """What a failed attempt means for the chain and for the model's health.

    Args:
        error: What was raised. Its traceback and the errors it was raised from are read too.
        ours: It was raised before the model was called or after it had answered: unless it is one of ours with a meaning of its own, or
            a stop, it is a `bug`.
        now: Wall-clock seconds since 1970, for a `Retry-After` that is a date where the response carries no `Date`.
        modules: Module names of the frames that raised it, outermost first, for an error that lost its traceback on the way.
    """
    of_ours = _of_our_own(error, now)
    if of_ours is not None:
        return of_ours
    names = mro_names(error)
    if isinstance(error, BaseExceptionGroup):
        return _gravest([classify(inner, ours=ours, now=now) for inner in error.exceptions])
    if names & spellings.CONTROL_FLOW or not isinstance(error, Exception):
        return failure("cancelled", _shown(words_of(error)))
    if ours:
        return failure("bug", _shown(_described(error)))
    evidence = gather(causes(error))
    said = _said(evidence)
    cls = said or _unsaid(error, names, owner(error, modules))
    return Failure(
        cls=cls,
        retry_after_s=wait_s(evidence.headers, evidence.body, evidence.text, now),
        text=_shown(evidence.message if said else _described(error)),
        next_candidate=failure(cls).next_candidate,
        status=evidence.status,
        larger_window=cls == "context_overflow" and not _allowance(evidence),
    )


def _shown(text: str) -> str:
    return presentable(text, LONGEST_TEXT)


def _described(error: BaseException) -> str:
    name, words = type(error).__name__, words_of(error)
    return name if words == name else f"{name}: {words}"


def _of_our_own(error: BaseException, now: float | None) -> Failure | None:
    if isinstance(error, AnswerRejected):
        known: FailureClass = next((cls for cls in CLASSES if cls == error.reason), "invalid_tool_call")
        return failure(known, _shown(error.detail))
    if isinstance(error, CandidateSkipped):
        return failure("overloaded", _shown(error.why), retry_after_s=error.due_in_s)
    if isinstance(error, ChainExhausted):
        # A routed model may itself be a candidate of another chain: that chain goes on.
        gravest = _gravest([classify(inner, now=now) for inner in error.exceptions])
        return Failure(gravest.cls, error.due_in_s, _shown(error.message), gravest.next_candidate, gravest.status, gravest.larger_window)
    return failure("bug", _shown(_described(error))) if isinstance(error, ToolRouteError) else None


def _gravest(failures: list[Failure]) -> Failure:
    return min(failures, key=lambda found: _GRAVEST_FIRST.index(found.cls))


def _allowance(evidence: Evidence) -> bool:
    return evidence.status in {413, 429} and spellings.TOKENS_PER_MINUTE.search(evidence.text) is not None


def _said(evidence: Evidence) -> FailureClass | None:
    """The class that the provider's words, status or class name; `None` if they name none."""
    status, text = evidence.status, evidence.text
    if status == 413:
        return "context_overflow"
    if status == 402 and spellings.USAGE_WINDOW.search(text):
        return "rate_limit"
    for cls, codes in spellings.CODES:
        if evidence.codes & codes and not (cls == "server_error" and status is not None):
            return cls
    if status is None and evidence.names & spellings.PROGRAMMING:
        # Only what the provider's client itself says in so many words: "Could not resolve authentication method".
        return next((cls for cls, phrases in spellings.SPECIFIC if phrases.search(text)), None)
    for cls, names in spellings.NEUTRAL[:2]:
        if evidence.names & names:
            return cls
    for cls, phrases in spellings.SPECIFIC:
        if _applies(cls, status) and phrases.search(text):
            return cls
    if status is not None:
        return _of_status(status, text)
    for cls, names in (*spellings.NEUTRAL, *spellings.CLIENT_CLASSES):
        if evidence.names & names:
            return cls
    return next((cls for cls, phrases in spellings.GENERAL if phrases.search(text)), None)


def _applies(cls: FailureClass, status: int | None) -> bool:
    """Whether a phrase may overrule a status: a 429 that mentions a context window is still a 429."""
    if status == 429:
        return cls == "quota"
    if status is not None and status >= 500:
        return cls in {"context_overflow", "no_tool_support", "quota"}
    return True


def _of_status(status: int, text: str) -> FailureClass:
    if status >= 500:
        known = _STATUS.get(status)
        return known or ("overloaded" if spellings.OVERLOADED.search(text) else "server_error")
    return _STATUS.get(status, "invalid_request")


def _unsaid(error: Exception, names: frozenset[str], whose: str) -> FailureClass:
    """The class when the error itself says nothing: by its type and by whose code raised it."""
    if whose == "ours" or type(error).__module__.partition(".")[0] == "langgraph":
        return "bug"
    module, function = innermost(error)
    if "NotImplementedError" in names and function == "bind_tools":
        return "no_tool_support"
    if whose == "framework" and function.startswith(spellings.MERGING):
        return "server_error"
    if "IndexError" in names and module.startswith(spellings.ASKING):
        return "empty_response"
    if names & spellings.PROGRAMMING:
        misread = whose == "client" and names & spellings.MISREAD and not spellings.MISUSED.search(words_of(error))
        return "server_error" if misread else "bug"
    if "ValueError" not in names:
        return "server_error"
    return "bug" if whose == "framework" else "invalid_request"
