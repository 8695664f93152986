"""What of an agent's request goes to a model it was not made for."""

from __future__ import annotations

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from lg_toolroute.surfaces.middleware.request_fit import fit_settings, fit_system, fit_tools

OPENAI = ChatOpenAI(model="gpt-5", api_key="none")  # type: ignore[arg-type]  # pydantic makes a secret of it
CLAUDE = ChatAnthropic(model="claude-sonnet-4-5", api_key="none")  # type: ignore[call-arg, arg-type]
MARKED = SystemMessage([{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}])


@tool(extras={"defer_loading": True})
def late() -> str:
    """Found by search."""
    return ""


def test_cache_markers_reach_only_providers_that_know_them() -> None:
    assert "cache_control" not in str(fit_system(MARKED, OPENAI))
    assert fit_system(MARKED, CLAUDE) == MARKED
    assert fit_settings({"cache_control": {}, "temperature": 0}, OPENAI) == {"temperature": 0}
    assert fit_settings({"cache_control": {}, "temperature": 0}, CLAUDE) == {"cache_control": {}, "temperature": 0}


def test_a_plain_system_prompt_is_the_same_object() -> None:
    plain = SystemMessage("Be brief.")
    assert fit_system(plain, OPENAI) is plain


def test_the_tool_of_a_call_that_is_written_now_need_not_be_searched_for() -> None:
    assert fit_tools([late], its_own=True, writes=True)[0].extras is None
    assert fit_tools([late], its_own=True, writes=False) == [late]
    assert late.extras == {"defer_loading": True}
