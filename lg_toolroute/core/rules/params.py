"""Settings of a model call (`temperature`, `thinking`, …) as a read-only mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Params(Mapping[str, Any]):
    """A read-only mapping that can be pickled, copied, compared and hashed.

    `types.MappingProxyType` would do but for pickling, which a compiled rule book needs.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any] | None = None) -> None:
        self._items: dict[str, Any] = dict(items or {})

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"Params({self._items!r})"

    def __hash__(self) -> int:
        # Values may be lists or dicts; equal mappings have equal keys, which is all a hash needs.
        return hash(frozenset(self._items))

    def __reduce__(self) -> tuple[Any, ...]:
        return (Params, (self._items,))


NO_PARAMS = Params()


def merge(*layers: Mapping[str, Any] | None) -> Params:
    """Settings of several layers, the broadest first: key by key the later layer wins, and `None` removes what an earlier one set."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in (layer or {}).items():
            if value is None:
                merged.pop(key, None)
            else:
                merged[key] = value
    return Params(merged) if merged else NO_PARAMS
