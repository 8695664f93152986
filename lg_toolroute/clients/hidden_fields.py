"""A client some of whose fields do not appear in its `repr`, nor in the description that LangChain gives to callbacks and tracers.

Headers may hold secrets (`"Authorization": "Bearer ${TOKEN}"`). LangChain's clients hide their API key, but not their headers; some community
clients hide neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeVar, cast

from langchain_core.language_models import BaseChatModel

M = TypeVar("M", bound=BaseChatModel)

HEADER_FIELDS = ("default_headers", "additional_headers")
"""The fields in which LangChain's clients keep headers."""


def hide_headers(model: M) -> M:
    """The same model, which no longer shows its headers; nothing else about it changes."""
    # Google's client copies its headers into `default_metadata`.
    return hide_fields(model, *HEADER_FIELDS, "default_metadata")


def hide_fields(model: M, *names: str) -> M:
    """The same model, which no longer shows these fields; nothing else about it changes."""
    object.__setattr__(model, "__class__", _hiding_class(type(model), frozenset(names)))
    return model


@lru_cache(maxsize=64)
def _hiding_class(cls: type[BaseChatModel], hidden: frozenset[str]) -> type[BaseChatModel]:
    class HidesFields(cls):  # type: ignore[misc, valid-type]  # the base is known only at run time
        @property
        def lc_secrets(self) -> dict[str, str]:
            return {**super().lc_secrets, **{name: name.upper() for name in sorted(hidden)}}

        def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
            for name, value in super().__repr_args__():
                yield name, "**********" if name in hidden and value else value

    # Traces and middleware know the client by its name.
    HidesFields.__name__, HidesFields.__qualname__, HidesFields.__module__ = cls.__name__, cls.__qualname__, cls.__module__
    return cast("type[BaseChatModel]", HidesFields)
