"""The keys of an OpenClaw file that are not ours and are left alone.

Sections that are open to keys of any name list only those that would be taken for a misspelt key of ours; the others list them all.

Source: the configuration reference of openclaw 2026.9.6.
"""

from __future__ import annotations

AGENTS = frozenset({"ownership"})

AGENT = frozenset({"voiceModel"})

CHAIN = frozenset({"timeoutMs"})

HEARTBEAT = frozenset({
    "agentId", "every", "activeHours", "session", "target", "directPolicy", "to", "accountId", "prompt", "timeoutSeconds", "lightContext",
    "isolatedSession", "ackMaxChars", "includeReasoning", "suppressToolErrorWarnings", "skipWhenBusy", "includeSystemPromptSection",
})  # fmt: skip

TOOLS = frozenset({
    "toolsBySender", "github", "media", "links", "sessions", "loopDetection", "toolSearch", "codeMode", "swarm", "message", "agentToAgent",
    "elevated", "exec", "fs", "subagents", "sandbox", "sessions_spawn", "updatePlan", "experimental", "sessionsSpawn",
})  # fmt: skip

RESTRICTING_TOOLS = {
    "toolsBySender": "who sent a message is not known here",
    "sandbox": "there is no sandbox here",
    "subagents": "give the subagent its own entry under agents.entries",
}
"""Sections of `tools` that take tools away in OpenClaw and are not enforced here, and why."""

MODEL_SETTINGS = frozenset({"agentRuntime", "codeMode", "streaming", "postCompactionMaxChars", "pickerRuntimes", "compat", "fastMode"})

MODELS = frozenset({"mode", "catalogRefresh", "pricing", "bedrockDiscovery"})

PROVIDER = frozenset({
    "auth", "maxTokens", "timeoutSeconds", "region", "injectNumCtxForOpenAICompat", "agentRuntime", "localService", "authHeader", "request",
})  # fmt: skip

MODEL = frozenset({
    "name", "api", "baseUrl", "reasoning", "contextTokens", "thinkingLevelMap", "agentRuntime", "headers", "mediaInput", "metadataSource",
})  # fmt: skip

COST = frozenset({"cacheWrite", "tieredPricing"})

COMPAT = frozenset({"supportsStore"})
