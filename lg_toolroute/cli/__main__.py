"""`python -m lg_toolroute.cli` is `lg-toolroute`."""

from __future__ import annotations

import sys

from lg_toolroute.cli import main

sys.exit(main())
