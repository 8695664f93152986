"""`lg-toolroute demo`: an agent mends a project, its reasoning by one model and its edits by another."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

PACE = 500.0
"""Tokens a second of the scripted models: fast, and still readable."""

MAX_TURNS = 12
MAX_REAL_TURNS = 40


def arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    parser.description = (
        "Without options: scripted models behind a server on this machine, no key, no network. An agent mends a small project twice, "
        "first with one model alone, then with its edit calls routed to another. With --config the same on models of your own."
    )
    outage = "the primary runs out of credits; a small local model takes over, without web tools"
    parser.add_argument("--kill-primary", action="store_true", help=outage)
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument("--pace", metavar="N", type=_positive, default=PACE, help=f"tokens a second of the scripted models (default {PACE:g})")
    speed.add_argument("--fast", action="store_const", dest="pace", const=None, help="as fast as they can be sent")
    real = parser.add_argument_group("with models of your own")
    real.add_argument("--config", metavar="FILE", help="your configuration; keys are read from the environment")
    real.add_argument("--folder", metavar="DIR", help="the agent works here, and changes files (default: a copy of the demo's project)")
    real.add_argument("--task", metavar="TEXT", help="what it is to do (default: mend what makes the tests fail)")
    real.add_argument("--tests", metavar="COMMAND", help="runs the folder's tests (default: python -m unittest)")
    real.add_argument("--compare", action="store_true", help="first let the primary work alone, on a copy of the folder")
    limit = f"give up after so many turns (default {MAX_TURNS}, with --config {MAX_REAL_TURNS})"
    parser.add_argument("--max-turns", metavar="N", type=_count, help=limit)


def run(given: argparse.Namespace) -> int:
    """Runs the sessions; the exit code says whether the tests are green in the end."""
    if given.config is None:
        alone = [name for name in ("folder", "task", "tests", "compare") if getattr(given, name)]
        if alone:
            given.usage(f"--{alone[0]} needs --config: the scripted models know the demo's project only")
    elif given.kill_primary:
        given.usage("--kill-primary works on the scripted models; leave out --config")
    from lg_toolroute.demo.screen import Screen

    screen = Screen()
    if given.config is not None:
        from lg_toolroute.demo.own_models import OwnModels

        if given.folder is not None and not Path(given.folder).is_dir():
            given.usage(f"--folder: {given.folder!r} is no folder")
        own = OwnModels(
            given.config,
            folder=given.folder,
            task=given.task,
            tests=tuple(shlex.split(given.tests)) if given.tests else None,
            max_turns=given.max_turns or MAX_REAL_TURNS,
        )
        return own.run(screen, compare=given.compare or given.folder is None)
    if given.kill_primary:
        from lg_toolroute.demo.outage import outage

        return outage(screen, pace=given.pace, max_turns=given.max_turns or MAX_TURNS)
    from lg_toolroute.demo.comparison import comparison

    return comparison(screen, pace=given.pace, max_turns=given.max_turns or MAX_TURNS)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of tokens a second; write 500, or --fast")
    return value


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of turns; write 1 or more")
    return value
