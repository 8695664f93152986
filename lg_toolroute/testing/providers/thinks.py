"""When a provider's model thinks, and what of it must come back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lg_toolroute.testing.providers.rule import Refusal
from lg_toolroute.testing.server_request import ServerRequest
from lg_toolroute.testing.signatures import SKIP, signed


def never(request: ServerRequest) -> bool:
    """It does not think, or shows nothing of it."""
    return False


def always(request: ServerRequest) -> bool:
    """It cannot be stopped from thinking."""
    return True


def unless_disabled(request: ServerRequest) -> bool:
    """`thinking: {type: disabled}` stops it (DeepSeek, Kimi K2.6, GLM)."""
    return bool(_type(request) != "disabled")


def unless_switched_off(request: ServerRequest) -> bool:
    """`enable_thinking: false` stops it (Qwen at DashScope)."""
    return request.body.get("enable_thinking") is not False


def if_enabled(request: ServerRequest) -> bool:
    """It thinks when it is told to (Claude up to 5)."""
    return _type(request) in {"enabled", "adaptive"}


def if_think(request: ServerRequest) -> bool:
    """Ollama's own API: `think`, which a model that can think does by default only in newer versions."""
    return bool(request.body.get("think"))


# -- what must come back -----------------------------------------------------------------------------------------------------------------


def deepseek_reasoning(request: ServerRequest) -> str | None:
    """Every assistant message with calls has its `reasoning_content` while the model thinks."""
    missing = _without_reasoning(request) if unless_disabled(request) else []
    return "The `reasoning_content` in the thinking mode must be passed back to the API." if missing else None


def kimi_reasoning(request: ServerRequest) -> str | None:
    """The same at Moonshot, where an empty text is missing too."""
    missing = _without_reasoning(request, empty_counts=False) if unless_disabled(request) else []
    return f"thinking is enabled but reasoning_content is missing in assistant tool call message at index {missing[0]}" if missing else None


def kimi_effort(request: ServerRequest) -> str | None:
    """One of two parameters that say the same."""
    both = request.body.get("thinking") and request.body.get("reasoning_effort")
    return "cannot specify both 'thinking' and 'reasoning_effort'" if both else None


def _without_reasoning(request: ServerRequest, *, empty_counts: bool = True) -> list[int]:
    def has(message: Mapping[str, Any]) -> bool:
        return bool(message.get("reasoning_content")) or (empty_counts and isinstance(message.get("reasoning_content"), str))

    return [place for place, message in enumerate(request.messages) if message.get("tool_calls") and not has(message)]


def openrouter_details(request: ServerRequest) -> Refusal | None:
    """Gemini 3 behind OpenRouter: a call of the present turn comes with the signed `reasoning_details` of its message."""
    for place, message in _present_turn(request):
        details = [detail for detail in message.get("reasoning_details") or [] if isinstance(detail, Mapping)]
        if message.get("tool_calls") and not any(_vouched(detail.get("data"), request.model) for detail in details):
            raw = _unsigned(str((message["tool_calls"][0].get("function") or {}).get("name")), place)
            return Refusal(
                "Gemini models require OpenRouter reasoning details to be preserved in each request. Please refer to our docs: "
                "https://openrouter.ai/docs/guides/best-practices/reasoning-tokens#preserving-reasoning-blocks. Upstream error: "
                f'{{"error": {{"code": 400, "message": "{raw}", "status": "INVALID_ARGUMENT"}}}}'
            )
    return None


def gemini_signature(request: ServerRequest) -> str | None:
    """Gemini 3 by OpenAI's API: the first call of each message of the present turn carries its signature."""
    for place, message in _present_turn(request):
        for call in list(message.get("tool_calls") or [])[:1]:
            google = (call.get("extra_content") or {}).get("google") or {}
            signature = google.get("thought_signature")
            if signature is None:
                return _unsigned(str((call.get("function") or {}).get("name")), place)
            if not _vouched(signature, request.model):
                return "Corrupted thought signature."
    return None


def _present_turn(request: ServerRequest) -> list[tuple[int, Mapping[str, Any]]]:
    """The messages since the last one of the user, with their places."""
    last = max((place for place, message in enumerate(request.messages) if message.get("role") == "user"), default=-1)
    return [(place, message) for place, message in enumerate(request.messages) if place > last]


def _unsigned(tool: str, place: int) -> str:
    return (
        "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing "
        f"thought_signature may lead to degraded model performance. Additional data, function call `default_api:{tool}` , position {place + 1}. "
        "Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
    )


def _vouched(signature: Any, model: str) -> bool:
    return signature == SKIP or signed(signature).get("model") == model


def _type(request: ServerRequest) -> Any:
    thinking = request.body.get("thinking")
    return thinking.get("type") if isinstance(thinking, Mapping) else None
