"""The server of the fault tests: one for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lg_toolroute.testing import FaultServer
from tests.support.faults.lanes import Lanes


@pytest.fixture(scope="session")
def lanes() -> Iterator[Lanes]:
    with FaultServer(strict=False, max_requests=1_000_000) as server:
        yield Lanes(server)
        server.assert_done()
