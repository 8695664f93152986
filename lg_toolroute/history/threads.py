"""`AdaptedThreads`: adapts what is new at the end of a thread, and takes the rest from memory.

A long session asks a model with the same messages again and again, and a few more at the end. What was adapted before stays as it was
sent, as `adapt` promises, so only the end has to be looked at; the whole is looked at again where anything before it has changed.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from lg_toolroute.history.adapting import adapt, forms
from lg_toolroute.history.ids import CallIds
from lg_toolroute.history.notes import HistoryError
from lg_toolroute.history.order import arrange
from lg_toolroute.history.own_blocks import waits_for_server
from lg_toolroute.history.pairing import Calls, Placed, pair
from lg_toolroute.history.target import Target

_Key = tuple[Target, int]


@dataclass(frozen=True, slots=True)
class _Settled:
    """The beginning of a thread, of which nothing changes any more, whatever follows.

    Attributes:
        messages: As they are stored. They are kept alive, so that no other message gets their identity.
        held: What each of them held, in containers of our own: a message may be edited in place.
        sent: As the target gets them.
        calls: What the calls in them leave to what follows.
    """

    messages: list[BaseMessage]
    held: list[dict[str, Any]]
    sent: list[BaseMessage]
    calls: Calls

    def leads(self, thread: Sequence[BaseMessage]) -> bool:
        """Whether a thread begins with these very messages, and they hold what they held."""
        if len(thread) < len(self.messages) or not all(map(operator.is_, self.messages, thread)):
            return False
        try:
            return list(map(vars, self.messages)) == self.held
        except Exception:  # an artifact that was replaced is compared as its class likes: an array raises ValueError
            return False

    def is_answered_by(self, messages: Sequence[BaseMessage]) -> bool:
        """Whether one of these messages is the result of a call that has none yet: it moves up to that call."""
        waiting = self.calls.waiting
        return bool(waiting) and any(isinstance(each, ToolMessage) and (not each.tool_call_id or each.tool_call_id in waiting) for each in messages)


class AdaptedThreads:
    """Adapts threads that grow. Its answers are those of `adapt`, message for message.

    Args:
        shortest: Threads of fewer messages are adapted whole: that is as fast, and takes no memory.
        most: So many messages are remembered, in all threads together; those of the thread that has waited longest are forgotten first.
    """

    def __init__(self, *, shortest: int = 24, most: int = 16_384) -> None:
        self._shortest, self._most = shortest, most
        self._known: dict[_Key, _Settled] = {}
        self._kept = 0
        self._lock = threading.Lock()

    def adapt(self, thread: Sequence[BaseMessage], target: Target, extra: Sequence[BaseMessage] = ()) -> list[BaseMessage]:
        """The messages of one request as the target's client and API accept them.

        Args:
            thread: What later requests of this thread will begin with, the system prompt included. Nothing in it is changed.
            target: The reader, from `target_of`.
            extra: What belongs to this request alone; it stands behind the thread.

        Returns:
            A new list, in which unchanged messages are the same objects.

        Raises:
            HistoryError: As `adapt` raises it.
        """
        messages = [*thread, *extra]
        if not thread or len(thread) < self._shortest:
            return adapt(messages, target)
        first = next((each for each in thread if not isinstance(each, SystemMessage)), thread[0])
        key = (target, id(first))
        known = self._known.get(key)
        if known is not None and (not known.leads(thread) or known.is_answered_by(messages[len(known.messages) :])):
            known = None
        try:
            settled = _settled(known, messages, _last_settled(thread, target), target)
            if settled is None:
                return adapt(messages, target)
            if settled is not known:
                self._keep(key, settled)
            rest = pair(forms(messages[len(settled.messages) :], target, [], messages), target, [], settled.calls.copy())
            return [*settled.sent, *_arranged(settled, rest, target, len(messages))]
        except HistoryError:
            return adapt(messages, target)  # which says where in the whole it is

    def _keep(self, key: _Key, settled: _Settled) -> None:
        with self._lock:
            self._forget(key)
            self._known[key] = settled
            self._kept += len(settled.messages)
            while self._kept > self._most:
                self._forget(next(iter(self._known)))

    def _forget(self, key: _Key) -> None:
        old = self._known.pop(key, None)
        self._kept -= 0 if old is None else len(old.messages)


def _last_settled(thread: Sequence[BaseMessage], target: Target) -> int:
    """How many messages at the beginning of a thread can be settled at most."""
    if not target.thinking_leads:
        return len(thread)
    # `order` writes the calls of the running tool loop as notes; when a human has spoken, they are sent as calls again.
    return next((place for place in range(len(thread), 0, -1) if isinstance(thread[place - 1], HumanMessage)), 0)


def _settled(known: _Settled | None, messages: Sequence[BaseMessage], end: int, target: Target) -> _Settled | None:
    """`known`, extended by the messages up to `end` that nothing behind them can change; `known` itself if there are none."""
    before = known or _Settled([], [], [], Calls(CallIds(target.rules.ids)))
    new = messages[len(before.messages) : end]
    if target.rules.late_server_results:  # what is sent of such a message changes when the result has come
        new = new[: next((place for place, each in enumerate(new) if isinstance(each, AIMessage) and waits_for_server(each)), len(new))]
    calls = before.calls.copy()
    paired = pair(forms(new, target, [], messages), target, [], calls)
    if not paired or isinstance(paired[-1][1], SystemMessage):  # how a system message stands depends on what follows it
        return known
    calls.waiting.update(call["id"] for each in new if isinstance(each, AIMessage) for call in each.invalid_tool_calls if call["id"])
    held = [*before.held, *(_copied(vars(each)) for each in new)]
    return _Settled([*before.messages, *new], held, [*before.sent, *_arranged(before, paired, target, None)], calls)


def _arranged(before: _Settled, paired: Sequence[Placed], target: Target, end: int | None) -> list[BaseMessage]:
    """What is sent for the messages behind settled ones; `end` is the place behind them, where nothing more follows."""
    if not before.sent:
        return [message for _, message in arrange(paired, end, target, [])]
    # The last one that was sent goes along: the order of what is new depends on its neighbour.
    neighbour = before.sent[-1]
    arranged = [message for _, message in arrange([(0, neighbour), *paired], end, target, [])]
    return arranged[next(place for place, message in enumerate(arranged) if message is neighbour) + 1 :]


def _copied(value: Any) -> Any:
    """A dict or list, with dicts and lists of its own at every depth."""
    if type(value) is dict:
        return {key: _copied(each) if type(each) in _CONTAINERS else each for key, each in value.items()}
    return [_copied(each) if type(each) in _CONTAINERS else each for each in value]


_CONTAINERS = frozenset({dict, list})
