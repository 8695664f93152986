"""How a provider writes its answers beside its API's format: what it thinks aloud, under which name, and what its calls' ids look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from lg_toolroute.testing.signatures import digest, sign
from lg_toolroute.testing.steps import Say

NewId = Callable[[str, int, str], str]
"""Gives a call's id from its tool, its place among the thread's calls, and a digest that differs from request to request."""


@dataclass(frozen=True, slots=True)
class Voice:
    """How one answer is written.

    Attributes:
        model: Who answers; its signatures say so.
        thinking: What it thinks first, where the script does not say. Empty: it does not think about this request.
        thinking_as: The field of OpenAI's format that its thoughts stand in.
        shows_thinking: Its thoughts can be read. Otherwise they are sent as empty text with a signature, or as nothing but a signature.
        signs_calls: The first call of an answer carries a signature (`extra_content`, as Gemini's API for OpenAI's clients).
        thinks_between_calls: A thinking block stands between two calls of one answer.
        hides_text: Words between two calls of a tool loop are thinking, and so cannot be read.
        obeys: It does what `tool_choice` says; otherwise it does not look at it.
        new_id: Gives the ids of its calls.
        seed: A digest that differs from request to request.
        calls_before: How many calls the thread has.
        prefix: What thinking blocks are bound to, by name.
    """

    model: str
    thinking: str = ""
    thinking_as: Literal["reasoning_content", "reasoning", "reasoning_details"] = "reasoning_content"
    shows_thinking: bool = True
    signs_calls: bool = False
    thinks_between_calls: bool = False
    hides_text: bool = False
    obeys: bool = True
    new_id: NewId | None = None
    seed: str = ""
    calls_before: int = 0
    prefix: tuple[tuple[str, str], ...] = ()

    def spoken(self, say: Say) -> Say:
        """An answer with what this provider adds to it and takes from it."""
        if self.hides_text and say.calls and say.text:
            say = replace(say, text="", thinking=say.thinking or say.text)
        return replace(say, thinking=say.thinking or self.thinking)

    def signature(self, thinking: str, calls: int = 0) -> str:
        """The signature of a thinking block.

        Args:
            thinking: Its text, as it is sent.
            calls: How many calls of the answer stand before it.
        """
        return sign(self.model, text=thinking, calls=calls, **dict(self.prefix))

    def ids(self, say: Say) -> list[str | None]:
        """The ids of an answer's calls: those that the script gives, and this provider's own; `None` where it has none."""
        made = [self._id(call.name, place) for place, call in enumerate(say.calls)]
        return [call.id or mark for call, mark in zip(say.calls, made, strict=True)]

    def _id(self, tool: str, place: int) -> str | None:
        if self.new_id is None:
            return None
        return self.new_id(tool, self.calls_before + place, digest([self.seed, place]) + digest([place, self.seed]))
