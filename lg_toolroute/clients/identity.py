"""What tells a model that was handed in from another, for caches that keep answers."""

from __future__ import annotations

import weakref
from typing import Any
from uuid import uuid4

from langchain_core.load import dumps

_tokens: dict[int, str] = {}


def identity_of(model: Any) -> str:
    """A text that two models share only if they are made alike: the model as LangChain serializes it, with the names of secrets in their place.

    A model that LangChain cannot serialize, whole or in part, is like no other: its text is another in each process.

    Args:
        model: A chat model, or a runnable around one.
    """
    text = dumps(model)
    return text if '"not_implemented"' not in text else _token(model)


def _token(model: Any) -> str:
    key = id(model)
    if key not in _tokens:
        _tokens[key] = uuid4().hex
        weakref.finalize(model, _tokens.pop, key, None)  # another object may get this one's id
    return _tokens[key]
