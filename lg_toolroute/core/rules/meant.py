"""Which tool a name plainly means that no tool has: models write names in another case, or dressed up.

| a model wrote | for | source |
|---|---|---|
| `functions.edit` | `edit` | tontinton/maki#518 (GPT-5.6), openclaw/openclaw#39328 |
| `functions.edit:0` | `edit` | how Kimi K2 spells the id of a call (vybestack/llxprt-code#712) |
| `tools/edit`, `tools.edit` | `edit` | openclaw/openclaw#39328, anomalyco/opencode#50438 (MiniMax, DeepSeek) |
| `default_api.edit` | `edit` | Gemini, which writes Python against a module of that name |
| `Edit` for `edit`, `bash` for `Bash` | | earendil-works/pi#4517 (Ring 2.6), lijunzh/koda#49 (Qwen 2.5 Coder) |
| `edit<|channel|>commentary` | `edit` | pydantic/pydantic-ai#7143 (models that write OpenAI's Harmony format) |
| ` edit` | `edit` | openclaw/openclaw#11453 |

Nothing is guessed: hyphens for underscores, a missing `_tool` and the like are another name.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final

_WRAPPERS: Final = ("functions", "function", "tools", "tool", "default_api")
_WRAPPED: Final = re.compile(rf"(?:(?:{'|'.join(_WRAPPERS)})[.:/])*", re.IGNORECASE)


def meant(name: str, tools: Collection[str]) -> str:
    """The tool that a name means: the one of that name, else the only one that the name, undressed, can mean; else the name itself.

    Args:
        name: What a model wrote.
        tools: The names of all tools of the agent, also of those that the model was not offered.
    """
    if name in tools:
        return name
    wanted = undressed(name)
    found = {tool for tool in tools if undressed(tool) == wanted}
    return found.pop() if len(found) == 1 else name


def is_whole(name: str, tools: Collection[str]) -> bool:
    """Whether a name, as far as it has come, means a tool and can become the name of no other one."""
    tool = meant(name, tools)
    if tool not in tools:
        return False
    start = undressed(name)
    return not any(wrapper.startswith(start) for wrapper in _WRAPPERS) and not any(
        other != tool and undressed(other).startswith(start) for other in tools
    )


@lru_cache(maxsize=4096)
def undressed(name: str) -> str:
    """A name without what models put around it, in lower case."""
    text = name.partition("<|")[0].strip()
    text = text[_WRAPPED.match(text).end() :]  # type: ignore[union-attr]  # it matches the empty string
    head, _, number = text.rpartition(":")
    return (head if head and number.isdecimal() else text).casefold()
