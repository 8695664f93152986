"""`adapt`: the stages in their order."""

from __future__ import annotations

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

from lg_toolroute.history import assistant, blocks
from lg_toolroute.history.notes import HistoryError, Note, Notebook
from lg_toolroute.history.order import arrange
from lg_toolroute.history.pairing import Placed, pair
from lg_toolroute.history.target import Target
from lg_toolroute.history.untouched import untouched

_ROLES: Final[dict[str, type[AIMessage] | type[SystemMessage]]] = {
    "assistant": AIMessage,
    "model": AIMessage,
    "system": SystemMessage,
    "developer": SystemMessage,
}


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
    if untouched(messages, target):
        assert isinstance(messages, list)  # noqa: S101  # for the type checker: nothing else is untouched
        return messages
    if not messages:
        raise HistoryError(0, "the history is empty; give at least one message")
    notebook = Notebook()
    paired = pair(_forms(messages, target, notebook), target, notebook)
    if not paired or (_only_system(message for _, message in paired) and not _only_system(messages)):
        why = next((note for note in notebook.notes), Note(0, "there is nothing in it"))
        raise HistoryError(why.index, f"nothing of this conversation can be sent ({why.what}); it needs a human message")
    placed = arrange(paired, len(messages), target, notebook)
    if notes is not None:
        notes.extend(notebook.notes)
    adapted = [message for _, message in placed]
    if isinstance(messages, list) and len(adapted) == len(messages) and all(a is b for a, b in zip(adapted, messages, strict=True)):
        return messages
    return adapted


def adapt_with_notes(messages: Sequence[BaseMessage], target: Target) -> tuple[list[BaseMessage], tuple[Note, ...]]:
    """Give the adapted messages and what was repaired; see `adapt`."""
    notes: list[Note] = []
    return adapt(messages, target, notes=notes), tuple(notes)


def _only_system(messages: Iterable[BaseMessage]) -> bool:
    return all(isinstance(message, SystemMessage) for message in messages)


def _forms(messages: Sequence[BaseMessage], target: Target, notebook: Notebook) -> list[Placed]:
    """Give each message its form for the reader, one by one."""
    answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    placed: list[Placed] = []
    for index, stored in enumerate(messages):
        message: BaseMessage | None = _standard(index, stored, notebook)

        def say(what: str, index: int = index) -> None:
            notebook.add(index, what)

        if isinstance(message, AIMessage):
            message = assistant.form(message, target, answered, say)
        elif message is not None:
            message = _other(message, target, say)
        if message is not None:
            placed.append((index, message))
    return placed


def _standard(index: int, message: Any, notebook: Notebook) -> BaseMessage | None:
    """Give a message of one of the four roles; `None` for one that is an instruction to a reducer."""
    if isinstance(message, (AIMessage, HumanMessage, SystemMessage, ToolMessage)):
        return message
    if isinstance(message, RemoveMessage):
        notebook.add(index, "left out: it tells a reducer what to remove")
        return None
    if isinstance(message, ChatMessage):
        notebook.add(index, f"message of role {message.role!r} sent in one of the roles that every provider has")
        return _ROLES.get(message.role, HumanMessage)(message.content, id=message.id)
    if isinstance(message, FunctionMessage):
        notebook.add(index, "function message of the old protocol sent as a note: it names no call")
        return HumanMessage(f"Result of {message.name}: {blocks.plain(message.content)}", id=message.id)
    if isinstance(message, BaseMessage):
        raise HistoryError(index, f"a model cannot be sent a {type(message).__name__}; use HumanMessage, AIMessage or ToolMessage")
    raise HistoryError(index, f"expected a LangChain message, found {type(message).__name__}; convert it with `convert_to_messages`")


def _other(message: BaseMessage, target: Target, say: blocks.Say) -> BaseMessage | None:
    """Fit a human, system or tool message."""
    role: blocks.Role = "tool" if isinstance(message, ToolMessage) else "system" if isinstance(message, SystemMessage) else "user"
    update: dict[str, Any] = {}
    content = blocks.fit(message.content, role, target, say)
    if content is not message.content:
        update["content"] = content
    if role == "system" and (not content or (isinstance(content, str) and blocks.is_blank(content))):
        say("empty system message left out")
        return None
    if message.name and role != "tool" and target.dialect.named and not assistant.NO_NAME_CHANGE(message.name):
        update["name"] = assistant.common_name(message.name)
    return message.model_copy(update=update) if update else message
