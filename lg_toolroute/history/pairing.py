"""Calls and results: each call answered once, right after it, under one legal id that both share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.messages.tool import ToolCall

from lg_toolroute.history.ids import CallIds, tool_name
from lg_toolroute.history.notes import Note
from lg_toolroute.history.private_fields import SIGNATURES, with_marks
from lg_toolroute.history.provenance import wrote_call
from lg_toolroute.history.target import Target

Placed = tuple[int, BaseMessage]
"""A message with its place in the history that was given."""

NO_RESULT: Final = "(There is no result: this call was not run, or its result was lost.)"


@dataclass(slots=True)
class _Round:
    """One assistant message with calls, and the results of its calls.

    Attributes:
        calls: The calls as they are sent.
        open: The stored id of each call that has no result yet, by its position in the message.
        sent: The message as it is sent, and then its results.
    """

    calls: list[ToolCall]
    open: dict[int, str]
    sent: list[Placed]


@dataclass(slots=True)
class Calls:
    """What the calls of earlier messages leave to later ones.

    Attributes:
        ids: The ids that are given.
        waiting: The stored ids of calls that may still be answered, and so change what is sent for them.
    """

    ids: CallIds
    waiting: set[str] = field(default_factory=set)

    def copy(self) -> Calls:
        """The same, to go on from."""
        return Calls(self.ids.copy(), set(self.waiting))


def pair(history: Sequence[Placed], target: Target, notes: list[Note], before: Calls) -> list[Placed]:
    """Bring results to their calls, give both their ids, answer what was not answered, leave out what answers nothing.

    `before` is what earlier messages leave, and receives what these leave.
    """
    rounds: list[_Round] = []
    latest: dict[str, _Round] = {}
    last: _Round | None = None
    out: list[list[Placed]] = []
    for placed in history:
        index, message = placed
        if isinstance(message, AIMessage) and message.tool_calls:
            last = _begin_round(index, message, before.ids, target, notes)
            rounds.append(last)
            for stored in last.open.values():
                latest[stored] = last
            out.append(last.sent)
        elif isinstance(message, ToolMessage):
            calls = latest.get(message.tool_call_id) if message.tool_call_id or last is None or not last.open else last
            position = _open_call(message, calls) if calls is not None else None
            if calls is None or position is None:
                notes.append(Note(index, "tool result left out: no call before it is waiting for it"))
                continue
            if not message.tool_call_id:
                notes.append(Note(index, "tool result without an id given to the call before it"))
            elif calls is not last:
                notes.append(Note(index, "tool result moved up to its call"))
            del calls.open[position]
            calls.sent.append((index, _renamed_result(message, calls.calls[position])))
        else:
            last = None
            out.append([placed])
    for calls in rounds:
        before.waiting.update(calls.open.values())
        for position in calls.open:
            index, call = calls.sent[0][0], calls.calls[position]
            notes.append(Note(index, "call without a result answered by a line that says so"))
            calls.sent.append((index, ToolMessage(NO_RESULT, tool_call_id=call["id"], name=call["name"], status="error")))
    return list(chain.from_iterable(out))


def _begin_round(index: int, message: AIMessage, call_ids: CallIds, target: Target, notes: list[Note]) -> _Round:
    calls: list[ToolCall] = []
    stored: dict[int, str] = {}
    changed = False
    for position, call in enumerate(message.tool_calls):
        stored[position] = call["id"] or ""
        identity = call_ids.assign(stored[position], own=partial(wrote_call, message, stored[position], target))
        name = tool_name(call["name"])
        if identity != call["id"] or name != call["name"]:
            call, changed = {**call, "id": identity, "name": name}, True
        calls.append(call)
    if changed:
        notes.append(Note(index, "tool call id or name rewritten to a form that this provider takes"))
        message = message.model_copy(update=_renamed_parts(message, stored, calls))
    return _Round(calls, stored, [(index, with_marks(message, target))])


def _open_call(result: ToolMessage, calls: _Round) -> int | None:
    """Give the position of the call that a result answers: the first with its id; without an id, the first of its tool, else the first."""
    if result.tool_call_id:
        for position, stored in calls.open.items():
            if stored == result.tool_call_id:
                return position
        return None
    candidates = [position for position, stored in calls.open.items() if not stored] or list(calls.open)
    named = [position for position in candidates if calls.calls[position]["name"] == tool_name(result.name or "")]
    return next(iter(named or candidates), None)


def _renamed_result(result: ToolMessage, call: ToolCall) -> ToolMessage:
    legal_name = not result.name or tool_name(result.name) == result.name
    if legal_name and result.tool_call_id == call["id"]:
        return result
    return result.model_copy(update={"tool_call_id": call["id"], "name": result.name if legal_name else call["name"]})


def _renamed_parts(message: AIMessage, stored: Mapping[int, str], calls: list[ToolCall]) -> dict[str, Any]:
    """Give everything in a message that holds the ids and names of its calls, with those to send."""
    update: dict[str, Any] = {"tool_calls": calls}
    if isinstance(message.content, list):
        update["content"] = _renamed_blocks(message.content, stored, calls)
    signatures = message.additional_kwargs.get(SIGNATURES)
    if isinstance(signatures, dict):
        moved = {calls[position]["id"]: signatures[old] for position, old in stored.items() if old in signatures}
        update["additional_kwargs"] = {**message.additional_kwargs, SIGNATURES: moved}
    return update


def _renamed_blocks(content: list[Any], stored: Mapping[int, str], calls: list[ToolCall]) -> list[Any]:
    """Rename the calls inside content blocks; where several share a stored id, each block stands for the next of them."""
    waiting = dict(stored)
    renamed = []
    for block in content:
        if isinstance(block, dict) and block.get("type") in ("tool_use", "tool_call", "function_call", "custom_tool_call"):
            key = "call_id" if "call_id" in block else "id"
            position = next((position for position, old in waiting.items() if old == (block.get(key) or "")), None)
            if position is not None:
                del waiting[position]
                block = {**block, key: calls[position]["id"], "name": calls[position]["name"]}
        renamed.append(block)
    return renamed
