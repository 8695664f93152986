"""`demo --kill-primary`: the primary runs out of credits, a small local model takes over without the web tools, and the primary comes back."""

from __future__ import annotations

import time

from langgraph.checkpoint.memory import InMemorySaver

from lg_toolroute import ToolRouter, create_toolroute_agent
from lg_toolroute.cli import OK, PROBLEMS
from lg_toolroute.core.rules.tools import tool_name
from lg_toolroute.demo.demo_models import PRIMARY, DemoServer, demo_config
from lg_toolroute.demo.folder_tools import folder_tools, web_fetch_tool
from lg_toolroute.demo.pages import pages
from lg_toolroute.demo.project import PROMPT, project_copy
from lg_toolroute.demo.screen import Screen, short
from lg_toolroute.demo.session import Session


class ForwardClock:
    """A clock that can be put forward, so that nobody has to wait for a cooldown."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s

    def forward(self, seconds: float) -> None:
        self.ahead_s += seconds


def outage(screen: Screen, *, pace: float | None, max_turns: int) -> int:
    """One thread, two messages of the user: during the outage and after it.

    Args:
        screen: Where it is shown.
        pace: Tokens a second of the scripted models; `None` as fast as can be.
        max_turns: After so many turns a message has failed.
    """
    screen.text("Scripted models behind a server on 127.0.0.1; clients, streams, tools, files, tests and failures are real.")
    with DemoServer(pace) as server, project_copy() as folder, pages(folder.root / "docs") as site:
        clock = ForwardClock()
        router = ToolRouter(demo_config(server.base_url), clock=clock)
        tools = [*folder_tools(lambda: folder), web_fetch_tool(site)]

        def about(model: str) -> str:
            has = [tool_name(tool) for tool in router.tools_for(model, tools)]
            lacks = {name: router.book.verdict(name, model) for name in map(tool_name, tools) if name not in has}
            return f"has {', '.join(has)}" + "".join(f"; not {name} ({why})" for name, why in lacks.items())

        def die(turn: int) -> None:
            if turn == 1:
                screen.line("provider", f"the credits of {short(PRIMARY)} are used up: it answers 402 from now on", style="bold red")
                server.used_up = True

        agent = create_toolroute_agent(router, tools, system_prompt=PROMPT, checkpointer=InMemorySaver())
        session = Session(agent, folder, screen, primary=PRIMARY, max_turns=max_turns, on_turn=die, about=about)
        screen.title("the credits run out")
        session.ask(f"The tests are red since the new rules for overtime, {site}/overtime.md. Mend the code.")
        screen.title("the credits are back")
        server.used_up = False
        wait_s = router.health.inspect()["models"][PRIMARY]["due_in_s"] or 0.0
        screen.line("health", f"{short(PRIMARY)} is left alone for {wait_s / 60:.0f} min more, or until it is reset")
        clock.forward(wait_s + 1)
        screen.line("clock", f"put forward by {wait_s + 1:.0f} s, so that you need not wait")
        tally = session.ask(f"Does the code do now what {site}/overtime.md says?")
        _show_requests(screen, server)
        failed = sum(1 for request in server.requests if request.status == 402)
    screen.text(f"The outage cost {failed} failed request{'' if failed == 1 else 's'}. {short(session.speaker)} reasons again, with all its tools.")
    back = session.speaker == PRIMARY and tally.tests is not None and tally.tests.green
    return OK if back else PROBLEMS


def _show_requests(screen: Screen, server: DemoServer) -> None:
    """What the server was really sent: the proof that no model saw a tool it may not have."""
    rows: dict[str, list[str]] = {}
    for request in server.requests:
        row = rows.setdefault(request.model, ["0", "0", ""])
        row[0] = str(int(row[0]) + 1)
        row[1] = str(int(row[1]) + (request.status != 200))
        seen = [name for name in row[2].split(", ") if name]
        row[2] = ", ".join(dict.fromkeys([*seen, *request.tools]))
    screen.table("What the server was sent", ["model", "requests", "refused", "tools bound"], [[model, *row] for model, row in rows.items()])


