"""Refusals in each provider's own format."""

from __future__ import annotations

from typing import Any

from lg_toolroute.testing.providers.rule import Refusal


def openai(refusal: Refusal) -> Any:
    """OpenAI, Groq, Together. Source: OpenAI API reference, "Error codes"; vercel/ai#5171 has a whole body."""
    return {"error": {"message": refusal.says, "type": _kind(refusal), "param": refusal.param, "code": refusal.code}}


def deepseek(refusal: Refusal) -> Any:
    """Source: zed#55321."""
    return {"error": {"message": refusal.says, "type": _kind(refusal), "param": None, "code": refusal.code or "invalid_request_error"}}


def moonshot(refusal: Refusal) -> Any:
    """Source: oh-my-pi#827, MoonshotAI/kimi-code#413."""
    return {"error": {"message": refusal.says, "type": _kind(refusal)}}


def dashscope(refusal: Refusal) -> Any:
    """Source: eino#994."""
    error = {"message": refusal.says, "type": _kind(refusal), "param": None, "code": refusal.code or "invalid_parameter_error"}
    return {"error": error, "id": "chatcmpl-refused", "request_id": "refused"}


def zai(refusal: Refusal) -> Any:
    """Source: OpenDeepWiki#271, codex-proxy#1."""
    return {"error": {"code": str(refusal.code or "1214"), "message": refusal.says}}


def lm_studio(refusal: Refusal) -> Any:
    """LM Studio and Ollama's own API. Source: lmstudio-bug-tracker#670; Ollama docs/api.md."""
    return {"error": refusal.says}


def openrouter(refusal: Refusal) -> Any:
    """What OpenRouter says itself. Source: zed#36094."""
    return {"error": {"message": refusal.says, "code": refusal.status}}


def behind_openrouter(refusal: Refusal) -> Any:
    """What a provider behind OpenRouter says. Source: agent-framework#2947."""
    error = {"message": "Provider returned error", "code": refusal.status, "metadata": {"raw": refusal.says, "provider_name": "Google AI Studio"}}
    return {"error": error, "user_id": "user_refused"}


def anthropic(refusal: Refusal) -> Any:
    """Source: oh-my-pi#12939."""
    return {"type": "error", "error": {"type": _kind(refusal), "message": refusal.says}, "request_id": "req_refused"}


def mistral(refusal: Refusal) -> Any:
    """Source: ironclaw#1241, datapizza-ai#98."""
    code = str(refusal.code or "3051")
    return {"object": "error", "message": refusal.says, "type": _kind(refusal), "param": None, "code": code, "raw_status_code": refusal.status}


def cerebras(refusal: Refusal) -> Any:
    """Source: kilocode#10375."""
    return {"message": refusal.says, "type": _kind(refusal), "param": refusal.param or "validation_error", "code": refusal.code or "wrong_api_format"}


def gemini(refusal: Refusal) -> Any:
    """Gemini's API for OpenAI's clients: a list. Source: openclaude#585, OpenChatCut#6."""
    return [{"error": {"code": refusal.status, "message": refusal.says, "status": "INVALID_ARGUMENT"}}]


def xai(refusal: Refusal) -> Any:
    """Source: uni-api#105."""
    return {"code": "Client specified an invalid argument", "error": refusal.says}


def vllm(refusal: Refusal) -> Any:
    """Source: vllm, `entrypoints/openai/protocol.py`, `ErrorResponse`."""
    return {"error": {"message": refusal.says, "type": refusal.kind or "BadRequestError", "param": refusal.param, "code": refusal.status}}


def _kind(refusal: Refusal) -> str:
    return refusal.kind or "invalid_request_error"
