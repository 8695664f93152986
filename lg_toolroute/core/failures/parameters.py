"""Which parameter of the request a provider refuses: the model is fine, and takes the same request without it."""

from __future__ import annotations

import re
from typing import Final

from lg_toolroute.core.failures import spellings
from lg_toolroute.core.failures.evidence import Evidence

_STATUSES: Final = frozenset({None, 400, 404, 405, 422, 501})
_CONTENT: Final = spellings.words("messages message input inputs contents content system tools functions model prompt")
"""What a request is about, not how: a mistake there is no parameter that could be left out."""

_CODES: Final = spellings.words(
    "unsupported_parameter unknown_parameter unsupported_value invalid_value invalid_type extra_forbidden literal_error enum"
)
"""Codes with which a body blames a parameter of any name."""

_GATEWAY: Final = spellings.words("unsupported_parameter unknown_parameter unsupported_value")
"""Codes of a provider's 400 that a gateway passes on with any status."""

_IN_HISTORY: Final = re.compile(r"\b(?:messages|contents|input)[.\[]+\d[\w.\[\]]*$")
"""The beginning of a place in the history that ends in a parameter's name."""

_NEAR: Final = 90
"""Characters before and behind a parameter's name in which the refusal stands."""


def refused_parameter(evidence: Evidence) -> str | None:
    """The refused parameter: OpenAI's name for those of `spellings.PARAMETERS`, the provider's for others.

    `""` if the provider does not say which; `None` if it refuses something else.
    """
    unknown = spellings.UNKNOWN_PARAMETER.search(evidence.text)
    if evidence.meant not in _STATUSES and not (evidence.codes & _GATEWAY and evidence.blamed) and not (evidence.meant == 403 and unknown):
        return None
    for place in evidence.blamed:
        if (name := _known(place)) is not None:
            return name
    if evidence.codes & _CODES:
        for place in evidence.blamed:
            if (root := re.split(r"\W", place.removeprefix("body."))[0]) and root not in _CONTENT:
                return root
    if any(re.match(r"(?:messages|contents|input)\b", place.removeprefix("body.")) for place in evidence.blamed):
        return None
    if (name := _near_a_refusal(evidence.text)) is not None:
        return name
    if unknown is not None:
        place = next(filter(None, unknown.groups()))
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
            if _IN_HISTORY.search(text, max(match.start() - _NEAR, 0), match.start()):
                break
            if spellings.REFUSED.search(text, max(match.start() - _NEAR, 0), match.end() + _NEAR):
                found.append((name != "tool_choice", match.start(), name))
                break
    return min(found)[2] if found else None
