"""The names that rules give to what the application hands in: briefs, looks, forms."""

from __future__ import annotations

from collections.abc import Collection

from lg_toolroute.core.rules.handoff import SIZES
from lg_toolroute.core.rules.nearest import did_you_mean
from lg_toolroute.errors import ConfigError, Problem
from lg_toolroute.forms.built_in import BUILT_IN
from lg_toolroute.rulebook.book import RuleBook


def refuse_unknown(book: RuleBook, briefs: Collection[str]) -> None:
    """Raise if a rule names a brief that was not handed in, or a brief has the name of a size.

    Raises:
        ConfigError: All of them.
    """
    known = (*SIZES, *briefs)
    problems: list[Problem] = []
    for rule in book.every_rule():
        brief = rule.options.brief
        if isinstance(brief, str) and brief not in known:
            hint = did_you_mean(brief, known, f"known are {', '.join(known)}; hand a function in as ToolRouter(…, briefs={{{brief!r}: …}})")
            problems.append(Problem(f"{rule.path}.handoff.brief", f"{brief!r} is no brief that is known", hint))
    taken = [Problem("briefs", f"{name!r} is the name of a size", "give the function another name") for name in briefs if name in SIZES]
    if problems or taken:
        raise ConfigError([*problems, *taken], source=book.config.source)


def to_be_handed_in(book: RuleBook) -> list[Problem]:
    """The names in rules that only code can give a meaning, for a check of the configuration alone; some are nearly a built-in name."""
    found: list[Problem] = []
    for rule in book.every_rule():
        options = rule.options
        names = [("handoff.brief", "briefs", options.brief, SIZES), ("look", "looks", options.look, ())]
        names += [("form", "forms", form, tuple(BUILT_IN)) for form in dict.fromkeys(options.forms.values())]
        for key, argument, name, built_in in names:
            if isinstance(name, str) and name not in built_in:
                hint = did_you_mean(name, built_in, f"hand it in: ToolRouter(…, {argument}={{{name!r}: …}})")
                found.append(Problem(f"{rule.path}.{key}", f"{name!r} is not built in", hint))
    return found
