"""DeepSeek's history and its thinking, as one check of a body."""

from __future__ import annotations

from typing import Any

from lg_toolroute.testing.providers import PROFILES
from lg_toolroute.testing.providers.minted import Minted
from lg_toolroute.testing.providers.rule import Refusal
from lg_toolroute.testing.server_request import ServerRequest


def check(body: dict[str, Any], minted: Minted) -> list[Refusal]:
    """The first rule of `deepseek-v4` that a body breaks; of a model that does not think, without the rules of thinking."""
    thinks = str(body.get("model")).startswith("deepseek-v4")
    asked = body if thinks else {**body, "thinking": {"type": "disabled"}}
    refusal = PROFILES["deepseek-v4"].refusal(ServerRequest(0, "POST", "/v1/chat/completions", {}, asked), minted)
    return [] if refusal is None else [refusal]
