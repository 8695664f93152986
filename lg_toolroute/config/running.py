"""The schema of everything that happens while a graph runs: health, time limits, the handoff's words."""

from __future__ import annotations

from pydantic import Field

from lg_toolroute.config.section import Seconds, Section
from lg_toolroute.core.failures.cooldowns import CooldownLimits

INSTRUCTION = (
    "Continue this turn with one call of the tool `{tool}`. It has been decided that this tool comes next; your part is to write its "
    "arguments, complete and exact. Write nothing else."
)
"""What a routed model is told by default."""


_COOLDOWNS = CooldownLimits()


class HealthConfig(Section):
    """How long a failed model is skipped. Times double with each failure, up to the `max`."""

    rate_limit_s: Seconds = _COOLDOWNS.rate_limit_s
    """Cooldown after a rate limit that names no time of its own, in seconds."""
    rate_limit_max_s: Seconds = _COOLDOWNS.rate_limit_max_s
    """Its upper limit, in seconds."""
    quota_s: Seconds = _COOLDOWNS.quota_s
    """Cooldown when the credit or the quota is used up, in seconds."""
    quota_max_s: Seconds = _COOLDOWNS.quota_max_s
    """Its upper limit, in seconds."""
    transient_after: int = Field(default=_COOLDOWNS.transient_after, ge=1, le=100)
    """Overloads, server errors, timeouts and broken connections in a row before a model is skipped."""
    transient_s: Seconds = _COOLDOWNS.transient_s
    """How long it is skipped then, in seconds."""
    transient_max_s: Seconds = _COOLDOWNS.transient_max_s
    """Its upper limit, in seconds."""
    auth_s: Seconds = _COOLDOWNS.auth_s
    """Cooldown after a refused key, in seconds."""
    probe_timeout_s: Seconds = _COOLDOWNS.probe_timeout_s
    """After this many seconds without a report, a probe counts as lost and another caller may probe."""


class TimeoutsConfig(Section):
    """Time limits of a model call. `null` switches a limit off."""

    first_token_s: Seconds | None = 120.0
    """Until the first chunk, in seconds."""
    idle_s: Seconds | None = 60.0
    """Between two chunks, in seconds."""
    total_s: Seconds | None = 600.0
    """For the whole call, in seconds."""


class HandoffConfig(Section):
    """What a routed model is told."""

    instruction: str = Field(default=INSTRUCTION, min_length=1, max_length=4000)
    """One short instruction, sent with the request and never stored. `{tool}` stands for the tool's name."""

    def text(self, tool: str) -> str:
        """The instruction for a call of `tool`."""
        return self.instruction.replace("{tool}", tool)
