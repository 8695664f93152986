"""The gate for a model that writes a routed call: nothing is shown before it has been checked.

A consumer sees the tool's name and the call's id at once; both come from the router and hold for any candidate that writes the call. The arguments
follow when they are complete, are strict JSON, and fit the tool's schema, so a failed attempt leaves no trace. With `live`, arguments are shown as
they come; once a piece of them was shown, no other candidate can be asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from lg_toolroute.core.rules.meant import meant
from lg_toolroute.core.turn.turn import Intercepted
from lg_toolroute.errors import AnswerRejected
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.gates.answer import NO_ARGUMENTS, STRICT, parse_arguments, schema_problem
from lg_toolroute.gates.arguments import members_of, with_fixed
from lg_toolroute.gates.chunks import call_chunk, generation, merged, own_chunk, shortened
from lg_toolroute.gates.formed import FormedTool
from lg_toolroute.gates.held_call import HeldCall
from lg_toolroute.gates.looked import sent_back
from lg_toolroute.gates.stream_gate import StreamGate

N = TypeVar("N", int, int | None)
_OTHER_ARGUMENTS = "it was asked again after a failure, and wrote other arguments than were shown"


@dataclass(eq=False, repr=False, kw_only=True)
class WriteGate(StreamGate):
    """Reads the chunks of one model that was told to call a tool. What it yields may be shown.

    Args:
        tools: The tool of each wanted call.
        call_ids: The id that each call gets.
        slots: The position of each call in the message.
        exact: Exactly these calls are wanted; otherwise at least one call of the one tool.
        schemas: The JSON Schema of each tool's arguments.
        known: The names of all tools of the agent, to know which one a name means that none of them has.
        fixed: The arguments of each call that the primary has written and that stay, as the text of an object; empty for none. They are put into
            the call, and an answer that changes one of them is not taken.
        announced: How many of the calls a consumer has seen by name.
        live: Show arguments as they come. Not possible with `exact`, nor with `fixed`.
        blocks: The index of each call's content block, in messages whose content names the calls (Anthropic's).
        provider: The provider in whose format those blocks are.
        new_id: Makes ids for calls beyond the wanted ones.
        standing: The arguments that the wanted calls have until the model has mended them, as JSON: shown if it answers with nothing usable.
        stands_after: Whether they are shown after an error of the stream.
        formed: The tools that the model is shown in a form of its own. Its calls are put into the tools' own form before anything of them is shown.

    Attributes:
        accepted: The checked calls: `(slot, id, name, arguments as JSON)`.
        announced: As above, afterwards.
        spent: Arguments were shown live, so no other candidate can be asked.
        stood: Why the calls were shown as they were.
        needs_own_form: The answer was refused because only the tool's own form can express what it says.
    """

    tools: tuple[str, ...]
    call_ids: tuple[str, ...]
    slots: tuple[int, ...]
    exact: bool
    schemas: Mapping[str, Mapping[str, Any] | None]
    known: Collection[str] = ()
    fixed: tuple[str, ...] = ()
    announced: int = 0
    live: bool = False
    blocks: Sequence[int | None] = ()
    provider: str | None = None
    new_id: Callable[[], str]
    standing: Sequence[str] = ()
    stands_after: Callable[[BaseException], bool] = lambda error: False
    formed: Mapping[str, FormedTool] = field(default_factory=dict)
    needs_own_form: bool = field(default=False, init=False)
    spent: bool = field(default=False, init=False)
    halted: Literal[False] = field(default=False, init=False)
    _shown_args: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self.live = self.live and not self.exact and not any(self.fixed) and not self.formed
        self.fixed = self.fixed or ("",) * len(self.tools)
        self.known = frozenset(self.tools).union(self.known)
        super().__post_init__()

    def restart(self) -> None:
        super().restart()
        self.accepted: list[tuple[int, str, str, str]] = []
        self._name_shown = self.announced > 0
        self._live_call: HeldCall | None = None
        self._has_content = False
        self.stood: BaseException | None = None
        self._words: list[str] = []
        self._metadata: list[ChatGenerationChunk] = []

    def begin(self, *, announce: bool = True) -> Iterator[ChatGenerationChunk]:
        """The names and ids of the wanted calls, if `announce` says that chunks are shown as they come. Live calls announce themselves."""
        if not announce or self.live:
            return
        for position in range(self.announced, len(self.tools)):
            yield self._call(position, name=self.tools[position], call_id=self.call_ids[position], args="")
        self.announced = len(self.tools)
        self._name_shown = True

    def _feed(self, chunk: ChatGenerationChunk, message: AIMessageChunk) -> Iterable[ChatGenerationChunk]:
        if message.content:
            self._has_content = True
            self._words.append(message.text)
        if message.usage_metadata or message.response_metadata or chunk.generation_info:
            said = AIMessageChunk(content="", usage_metadata=message.usage_metadata, response_metadata=message.response_metadata)
            self._metadata.append(generation(said, chunk.generation_info))
        for piece in message.tool_call_chunks:
            self._call_of(piece).add(piece)
        return self._feed_live() if self.live and message.tool_call_chunks else ()

    def _feed_live(self) -> Iterator[ChatGenerationChunk]:
        if self._live_call is None:  # the first call of the wanted tool; its name is complete when its arguments, or the next call, begin
            named = self.calls if self.calls[-1].args else self.calls[:-1]
            self._live_call = next((call for call in named if meant(call.name, self.known) == self.tools[0]), None)
        written = self._live_call.args if self._live_call is not None else ""
        if not written.startswith(self._shown_args[: len(written)]):
            raise self._rejected("invalid_tool_call", _OTHER_ARGUMENTS)
        if written.strip() and (args := written[len(self._shown_args) :]):
            name = None if self._name_shown else self.tools[0]
            self.spent = self._name_shown = True
            self._shown_args += args
            self.announced = max(self.announced, 1)
            yield self._call(0, name=name, call_id=self.call_ids[0], args=args)

    def end(self) -> Iterator[ChatGenerationChunk]:
        """The arguments, now that they are complete and checked, and the last chunk.

        Raises:
            AnswerRejected: The answer is not the wanted call.
        """
        calls = [(self._place(position, name), args) for position, (name, args) in enumerate(self._calls_to_show())]
        if calls and self._shown_args not in {"", calls[0][1]}:
            raise self._rejected("invalid_tool_call", _OTHER_ARGUMENTS)
        if not self._shown_args:
            self.sent_back = sent_back(self.look, self.model, calls)
        back = {each.call.slot for each in self.sent_back}
        for position, (call, args) in enumerate(calls):
            if call.slot in back:
                continue
            self.accepted.append((call.slot, call.call_id, call.tool, args))
            if position > 0 or not self._shown_args:
                yield self._call(position, name=None if call.announced else call.tool, call_id=call.call_id, args=args)
        yield generation(self._last())

    def _place(self, position: int, tool: str) -> Intercepted:
        """Where a call stands in the message, and its id."""
        call_id = self.call_ids[position] if position < len(self.call_ids) else self.new_id()
        block = _number_at(self.blocks, position) if self.blocks else None
        seen, fixed = self._name_shown and position < len(self.tools), self.fixed[min(position, len(self.fixed) - 1)]
        return Intercepted(_number_at(self.slots, position), tool, call_id, seen, block, fixed)

    def _calls_to_show(self) -> list[tuple[str, str]]:
        """The wanted calls; as they were before, if they were sent back and the answer has nothing better."""
        if self.stood is None:
            try:
                return self._wanted_calls()
            except AnswerRejected as error:
                if not self.standing:
                    raise
                self.stood = error
        return list(zip(self.tools, self.standing, strict=True))

    def _wanted_calls(self) -> list[tuple[str, str]]:
        """Name and arguments of the wanted calls, in the order in which they were wanted.

        Raises:
            AnswerRejected: They are missing, or cannot be run.
        """
        names = ", ".join(dict.fromkeys(self.tools))
        if self.finish.refused:
            raise self._rejected("content_policy", f"it refused to write the call of {names}")
        if self.finish.truncated:
            raise self._rejected("truncated", self.finish.detail())
        by_name: dict[str, list[HeldCall]] = {name: [] for name in self.tools}
        for call in self.calls:
            call.retitle(meant(call.name, self.known))
            if call.name in by_name:
                by_name[call.name].append(call)
        if not any(by_name.values()):
            called = ", ".join(repr(call.name) for call in self.calls)
            instead = f"it called {called} instead of {names}" if called else f"it called nothing, and {names} was wanted"
            reason = "invalid_tool_call" if self.calls or self._has_content else "empty_response"
            raise self._rejected(reason, instead)
        if not self.exact:
            return [(self.tools[0], args) for call in by_name[self.tools[0]] for args in self._landed(call, self.fixed[0])]
        if any(len(by_name[name]) < self.tools.count(name) for name in self.tools):
            asked = ", ".join(f"{self.tools.count(name)} of {name!r}" for name in dict.fromkeys(self.tools))
            raise self._rejected("invalid_tool_call", f"too few calls: wanted are {asked}, all in one answer")
        wanted = [(name, self._one(_taken(by_name[name], fixed), fixed)) for name, fixed in zip(self.tools, self.fixed, strict=True)]
        for call in itertools.chain.from_iterable(by_name.values()):
            self._parsed(call)  # one call too many is left out, but not one that shows the answer to be broken
        return wanted

    def written(self) -> str:
        """What the model wrote, words and calls, as plain words for the one chance to mend it. It is shown to no consumer."""
        calls = [f"{call.name}({call.args})" for call in self.calls]
        return shortened("\n".join(filter(None, ["".join(self._words).strip(), *calls])))

    def _one(self, call: HeldCall, fixed: str) -> str:
        """The arguments of the one call that is wanted."""
        landed = self._landed(call, fixed)
        if len(landed) > 1:
            raise self._unfit(call, f"it makes {len(landed)} changes that are far apart; write one of them a call, and as many calls as are wanted")
        return landed[0]

    def _landed(self, call: HeldCall, fixed: str) -> list[str]:
        """The arguments of the tool's own calls that a call means: one, unless it was written in another form."""
        formed = self.formed.get(call.name)
        if formed is None:
            return [self._checked(call, fixed)]
        try:
            with self._of_the_application():
                return formed.landed(self._parsed(call), STRICT.decode(fixed) if fixed else {})
        except FormRefused as refused:
            self.needs_own_form = self.needs_own_form or refused.own
            raise self._unfit(call, str(refused)) from None

    def _checked(self, call: HeldCall, fixed: str) -> str:
        """The arguments of a call that can be run, what is fixed of it among them."""
        arguments, args, problem = self._parsed(call), call.args if call.args.strip() else "{}", None
        if fixed:
            args, problem = with_fixed(args, fixed)
            arguments = {**arguments, **STRICT.decode(fixed)}
        problem = problem or schema_problem(arguments, self.schemas.get(call.name))
        if problem is not None:
            raise self._unfit(call, problem)
        return args

    def _parsed(self, call: HeldCall) -> dict[str, Any]:
        """The arguments of a call, if they are JSON."""
        arguments = parse_arguments(call.args) if call.args.strip() or self.finished else NO_ARGUMENTS
        if isinstance(arguments, str):
            raise self._unfit(call, arguments)
        return arguments

    def _unfit(self, call: HeldCall, problem: str) -> AnswerRejected:
        return self._rejected("invalid_tool_call", f"the call of {call.name!r} cannot be run: {problem}")

    def _rejected(self, reason: str, detail: str) -> AnswerRejected:
        return AnswerRejected(self.model, reason, detail)

    def _call(self, position: int, *, name: str | None, call_id: str, args: str) -> ChatGenerationChunk:
        slot, block = _number_at(self.slots, position), _number_at(self.blocks, position) if self.blocks else None
        return generation(call_chunk(self.message_id, name=name, args=args, call_id=call_id, slot=slot, block=block, provider=self.provider))

    def _last(self) -> AIMessageChunk:
        whole = merged(self._metadata) or AIMessageChunk(content="")
        metadata: dict[str, Any] = {}
        for chunk in reversed(self._metadata):
            metadata.update(chunk.generation_info or {})
        metadata.update(whole.response_metadata)
        # A message that holds the text of one model and the call of another belongs to the provider of the text.
        metadata.pop("model_provider", None)
        if self.stood is not None:
            metadata = {}  # it is about an answer that nothing is left of
        usage = whole.usage_metadata
        return own_chunk(self.message_id, chunk_position="last", response_metadata=metadata, usage_metadata=usage)

    def fail(self, error: BaseException) -> bool:
        """Whether the stream, which broke with this error, ends without raising it, because the answer was complete."""
        if error is self.fault:
            return False
        if bool(self.finish.reason) and not self.finish.truncated and isinstance(error, Exception):
            return True
        if not self.standing or not self.stands_after(error):
            return False
        self.stood = error
        return True


def _taken(calls: list[HeldCall], fixed: str) -> HeldCall:
    """The call, taken from these, that is meant by the one with these fixed arguments: one that repeats them, else the first that does not differ."""
    agreeing = [call for call in calls if with_fixed(call.args, fixed)[1] is None] or calls
    call = next((call for call in agreeing if fixed and members_of(fixed).keys() & members_of(call.args).keys()), agreeing[0])
    calls.remove(call)
    return call


def _number_at(numbers: Sequence[N], position: int) -> N:
    """The number at a position; beyond the end, the numbers count on from the last one."""
    beyond = max(position - len(numbers) + 1, 0)
    number = numbers[position - beyond]
    return number if number is None else number + beyond
