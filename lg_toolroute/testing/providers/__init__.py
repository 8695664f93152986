"""Servers that are as strict as real providers: what each refuses, in its own words, and how it writes.

`table.PROFILES` is the table, one `ProviderProfile` for each provider or family of models; `FaultServer(profile=…)` enforces one. Every rule stands
beside its source: a document, or a repository and the number of an issue or a pull request.
"""

from __future__ import annotations

from lg_toolroute.testing.providers.profile import History, ProviderProfile
from lg_toolroute.testing.providers.rule import Refusal, Rule
from lg_toolroute.testing.providers.table import PROFILES

__all__ = ["PROFILES", "History", "ProviderProfile", "Refusal", "Rule"]
