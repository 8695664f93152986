"""Which path is answered in which provider's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from lg_toolroute.testing import anthropic_messages, completions, ollama_chat, openai_responses
from lg_toolroute.testing.exchange import Dialect

DIALECTS: Final[Mapping[str, Dialect]] = {
    "/v1/chat/completions": cast("Dialect", completions),
    "/v1/responses": cast("Dialect", openai_responses),
    "/v1/messages": cast("Dialect", anthropic_messages),
    "/api/chat": cast("Dialect", ollama_chat),
}
"""Dialect by path. Clients find the last two under `server.url`, the first two under `server.base_url`."""
