"""`adapt`: one history, given to any reader in the form that its client and API take."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any, Final

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from lg_toolroute.history.assistant import form
from lg_toolroute.history.content import fit, is_blank, plain_text
from lg_toolroute.history.ids import CallIds, author_name
from lg_toolroute.history.media import Role
from lg_toolroute.history.notes import AddNote, HistoryError, Note
from lg_toolroute.history.order import arrange
from lg_toolroute.history.pairing import Calls, Placed, pair
from lg_toolroute.history.target import Target

_CLASSES: Final[dict[str, type[AIMessage] | type[SystemMessage]]] = {
    "assistant": AIMessage,
    "model": AIMessage,
    "system": SystemMessage,
    "developer": SystemMessage,
}
"""The message classes for the roles of a `ChatMessage`; any other role is a human's."""


def adapt(messages: Sequence[BaseMessage], target: Target, *, notes: list[Note] | None = None) -> list[BaseMessage]:
    """Give the messages as the target's client and API accept them.

    Args:
        messages: The history of one request, system messages included. Nothing in it is changed.
        target: The reader, from `target_of`.
        notes: If given, receives a `Note` for each repair.

    Returns:
        The same list object if nothing had to change; else a new list in which unchanged messages are the same objects.

    Raises:
        HistoryError: No repair makes it acceptable: it holds something that is no message, or nothing to send.
    """
    if not messages:
        raise HistoryError(0, "the history is empty; give at least one message")
    made: list[Note] = []
    paired = pair(forms(messages, target, made, messages), target, made, Calls(CallIds(target.rules.ids)))
    if not paired or (_only_system(message for _, message in paired) and not _only_system(messages)):
        raise HistoryError(made[0].index, f"nothing of this conversation can be sent ({made[0].what}); it needs a human message")
    adapted = [message for _, message in arrange(paired, len(messages), target, made)]
    if notes is not None:
        notes.extend(made)
    if isinstance(messages, list) and len(adapted) == len(messages) and all(map(operator.is_, adapted, messages)):
        return messages
    return adapted


def adapt_with_notes(messages: Sequence[BaseMessage], target: Target) -> tuple[list[BaseMessage], tuple[Note, ...]]:
    """Give the adapted messages and what was repaired; see `adapt`."""
    notes: list[Note] = []
    return adapt(messages, target, notes=notes), tuple(notes)


def _only_system(messages: Iterable[BaseMessage]) -> bool:
    return all(isinstance(message, SystemMessage) for message in messages)


def forms(messages: Sequence[BaseMessage], target: Target, notes: list[Note], history: Sequence[BaseMessage]) -> list[Placed]:
    """Give each message its form for the reader, one by one; in `history`, all messages of the request, the results of calls are looked up."""
    placed: list[Placed] = []
    named = target.rules.named
    index = 0

    def note(what: str) -> None:
        notes.append(Note(index, what))

    for index, stored in enumerate(messages):
        message: BaseMessage | None = stored
        if not isinstance(stored, (AIMessage, ToolMessage, HumanMessage, SystemMessage)):
            message = _standard(index, stored, note)
        if isinstance(message, AIMessage):
            message = form(message, target, history, note)
        elif message is not None:
            message = _fitted(message, target, note)
        if message is None:
            continue
        if named and message.name and not isinstance(message, ToolMessage) and author_name(message.name) != message.name:
            message = message.model_copy(update={"name": author_name(message.name)})
        placed.append((index, message))
    return placed


def _standard(index: int, message: Any, note: AddNote) -> BaseMessage | None:
    """Give a message of one of the four roles; `None` for one that is an instruction to a reducer."""
    if isinstance(message, RemoveMessage):
        note("left out: it tells a reducer what to remove")
        return None
    if isinstance(message, ChatMessage):
        note(f"message of role {message.role!r} sent in one of the roles that every provider has")
        return _CLASSES.get(message.role, HumanMessage)(message.content, id=message.id)
    if isinstance(message, FunctionMessage):
        note("function message of the old protocol sent as a note: it names no call")
        return HumanMessage(f"Result of {message.name}: {plain_text(message.content)}", id=message.id)
    if isinstance(message, BaseMessage):
        raise HistoryError(index, f"a model cannot be sent a {type(message).__name__}; use HumanMessage, AIMessage or ToolMessage")
    raise HistoryError(index, f"expected a LangChain message, found {type(message).__name__}; convert it with `convert_to_messages`")


def _fitted(message: BaseMessage, target: Target, note: AddNote) -> BaseMessage | None:
    """Fit the content of a human, system or tool message."""
    role: Role = "tool" if isinstance(message, ToolMessage) else "system" if isinstance(message, SystemMessage) else "user"
    content = fit(message.content, role, target, note)
    if role == "system" and (is_blank(content) if isinstance(content, str) else not content):
        note("empty system message left out")
        return None
    return message if content is message.content else message.model_copy(update={"content": content})
