"""The names of the application's briefs, against those that the rules give."""

from __future__ import annotations

from collections.abc import Collection

from lg_toolroute.core.rules.handoff import SIZES
from lg_toolroute.core.rules.nearest import did_you_mean
from lg_toolroute.errors import ConfigError, Problem
from lg_toolroute.rulebook.book import RuleBook


def refuse_unknown(book: RuleBook, briefs: Collection[str]) -> None:
    """Raise if a rule names a brief that was not handed in, or a brief has the name of a size.

    Raises:
        ConfigError: All of them.
    """
    known = (*SIZES, *briefs)
    problems: dict[str, Problem] = {}
    sections = [(agent, role) for agent in (None, *book.agents) for role in (None, *book.roles(agent))]
    for rule in (rule for section in sections for rule in book.rules(*section)):
        brief = rule.options.brief
        if isinstance(brief, str) and brief not in known:
            hint = did_you_mean(brief, known, f"known are {', '.join(known)}; hand a function in as ToolRouter(…, briefs={{{brief!r}: …}})")
            problems[rule.path] = Problem(f"{rule.path}.handoff.brief", f"{brief!r} is no brief that is known", hint)
    taken = [Problem("briefs", f"{name!r} is the name of a size", "give the function another name") for name in briefs if name in SIZES]
    if problems or taken:
        raise ConfigError([*problems.values(), *taken], source=book.config.source)
