"""What the middleware costs a turn of `create_agent`, beside none and beside LangChain's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelFallbackMiddleware

from benchmarks.agents import PRIMARY, ROUTED, SPARE, STEPS, Mode, Session, primary, router, stock, tools, writer
from benchmarks.report import Cell, Report, Table
from benchmarks.rounds import Timing, interleaved
from lg_toolroute import ToolRouteMiddleware
from lg_toolroute.testing import ScriptedModel

NONE = "create_agent alone"
NOTHING = "+ a middleware that does nothing"
FALLBACK = "+ ModelFallbackMiddleware"
NO_RULE = "+ ToolRouteMiddleware, no rule"
IDLE = "+ ToolRouteMiddleware, rule that never acts"
IDLE_WHOLE = "… with cutWhenNotStreaming: false"
EVERY = "+ ToolRouteMiddleware, every turn routed"
ROUNDS = 25


class Nothing(AgentMiddleware[Any, Any, Any]):
    """Hands every model call on."""

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        return handler(request)

    async def awrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        return await handler(request)


def sessions(count: int, mode: Mode) -> dict[str, Session]:
    """The agents that are compared, by name.

    Args:
        count: How many tools each has.
        mode: How they are consumed.
    """
    bound = tools(count)

    def plain(*middleware: Any) -> Session:
        model = primary()
        return Session(stock(model, bound, middleware), [model], mode)

    def routing(tool: str, rules: dict[str, str], **config: Any) -> Session:
        models: dict[str, ScriptedModel] = {PRIMARY: primary(tool), ROUTED: writer()}
        middleware = ToolRouteMiddleware(router(models, rules=rules, **config))
        return Session(stock(models[PRIMARY], bound, [middleware]), list(models.values()), mode)

    return {
        NONE: plain(),
        NOTHING: plain(Nothing()),
        FALLBACK: plain(ModelFallbackMiddleware(ScriptedModel(["spare"], name=SPARE, loop=True))),
        NO_RULE: routing("read", {}),
        IDLE: routing("read", {"edit": ROUTED}),
        IDLE_WHOLE: routing("read", {"edit": ROUTED}, cutWhenNotStreaming=False),
        EVERY: routing("edit", {"edit": ROUTED}),
    }


def measure(count: int, mode: Mode, rounds: int) -> dict[str, Timing]:
    """Times them, a turn.

    Args:
        count: How many tools each has.
        mode: How they are consumed.
        rounds: How often each is run.
    """
    return interleaved(dict(sessions(count, mode)), rounds=rounds, units=STEPS)


def run(quick: bool) -> Report:
    """Times all of them, plainly and awaited.

    Args:
        quick: Once each, with 2 tools.
    """
    cells: list[tuple[int, Mode]] = [(2, "invoke"), (2, "ainvoke")]
    if not quick:
        cells += [(2, "messages"), (10, "invoke"), (50, "invoke"), (50, "ainvoke")]
    found = {(count, mode): measure(count, mode, 1 if quick else ROUNDS) for count, mode in cells}
    names = list(found[cells[0]])
    columns = (f"processor time of a turn × {NONE}", *(f"{mode}, {count} tools" for count, mode in cells))
    ratios: list[list[Cell]] = [[name, *(found[cell][name].ratio for cell in cells)] for name in names]
    times: list[list[Cell]] = [[name, *(found[cell][name].best_s * 1e3 for cell in cells)] for name in names]
    return Report(
        "middleware",
        "what does the middleware cost a turn, when the models take no time?",
        [Table("Ratios: medians over interleaved rounds", columns, ratios), Table("Times: the fastest round", ("ms a turn", *columns[1:]), times)],
        {f"{name}, {mode}, {count} tools": found[count, mode][name].ratio for count, mode in cells for name in names},
        notes=[
            "create_agent converts the schemas of all tools in every turn; ToolRouteMiddleware remembers them, so with many tools a turn is cheaper.",
            f"{EVERY!r} asks two models a turn, the others one.",
        ],
    )
