"""What type checkers must refuse, each in a line that ends in `# wrong`. It is never run."""

from __future__ import annotations

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent, load_config
from lg_toolroute.testing import Call, FaultServer, Say, ScriptedModel


def misuses(router: ToolRouter) -> None:
    router.decide(7)  # wrong
    router.decide("edit", "coder")  # wrong
    router.decide("edit").model = "kimi/kimi-for-coding"  # wrong
    router.tools_for("kimi/kimi-for-coding")  # wrong
    router.explain("edit", tags=7)  # wrong
    ToolRouter(7)  # wrong
    ToolRouter({}, clock=lambda: "now")  # wrong
    load_config("{}", format="ini")  # wrong
    create_toolroute_agent([])  # wrong
    create_toolroute_agent(router, [], name=7)  # wrong
    ToolRouteMiddleware("kimi/kimi-for-coding")  # wrong
    ToolRoutedChatModel("kimi/kimi-for-coding")  # wrong
    Say(7)  # wrong
    Say("", calls=Call("edit"))  # wrong
    FaultServer(chunk_delay_s="1 s")  # wrong
    ScriptedModel(7)  # wrong
