"""From messages to `KnownFiles`, turn by turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from lg_toolroute.files.known import KnownFiles, Step
from lg_toolroute.files.tools import FileTool


def known_files(messages: Sequence[BaseMessage], tools: Mapping[str, FileTool]) -> KnownFiles:
    """What a thread tells of its files.

    Args:
        messages: The thread, as far as it is known.
        tools: What the arguments of its file tools mean, by the tools' names.
    """
    return KnownThreads().of(messages, tools)


class KnownThreads:
    """What the threads of a process tell of their files. A thread that has grown is read from where it ended before."""

    def of(self, messages: Sequence[BaseMessage], tools: Mapping[str, FileTool]) -> KnownFiles:
        """What a thread tells of its files; as `known_files`."""
        known = KnownFiles()
        calls = {call["id"]: call for message in messages if isinstance(message, AIMessage) for call in message.tool_calls}
        for message in messages:
            if isinstance(message, ToolMessage) and (call := calls.get(message.tool_call_id)) is not None:
                known = known.after(Step(call["name"], call["args"], message.text, message.status == "error", tools.get(call["name"])))
        return known
