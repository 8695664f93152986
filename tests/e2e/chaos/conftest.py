"""The server of the fault table serves the chaos too."""

from __future__ import annotations

from tests.e2e.faults.conftest import lanes

__all__ = ["lanes"]
