"""A client's class, with headers kept out of what it shows of itself: its `repr`, and the description that LangChain gives every callback and tracer.

Headers may hold secrets (`"Authorization": "Bearer ${TOKEN}"`). LangChain's clients conceal their key, but not these.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeVar, cast

from langchain_core.language_models import BaseChatModel

M = TypeVar("M", bound=BaseChatModel)

HEADER_FIELDS = ("default_headers", "additional_headers")
"""What clients call them."""
_CONCEALED = frozenset({*HEADER_FIELDS, "default_metadata"})
"""Google's client copies them into its metadata."""


def conceal_headers(model: M) -> M:
    """The same model, which no longer shows its headers; nothing else about it is different."""
    object.__setattr__(model, "__class__", _discreet(type(model)))
    return model


@lru_cache(maxsize=64)
def _discreet(cls: type[BaseChatModel]) -> type[BaseChatModel]:
    class Discreet(cls):  # type: ignore[misc, valid-type]  # the base is known only now
        @property
        def lc_secrets(self) -> dict[str, str]:
            return {**super().lc_secrets, **dict.fromkeys(sorted(_CONCEALED), "HEADERS")}

        def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
            for name, value in super().__repr_args__():
                yield name, "**********" if name in _CONCEALED and value else value

    # Traces and middleware know the client by its name.
    Discreet.__name__, Discreet.__qualname__, Discreet.__module__ = cls.__name__, cls.__qualname__, cls.__module__
    return cast("type[BaseChatModel]", Discreet)
