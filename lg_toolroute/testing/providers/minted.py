"""What a server issued and cannot write into what it sends: the items of complete answers."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Minted:
    """A server's memory.

    Attributes:
        answers: The item ids of each complete answer of OpenAI's Responses API, in order, with its model.
    """

    answers: list[tuple[str, list[str]]] = field(default_factory=list)

    def forget(self, model: str) -> None:
        """Cut the last answer of a model: the server never completed it."""
        for place in reversed(range(len(self.answers))):
            if self.answers[place][0] == model:
                del self.answers[place]
                return
