"""The form of an assistant message: the reader's own is left as it was answered, another's becomes words and calls.

Thoughts, signatures, item ids and server-side tools mean something only to the model that made them; a signature that
another model made is refused, sometimes many turns later. They are left out, not turned into text: a model that is shown
another's reasoning as its own words refuses or imitates it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping
from typing import Any, Final

from langchain_core.messages import AIMessage
from langchain_core.messages.tool import ToolCall
from langchain_core.messages.tool import tool_call as make_call

from lg_toolroute.history import media
from lg_toolroute.history.blocks import Content, Say, is_blank
from lg_toolroute.history.provenance import is_cut, is_own
from lg_toolroute.history.target import Target

_CALL_BLOCKS: Final = frozenset({"tool_call", "tool_call_chunk", "invalid_tool_call", "tool_use", "function_call", "custom_tool_call"})
_SERVER_CALLS: Final = frozenset({"server_tool_use", "mcp_tool_use", "server_tool_call"})
_NAME: Final = re.compile(r"[\s<|\\/>]+")
NO_NAME_CHANGE: Final = re.compile(r"[^\s<|\\/>]{1,64}").fullmatch
"""OpenAI's pattern for the `name` of a message."""


def form(message: AIMessage, target: Target, answered: Container[str], say: Say) -> AIMessage | None:
    """Give the form in which the reader gets an assistant message.

    Args:
        message: The stored message.
        target: The reader.
        answered: Ids that some tool message answers; an unreadable call among them is kept, so that its answer has a place.
        say: Takes a note of each repair.

    Returns:
        The same message, or a copy; `None` if nothing of it can be sent.
    """
    own = is_own(message, target)
    update: dict[str, Any] = {}
    calls = list(message.tool_calls)
    if message.invalid_tool_calls:
        calls.extend(_readable(message, answered, say))
        update["tool_calls"], update["invalid_tool_calls"] = calls, []
    content = message.content
    if not isinstance(content, str):
        ids = {call.get("id") for call in calls}
        replays = own and bool(target.dialect.native_blocks)
        kept = _native(message, content, ids, target, say) if replays else None
        if kept is None:
            update["content"] = text_of(content, _silence if own and not replays else say)
            own = own and not replays
        elif kept is not content:
            update["content"] = kept
    if own and isinstance(update.get("content", content), str) and "output_version" in message.response_metadata:
        update["response_metadata"] = _without(message.response_metadata, "output_version")
    if not own:
        if not harmless(message, target, bool(calls)):
            update["additional_kwargs"] = _harmless_part(message, target)
        if "content" in update or points_elsewhere(message.response_metadata, target):
            update["response_metadata"] = {}
    elif target.api == "openai-responses" and is_cut(message) and "id" in message.response_metadata:
        update["response_metadata"] = _without(update.get("response_metadata", message.response_metadata), "id")
    if message.name and target.dialect.named and not NO_NAME_CHANGE(message.name):
        update["name"] = common_name(message.name)
    now = update.get("content", content)
    if not calls and (is_blank(now) if isinstance(now, str) else not now):
        say("assistant message left out: it has neither words nor calls for this reader")
        return None
    return message.model_copy(update=update) if update else message


def _without(mapping: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != name}


def _silence(what: str) -> None:
    """Take no note: the client sends its own model's blocks as text, too."""


def common_name(name: str) -> str:
    """Give the name of a message's author in the pattern that OpenAI takes."""
    return _NAME.sub("_", name)[:64]


def _readable(message: AIMessage, answered: Container[str], say: Say) -> list[ToolCall]:
    """Rescue the unreadable calls that were answered; the others cannot be sent, for no result will follow."""
    rescued = []
    for call in message.invalid_tool_calls:
        if call.get("id") and call["id"] in answered:
            say("call with unreadable arguments sent with what could be read of them, because it was answered")
            rescued.append(make_call(name=call.get("name") or "", args=_arguments(call.get("args")), id=call["id"]))
        else:
            say("call with unreadable arguments left out: nothing answers it")
    return rescued


def _arguments(text: str | None) -> dict[str, Any]:
    try:
        parsed = json.loads(text or "{}")
    except json.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def text_of(content: Any, say: Say) -> str:
    """Give the words of a content, without thoughts, calls and whatever else is another provider's."""
    if isinstance(content, str):
        return content
    parts: list[str] = []
    dropped: set[str] = set()
    glued = True  # blocks of one text that a citation split belong together; others are paragraphs
    for block in content if isinstance(content, list) else []:
        text = block if isinstance(block, str) else _words(block)
        if text is None:
            if isinstance(block, Mapping) and block.get("type") not in _CALL_BLOCKS:
                dropped.add(str(block.get("type")))
            glued = False
        elif text:
            if parts and not glued:
                parts.append("\n\n")
            parts.append(text)
            glued = True
    if dropped:
        say(f"{', '.join(sorted(dropped))} left out: only the model that made it can read it")
    return "".join(parts)


def _words(block: Any) -> str | None:
    if not isinstance(block, Mapping):
        return None
    kind = block.get("type")
    if kind in ("text", "output_text"):
        text = block.get("text")
        return text if isinstance(text, str) else ""
    if kind == "refusal":
        return str(block.get("refusal", ""))
    shown = media.kind_of(block)
    return f"[{shown}]" if shown else None


def harmless(message: AIMessage, target: Target, calls: bool) -> bool:
    """Say whether no key of `additional_kwargs` would reach an API that does not know it."""
    kwargs = message.additional_kwargs
    return not kwargs or all(_is_harmless(key, target, calls) for key in kwargs)


def _harmless_part(message: AIMessage, target: Target) -> dict[str, Any]:
    return {key: value for key, value in message.additional_kwargs.items() if _is_harmless(key, target, calls=False)}


def _is_harmless(key: str, target: Target, calls: bool) -> bool:
    # No client sends the first two; the raw calls are sent only by clients that find no parsed ones.
    return key in ("refusal", "parsed") or (key == "tool_calls" and calls) or (key == "prefix" and target.api == "mistral")


def points_elsewhere(metadata: Mapping[str, Any], target: Target) -> bool:
    """Say whether metadata makes the reader's client refer to what lives at the writer's: a dialect, a container, an answer."""
    if target.api == "openai-responses" and str(metadata.get("id")).startswith("resp_"):
        return True
    return "output_version" in metadata or ("container" in metadata and target.api == "anthropic")


def _native(message: AIMessage, content: list[Any], ids: set[str | None], target: Target, say: Say) -> Content | None:
    """Give the reader's own content, cleaned of what changed since; `None` if only its words can be kept."""
    named = {_call_id(block) for block in content if isinstance(block, Mapping) and block.get("type") in _CALL_BLOCKS}
    if target.api == "openai-responses" and (is_cut(message) or named != ids):
        # Its items stand for one answer of the server; with other calls than that answer had they are refused.
        say("reasoning items and item ids left out: the answer they belong to was changed")
        return None
    if target.api == "mistral" and message.tool_calls and message.response_metadata.get("output_version") == "v1":
        return None
    torn = _torn(content) if target.api in ("anthropic", "openai-responses") else frozenset()
    kept: list[Any] = []
    for block in content:
        if isinstance(block, str):
            if not is_blank(block):
                kept.append(block)
            continue
        if not isinstance(block, Mapping):
            continue
        kind = block.get("type")
        if kind in _CALL_BLOCKS:
            if _call_id(block) in ids and kind in target.dialect.native_blocks and target.api != "google":
                kept.append(block)
        elif kind not in target.dialect.native_blocks or (torn and _server_id(block) in torn):
            say(f"{kind} left out: it is not complete, or not this provider's")
        elif _is_signed(block, target) and not (kind == "text" and is_blank(block.get("text") or "")):
            if kind == "function_call_signature" and is_cut(message):
                continue
            kept.append(block)
        elif kind != "text":
            say(f"{kind} without a signature left out")
    if len(kept) == len(content) and all(a is b for a, b in zip(kept, content, strict=True)):
        return content
    return kept


def _server_id(block: Mapping[str, Any]) -> str:
    """Give the id that a server-side tool's call shares with its result; empty for any other block."""
    identity = block.get("id") if block.get("type") in _SERVER_CALLS else block.get("tool_use_id") or block.get("tool_call_id")
    return identity if isinstance(identity, str) else ""


def _torn(content: list[Any]) -> frozenset[str]:
    """Give the ids of server-side tool calls that lost their result, and of results that lost their call."""
    blocks = [block for block in content if isinstance(block, Mapping)]
    called = {_server_id(block) for block in blocks if block.get("type") in _SERVER_CALLS}
    returned = {_server_id(block) for block in blocks if block.get("type") not in _SERVER_CALLS}
    return frozenset((called ^ returned) - {""})


def _call_id(block: Mapping[str, Any]) -> str | None:
    """Give the id that pairs a call with its result; OpenAI's items have another one, of their own, under `id`."""
    identity = block.get("call_id") or block.get("id")
    return identity if isinstance(identity, str) else None


def _is_signed(block: Mapping[str, Any], target: Target) -> bool:
    if target.api != "anthropic" or block.get("type") not in ("thinking", "reasoning"):
        return True
    signature = block.get("signature") or (block.get("extras") or {}).get("signature")
    return isinstance(signature, str) and not is_blank(signature)
