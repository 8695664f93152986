"""The sections of an OpenClaw file that are not ours: known by name, so that a misspelt key of ours is not taken for one of them.

Source: the configuration reference of openclaw 2026.9.6.
"""

from __future__ import annotations

ROOT = frozenset({
    "$schema", "$include", "meta", "env", "wizard", "diagnostics", "logging", "update", "telemetry", "ui", "secrets", "auth",
    "accessGroups", "acp", "nodeHost", "worktreeRoot", "worktreeAcceleration", "security", "bindings", "broadcast", "attachments", "messages",
    "tts", "commands", "approvals", "session", "transcripts", "hooks", "channels", "discovery", "talk", "gateway", "cloudWorkers",
    "desktop", "memory", "mcp", "skills", "plugins", "surfaces", "proxy", "audio", "web", "canvasHost", "bridge", "identity", "audit", "automations",
})  # fmt: skip

AGENTS = frozenset({"ownership"})

AGENT = frozenset({
    "id", "name", "description", "default", "modelSelectionScope", "utilityModel", "decisionModel", "mediaModels", "voiceModel", "pdfMaxMb",
    "pdfMaxPages", "modelPolicy", "workspace", "agentDir", "cwd", "skills", "silentReply", "repoRoot", "skipBootstrap",
    "skipOptionalBootstrapFiles", "contextInjection", "bootstrapMaxChars", "bootstrapTotalMaxChars", "experimental", "userTimezone",
    "startupContext", "contextPruning", "contextLimits", "contextTokens", "compaction", "embeddedAgent", "thinkingDefault", "fastModeDefault",
    "verboseDefault", "toolProgressDetail", "reasoningDefault", "elevatedDefault", "blockStreamingDefault", "blockStreamingBreak",
    "blockStreamingChunk", "blockStreamingCoalesce", "timeoutSeconds", "mediaMaxMb", "imageMaxDimensionPx", "imageQuality",
    "imageGenerationModel", "videoGenerationModel", "musicGenerationModel", "typingIntervalSeconds", "typingMode", "humanDelay", "systemAgent",
    "authInheritance", "sessionStore", "maxConcurrent", "subagents", "memory", "memorySearch", "memoryFlush", "tts", "skillsLimits", "identity",
    "groupChat", "sandbox", "runtime", "cliBackends", "envelopeTimezone", "envelopeTimestamp", "envelopeElapsed", "timeFormat", "llm",
    "promptOverlays", "embeddedPi",
})  # fmt: skip

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

WEB_TOOL = frozenset({
    "provider", "maxResults", "timeoutSeconds", "cacheTtlMinutes", "maxChars", "maxCharsCap", "maxResponseBytes", "maxRedirects", "userAgent",
    "readability", "ssrfPolicy", "useTrustedEnvProxy", "apiKey", "brave", "perplexity", "grok", "gemini", "kimi", "firecrawl", "model",
    "openaiCodex", "inlineCitations", "maxTurns", "baseUrl", "tavily", "exa", "duckduckgo", "searxng", "parallel",
})  # fmt: skip

MODEL_SETTINGS = frozenset({"agentRuntime", "codeMode", "streaming", "postCompactionMaxChars", "pickerRuntimes", "compat", "fastMode"})

MODELS = frozenset({"mode", "catalogRefresh", "pricing", "bedrockDiscovery"})

PROVIDER = frozenset({
    "auth", "maxTokens", "timeoutSeconds", "region", "injectNumCtxForOpenAICompat", "agentRuntime", "localService", "authHeader", "request",
})  # fmt: skip

MODEL = frozenset({
    "name", "api", "baseUrl", "reasoning", "contextTokens", "thinkingLevelMap", "agentRuntime", "headers", "mediaInput", "metadataSource",
})  # fmt: skip

COST = frozenset({"cacheWrite", "tieredPricing"})

COMPAT = frozenset({
    "supportsStore", "supportsPromptCacheKey", "supportsResponsesContinuation", "supportsDeveloperRole", "supportsReasoningEffort",
    "supportsTemperature", "supportsInstructions", "supportsUsageInStreaming", "codeMode", "supportsStrictMode",
    "supportsJsonSchemaResponseFormat", "requiresStringContent", "strictMessageKeys", "visibleReasoningDetailTypes",
    "supportedReasoningEfforts", "reasoningEffortMap", "maxTokensField", "thinkingFormat", "requiresToolResultName",
    "requiresAssistantAfterToolResult", "requiresThinkingAsText", "requiresReasoningContentOnAssistantMessages", "toolSchemaProfile",
    "unsupportedToolSchemaKeywords", "toolCallArgumentsEncoding", "requiresOpenAiAnthropicToolPayload", "openRouterRouting",
    "vercelGatewayRouting", "zaiToolStream", "cacheControlFormat", "sendSessionAffinityHeaders", "sendSessionIdHeader",
    "supportsEagerToolInputStreaming", "supportsLongCacheRetention", "nativeWebSearchTool", "requiresMistralToolIds",
})  # fmt: skip
