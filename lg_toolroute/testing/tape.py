"""A script on its way: which step comes next, what was asked so far, and what was wrong.

One `Tape` belongs to a scripted model and to all its copies, so a shallow copy (`model_copy`, a binding, a class put on top) plays the same
script on from where it stands.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import BaseMessage

from lg_toolroute.testing.expect import forced_tool, mismatches, names_tool
from lg_toolroute.testing.steps import as_step

LONGEST_REDIRECTION = 10
"""How often functions in a script may hand on to another function before that is taken for a circle."""


class ScriptError(AssertionError):
    """A script and what was asked of it do not match: too many requests, too few, or one that looks different.

    It is an `AssertionError`, so a test fails with it, and no fallback takes it for the failure of a model.
    """


@dataclass
class ModelRequest:
    """One request to a scripted model, and what became of it.

    Attributes:
        index: Its number, from 0.
        messages: The messages, as they came.
        tools: The names of the bound tools, in order.
        tool_choice: A tool's name, `"any"`, `"none"`, `"auto"`, or `None` when nothing was said.
        kwargs: All call arguments, with the tools as the provider would get them.
        stop: Stop sequences.
        streamed: It was asked for as a stream.
        is_async: It was asked for by a coroutine.
        step: The step that answered it.
        chunks_total: Chunks the answer has; 0 before it is known. A whole answer has 1.
        chunks_sent: Chunks that were pulled.
        closed_at: How many chunks had been pulled when the consumer closed the stream before its end; `None` if it did not.
        finished: Everything was pulled.
        error: What the step raised.
    """

    index: int
    messages: list[BaseMessage]
    tools: tuple[str, ...] = ()
    tool_choice: str | None = None
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    stop: Sequence[str] | None = None
    streamed: bool = False
    is_async: bool = False
    step: Any = None
    chunks_total: int = 0
    chunks_sent: int = 0
    closed_at: int | None = None
    finished: bool = False
    error: BaseException | None = None

    @property
    def forced_tool(self) -> str | None:
        """The tool that `tool_choice` names."""
        return forced_tool(self.tool_choice)

    @property
    def wanted_tool(self) -> str | None:
        """The tool that is forced, or that the last message, a human's, names while no other tool is bound."""
        told = self.tool_choice in {None, "auto"} and len(self.tools) == 1 and bool(self.messages) and self.messages[-1].type == "human"
        return self.tools[0] if told and names_tool(self.last_text, self.tools[0]) else self.forced_tool

    @property
    def last_text(self) -> str:
        """The text of the last message."""
        return str(self.messages[-1].text) if self.messages else ""

    def describe(self) -> str:
        """What was asked, in one line."""
        kind = self.messages[-1].type if self.messages else "no"
        text = self.last_text if len(self.last_text) <= 80 else self.last_text[:77] + "…"
        return f"tools {list(self.tools)}, tool_choice {self.tool_choice!r}, {len(self.messages)} messages, the last from {kind}: {text!r}"


class Tape:
    """The steps of a script, taken one a request, by any number of threads.

    Args:
        owner: Whose script it is, for error texts.
        steps: The steps; taken in order.
        answer: A function that is asked instead, for runs whose length or order is not known. It may be called concurrently.
        loop: Begin again after the last step.
    """

    def __init__(
        self, owner: str, steps: Iterable[Any] = (), *, answer: Callable[[Any], Any] | None = None, loop: bool = False
    ) -> None:
        self.owner = owner
        self.steps = list(steps)
        self.answer = answer
        self.loop = loop
        self.requests: list[Any] = []
        self.bindings: list[tuple[tuple[str, ...], str | None]] = []
        self.problems: list[ScriptError] = []
        self._taken = 0
        self._ids = 0
        self._lock = threading.Lock()
        self._id_stem = "call_" + (re.sub(r"[^A-Za-z0-9]+", "_", owner.rpartition("/")[2]).strip("_")[-22:] or "model")
        if answer is not None and self.steps:
            raise ValueError(f"{owner}: a script and answer= were both given; leave one out")
        if loop and not self.steps:
            raise ValueError(f"{owner}: loop=True needs a script")

    def __deepcopy__(self, memo: dict[int, Any]) -> Tape:
        return self  # a copy of the model plays the same script

    @property
    def remaining(self) -> int:
        """Steps that were not asked for yet; 0 for a loop that went round and for `answer=`."""
        with self._lock:
            return 0 if self.loop and self._taken else max(0, len(self.steps) - self._taken)

    def record(self, build: Callable[[int], Any]) -> Any:
        """Append the request that `build` makes of its number."""
        with self._lock:
            request = build(len(self.requests))
            self.requests.append(request)
            return request

    def note_binding(self, tools: tuple[str, ...], tool_choice: str | None) -> None:
        with self._lock:
            self.bindings.append((tools, tool_choice))

    def new_ids(self, given: Sequence[str | None]) -> list[str]:
        """The calls' ids: those that are given, and new ones for the others."""
        with self._lock:
            ids: list[str] = []
            for known in given:
                if known is None:
                    self._ids += 1
                    known = f"{self._id_stem}_{self._ids}"
                ids.append(known)
            return ids

    def take(self, request: Any) -> Any:
        """The step that answers this request.

        Raises:
            ScriptError: There is none, or it expects another request.
        """
        step = as_step(self._next(request))
        for _ in range(LONGEST_REDIRECTION):
            if not callable(step):
                break
            step = as_step(step(request))
        else:
            raise self.problem(f"{self.owner}: functions in the script handed on to each other {LONGEST_REDIRECTION} times; {step!r} is the last")
        request.step = step
        if wrong := mismatches(getattr(step, "expects", None), request):
            raise self.problem(
                f"{self.owner}: request {request.index + 1} is not what its step expects: {'; '.join(wrong)}. It was asked: {request.describe()}"
            )
        return step

    def _next(self, request: Any) -> Any:
        if self.answer is not None:
            return self.answer
        with self._lock:
            position = self._taken
            self._taken += 1
        if self.loop:
            return self.steps[position % len(self.steps)]
        if position >= len(self.steps):
            count = len(self.steps)
            raise self.problem(
                f"{self.owner}: asked for the {_ordinal(position + 1)} time, but its script has {count} step{'' if count == 1 else 's'}. "
                f"It was asked: {request.describe()}"
            )
        return self.steps[position]

    def problem(self, text: str) -> ScriptError:
        """A `ScriptError` to raise, also remembered: whatever runs the model may swallow it."""
        error = ScriptError(text)
        with self._lock:
            self.problems.append(error)
        return error

    def assert_done(self) -> None:
        """Everything that was scripted was asked for, and nothing else.

        Raises:
            ScriptError: With the first problem, or the steps that are left.
        """
        if self.problems:
            raise self.problems[0]
        if left := self.remaining:
            following = self.steps[len(self.steps) - left]
            raise ScriptError(
                f"{self.owner}: {left} of {len(self.steps)} steps were never asked for; the next one is {following!r}. "
                f"It was asked {len(self.requests)} time{'' if len(self.requests) == 1 else 's'}."
            )


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
