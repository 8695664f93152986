"""What the model that writes a call is sent, the whole history or a brief: the choice of `handoff: auto`.

A routed call is a second request, and its input is what it costs: of a recorded coding session's bill output is an eighth, and the median history at
a routed call holds 32,600 tokens. With the history sent whole, a writer at 1 / 0.1 / 5 dollars (a million tokens of input, cached, output) costs more
than the cut spares; with a brief of some 3,000 tokens it costs less. A writer whose cache still holds the history, at 0.14 / 0.014 / 0.28, is the
exception: there the difference is a fortieth of what is spared, and the whole history loses nothing. So the history is sent where it costs at most
`TOLERATED` of what the cut spares more than the brief.

    history = cached tokens * price of a cache read + the other tokens * price of input
    brief   = tokens * price of input
    spared  = ARGUMENTS * the primary's price of output

Source: 98 recorded coding sessions, 4,401 edits, at these prices: with the whole history in a warm cache -0.7 % of the session's bill (1 / 5) and
+5.5 % (0.14 / 0.28), cold -29 % and +1.6 %, with a brief +2.6 % and +5.4 %.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from lg_toolroute.core.rules.facts import Cost

SIZES: Final = ("lean", "mid", "rich")
"""The sizes of a brief, the smallest first."""
TYPICAL_TOKENS: Final = {"lean": 3_000, "mid": 5_000, "rich": 9_000}
"""What a brief of each size takes, where the file is of a usual length. Source: the medians of recorded edits, 2.8-3.2 and 4.6-5.2 thousand."""
LEAST_BRIEF: Final = 500
"""The smallest budget for a brief, in tokens."""
CACHED_S: Final = 300.0
"""For so many seconds a provider's prompt cache is taken to hold what a model was sent."""
ARGUMENTS: Final = 350
"""Tokens of the arguments of a usual edit, which a cut spares the primary."""
TOLERATED: Final = 0.05
"""The share of what a cut spares that the whole history may cost more than a brief."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a request would hold, in tokens.

    Attributes:
        history: The whole history.
        cached: Those of the history that the candidate's prompt cache still holds.
        brief: The brief.
    """

    history: int
    cached: int = 0
    brief: int = TYPICAL_TOKENS["lean"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a candidate is sent, and why, in words."""

    kind: Literal["full", "brief"]
    why: str


def choose_handoff(
    tokens: Tokens, *, knows: bool, reasons: bool = False, room: float | None = None, cost: Cost | None = None, primary: Cost | None = None
) -> Choice:
    """Whether a candidate is sent the whole history or a brief.

    Args:
        tokens: What each of them would hold.
        knows: What the call is about is known: a brief can show it.
        reasons: The candidate is the model that reasons in this turn.
        room: How many tokens the candidate's context window takes; `None` if that is not known.
        cost: The candidate's prices.
        primary: The prices of the model that reasons.
    """
    if not knows:
        return Choice("full", "what the call is about is not known, so a brief could not show it")
    if room is not None and tokens.history > room:
        return Choice("brief", f"about {tokens.history:,} tokens of history do not fit its window")
    if reasons:
        return Choice("full", "it reasons in this turn, so its cache holds the history")
    full, brief = history_usd(tokens, cost), brief_usd(tokens, cost)
    if full is None or brief is None:
        return Choice("brief", "what the call is about is known, and no price is configured")
    history = f"the history costs ${full:.4f} ({tokens.history:,} tokens, {tokens.cached:,} of them cached)"
    kind: Literal["full", "brief"] = "full" if full <= brief + tolerated_usd(primary) else "brief"
    return Choice(kind, f"{history}, a brief ${brief:.4f} ({tokens.brief:,} tokens)")


def history_usd(tokens: Tokens, cost: Cost | None) -> float | None:
    """What the whole history costs as input, in US dollars; `None` without a price."""
    if cost is None or cost.input is None:
        return None
    cached = min(tokens.cached, tokens.history)
    return (cached * (cost.input if cost.cache_read is None else cost.cache_read) + (tokens.history - cached) * cost.input) / 1_000_000


def brief_usd(tokens: Tokens, cost: Cost | None) -> float | None:
    """What the brief costs as input, in US dollars; `None` without a price."""
    return None if cost is None or cost.input is None else tokens.brief * cost.input / 1_000_000


def tolerated_usd(primary: Cost | None) -> float:
    """What the whole history may cost more than a brief, in US dollars: a share of what the cut spares; 0 without the primary's price."""
    return 0.0 if primary is None or primary.output is None else TOLERATED * ARGUMENTS * primary.output / 1_000_000


def longest_history(cost: Cost, primary: Cost | None, cached_share: float, brief: int = TYPICAL_TOKENS["lean"]) -> float | None:
    """Tokens of history up to which it is sent whole; `None` without a price, infinite where it costs nothing.

    Args:
        cost: The candidate's prices.
        primary: The prices of the model that reasons.
        cached_share: Which part of the history its cache holds, 0 to 1.
        brief: Tokens of the brief.
    """
    if cost.input is None:
        return None
    read = cost.input if cost.cache_read is None else cost.cache_read
    each = cached_share * read + (1 - cached_share) * cost.input
    return (brief * cost.input + tolerated_usd(primary) * 1_000_000) / each if each > 0 else float("inf")


def smaller(size: str) -> Iterator[str]:
    """A size of a brief, and the ones below it, for a candidate with less room."""
    yield from reversed(SIZES[: SIZES.index(size) + 1])
