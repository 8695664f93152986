"""`lg-toolroute schema`: the JSON Schema of the configuration, for editors."""

from __future__ import annotations

import argparse
import json

from lg_toolroute.cli import OK
from lg_toolroute.config import RoutingConfig


def arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes: nothing."""


def run(given: argparse.Namespace) -> int:
    """Prints the schema."""
    print(json.dumps(RoutingConfig.json_schema(), indent=2, ensure_ascii=False))
    return OK
