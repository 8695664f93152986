"""How long a model is left alone after a failure: the numbers of `health` in the configuration."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a model is left alone, all in seconds but `transient_after` (failures in a row)."""

    rate_limit_s: float = 30.0
    rate_limit_max_s: float = 300.0
    quota_s: float = 600.0
    quota_max_s: float = 3600.0
    transient_after: int = 2
    transient_s: float = 30.0
    transient_max_s: float = 300.0
    auth_s: float = 600.0
    probe_timeout_s: float = 60.0

    @classmethod
    def of(cls, source: object) -> Limits:
        """The limits in any object that has attributes of these names; what it lacks keeps its default."""
        if isinstance(source, cls):
            return source
        return cls(**{f.name: value for f in fields(cls) if (value := getattr(source, f.name, None)) is not None})

    @property
    def longest_s(self) -> float:
        """The longest cooldown there can be, whatever a provider asks for."""
        rate_limit_s, quota_s = max(self.rate_limit_s, self.rate_limit_max_s), max(self.quota_s, self.quota_max_s)
        return max(rate_limit_s, quota_s, self.transient_s, self.transient_max_s, self.auth_s)
