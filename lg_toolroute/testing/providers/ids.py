"""What the ids of providers' tool calls look like. Each function gives one from the tool, its place in the thread, and a digest."""

from __future__ import annotations

from lg_toolroute.testing.voice import NewId


def prefixed(prefix: str, letters: int) -> NewId:
    """A prefix and hexadecimal digits.

    Args:
        prefix: How it begins.
        letters: How many digits follow.
    """
    return lambda tool, place, digest: prefix + digest[:letters]


def kimi(tool: str, place: int, digest: str) -> str:
    """`functions.edit:0`, counted through the thread. Source: Kimi-K2, "Tool calling guide"."""
    return f"functions.{tool}:{place}"


def deepseek(tool: str, place: int, digest: str) -> str:
    """`call_00_` and 24 characters. Source: DeepSeek API reference, the example answer of "Tool Calls"."""
    return f"call_{place % 100:02d}_{digest[:24]}"


def number(tool: str, place: int, digest: str) -> str:
    """Nine digits, as LM Studio's. Source: LM Studio docs, "Tool use"."""
    return f"{int(digest[:12], 16) % 10**9:09d}"


def zai(tool: str, place: int, digest: str) -> str:
    """`call_` and a number that may be negative. Source: Z.ai docs, "Function calling"."""
    return f"call_-{int(digest[:15], 16):019d}"
