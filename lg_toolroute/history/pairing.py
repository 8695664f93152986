"""Calls and results: each call answered once, right after it, under one legal id that both share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from lg_toolroute.history.ids import IdBook, legal_name, tool_name
from lg_toolroute.history.notes import Notebook
from lg_toolroute.history.provenance import is_own
from lg_toolroute.history.target import Target

Placed = tuple[int, BaseMessage]
"""A message with its place in the history that was given."""

NO_RESULT: Final = "(There is no result: this call was not run, or its result was lost.)"
_GEMINI_SIGNATURES: Final = "__gemini_function_call_thought_signatures__"


class _Group:
    """One assistant message and the results of its calls."""

    __slots__ = ("ids", "index", "message", "results", "stored")

    def __init__(self, index: int, message: AIMessage, ids: list[str]) -> None:
        self.index = index
        self.message = message
        self.ids = ids
        self.stored = [call.get("id") or "" for call in message.tool_calls]
        self.results: dict[int, Placed] = {}
        """The results in stored order, by the place of their call."""

    def waiting(self, stored: str) -> int | None:
        """Give the place of the first unanswered call with this stored id."""
        for place, identity in enumerate(self.stored):
            if identity == stored and place not in self.results:
                return place
        return None


def pair(history: Sequence[Placed], target: Target, notebook: Notebook) -> list[Placed]:
    """Bring results to their calls, give both their ids, answer what was not answered, leave out what answers nothing."""
    book = IdBook(short=target.dialect.short_ids)
    out: list[Placed | _Group] = []
    latest: dict[str, _Group] = {}
    for index, message in history:
        if isinstance(message, AIMessage) and message.tool_calls:
            keep = target.own_ids and is_own(message, target)
            group = _Group(index, message, [book.assign(call.get("id") or "", keep=keep) for call in message.tool_calls])
            out.append(group)
            latest.update(dict.fromkeys(group.stored, group))
        elif isinstance(message, ToolMessage):
            place = _place(message, latest, out)
            if place is None:
                notebook.add(index, "tool result left out: no call before it is waiting for it")
                continue
            group, position = place
            if not message.tool_call_id:
                notebook.add(index, "tool result without an id given to the call before it")
            elif out[-1] is not group:
                notebook.add(index, "tool result moved up to its call")
            group.results[position] = (index, message)
        else:
            out.append((index, message))
    placed: list[Placed] = []
    for entry in out:
        if isinstance(entry, _Group):
            placed.extend(_emit(entry, notebook))
        else:
            placed.append(entry)
    return placed


def _place(message: ToolMessage, latest: dict[str, _Group], out: list[Placed | _Group]) -> tuple[_Group, int] | None:
    group = latest.get(message.tool_call_id)
    position = group.waiting(message.tool_call_id) if group is not None else None
    if group is not None and position is not None:
        return group, position
    last = out[-1] if out else None
    if message.tool_call_id or not isinstance(last, _Group):
        return None
    free = [place for place in range(len(last.ids)) if place not in last.results]
    named = [place for place in free if message.name and last.message.tool_calls[place]["name"] == message.name]
    return (last, (named or free)[0]) if free else None


def _emit(group: _Group, notebook: Notebook) -> list[Placed]:
    message = _renamed(group, notebook)
    placed: list[Placed] = [(group.index, message)]
    for position, (index, result) in group.results.items():
        update: dict[str, Any] = {}
        if result_id(result) != group.ids[position]:
            update["tool_call_id"] = group.ids[position]
        if result.name and not tool_name(result.name):
            update["name"] = message.tool_calls[position]["name"]
        placed.append((index, result.model_copy(update=update) if update else result))
    for position, identity in enumerate(group.ids):
        if position not in group.results:
            notebook.add(group.index, "call without a result answered by a line that says so")
            name = message.tool_calls[position]["name"]
            placed.append((group.index, ToolMessage(NO_RESULT, tool_call_id=identity, name=name, status="error")))
    return placed


def result_id(message: BaseMessage) -> str:
    """Give the id of the call that a tool message answers; empty for any other message."""
    return message.tool_call_id if isinstance(message, ToolMessage) else ""


def _renamed(group: _Group, notebook: Notebook) -> AIMessage:
    message = group.message
    calls = message.tool_calls
    if group.ids == group.stored and all(tool_name(call["name"]) for call in calls):
        return message
    notebook.add(group.index, "tool call id or name rewritten to a form that this provider takes")
    names = [legal_name(call["name"]) for call in calls]
    update: dict[str, Any] = {
        "tool_calls": [{**call, "id": identity, "name": name} for call, identity, name in zip(calls, group.ids, names, strict=True)]
    }
    if isinstance(message.content, list):
        update["content"] = _rename_blocks(message.content, group, names)
    signatures = message.additional_kwargs.get(_GEMINI_SIGNATURES)
    if isinstance(signatures, dict):
        renamed = {group.ids[place]: signatures[old] for place, old in enumerate(group.stored) if old in signatures}
        update["additional_kwargs"] = {**message.additional_kwargs, _GEMINI_SIGNATURES: renamed}
    return message.model_copy(update=update)


def _rename_blocks(content: list[Any], group: _Group, names: list[str]) -> list[Any]:
    """Rename the calls inside content blocks; of several with one stored id each block means the next."""
    waiting = [(old, new, name) for old, new, name in zip(group.stored, group.ids, names, strict=True)]
    renamed = []
    for block in content:
        key = "call_id" if isinstance(block, dict) and "call_id" in block else "id"
        if isinstance(block, dict) and block.get("type") in ("tool_use", "tool_call", "function_call", "custom_tool_call"):
            match = next((entry for entry in waiting if entry[0] == (block.get(key) or "")), None)
            if match is not None:
                waiting.remove(match)
                block = {**block, key: match[1], "name": match[2]}
        renamed.append(block)
    return renamed
