"""Which calls of a reasoning model are routed, and where each is cut: at its name, or where its first long argument begins.

A tool name may come in pieces: it is complete when arguments follow it, the next call begins, the answer is whole, or no other tool's name starts
with it. A name that no tool has is read as the one that it plainly means (`functions.edit`, `Edit`), so the call is cut, and lands under the
tool's own name. Calls are decided in their order: one that is still read up to its first long argument holds up those behind it.

A cut waits until every call before the routed one is whole: some providers send the names of all calls first, and the arguments later.
Meanwhile nothing is shown, and what comes of the routed call is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from uuid import uuid4

from lg_toolroute.core.rules.meant import is_whole, meant
from lg_toolroute.core.turn.turn import Intercepted
from lg_toolroute.gates.answer import parse_arguments
from lg_toolroute.gates.arguments import ArgumentCut, ShortArguments, members_of
from lg_toolroute.gates.held_call import HeldCall
from lg_toolroute.gates.stream_gate import StreamGate

_ID_EVERY_PROVIDER_TAKES = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(eq=False, repr=False, kw_only=True)
class RoutingGate(StreamGate):
    """Finds the routed calls in the chunks of one reasoning model.

    Args:
        gates: The routed tools, each with `cut` or `drain`.
        cut_in: Gives where the calls of a routed tool are cut inside their arguments; `None` for at the name. Asked when such a tool is named.
        bound: The names of all tools that the model is offered.
        tools: The names of all tools of the agent, to know which one a name means that none of them has.
        new_id: Makes ids for calls: routed ones, and kept ones that came without an id.
        keep_ids: A routed call keeps the model's own id if every provider accepts that id, for surfaces whose users have seen it.
        needs_arguments: Whether a call of this tool has to have arguments; asked only about a call without any.

    Attributes:
        hit: The first routed tool that was called.
        routed: The routed calls; several only when drained.
    """

    gates: Mapping[str, str] = field(default_factory=dict)
    cut_in: Callable[[str], ArgumentCut | None] = lambda tool: None
    bound: Collection[str] = ()
    tools: Collection[str] = ()
    new_id: Callable[[], str] = lambda: f"call_{uuid4().hex[:24]}"
    keep_ids: bool = False
    needs_arguments: Callable[[str], bool] = lambda name: True

    def __post_init__(self) -> None:
        self.bound = frozenset(self.bound) | frozenset(self.gates)
        self.tools = self.bound.union(self.tools)
        super().__post_init__()

    def restart(self) -> None:
        super().restart()
        self.hit: str | None = None
        self.routed: list[Intercepted] = []
        self._draining = False  # a routed call with `drain` was named: the whole message is read, and its arguments become drafts
        self._cutting = False  # a routed call with `cut` was named and its short arguments were read: only the calls before it are still completed
        self._generated: list[str] = []

    @property
    def halted(self) -> bool:
        """The stream can be closed: a routed call is being cut, and every call before it is whole."""
        return self._cutting and not any(self._is_unfinished(call) for call in self.calls[: self.routed[0].slot])

    def _look_at(self, call: HeldCall, *, begun: bool) -> None:
        """Decide what can be decided, now that more of a call has come; `begun`: more of its arguments."""
        if call.decided:
            if call.short is None or not call.short.open:
                return
            self._read_short(call)
            if call.short.open:
                return
        for each in self.calls:
            # When the next call has begun, the names of those before it are complete.
            if each is not self.calls[-1] or (each is call and each.name and begun) or is_whole(each.name, self.tools):
                self._decide(each)

    def _decide(self, call: HeldCall) -> None:
        """Find out whether a call is routed, now that its name is complete, and after those before it."""
        for earlier in self.calls[: call.slot]:
            if earlier.short is not None and earlier.short.open:
                if not self._is_left_behind(earlier):
                    return
                self._read_short(earlier, last=True)
        if call.decided or self._cutting:
            return
        call.decided = True
        tool = meant(call.name, self.tools)
        mode = self.gates.get(tool)
        if mode is None:
            return
        if mode == "cut" and not self._draining and (cut := self.cut_in(tool)) is not None:
            call.short = ShortArguments(cut)
            self._read_short(call)
            return
        self._route(call, tool)
        self._draining = self._draining or mode == "drain"
        self._cutting = not self._draining

    def _read_short(self, call: HeldCall, *, last: bool = False) -> None:
        """Find out whether a call is cut, now that more of its arguments has come; `last`: no more will."""
        short = call.short
        if short is None or not short.open or self._cutting:
            return
        with self._of_the_application():
            known = short.read(call.args, last=last)
        if not known or short.fixed is None:
            return
        call.args = call.args[: short.at]
        self._generated.append(call.args)
        self._route(call, meant(call.name, self.tools), short.fixed)
        self._cutting = True

    def _route(self, call: HeldCall, tool: str, fixed: str = "") -> None:
        keeps = self.keep_ids and call.id is not None and _ID_EVERY_PROVIDER_TAKES.fullmatch(call.id) is not None
        taken = {each.id for each in self.calls[: call.slot]} | {each.call_id for each in self.routed}
        call_id = call.id if keeps and call.id and call.id not in taken else self._fresh_id()
        call.routed = Intercepted(call.slot, tool, call_id, block=call.block, fixed=fixed)
        self.hit = self.hit or tool
        self.routed.append(call.routed)

    def _fresh_id(self) -> str:
        """An id that no call of this message has."""
        taken = {call.id for call in self.calls} | {routed.call_id for routed in self.routed}
        return next(call_id for call_id in iter(self.new_id, None) if call_id not in taken)

    def _is_unfinished(self, call: HeldCall) -> bool:
        """Whether more of a call may come."""
        if call not in self._by_index.values():
            return False  # only pieces with its index would be added to it
        if call.args.strip():
            return not (call.args.rstrip().endswith("}") and isinstance(parse_arguments(call.args), dict))
        return self.needs_arguments(meant(call.name, self.tools)) or not self._is_left_behind(call)

    def _is_left_behind(self, call: HeldCall) -> bool:
        """Whether the stream has moved on from a call."""
        later = self.calls[call.slot + 1 :]
        if call.block is not None or call not in self._by_index.values():
            return bool(later)  # content blocks come one after the other
        return self._cutting and any(each.args for each in later)

    def _is_whole(self, call: HeldCall) -> bool:
        """Whether a call can be kept of an answer that was cut or drained."""
        if call.args.strip():
            return isinstance(parse_arguments(call.args), dict)
        return not self.needs_arguments(meant(call.name, self.tools)) and (self.finished or self._is_left_behind(call))

    def _keep_short_of_drained(self) -> None:
        """Drained calls keep their short arguments, too, or stand."""
        for call in self.calls:
            if call.routed is not None and (cut := self.cut_in(call.routed.tool)) is not None:
                with self._of_the_application():
                    fixed = cut.fixed(members_of(call.args), whole=isinstance(parse_arguments(call.args), dict))
                call.routed = None if fixed is None else replace(call.routed, fixed=fixed)
        self.routed = [call.routed for call in self.calls if call.routed is not None]
        self.hit = self.routed[0].tool if self.routed else None
