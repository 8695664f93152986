"""The order of roles: system messages, bridges between neighbours that an API refuses, images of tools, the last word."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from lg_toolroute.history import media
from lg_toolroute.history.assistant import text_of
from lg_toolroute.history.blocks import is_blank
from lg_toolroute.history.dialects import AI, CALL, START, SYSTEM, TOOL, USER
from lg_toolroute.history.notes import Notebook
from lg_toolroute.history.pairing import Placed
from lg_toolroute.history.target import Target

OPENING: Final = "(The conversation continues.)"
GO_ON: Final = "Continue."
ACKNOWLEDGED: Final = "OK."
_IMAGES_BELOW: Final = "[image: shown below]"


def kind(message: BaseMessage) -> int:
    """Give the kind of a message, as far as order goes."""
    if isinstance(message, AIMessage):
        return CALL if message.tool_calls else AI
    if isinstance(message, ToolMessage):
        return TOOL
    return SYSTEM if isinstance(message, SystemMessage) else USER


def arrange(history: Sequence[Placed], end: int, target: Target, notebook: Notebook) -> list[Placed]:
    """Put a paired history into an order that the reader's API takes.

    Args:
        history: The messages, each in its form, calls paired.
        end: The length of the history that was given; the place of what is added at the end.
        target: The reader.
        notebook: Takes the notes.
    """
    placed = list(history)
    if not target.tool_images:
        placed = _show_images(placed, notebook)
    if target.thinking_leads:
        placed = _tell_foreign_calls(placed, notebook)
    placed = _system_messages(placed, target, notebook)
    if not target.dialect.text_beside_calls:
        placed = _split(placed, notebook)
    return _bridge(placed, end, target, notebook)


def _show_images(placed: list[Placed], notebook: Notebook) -> list[Placed]:
    """Show the images of tool results after the results, in the user's role, where results are text."""
    out: list[Placed] = []
    shown: list[Any] = []
    for position, (index, message) in enumerate(placed):
        if not isinstance(message, ToolMessage):
            out.append((index, message))
            continue
        content = message.content
        if isinstance(content, list) and any(isinstance(block, dict) and media.kind_of(block) == "image" for block in content):
            images = [block for block in content if isinstance(block, dict) and media.kind_of(block) == "image"]
            texts = [block["text"] for block in content if isinstance(block, dict) and block.get("type") == "text"]
            notebook.add(index, "image of a tool result shown after the results: this API takes text there")
            message = message.model_copy(update={"content": "\n\n".join([*texts, _IMAGES_BELOW])})
            shown += [{"type": "text", "text": f"Image returned by {message.name or 'the tool'}:"}, *images]
        out.append((index, message))
        ends = position + 1 == len(placed) or not isinstance(placed[position + 1][1], ToolMessage)
        if ends and shown:
            out.append((index, HumanMessage(shown)))
            shown = []
    return out


def _tell_foreign_calls(placed: list[Placed], notebook: Notebook) -> list[Placed]:
    """Tell, in the user's role, the calls of this tool loop that do not open with the reader's own thinking.

    Claude with a thinking budget wants the turn it is in to start with a thinking block, and nobody can write one for it.
    Only the running loop is told so: once it is over the calls may stand as calls again.
    """
    start = max((place for place, (_, message) in enumerate(placed) if isinstance(message, HumanMessage)), default=-1)
    out: list[Placed] = list(placed[: start + 1])
    told: dict[str, str] = {}
    for index, message in placed[start + 1 :]:
        if isinstance(message, AIMessage) and message.tool_calls and not opens_with_thinking(message):
            notebook.add(index, "calls told as a note: this model wants a turn of its own to open with its thinking")
            words = text_of(message.content, lambda _: None)
            if not is_blank(words):
                out.append((index, AIMessage(words.rstrip())))
            told |= {str(call["id"]): f"{call['name']}({json.dumps(call['args'], ensure_ascii=False)})" for call in message.tool_calls}
        elif isinstance(message, ToolMessage) and message.tool_call_id in told:
            content = message.content if isinstance(message.content, list) else [{"type": "text", "text": message.content}]
            head = {"type": "text", "text": f"Another assistant ran {told[message.tool_call_id]}. Its result:"}
            body = [block for block in content if not (isinstance(block, dict) and block.get("type") == "text" and is_blank(block["text"]))]
            out.append((index, HumanMessage([head, *body])))
        else:
            out.append((index, message))
    return out


def opens_with_thinking(message: AIMessage) -> bool:
    """Say whether the first block of a message is a thought."""
    first = message.content[0] if isinstance(message.content, list) and message.content else None
    return isinstance(first, dict) and first.get("type") in ("thinking", "redacted_thinking", "reasoning")


def _system_messages(placed: list[Placed], target: Target, notebook: Notebook) -> list[Placed]:
    """Let system messages stand where the API takes them; elsewhere the user's role carries them, marked as what they are."""
    if target.system_anywhere:
        return placed
    out: list[Placed] = []
    leading = True
    for position, (index, message) in enumerate(placed):
        if not isinstance(message, SystemMessage):
            leading = False
        elif not leading and not (target.system_in_place and _may_stand(placed, position)):
            notebook.add(index, "system message in mid-conversation sent in the user's role")
            words = text_of(message.content, lambda _: None)
            message = HumanMessage(f"<system-message>\n{words}\n</system-message>", id=message.id)
        out.append((index, message))
    return out


def _may_stand(placed: list[Placed], position: int) -> bool:
    before = kind(placed[position - 1][1])
    after = kind(placed[position + 1][1]) if position + 1 < len(placed) else AI
    return before in (USER, TOOL) and after in (AI, CALL)


def _split(placed: list[Placed], notebook: Notebook) -> list[Placed]:
    """Send words and calls as two messages where the client would drop the words."""
    out: list[Placed] = []
    for index, message in placed:
        if isinstance(message, AIMessage) and message.tool_calls and message.content:
            words = text_of(message.content, lambda _: None)
            if not is_blank(words):
                notebook.add(index, "words and calls sent as two messages: this client sends only one of them")
                out.append((index, AIMessage(words)))
            message = message.model_copy(update={"content": ""})
        out.append((index, message))
    return out


def _bridge(placed: list[Placed], end: int, target: Target, notebook: Notebook) -> list[Placed]:
    """Put a short message between neighbours that the API refuses, so that nothing before it has to change."""
    forbidden = target.dialect.forbidden
    out: list[Placed] = []
    before = START
    for index, message in placed:
        now = kind(message)
        if (before, now) in forbidden:
            bridge: BaseMessage = AIMessage(ACKNOWLEDGED) if now == USER else HumanMessage(OPENING if before in (START, SYSTEM) else GO_ON)
            notebook.add(index, f"a short {bridge.type} message put before it: this API refuses the order of roles")
            out.append((index, bridge))
        out.append((index, message))
        if now != SYSTEM or before == START:  # one in mid-conversation belongs to the turn that it follows
            before = now
    last = out[-1][1] if out else None
    unfinished = last is not None and bool(last.additional_kwargs.get("prefix"))  # Mistral's own way to have a text continued
    alone = before == SYSTEM and all(kind(message) == SYSTEM for _, message in out)
    if target.dialect.ends_with_user and (before == AI or alone) and not unfinished:
        notebook.add(end, "a short human message put at the end: this API wants the last word to be the user's")
        out.append((end, HumanMessage(GO_ON)))
    return out
