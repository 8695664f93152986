"""What all that speak OpenAI's chat completions have in common."""

from __future__ import annotations

from typing import Final

from lg_toolroute.testing.providers import forcing
from lg_toolroute.testing.providers.histories import imitation
from lg_toolroute.testing.providers.profile import History
from lg_toolroute.testing.providers.rule import Rule

CHAT: Final = "/v1/chat/completions"
"""The path of chat completions."""
_REFERENCE: Final = "OpenAI API reference, `tool_choice`"
CHOICE: Final = (
    Rule("a choice is no bare name", f"{_REFERENCE}; ChatLiteLLM and ChatCohere send one", forcing.bare_name("none", "auto", "required")),
    Rule("a choice needs tools", _REFERENCE, forcing.without_tools),
    Rule("the tool that is chosen is bound", _REFERENCE, forcing.unbound_name),
)
"""What all that speak OpenAI's chat completions want of a choice."""
UNFORCED: Final = CHOICE[1:2]
"""The same for those that take no forced choice, so that only this can be wrong with one."""
IMITATION: Final = {CHAT: History(imitation.check, imitation.RULES)}
"""What most of them take as messages."""
