"""`demo --kill-primary`: the primary runs out of credits, a small local model takes over without the web tools, and the primary comes back."""

from __future__ import annotations

import time
from collections import Counter

from langgraph.checkpoint.memory import InMemorySaver

from lg_toolroute import ToolRouter, create_toolroute_agent
from lg_toolroute.demo.demo_models import PRIMARY, DemoServer, demo_config
from lg_toolroute.demo.pages import serve_pages, web_fetch_tool
from lg_toolroute.demo.project import PROMPT, working_copy
from lg_toolroute.demo.screen import Screen, counted, short
from lg_toolroute.demo.session import Session


class AdjustableClock:
    """The monotonic clock plus `ahead_s` seconds, so that a demo need not wait for a cooldown."""

    ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


def outage(screen: Screen, *, pace: float | None, max_turns: int) -> bool:
    """One thread, two messages of the user: during the outage and after it; true if the primary is back and the tests are green."""
    screen.text(
        "The models are scripts that answer what they are sent, behind a server on 127.0.0.1. The clients, streams, tools, files, tests and "
        "failures are real."
    )
    with DemoServer(pace) as server, working_copy() as folder, serve_pages(folder.root / "docs") as site:
        clock = AdjustableClock()
        router = ToolRouter(demo_config(server.base_url), clock=clock)
        tools = [*folder.tools(), web_fetch_tool(site)]

        def describe(model: str) -> str:
            has = [tool.name for tool in router.tools_for(model, tools)]
            lacks = {tool.name: router.book.verdict(tool.name, model) for tool in tools if tool.name not in has}
            return f"has {', '.join(has)}" + "".join(f"; not {name} ({why})" for name, why in lacks.items())

        def use_up_credits(turn: int) -> None:
            if turn == 1:
                screen.line("provider", f"the credits of {short(PRIMARY)} are used up: it answers 402 from now on", style="bold red")
                server.out_of_credit = True

        agent = create_toolroute_agent(router, tools, system_prompt=PROMPT, checkpointer=InMemorySaver())
        session = Session(agent, folder, screen, primary=PRIMARY, max_turns=max_turns, on_turn=use_up_credits, describe=describe)
        screen.title("the credits run out")
        session.ask(f"The tests are red since the new rules for overtime, {site}/overtime.md. Mend the code.")
        screen.title("the credits are back")
        server.out_of_credit = False
        # Nothing is recorded of a model that was never asked during the outage.
        if wait_s := router.health.inspect()["models"].get(PRIMARY, {}).get("due_in_s"):
            screen.line("health", f"{short(PRIMARY)} is not asked for another {wait_s / 60:.0f} min, unless its health is reset")
            clock.ahead_s = wait_s + 1
            screen.line("clock", f"set forward by {clock.ahead_s:.0f} s, so that you need not wait")
        tally = session.ask(f"Does the code do now what {site}/overtime.md says?")
        _show_requests(screen, server)
        failed = sum(request.status == 402 for request in server.requests)
    back = session.reasoner == PRIMARY
    ending = "reasons again, with all its tools" if back else "still reasons"
    screen.text(f"The outage cost {counted(failed, 'failed request')}. {short(session.reasoner)} {ending}.")
    return back and tally.tests.green


def _show_requests(screen: Screen, server: DemoServer) -> None:
    """What the server received: proof that no model was sent a tool it may not have."""
    total = Counter(request.model for request in server.requests)
    refused = Counter(request.model for request in server.requests if request.status != 200)
    tools: dict[str, dict[str, None]] = {model: {} for model in total}
    for request in server.requests:
        tools[request.model].update(dict.fromkeys(request.tools))
    rows = [[model, str(count), str(refused[model]), ", ".join(tools[model])] for model, count in total.items()]
    screen.table("What the server was sent", ["model", "requests", "refused", "tools bound"], rows)
