"""What a model is to do, one step a request: the words in which scripts are written.

The same steps drive `ScriptedModel`, which is a chat model, and `FaultServer`, which is a server. A script may also hold short forms: a
string is `Say(text)`, an exception is `Fail(error)`, a list of `AIMessageChunk` is `Chunks(...)`, and a function is asked for its step
when the request has come.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from langchain_core.messages import AIMessageChunk

from lg_toolroute.testing.expect import Expect
from lg_toolroute.testing.latch import Latch

Chunking: TypeAlias = "Literal['parts', 'whole'] | int | Sequence[int] | random.Random | Callable[[str], Sequence[str]]"
"""How an answer is cut into chunks: see `Say.chunks`."""

Place: TypeAlias = "Literal['start', 'text', 'name', 'args', 'end'] | int"
"""Where in an answer something happens: see `Fail.at`."""

Usage: TypeAlias = "tuple[int, int] | Mapping[str, Any] | Literal[False] | None"
"""What an answer reports as used: see `Say.usage`."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call in an answer.

    Attributes:
        name: The tool's name.
        args: The arguments; a string is sent as it is, so it may be broken JSON.
        id: The call's id; left out, it is made from the model's name and a counter, so it is the same in every run.
    """

    name: str
    args: Mapping[str, Any] | str = field(default_factory=dict)
    id: str | None = None

    @property
    def json(self) -> str:
        """The arguments as the text that goes over the wire."""
        return self.args if isinstance(self.args, str) else json.dumps(self.args, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Say:
    """An answer: text, tool calls, or both.

    Attributes:
        text: What the model says before its calls.
        calls: Its tool calls, in order.
        thinking: What it thinks first. `dialect="anthropic"` sends a thinking block, the OpenAI way has `reasoning_content`.
        usage: `(input_tokens, output_tokens)`, or a whole usage mapping; `None` counts four characters as a token; `False` reports none.
        finish_reason: Why it stopped, in the words of the dialect; `None` takes the usual one, `""` sends none, as a server that just
            stops would.
        chunks: How it is cut when it is streamed. The answer is laid out as one text, thinking + text + name + arguments of each call, and cut

            - `"parts"` (default): between those parts, name and id of a call in one chunk, its arguments in the next;
            - `"whole"`: not at all;
            - an `int`: as `"parts"`, and text and arguments every so many characters;
            - a list of `int`: at these positions of the laid-out text and nowhere else, so a chunk may end in the middle of a tool's name;
            - a `random.Random`: at random positions, drawn anew at each use;
            - a function: it cuts each of thinking, text and arguments into pieces.

            A call's id always comes whole, with the first piece of its name: LangChain takes a second id for a second call.
        response_metadata: More metadata for the message.
        expects: What the request must look like: an `Expect`, or a function that says yes or no to it.
    """

    text: str = ""
    calls: Sequence[Call] = ()
    thinking: str = ""
    usage: Usage = None
    finish_reason: str | None = None
    chunks: Chunking = "parts"
    response_metadata: Mapping[str, Any] = field(default_factory=dict)
    expects: Expect | Callable[[Any], bool] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.calls, Call):
            raise TypeError(f"Say(calls=…) wants a list of calls, not one call; write calls=[{self.calls!r}]")
        if isinstance(self.chunks, int) and self.chunks < 1:
            raise ValueError(f"Say(chunks={self.chunks!r}): a chunk has at least 1 character")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Interrupted:
    """What `Fail`, `Eof` and `Hang` share: a place in an answer.

    Attributes:
        at: Where in the answer: `"start"` (default, before the first chunk), in the middle of the `"text"`, of the first call's `"name"` or
            `"args"`, at the `"end"` behind the last chunk, or an `int`, after so many chunks. A number beyond the last chunk means the end.
        after_chunks: Another way to write `at=` with a number.
        expects: What the request must look like.
    """

    at: Place | None = None
    after_chunks: int | None = None
    expects: Expect | Callable[[Any], bool] | None = None

    def __post_init__(self) -> None:
        if self.at is not None and self.after_chunks is not None:
            raise ValueError(f"{type(self).__name__}: at={self.at!r} and after_chunks={self.after_chunks!r} both say where; leave one out")
        say: Say | None = getattr(self, "say", None)  # the classes below declare it, each at its place among the positional arguments
        if say is None and self.place not in ("start", 0):
            raise ValueError(f"{type(self).__name__}(at={self.place!r}) needs the answer in which that place is; add say=Say(…)")

    @property
    def place(self) -> Place:
        """Where in the answer it happens."""
        if self.after_chunks is not None:
            return self.after_chunks
        return "start" if self.at is None else self.at


@dataclass(frozen=True, slots=True)
class Fail(_Interrupted):
    """An error, before the answer or in the middle of it.

    Attributes:
        error: What is raised; a class is called without arguments.
        say: The answer under way.
    """

    error: BaseException | type[BaseException]
    say: Say | None = None

    def raised(self) -> BaseException:
        """The error to raise."""
        return self.error() if isinstance(self.error, type) else self.error


@dataclass(frozen=True, slots=True)
class Eof(_Interrupted):
    """An answer whose stream ends too early, without an error and without a finish reason.

    Attributes:
        say: The answer.
    """

    say: Say


@dataclass(frozen=True, slots=True)
class Hang(_Interrupted):
    """An answer that stalls until a latch is opened, and then goes on.

    Attributes:
        latch: What it waits for.
        say: The answer; nothing of it comes before the place `at`.
        limit_s: After so many seconds a `ScriptError` says that the latch was not opened.
    """

    latch: Latch
    say: Say
    limit_s: float = field(default=30.0, kw_only=True)


@dataclass(frozen=True, slots=True)
class Chunks:
    """An answer as raw chunks, sent as they are: for shapes that `Say` cannot write.

    Attributes:
        chunks: The chunks, at least one.
        expects: What the request must look like.
    """

    chunks: Sequence[AIMessageChunk]
    expects: Expect | Callable[[Any], bool] | None = None


Step: TypeAlias = Say | Fail | Eof | Hang | Chunks
"""One step of a script."""

StepLike: TypeAlias = "Step | str | BaseException | Sequence[AIMessageChunk] | Callable[[Any], Any]"
"""A step, or a short form of one. A function gets the request and returns a step or a short form."""


def as_step(value: Any) -> Any:
    """A step for a short form; steps and functions are handed back, and so is what this module does not know.

    Args:
        value: What stands in a script.
    """
    if isinstance(value, str):
        return Say(value)
    if isinstance(value, BaseException) or (isinstance(value, type) and issubclass(value, BaseException)):
        return Fail(value)
    if isinstance(value, Call):
        return Say(calls=[value])
    if isinstance(value, list | tuple) and value and all(isinstance(item, AIMessageChunk) for item in value):
        return Chunks(list(value))
    return value


def by_tool(steps: Mapping[str | None, Any]) -> Callable[[Any], Any]:
    """A function for scripts and `answer=`: which step is played depends on the tool whose call the request wants.

    A request wants a call where it forces one; and where only one tool is bound, and the last message is a human's and names that tool, as the
    instruction does that a model gets which cannot be forced.

    Args:
        steps: Step by tool name; `None` is for requests that want no certain call.

    Raises:
        KeyError: When asked for a tool that has no step.
    """

    def choose(request: Any) -> Any:
        wanted = request.wanted_tool
        if wanted not in steps:
            raise KeyError(f"by_tool has no step for {wanted!r}; it has steps for {sorted(map(str, steps))}")
        return steps[wanted]

    return choose
