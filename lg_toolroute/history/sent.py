"""`SentHistories`: which models were lately sent the whole history of a thread, so that their provider's prompt cache may hold it still."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from langchain_core.messages import BaseMessage

_MOST = 4_096  # threads come and go: remembering must have an end


class SentHistories:
    """Remembers when a model was last sent the whole history of a thread, and how long that was.

    A thread is known by the id of its first message; of one whose messages have no ids nothing is remembered.
    """

    def __init__(self) -> None:
        self._sent: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def note(self, thread: Sequence[BaseMessage], spec: str, tokens: int, now: float) -> None:
        """A model was sent a thread.

        Args:
            thread: The whole history.
            spec: The model.
            tokens: About so many.
            now: When, in seconds of the clock that is used here.
        """
        if (key := _key(thread, spec)) is None:
            return
        self._sent[key] = (now, tokens)
        self._sent.move_to_end(key)
        while len(self._sent) > _MOST:
            self._sent.popitem(last=False)

    def cached(self, thread: Sequence[BaseMessage], spec: str, now: float, within_s: float) -> int:
        """How many tokens of a thread a model was sent within the last `within_s` seconds; 0 if it was not, or if that is not known."""
        key = _key(thread, spec)
        when, tokens = self._sent.get(key, (0.0, 0)) if key is not None else (0.0, 0)
        return tokens if tokens and now - when <= within_s else 0


def _key(thread: Sequence[BaseMessage], spec: str) -> tuple[str, str] | None:
    first = thread[0].id if thread else None
    return None if first is None else (first, spec)
