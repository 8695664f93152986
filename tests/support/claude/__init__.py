"""A Claude on this machine that keeps the rules of its API: what thinking is bound to, what may follow what, and what the prompt cache costs."""

from tests.support.claude.prompt_cache import Prices, PromptCache, Usage
from tests.support.claude.server import ClaudeServer, Says, call, redacted, searched, text, thought

__all__ = ["ClaudeServer", "Prices", "PromptCache", "Says", "Usage", "call", "redacted", "searched", "text", "thought"]
