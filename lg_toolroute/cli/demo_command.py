"""`lg-toolroute demo`: an agent mends a project; one model reasons, another one writes its edits."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from lg_toolroute import ToolRouter, load_config
from lg_toolroute.demo.comparison import run_sessions, scripted_comparison
from lg_toolroute.demo.demo_models import parse_pace
from lg_toolroute.demo.outage import outage
from lg_toolroute.demo.screen import Screen
from lg_toolroute.errors import ConfigError, Problem

PACE = 500.0
"""Tokens a second of the scripted models: fast, and still readable."""

MAX_TURNS = 12
MAX_TURNS_OWN = 40


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Without options: scripted models behind a server on this machine, no key, no network. An agent mends a small project twice, "
        "first with one model alone, then with its edit calls routed to another. With --config the same on models of your own."
    )
    kill = "the primary runs out of credits; a small local model takes over, without web tools"
    parser.add_argument("--kill-primary", action="store_true", help=kill)
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument("--pace", metavar="N", type=_pace, default=PACE, help=f"tokens a second of the scripted models (default {PACE:g})")
    speed.add_argument("--fast", action="store_const", dest="pace", const=None, help="as fast as they can be sent")
    own = parser.add_argument_group("with models of your own")
    own.add_argument("--config", metavar="FILE", help="your configuration; keys are read from the environment")
    own.add_argument("--folder", metavar="DIR", type=_folder, help="the agent works here, and changes files (default: a copy of the demo's project)")
    own.add_argument("--task", metavar="TEXT", help="what the agent is to do (default: mend what makes the tests fail)")
    own.add_argument("--tests", metavar="COMMAND", type=_command, help="runs the folder's tests (default: python -m unittest)")
    own.add_argument("--compare", action="store_true", help="first let the primary work alone, on a copy of the folder")
    limit = f"stop a session after so many turns (default {MAX_TURNS}, with --config {MAX_TURNS_OWN})"
    parser.add_argument("--max-turns", metavar="N", type=_turns, help=limit)


def run(given: Namespace) -> bool:
    """Runs the sessions; true if the tests are green in the end.

    Raises:
        ConfigError: The configuration is wrong or names no primary, or a model that can be reached cannot be built.
    """
    if given.config is None:
        for name in ("folder", "task", "tests", "compare"):
            if getattr(given, name):
                given.fail(f"--{name} needs --config: the scripted models know the demo's project only")
        show = outage if given.kill_primary else scripted_comparison
        return show(Screen(), pace=given.pace, max_turns=given.max_turns or MAX_TURNS)
    if given.kill_primary:
        given.fail("--kill-primary works on the scripted models; leave out --config")
    router = ToolRouter(load_config(Path(given.config)))
    if not router.book.reasoning_chain():
        problem = Problem("agents.defaults.model.primary", "no primary is configured", 'write "model": {"primary": "provider/model"}')
        raise ConfigError([problem], source=given.config)
    router.check_models()
    wanted = {name: getattr(given, name) for name in ("folder", "task", "tests") if getattr(given, name)}
    compare = given.compare or given.folder is None
    return run_sessions(Screen(), router, compare=compare, max_turns=given.max_turns or MAX_TURNS_OWN, **wanted).tests.green


def _pace(text: str) -> float:
    try:
        return parse_pace(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{error}; write 500, or --fast") from error


def _turns(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number of turns; write 1 or more")
    return int(text)


def _command(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a command: {error}") from error


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise ArgumentTypeError(f"{text!r} is not a folder")
    return Path(text)
