"""The table of providers: one profile for each, with what it refuses and where that is documented or was reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lg_toolroute.testing.providers.claude import CLAUDE
from lg_toolroute.testing.providers.forceable import FORCEABLE
from lg_toolroute.testing.providers.kimi import KIMI
from lg_toolroute.testing.providers.local import LOCAL
from lg_toolroute.testing.providers.profile import ProviderProfile
from lg_toolroute.testing.providers.thinkers import THINKERS

PROFILES: Final[Mapping[str, ProviderProfile]] = {profile.name: profile for profile in (*KIMI, *THINKERS, *CLAUDE, *FORCEABLE, *LOCAL)}
"""The table, by name."""
