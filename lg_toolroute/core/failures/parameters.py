"""Which parameter of the request a provider refuses: the model is fine, and takes the same request without it."""

from __future__ import annotations

from typing import Final

from lg_toolroute.core.failures import spellings
from lg_toolroute.core.failures.evidence import Evidence

_STATUSES: Final = frozenset({None, 400, 404, 405, 422, 501})
_NEAR: Final = 90
"""Characters before and behind a parameter's name in which the refusal stands."""


def refused_parameter(evidence: Evidence) -> str | None:
    """The name of the refused parameter, as OpenAI's API spells it; `None` if no parameter of `spellings.PARAMETERS` is refused."""
    if evidence.status not in _STATUSES:
        return None
    for name, spelled in spellings.PARAMETERS.items():
        if any(spelled.search(place) or place == name for place in evidence.blamed):
            return name
    for name, spelled in spellings.PARAMETERS.items():
        for found in spelled.finditer(evidence.text):
            if spellings.REFUSED.search(evidence.text, max(found.start() - _NEAR, 0), found.end() + _NEAR):
                return name
    return None


def while_thinking(evidence: Evidence) -> bool:
    """Whether the provider says that it refuses the parameter because the model thinks."""
    return spellings.THINKING.search(evidence.text) is not None
