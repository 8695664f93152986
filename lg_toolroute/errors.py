"""Every exception this package raises on purpose.

```text
Exception
└── ToolRouteError
    ├── ConfigError          (also ValueError)       yours: the configuration is wrong; all mistakes at once
    ├── MissingHookError     (also ImportError)      an installed LangChain lacks a private name that this package needs (langchain_hooks.py)
    ├── AnswerRejected                               the model's: it answered, but not with a call that can be run
    ├── AttemptFailed                                the world's: one try of one model, and what became of it
    ├── FormRefused                                  the model's: its call cannot be put into the tool's own form (`forms/refused.py`)
    ├── CandidateSkipped                             a model was not asked, and why
    └── ChainExhausted       (also ExceptionGroup)   the world's: every candidate failed or was skipped
```

Every other exception of a run was raised by a tool, by LangGraph, or by code of yours, and is passed on untouched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class ToolRouteError(Exception):
    """The root of every error that is raised on purpose by this package."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration: where it is, what stands there, and what to write instead.

    Attributes:
        path: Where, as the author wrote it: `agents.defaults.model.toolRouting.edit.primary`, `rules[2].tools`.
        message: What is wrong, in one clause, the value shown with `!r` (never a secret).
        hint: What to write instead; empty when nothing useful can be said.
    """

    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.message}" + (f"; {self.hint}" if self.hint else "")


class ConfigError(ToolRouteError, ValueError):
    """The configuration is wrong. Every mistake is in `problems`, not only the first.

    Attributes:
        problems: All mistakes, in the order in which they stand in the document.
        source: The file or the kind of input they were found in.
    """

    def __init__(self, problems: Sequence[Problem], *, source: str = "configuration") -> None:
        self.problems = tuple(problems)
        self.source = source
        count = len(self.problems)
        head = f"{source}: {count} mistake{'s' if count != 1 else ''}"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild_config_error, (self.problems, self.source))


def _rebuild_config_error(problems: tuple[Problem, ...], source: str) -> ConfigError:
    return ConfigError(problems, source=source)


class AnswerRejected(ToolRouteError):
    """A model answered, but not with a message that may be believed.

    Attributes:
        model: The model, `provider/model`.
        reason: The failure class: `invalid_tool_call`, `empty_response`, `truncated` or `content_policy`.
        detail: What was wrong, in words that a model can act on.
    """

    def __init__(self, model: str, reason: str, detail: str) -> None:
        self.model, self.reason, self.detail = model, reason, detail
        super().__init__(f"{model}: {reason}: {detail}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (AnswerRejected, (self.model, self.reason, self.detail))


class AttemptFailed(ToolRouteError):
    """One try of one model failed. It stands in `ChainExhausted`, once an attempt.

    The client's own exception is its `__cause__`, unless the run was interrupted and resumed in between.

    Attributes:
        model: The model, `provider/model`.
        reason: The failure class: `rate_limit`, `timeout`, `invalid_tool_call` …
        detail: What happened, shortened, without secrets.
    """

    def __init__(self, model: str, reason: str, detail: str) -> None:
        self.model, self.reason, self.detail = model, reason, detail
        super().__init__(f"{model}: {reason}: {detail}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (AttemptFailed, (self.model, self.reason, self.detail))


class CandidateSkipped(ToolRouteError):
    """A candidate was not asked. It stands in `ChainExhausted` beside the real failures.

    Attributes:
        model: The model, `provider/model`.
        why: The reason in words: `cooling down for 12 s (rate_limit)`, `may not use 'web_search'`.
        due_in_s: Seconds until it may be asked again; `None` if waiting does not help.
    """

    def __init__(self, model: str, why: str, due_in_s: float | None = None) -> None:
        self.model, self.why, self.due_in_s = model, why, due_in_s
        super().__init__(f"{model}: skipped: {why}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (CandidateSkipped, (self.model, self.why, self.due_in_s))


class ChainExhausted(ToolRouteError, ExceptionGroup):
    """No candidate is left: each one failed or was skipped.

    Attributes:
        exceptions: The causes, one an attempt, then one `CandidateSkipped` a skipped model.
        tool: The tool whose call was to be written; `None` when the model was to reason.
        due_in_s: Seconds until the first model may be asked again; `None` if waiting does not help.
    """

    tool: str | None
    due_in_s: float | None

    def __new__(
        cls,
        message: str,
        exceptions: Sequence[Exception],
        *,
        tool: str | None = None,
        due_in_s: float | None = None,
    ) -> ChainExhausted:
        self = super().__new__(cls, message, exceptions)
        self.tool = tool
        self.due_in_s = due_in_s
        return self

    def __init__(
        self,
        message: str,
        exceptions: Sequence[Exception],
        *,
        tool: str | None = None,
        due_in_s: float | None = None,
    ) -> None:
        super().__init__(message, exceptions)

    def derive(self, excs: Sequence[Exception]) -> ChainExhausted:  # type: ignore[override]  # it is never generic
        return ChainExhausted(self.message, excs, tool=self.tool, due_in_s=self.due_in_s)

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}" for e in self.exceptions)])

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild_chain_exhausted, (self.message, self.exceptions, self.tool, self.due_in_s))


def _rebuild_chain_exhausted(
    message: str, exceptions: Sequence[Exception], tool: str | None, due_in_s: float | None
) -> ChainExhausted:
    return ChainExhausted(message, exceptions, tool=tool, due_in_s=due_in_s)
