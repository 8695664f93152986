"""The demo itself: one project, mended twice, and a table of what that took."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from lg_toolroute import ToolRouter, create_toolroute_agent
from lg_toolroute.cli import OK, PROBLEMS
from lg_toolroute.demo.demo_models import EDITOR, PRIMARY, DemoServer, demo_config
from lg_toolroute.demo.folder_tools import folder_tools
from lg_toolroute.demo.project import PROMPT, TASK, project_copy
from lg_toolroute.demo.screen import Screen, short
from lg_toolroute.demo.session import Session, Tally


def comparison(screen: Screen, *, pace: float | None, max_turns: int) -> int:
    """Lets the primary work alone, then routed.

    Args:
        screen: Where it is shown.
        pace: Tokens a second of the scripted models; `None` as fast as can be.
        max_turns: After so many turns a session has failed.
    """
    screen.text(
        "Scripted models that read what they are sent, behind a server on 127.0.0.1; clients, streams, tools, files and tests are real. "
        "Your own models: lg-toolroute demo --config FILE"
    )
    tallies: dict[str, Tally] = {}
    closed: list[str] = []
    for name, routed in (("primary alone", False), ("routed", True)):
        with DemoServer(pace) as server, project_copy() as folder:
            tools = folder_tools(lambda folder=folder: folder)  # type: ignore[misc]  # bound now, not when the loop has gone on
            config = demo_config(server.base_url, routed=routed)
            agent = create_toolroute_agent(ToolRouter(config), tools, system_prompt=PROMPT)
            rule = f"reasons, {short(EDITOR)} writes edit and write" if routed else "reasons and writes every call"
            screen.title(f"{name}: {short(PRIMARY)} {rule}")
            session = Session(agent, folder, screen, primary=PRIMARY, max_turns=max_turns)
            tallies[name] = session.ask(TASK)
            closed = [f"{request.disconnected_at} of {request.chunks_total}" for request in server.requests if request.disconnected_at is not None]
    show_tallies(screen, tallies)
    routed_tally = tallies["routed"]
    screen.text(
        f"{short(EDITOR)} wrote {routed_tally.edits} edits and {_none(routed_tally.failed_edits)} failed. {short(PRIMARY)} decided on each of "
        f"them and was stopped at the tool's name, so it never wrote {routed_tally.saved_tokens:,} tokens of arguments."
    )
    if closed:
        screen.text(Text(f"The server saw its streams closed at chunk {' and '.join(closed)}.", style="dim"))
    return OK if routed_tally.tests is not None and routed_tally.tests.green else PROBLEMS


def show_tallies(screen: Screen, tallies: Mapping[str, Tally]) -> None:
    """The table of what each session took.

    Args:
        screen: Where it is shown.
        tallies: The sessions by name.
    """
    found = list(tallies.values())
    models = list(dict.fromkeys(model for tally in found for model in tally.written))
    rows: list[list[str | Text]] = [
        ["turns", *(f"{tally.turns}{' (gave up)' if tally.gave_up else ''}" for tally in found)],
        ["edits", *(str(tally.edits) for tally in found)],
        ["failed edits", *(Text(str(tally.failed_edits), style="red" if tally.failed_edits else "green") for tally in found)],
    ]
    rows += [[f"tokens by {short(model)}", *(str(tally.written.get(model, "–")) for tally in found)] for model in models]
    rows += [
        ["tokens spared the primary", *(f"{tally.saved_tokens:,}" if tally.saved_tokens else "–" for tally in found)],
        ["seconds", *(f"{tally.seconds:.1f}" for tally in found)],
        ["tests", *(_tests(tally) for tally in found)],
    ]
    screen.table("What it took", ["", *tallies], rows)
    if any(written.estimated for tally in found for written in tally.written.values()):
        screen.text(Text("≈ with estimates: a stream that is cut reports no usage", style="dim"))


def _tests(tally: Tally) -> Text:
    if tally.tests is None:
        return Text("–")
    colour, word = ("green", "green") if tally.tests.green else ("red", "red")
    return Text(f"{word}: {tally.tests.summary}", style=f"bold {colour}")


def _none(count: int) -> str:
    return str(count) if count else "none"
