"""The demo without options, and on models of your own: one project mended by the primary alone, then routed, and a table of what each took."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from langchain_core.tools import BaseTool
from rich.text import Text

from lg_toolroute import ToolRouter, create_toolroute_agent
from lg_toolroute.config import RoutingConfig
from lg_toolroute.core.rules.facts import Cost
from lg_toolroute.demo.demo_models import EDITOR, PRIMARY, DemoServer, demo_config
from lg_toolroute.demo.folder import UNITTEST, Folder
from lg_toolroute.demo.project import PROJECT, PROMPT, TASK, working_copy
from lg_toolroute.demo.screen import Screen, short
from lg_toolroute.demo.session import Session, Tally

Price = Callable[[str], Cost | None]
"""What the tokens of a model, given by its spec, cost."""


def scripted_comparison(screen: Screen, *, pace: float | None, max_turns: int) -> bool:
    """Both sessions with the scripted models, at `pace` tokens a second; true if the routed one ends with green tests."""
    screen.text(
        "The models are scripts that answer what they are sent, behind a server on 127.0.0.1. The clients, streams, tools, files and tests are "
        "real. Your own models: lg-toolroute demo --config FILE"
    )
    with DemoServer(pace) as server:
        routed = run_sessions(screen, ToolRouter(demo_config(server.base_url)), compare=True, max_turns=max_turns)
        asked = server.requests_for(short(PRIMARY))
        closed = [f"{request.disconnected_at} of {request.chunks_total}" for request in asked if request.disconnected_at is not None]
    screen.text(
        f"{short(EDITOR)} wrote {routed.edits} edits, and {routed.failed_edits or 'none'} failed. {short(PRIMARY)} decided on each edit and was "
        f"stopped when it had named the tool and the file, so it never wrote {routed.saved_tokens:,} tokens of arguments."
    )
    if routed.briefs:
        briefs, histories = (sum(each) // len(routed.briefs) for each in zip(*routed.briefs, strict=True))
        screen.text(f"It read a brief of {briefs:,} tokens an edit, with the file as it is now, and not the history of {histories:,}.")
    if closed:
        screen.text(Text(f"The server saw the streams of {short(PRIMARY)} closed at chunk {' and '.join(closed)}.", style="dim"))
    return routed.tests.green


def run_sessions(
    screen: Screen,
    router: ToolRouter,
    *,
    compare: bool,
    max_turns: int,
    folder: Path | None = None,
    task: str = TASK,
    tests: Sequence[str] = UNITTEST,
) -> Tally:
    """Lets an agent work and shows what that took; returns the tally of the routed session.

    Args:
        screen: Where it is shown.
        router: Rules and models; it has a primary.
        compare: First let the primary work alone, on a copy.
        max_turns: A session is stopped after so many turns.
        folder: Where the agent works and changes files; `None` for a copy of the demo's project.
        task: What the agent is to do.
        tests: The command that runs the tests.
    """
    tallies: dict[str, Tally] = {}

    def run(name: str, router: ToolRouter, folder: Folder, where: str) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            agent = create_toolroute_agent(router, folder.tools(), system_prompt=PROMPT)
        screen.title(f"{name}: {_writers(router, folder.tools())}{where}")
        for warning in caught:
            screen.line("warning", str(warning.message), style="yellow")
        tallies[name] = Session(agent, folder, screen, primary=router.book.reasoning_chain()[0], max_turns=max_turns).ask(task)

    if compare:
        with working_copy(folder or PROJECT, tests) as copy:
            run("primary alone", ToolRouter(_without_rules(router.config)), copy, f", in a copy of {folder}" if folder else "")
    with nullcontext(Folder(folder, tests)) if folder else working_copy(PROJECT, tests) as place:
        run("routed", router, place, f", in {folder}" if folder else "")
    _show_tallies(screen, tallies, lambda spec: router.models.facts(spec).cost)
    return tallies["routed"]


def _writers(router: ToolRouter, tools: Sequence[BaseTool]) -> str:
    """Which model reasons and which write the calls of tools: `kimi reasons, deepseek writes edit and write`."""
    primary = router.book.reasoning_chain()[0]
    written: dict[str, list[str]] = {}
    for tool in tools:
        model = router.book.decide(tool.name).model
        if model not in (None, primary):
            written.setdefault(short(model), []).append(tool.name)
    others = [f"{model} writes {' and '.join(names)}" for model, names in written.items()]
    return ", ".join([f"{short(primary)} reasons", *others]) if others else f"{short(primary)} reasons and writes every call"


def _without_rules(config: RoutingConfig) -> RoutingConfig:
    defaults = config.agents.defaults
    model = defaults.model.model_copy(update={"tool_routing": {}})
    agents = config.agents.model_copy(update={"defaults": defaults.model_copy(update={"model": model})})
    return config.model_copy(update={"agents": agents})


def _show_tallies(screen: Screen, tallies: Mapping[str, Tally], price: Price) -> None:
    sessions = list(tallies.values())
    models = list(dict.fromkeys(model for tally in sessions for model in tally.written))
    tokens: list[list[str | Text]] = [
        [f"{way} {short(model)}", *(_tokens(tally, model, counts) for tally, counts in zip(sessions, each, strict=True))]
        for model in models
        for way, each in (("read by", [tally.read for tally in sessions]), ("written by", [tally.written for tally in sessions]))
    ]
    sums = [_usd(tally, price) for tally in sessions]
    money: list[list[str | Text]] = [] if None in sums else [["money, no cache", *(f"${usd:.4f}" for usd in sums)]]
    rows: list[list[str | Text]] = [
        ["turns", *(f"{tally.turns}{' (gave up)' if tally.gave_up else ''}" for tally in sessions)],
        ["edits", *(str(tally.edits) for tally in sessions)],
        ["failed edits", *(Text(str(tally.failed_edits), style="red" if tally.failed_edits else "green") for tally in sessions)],
        *tokens,
        ["spared the primary", *(f"{tally.saved_tokens:,}" if tally.saved_tokens else "–" for tally in sessions)],
        *money,
        ["seconds", *(f"{tally.seconds:.1f}" for tally in sessions)],
        ["tests", *(_verdict(tally) for tally in sessions)],
    ]
    screen.table("What it took, in tokens where nothing else is said", ["", *tallies], rows)
    if any(tally.estimated for tally in sessions):
        screen.text(Text("≈ with estimates: a stream that is cut reports no usage", style="dim"))


def _tokens(tally: Tally, model: str, counts: Mapping[str, int]) -> str:
    if model not in tally.written:
        return "–"
    return f"{'≈ ' if model in tally.estimated else ''}{counts[model]:,}"


def _usd(tally: Tally, price: Price) -> float | None:
    """What the tokens of a session cost in US dollars, had no provider cached any; `None` where a price is missing."""
    total = 0.0
    for model, wrote in tally.written.items():
        cost = price(model)
        if cost is None or cost.input is None or cost.output is None:
            return None
        total += (tally.read[model] * cost.input + wrote * cost.output) / 1_000_000
    return total


def _verdict(tally: Tally) -> Text:
    colour = "green" if tally.tests.green else "red"
    return Text(f"{colour}: {tally.tests.summary}", style=f"bold {colour}")
