"""`lg-toolroute schema`: the JSON Schema of the configuration, for editors."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from lg_toolroute.cli.output import print_json
from lg_toolroute.config import RoutingConfig


def add_arguments(parser: ArgumentParser) -> None:
    """Takes no arguments."""


def run(given: Namespace) -> bool:
    """Prints the schema; always true."""
    print_json(RoutingConfig.json_schema())
    return True
