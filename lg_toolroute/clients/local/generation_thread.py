"""One generation after another, on a thread of its own, for a model whose weights are in this process.

llama.cpp keeps one context per model, and two calls at once corrupt it. A lock that a stream holds while its consumer reads would stop an
event loop's thread pool as soon as enough callers wait for it; here the generation goes on whether or not its consumer reads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class GenerationThread:
    """Runs the generations of one model in the order in which they are asked for."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="toolroute-generation")

    def run(self, generate: Callable[[], T]) -> T:
        """What `generate` returns or raises."""
        return self._executor.submit(generate).result()

    def stream(self, generate: Callable[[], Iterator[T]]) -> Iterator[T]:
        """The pieces that `generate` yields. Closing this stream ends the generation at its next piece."""
        pieces: SimpleQueue[tuple[T] | None] = SimpleQueue()
        closed = threading.Event()

        def produce() -> None:
            try:
                for piece in generate():
                    if closed.is_set():
                        return
                    pieces.put((piece,))
            finally:
                pieces.put(None)

        produced = self._executor.submit(produce)
        try:
            while (piece := pieces.get()) is not None:
                yield piece[0]
            produced.result()  # raises what the generation raised
        finally:
            closed.set()
            produced.cancel()  # if it still waits for its turn
