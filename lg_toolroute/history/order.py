"""The order of messages: system messages, neighbours that an API refuses, images of tool results, the last message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, TypeGuard

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from lg_toolroute.history.api_rules import MessageKind
from lg_toolroute.history.assistant import text_of
from lg_toolroute.history.cache_markers import UNSTORED, is_stored
from lg_toolroute.history.content import is_blank
from lg_toolroute.history.media import kind_of_medium
from lg_toolroute.history.notes import Note
from lg_toolroute.history.own_blocks import opens_with_thinking
from lg_toolroute.history.pairing import Placed
from lg_toolroute.history.provenance import is_cut, is_own
from lg_toolroute.history.target import Target

OPENING: Final = "(The conversation continues.)"
GO_ON: Final = "Continue."
ACKNOWLEDGED: Final = "OK."
_IMAGES_BELOW: Final = "[image: shown below]"


def arrange(history: Sequence[Placed], end: int | None, target: Target, notes: list[Note]) -> list[Placed]:
    """Put paired messages into an order that the reader's API takes; `end` is the place of what is added after the last, `None` if more follows."""
    placed = list(history)
    if target.rules.opaque and target.addressed:
        return placed
    if not target.tool_images:
        placed = _show_images(placed, notes)
    if target.thinking_leads:
        placed = _tell_foreign_calls(_end_loop(placed, notes), notes)
    if target.rules.system != "anywhere":
        placed = _move_system_messages(placed, target, notes)
    if not target.rules.text_beside_calls:
        placed = _split(placed, target, notes)
    return _bridge(placed, end, target, notes) if target.rules.forbidden else placed


def _kind(message: BaseMessage) -> MessageKind:
    if isinstance(message, AIMessage):
        return "call" if message.tool_calls else "answer"
    if isinstance(message, ToolMessage):
        return "tool"
    return "system" if isinstance(message, SystemMessage) else "user"


def _show_images(placed: list[Placed], notes: list[Note]) -> list[Placed]:
    """Show the images of tool results after the results, in a human message, where results are text."""
    out: list[Placed] = []
    shown: list[Any] = []
    for position, (index, message) in enumerate(placed):
        if isinstance(message.content, list) and isinstance(message, ToolMessage):
            blocks = [block for block in message.content if isinstance(block, dict)]
            images = [block for block in blocks if kind_of_medium(block) == "image"]
            if images:
                notes.append(Note(index, "image of a tool result shown after the results: this API takes text there"))
                texts = [block["text"] for block in blocks if block.get("type") == "text"]
                shown += [{"type": "text", "text": f"Image returned by {message.name or 'the tool'}:"}, *images]
                message = message.model_copy(update={"content": "\n\n".join([*texts, _IMAGES_BELOW])})
        out.append((index, message))
        if shown and not isinstance(placed[position + 1][1] if position + 1 < len(placed) else None, ToolMessage):
            out.append((index, HumanMessage(shown)))
            shown = []
    return out


def _end_loop(placed: list[Placed], notes: list[Note]) -> list[Placed]:
    """Put a short answer between results and an instruction behind them, where the running tool loop holds calls without the reader's thinking.

    Claude's client sends both as one message, so the loop would go on, and the calls in it would be refused.
    """
    if len(placed) < 2 or is_stored(placed[-1][1]) or not isinstance(placed[-2][1], ToolMessage):
        return placed
    if not any(_lacks_thinking(message) for _, message in placed[_loop_start(placed[:-1]) :]):
        return placed
    index, instruction = placed[-1]
    notes.append(Note(index, "a short ai message put before it: this model wants a turn of its own to open with its thinking"))
    return [*placed[:-1], (index, AIMessage(ACKNOWLEDGED)), (index, instruction)]


def _loop_start(placed: list[Placed]) -> int:
    """The place behind the last human message."""
    return max((place for place, (_, message) in enumerate(placed) if isinstance(message, HumanMessage)), default=-1) + 1


def _lacks_thinking(message: BaseMessage) -> TypeGuard[AIMessage]:
    return isinstance(message, AIMessage) and bool(message.tool_calls) and not opens_with_thinking(message)


def _tell_foreign_calls(placed: list[Placed], notes: list[Note]) -> list[Placed]:
    """Tell, in human messages, the calls of the running tool loop that do not open with the reader's own thinking.

    Claude with a thinking budget wants the turn it is in to start with a thinking block, which no other model can write.
    Once the loop is over, the calls may stand as calls again.
    """
    start = _loop_start(placed)
    out = placed[:start]
    told: dict[str, str] = {}
    for index, message in placed[start:]:
        if _lacks_thinking(message):
            notes.append(Note(index, "calls told as a note: this model wants a turn of its own to open with its thinking"))
            words = text_of(message.content)
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


def _move_system_messages(placed: list[Placed], target: Target, notes: list[Note]) -> list[Placed]:
    """Send a system message after the first messages as a human one, marked as what it is, unless it may stand where it does."""
    out: list[Placed] = []
    leading = True
    for position, (index, message) in enumerate(placed):
        if not isinstance(message, SystemMessage):
            leading = False
        elif not leading and not (target.system_in_place and _may_stand(placed, position)):
            notes.append(Note(index, "system message in mid-conversation sent in the user's role"))
            message = HumanMessage(f"<system-message>\n{text_of(message.content)}\n</system-message>", id=message.id)
        out.append((index, message))
    return out


def _may_stand(placed: list[Placed], position: int) -> bool:
    before = _kind(placed[position - 1][1])
    after = _kind(placed[position + 1][1]) if position + 1 < len(placed) else "answer"
    return before in ("user", "tool") and after in ("answer", "call")


def _split(placed: list[Placed], target: Target, notes: list[Note]) -> list[Placed]:
    """Send words and calls as two messages where the client would drop the words, unless the reader itself wrote both."""
    out: list[Placed] = []
    for index, message in placed:
        if isinstance(message, AIMessage) and message.tool_calls and message.content and (is_cut(message) or not is_own(message, target)):
            words = text_of(message.content)
            if not is_blank(words):
                notes.append(Note(index, "words and calls sent as two messages: this client sends only one of them"))
                out.append((index, AIMessage(words)))
            message = message.model_copy(update={"content": ""})
        out.append((index, message))
    return out


def _bridge(placed: list[Placed], end: int | None, target: Target, notes: list[Note]) -> list[Placed]:
    """Put a short message between neighbours that the API refuses, so that nothing before it has to change."""
    rules = target.rules
    out: list[Placed] = []
    before: MessageKind = "start"
    for index, message in placed:
        now = _kind(message)
        if (before, now) in rules.forbidden:
            words = OPENING if before in ("start", "system") else GO_ON
            bridge: BaseMessage = AIMessage(ACKNOWLEDGED) if now == "user" else HumanMessage(words)
            notes.append(Note(index, f"a short {bridge.type} message put before it: this API refuses the order of roles"))
            out.append((index, bridge))
        out.append((index, message))
        if now != "system" or before == "start":  # a system message in mid-conversation belongs to the turn that it follows
            before = now
    if end is None:
        return out
    continued = bool(out[-1][1].additional_kwargs.get("prefix"))  # Mistral's own way to have a text continued
    if rules.ends_with_user and before in ("answer", "system") and not continued:
        notes.append(Note(end, "a short human message put at the end: this API wants the last word to be the user's"))
        out.append((end, HumanMessage(GO_ON, id=UNSTORED)))
    return out
