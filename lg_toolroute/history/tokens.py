"""How many tokens a history takes, approximately. A long thread is counted in every turn, so each message is counted once."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage
from langchain_core.messages.utils import count_tokens_approximately

_MOST = 16_384  # threads come and go: remembering must have an end


class TokenCounts:
    """Counts messages as LangChain's `count_tokens_approximately` does, and remembers each by its id and length."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], int] = {}

    def count(self, messages: Sequence[BaseMessage]) -> int:
        """The approximate size of these messages, in tokens."""
        return sum(map(self._count, messages))

    def _count(self, message: BaseMessage) -> int:
        held = message.__dict__  # read once for each message of a thread in every turn: `isinstance` would take longer than the rest
        identity, content = held["id"], held["content"]
        if identity is None or not isinstance(content, str):
            return count_tokens_approximately([message])
        key = (identity, len(content), len(held.get("tool_calls", ())))
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            found = self._known[key] = count_tokens_approximately([message])
        return found
