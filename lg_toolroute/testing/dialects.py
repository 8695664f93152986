"""Which path is answered in which provider's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from lg_toolroute.testing import completions
from lg_toolroute.testing.exchange import Dialect

DIALECTS: Final[Mapping[str, Dialect]] = {
    "/v1/chat/completions": cast("Dialect", completions),
    "/chat/completions": cast("Dialect", completions),
}
"""Dialect by path."""
