"""Which parameter of the request a provider refuses: the model is fine, and takes the same request without it."""

from __future__ import annotations

import re
from typing import Final

from lg_toolroute.core.failures import spellings
from lg_toolroute.core.failures.evidence import Evidence

_STATUSES: Final = frozenset({None, 400, 404, 405, 422, 501})
_CONTENT: Final = spellings.words("messages message input contents content system tools functions model prompt")
"""What a request is about, not how: a mistake there is no parameter that could be left out."""

_NEAR: Final = 90
"""Characters before and behind a parameter's name in which the refusal stands."""


def refused_parameter(evidence: Evidence) -> str | None:
    """The refused parameter: OpenAI's name for those of `spellings.PARAMETERS`, the provider's for others.

    `""` if the provider does not say which; `None` if it refuses something else.
    """
    if evidence.status not in _STATUSES:
        return None
    for place in evidence.blamed:
        if (name := _known(place)) is not None:
            return name
    if (name := _near_a_refusal(evidence.text)) is not None:
        return name
    if (found := spellings.UNKNOWN_PARAMETER.search(evidence.text)) is not None:
        place = next(filter(None, found.groups()))
        in_content = re.split(r"\W", place)[0] in _CONTENT or spellings.IN_CONTENT.search(evidence.text)
        return _known(place) or (None if in_content else place)
    return "" if spellings.UNNAMED_PARAMETER.search(evidence.text) else None


def while_thinking(evidence: Evidence, parameter: str) -> bool:
    """Whether the provider says that it refuses the parameter because the model thinks."""
    return "think" not in parameter and "reasoning" not in parameter and spellings.THINKING.search(evidence.text) is not None


def _known(place: str) -> str | None:
    """The parameter that a place in the request belongs to: `tools[0].function.strict`, `body.tool_choice`."""
    last = re.split(r"\W+", place)[-1]
    return last if last in spellings.PARAMETERS else next((name for name, spelled in spellings.PARAMETERS.items() if spelled.search(place)), None)


def _near_a_refusal(text: str) -> str | None:
    """The first parameter in the text that stands near a refusal; `tool_choice` before all others."""
    found: list[tuple[bool, int, str]] = []
    for name, spelled in spellings.PARAMETERS.items():
        if name == "thinking" and spellings.THINKING_BLOCKS.search(text):
            continue
        for match in spelled.finditer(text):
            if spellings.REFUSED.search(text, max(match.start() - _NEAR, 0), match.end() + _NEAR):
                found.append((name != "tool_choice", match.start(), name))
                break
    return min(found)[2] if found else None
