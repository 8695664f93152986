"""The command `lg-toolroute`.

Exit codes: 0 no problems, 1 problems found, 2 wrong command line.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from lg_toolroute import __version__
from lg_toolroute.errors import ToolRouteError

_COMMANDS = {
    "demo": "watch an agent mend a project: one model reasons, another one writes its edits",
    "check": "find the mistakes in a configuration, and what may surprise",
    "explain": "say which model writes the calls of a tool, and why",
    "audit": "list every model that can be reached, with its size and its tools",
    "health": "show or reset the health of models in a shared store",
    "schema": "print the JSON Schema of the configuration, for editors",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: The arguments, without the program's name; unset: those of the process.

    Returns:
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A model may write characters that the terminal cannot show.
            stream.reconfigure(errors="replace")
    arguments = _parse(sys.argv[1:] if argv is None else list(argv))
    try:
        all_is_well = arguments.run(arguments)
        sys.stdout.flush()  # inside the try: a closed pipe is reported here and not at exit
    except ToolRouteError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130  # the exit code that shells use for Ctrl-C
    except BrokenPipeError:
        # The reader has closed the pipe (`| head`); Python must not try to flush to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0 if all_is_well else 1


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lg-toolroute",
        description="Hands each tool call of an agent to the chat model that writes it best.",
        epilog="Exit codes: 0 no problems, 1 problems found, 2 wrong command line.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    # Only the module of the given command is imported: `check` needs no LangGraph.
    given = next((word for word in argv if word in _COMMANDS), None)
    for name, summary in _COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name == given:
            module = importlib.import_module(f"{__name__}.{name}_command")
            module.add_arguments(command)
            command.set_defaults(run=module.run, fail=command.error)
    return parser.parse_args(argv)
