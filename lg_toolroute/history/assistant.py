"""The form of an assistant message: the reader's own stays as it was answered, another model's becomes text and calls.

Another model's thoughts are left out and not turned into text: a model that is shown them as its own words refuses or imitates them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.messages.tool import ToolCall
from langchain_core.messages.tool import tool_call as make_call

from lg_toolroute.history.api_rules import ApiRules
from lg_toolroute.history.content import Content, is_blank
from lg_toolroute.history.media import kind_of_medium
from lg_toolroute.history.notes import AddNote
from lg_toolroute.history.own_blocks import CALL_BLOCKS, kept_blocks, without_foreign_calls
from lg_toolroute.history.private_fields import bound_to_own_calls
from lg_toolroute.history.provenance import AUTHOR_MARKS, is_cut, is_own
from lg_toolroute.history.target import Target


def form(message: AIMessage, target: Target, history: Sequence[BaseMessage], note: AddNote) -> AIMessage | None:
    """Give the form in which the reader gets an assistant message: the same object, a copy, or `None` if nothing of it can be sent.

    In `history`, the messages around it, the results are looked up: an unreadable call that was answered is kept, so that its
    answer has a place.
    """
    rules, metadata = target.rules, message.response_metadata
    content: Content = message.content
    calls = message.tool_calls
    update: dict[str, Any] = {}
    if message.invalid_tool_calls:
        calls = [*calls, *_answered_calls(message, history, note)]
        update = {"tool_calls": calls, "invalid_tool_calls": []}
    foreign = _foreign_kwargs(message, rules, bool(calls)) if message.additional_kwargs else set()
    key, start = rules.server_state
    refers_to_writer = "output_version" in metadata or (key in metadata and str(metadata[key]).startswith(start))
    # To find the writer takes time, and the writer matters only where the message holds something that other models cannot read.
    if refers_to_writer or foreign or not isinstance(content, str):
        own = is_own(message, target)
        content, own = _content(message, calls, own, target, history, note)
        if content is not message.content:
            update["content"] = content
        if own:
            kept = bound_to_own_calls(message, target) if message.additional_kwargs and is_cut(message) else message.additional_kwargs
            if kept != message.additional_kwargs:
                update["additional_kwargs"] = kept
            stale = _stale_keys(message, content, rules) & metadata.keys()
            if stale:
                update["response_metadata"] = _without(metadata, stale)
        else:
            if foreign:
                update["additional_kwargs"] = _without(message.additional_kwargs, foreign)
            if refers_to_writer or "content" in update:
                # A client that is not known here may mark its own messages with nothing: without marks, this one would count as that client's own.
                update["response_metadata"] = {key: value for key, value in metadata.items() if rules.opaque and key in AUTHOR_MARKS}
    if not calls and (is_blank(content) if isinstance(content, str) else not content):
        note("assistant message left out: it has neither words nor calls for this reader")
        return None
    return message.model_copy(update=update) if update else message


def _answered_calls(message: AIMessage, history: Sequence[BaseMessage], note: AddNote) -> list[ToolCall]:
    """Give the unreadable calls that were answered; the others cannot be sent, for no result will follow."""
    answered = {result.tool_call_id for result in history if isinstance(result, ToolMessage)}
    kept = []
    for call in message.invalid_tool_calls:
        if call.get("id") and call["id"] in answered:
            note("call with unreadable arguments sent with what could be read of them, because it was answered")
            kept.append(make_call(name=call.get("name") or "", args=_arguments(call.get("args")), id=call["id"]))
        else:
            note("call with unreadable arguments left out: nothing answers it")
    return kept


def _arguments(text: str | None) -> dict[str, Any]:
    try:
        parsed = json.loads(text or "{}")
    except json.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _foreign_kwargs(message: AIMessage, rules: ApiRules, calls: bool) -> set[str]:
    """Give the keys of `additional_kwargs` that would reach an API that does not know them."""
    # The raw calls are sent only by clients that find no parsed ones.
    return message.additional_kwargs.keys() - rules.kwargs - ({"tool_calls"} if calls else set())


def _stale_keys(message: AIMessage, content: Content, rules: ApiRules) -> set[str]:
    """Give the keys of an own message's metadata that no longer hold for what is sent of it."""
    stale = {"output_version"} if isinstance(content, str) else set()
    return stale | ({rules.server_state[0]} if rules.whole_answers and is_cut(message) else set())


def _without(mapping: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}


def _content(
    message: AIMessage, calls: list[ToolCall], own: bool, target: Target, history: Sequence[BaseMessage], note: AddNote
) -> tuple[Content, bool]:
    """Give the content to send, and whether the message still counts as the reader's own."""
    content, rules = message.content, target.rules
    if isinstance(content, str):
        return content, own
    if not own:
        return text_of(content, note), False
    if rules.opaque:
        return without_foreign_calls(message, target), True
    if not rules.own_blocks:
        # Without a note: the client sends its own model's blocks as text, too.
        return (content if all(isinstance(block, dict) and block.get("type") == "text" for block in content) else text_of(content)), True
    kept = kept_blocks(message, calls, target, history, note)
    return (text_of(content, note), False) if kept is None else (kept, True)


def text_of(content: Content, note: AddNote | None = None) -> str:
    """Give the words of a content, without thoughts, calls and other blocks that only their provider reads."""
    if isinstance(content, str):
        return content
    parts: list[str] = []
    dropped: set[str] = set()
    same_paragraph = True  # a citation splits one text into neighbouring blocks; other blocks end a paragraph
    for block in content:
        text = block if isinstance(block, str) else _words(block)
        if text is None:
            if isinstance(block, dict) and block.get("type") not in CALL_BLOCKS:
                dropped.add(str(block.get("type")))
            same_paragraph = False
        elif text:
            if parts and not same_paragraph:
                parts.append("\n\n")
            parts.append(text)
            same_paragraph = True
    if dropped and note is not None:
        note(f"{', '.join(sorted(dropped))} left out: only the model that made it can read it")
    return "".join(parts)


def _words(block: Mapping[str, Any]) -> str | None:
    kind = block.get("type")
    if kind in ("text", "output_text"):
        text = block.get("text")
        return text if isinstance(text, str) else ""
    if kind == "refusal":
        return str(block.get("refusal", ""))
    medium = kind_of_medium(block)
    return f"[{medium}]" if medium else None
