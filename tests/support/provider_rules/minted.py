"""What the providers of the tests issued: a signature or an item id means something only to the provider that issued it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Minted:
    """The providers' memory.

    Attributes:
        signatures: Each signature with the model that made it.
        answers: The item ids of each complete answer of OpenAI's Responses API, in order, with its model.
        call_ids: Each call id of a form that the API's maker would refuse, with the model whose server gave it.
        opaque: Each encrypted value of a server-side tool with the model that received it.
    """

    signatures: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[str, list[str]]] = field(default_factory=list)
    call_ids: dict[str, str] = field(default_factory=dict)
    opaque: dict[str, str] = field(default_factory=dict)

    def forget(self, model: str) -> None:
        """Cut the last answer of a model: the server never completed it."""
        for place in reversed(range(len(self.answers))):
            if self.answers[place][0] == model:
                del self.answers[place]
                return
