"""The command `lg-toolroute`.

Exit codes: 0 all is well, 1 problems were found, 2 the command line is wrong.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from lg_toolroute.errors import ToolRouteError

OK, PROBLEMS, USAGE = 0, 1, 2

_COMMANDS = {
    "demo": "watch an agent mend a project: its reasoning by one model, its edits by another",
    "check": "validate a configuration and say what may surprise",
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
            # A model may say what a terminal cannot show.
            stream.reconfigure(errors="replace")
    arguments = _parser(list(sys.argv[1:] if argv is None else argv))
    try:
        code = int(arguments.run(arguments))
        sys.stdout.flush()  # here, where a reader that has gone is no error
    except ToolRouteError as error:
        sys.stderr.write(f"{error}\n")
        return PROBLEMS
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130  # what shells make of a Ctrl-C
    except BrokenPipeError:
        # The reader has seen enough (`| head`); nothing may be flushed to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return code


def _parser(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lg-toolroute",
        description="Hands each tool call of an agent to the chat model that writes it best.",
        epilog="Exit codes: 0 all is well, 1 problems were found, 2 the command line is wrong.",
    )
    from lg_toolroute import __version__

    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    # Only the module of the command that is run is imported: `check` needs no LangGraph.
    wanted = next((word for word in argv if word in _COMMANDS), None)
    for name, summary in _COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name == wanted:
            module = importlib.import_module(f"{__name__}.{name}_command")
            module.arguments(command)
            command.set_defaults(run=module.run)
    arguments = parser.parse_args(argv)
    arguments.usage = parser.error
    return arguments
