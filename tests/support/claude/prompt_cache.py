"""Anthropic's prompt cache by its documented rules: what of a request is read from it, written to it, or neither.

It stands here and not in `lg_toolroute.testing`: prices and minimum lengths change with each model, and what ships must not grow old that way.

Each rule has its source beside it. "Guide" is Anthropic's "Prompt caching" (platform.claude.com/docs/en/build-with-claude/prompt-caching).
Tokens are counted as four characters of JSON: only ratios are of interest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

LOOKBACK = 20
"""Guide, "How automatic prefix checking works": at most 20 positions a breakpoint, the breakpoint itself being the first."""

MOST_BREAKPOINTS = 4
"""Guide, "Explicit cache breakpoints": up to four; the automatic one takes one of them; a fifth is a 400."""

LIFETIME_S = {"5m": 300.0, "1h": 3600.0}
"""Guide, "1-hour cache duration": five minutes by default, from the start of the request that last wrote or read the entry."""

WRITE = {"5m": 1.25, "1h": 2.0}
READ = 0.1
"""Guide, "Pricing": multiples of the price of input. Claude Opus 5.5 reads at a twentieth (its "What's new")."""

MINIMUM_TOKENS = (
    ("claude-opus-5", 512), ("claude-fable-5", 512), ("claude-mythos-5", 512),
    ("claude-opus-4-8", 1024), ("claude-sonnet", 1024), ("claude-opus-4-1", 1024), ("claude-opus-4-2", 1024),
    ("claude-opus-4-7", 2048), ("claude-haiku-3", 2048), ("claude-3-5-haiku", 2048),
    ("claude-opus-4", 4096), ("claude-haiku", 4096),
)  # fmt: skip
"""Guide, "Cache limitations": by how the model's name begins, the first that fits. Shorter prompts are not cached, without an error."""

_UNMARKABLE = frozenset({"thinking", "redacted_thinking"})
"""Guide, "What cannot be cached": thinking blocks take no marker themselves."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one request, as the API reports them.

    Attributes:
        read: Read from the cache.
        written: Written to it, weighted by nothing.
        uncached: Neither.
        output: Of the answer.
        write_price: What one written token costs, in prices of input.
    """

    read: int
    written: int
    uncached: int
    output: int = 0
    write_price: float = 1.25

    @property
    def input(self) -> int:
        """All input."""
        return self.read + self.written + self.uncached


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars for a million tokens. A price of the cache that is not given follows from that of input."""

    input: float
    output: float
    cache_read: float | None = None

    def of(self, usage: Usage) -> float:
        """What a request costs, in dollars."""
        read = READ * self.input if self.cache_read is None else self.cache_read
        spent = usage.read * read + (usage.written * usage.write_price + usage.uncached) * self.input + usage.output * self.output
        return spent / 1e6

    def uncached(self, usage: Usage) -> float:
        """What it would cost without a cache: list price."""
        return (usage.input * self.input + usage.output * self.output) / 1e6


@dataclass(frozen=True, slots=True)
class _Position:
    """A place at which the prefix may end.

    Attributes:
        digest: Of all that stands up to here.
        tokens: How many that is.
        kind: The block's type; runs of calls and of results count as one position.
        ttl: How long an entry that is written here lives; `None` if there is no breakpoint.
    """

    digest: str
    tokens: int
    kind: str
    ttl: str | None


class PromptCache:
    """The cache of one workspace."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def use(self, body: Mapping[str, Any], now: float) -> Usage:
        """What a request reads and writes.

        Args:
            body: The request.
            now: When it starts, in seconds.

        Raises:
            ValueError: It has more breakpoints than the API takes.
        """
        positions = list(_positions(body))
        marked = [place for place, position in enumerate(positions) if position.ttl is not None]
        if len(marked) > MOST_BREAKPOINTS:
            raise ValueError(f"A maximum of {MOST_BREAKPOINTS} blocks with cache_control may be provided. Found {len(marked)}.")
        total = positions[-1].tokens if positions else 0
        marked = [place for place in marked if positions[place].tokens >= minimum(str(body.get("model")))]
        hit = max((found for place in marked if (found := self._found(positions, place, now)) is not None), default=None)
        read = 0 if hit is None else positions[hit].tokens
        last = max((positions[place].tokens for place in marked), default=0)
        ttl = positions[marked[-1]].ttl if marked else None
        for place in {*marked, *([hit] if hit is not None else [])}:  # what is read lives on, too
            self._until[positions[place].digest] = now + LIFETIME_S[positions[place].ttl or "5m"]
        written = max(last - read, 0)
        return Usage(read, written, total - read - written, write_price=WRITE[ttl or "5m"])

    def _found(self, positions: list[_Position], place: int, now: float) -> int | None:
        """The nearest entry that a breakpoint finds when it looks back."""
        seen = 1
        for at in range(place, -1, -1):
            if self._until.get(positions[at].digest, -1.0) >= now:
                return at
            # Guide: a run of consecutive `tool_use` blocks counts as one position, and so does a run of consecutive `tool_result` blocks.
            run = at > 0 and positions[at].kind == positions[at - 1].kind and positions[at].kind in {"tool_use", "tool_result"}
            seen += not run
            if seen > LOOKBACK:
                return None
        return None


def minimum(model: str) -> int:
    """The shortest prefix, in tokens, that a model's cache keeps."""
    return next((tokens for name, tokens in MINIMUM_TOKENS if model.startswith(name)), 4096)


def plain(value: Any) -> Any:
    """A part of a request without its markers, and text in one spelling: a string is short for one block of text (API reference, "Messages")."""
    if isinstance(value, Mapping):
        content = {"content": blocks(value["content"])} if value.get("type") == "tool_result" and "content" in value else {}
        return {key: plain(each) for key, each in {**value, **content}.items() if key != "cache_control"}
    return [plain(each) for each in value] if isinstance(value, list) else value


def blocks(content: Any) -> list[Any]:
    """A content as blocks."""
    return ([{"type": "text", "text": content}] if content else []) if isinstance(content, str) else list(content or [])


def _positions(body: Mapping[str, Any]) -> Iterator[_Position]:
    """The positions of a request in the order of the prefix: tools, system, messages (Guide, "Cache prefix order")."""
    conversation = [(message["role"], block) for message in body.get("messages") or [] for block in blocks(message.get("content"))]
    automatic = body.get("cache_control")
    last = max((place for place, (_, block) in enumerate(conversation) if block.get("type") not in _UNMARKABLE), default=None)
    digest, tokens = hashlib.sha256(str(body.get("model")).encode()), 0

    def position(part: Any, role: str, marker: Any) -> _Position:
        nonlocal tokens
        text = json.dumps(plain(part), ensure_ascii=False, sort_keys=True)
        digest.update(f"{role}\0{text}\0".encode())
        tokens += len(text) // 4 + 1
        return _Position(digest.hexdigest(), tokens, str(part.get("type")), str(marker.get("ttl", "5m")) if marker else None)

    # What is in the digest before a part invalidates that part and all behind it (Guide, "What invalidates the cache").
    for tool in body.get("tools") or []:
        yield position(tool, "tool", tool.get("cache_control"))
    digest.update(json.dumps(body.get("speed")).encode())
    for block in blocks(body.get("system")):
        yield position(block, "system", block.get("cache_control"))
    images = any(block.get("type") == "image" for _, block in conversation)
    effort = (body.get("output_config") or {}).get("effort")
    digest.update(json.dumps([body.get("tool_choice"), body.get("thinking"), effort, images]).encode())
    for place, (role, block) in enumerate(conversation):
        yield position(block, role, block.get("cache_control") or (automatic if place == last else None))


def shorter_first(body: Mapping[str, Any]) -> bool:
    """Whether a breakpoint of an hour stands behind one of five minutes, which is refused (Guide, "Mixing different TTLs")."""
    ttls = [position.ttl for position in _positions(body) if position.ttl]
    return any((first, then) == ("5m", "1h") for first, then in pairwise(ttls))
