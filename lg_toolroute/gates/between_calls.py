"""Holds content that a model wrote behind a tool call until the gate shows or drops that call, so that the blocks keep their order.

Only content whose blocks name the calls (Claude's) has an order between the two. Text of other clients stands beside the calls and is shown at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lg_toolroute.gates.chunks import Content, without_thoughts
from lg_toolroute.gates.held_call import HeldCall


class BetweenCalls:
    """The held content of one answer, block by block.

    Args:
        offset: What the block indices of the answer are shifted by when it is shown.
    """

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._blocks: list[tuple[int, Any]] = []

    def hold(self, content: Content, calls: Sequence[HeldCall]) -> bool:
        """Hold some content. `False` if there is none, or if it has no place among the calls.

        Args:
            content: What came.
            calls: The calls that came before it.
        """
        if isinstance(content, str) or not content or all(call.block is None for call in calls):
            return False
        last = self._blocks[-1][0] if self._blocks else 0
        for block in content:
            last = block["index"] if isinstance(block, dict) and isinstance(block.get("index"), int) else last
            self._blocks.append((last, block))
        return True

    def in_order(self, shown: Sequence[HeldCall], calls: Sequence[HeldCall], *, renamed: bool, broken: bool) -> Iterator[HeldCall | list[Any]]:
        """The calls that are shown, and the held content where it stood between them.

        Thinking behind a call that is not shown as the model wrote it is left out: it is bound to that call.

        Args:
            shown: The calls that are shown.
            calls: All calls.
            renamed: Calls have other ids or names than the model gave them.
            broken: The answer broke off; what stood behind its calls goes with them.
        """
        first_changed = min((call.block for call in calls if call.block is not None and (renamed or call.routed is not None)), default=None)
        waiting = [] if broken else [(place + self._offset, block) for place, block in self._blocks]
        for call in [*shown, None]:
            while waiting and (call is None or (call.block is not None and waiting[0][0] < call.block)):
                place, block = waiting.pop(0)
                kept = [block] if first_changed is None or place < first_changed else without_thoughts([block])
                if isinstance(kept, list) and kept:
                    yield kept
            if call is not None:
                yield call
