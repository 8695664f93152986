"""Jobs, decisions and calls as a turn has them, for tests that begin in the middle of one."""

from __future__ import annotations

from typing import Any

from lg_toolroute.core.rules.decision import Decision, RuleOptions
from lg_toolroute.core.turn.turn import Intercepted, Job


def decided(tool: str, *chain: str, source: str | None = "intercepted", rule: str | None = None, **options: Any) -> Decision:
    """The decision of a rule for `tool` (or of `rule`, another pattern)."""
    return Decision(tool, None, rule or tool, f"toolRouting.{rule or tool}", ("call",), chain, (), chain[0], source, "", RuleOptions(**options))


def writing(
    *chain: str,
    tools: tuple[str, ...] = ("edit",),
    ids: tuple[str, ...] = ("x",),
    slots: tuple[int, ...] | None = None,
    source: str = "intercepted",
    options: dict[str, Any] | None = None,
    candidate: str | None = None,
    **more: Any,
) -> Job:
    """A job that writes calls."""
    calls = tuple(Intercepted(slot, tool, ids[place]) for place, (slot, tool) in enumerate(zip(slots or range(len(tools)), tools, strict=True)))
    return Job(chain, calls, decided(tools[0], *chain, source=source, **(options or {})), candidate=candidate or chain[0], **more)
