"""The names that rules give to what the application hands in: briefs, looks, forms."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

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


def refuse_no_functions(read_file: Any, **handed_in: Any) -> None:
    """Raise if what the application handed in cannot be called as it is called here: plainly, without being awaited.

    Args:
        read_file: A function, or `None`.
        handed_in: Mappings of functions by name (or `None`), by the argument of `ToolRouter` that they are. What `forms` holds is no function, and
            is looked at elsewhere.

    Raises:
        ConfigError: All that cannot.
    """
    problems: list[Problem] = []
    functions = [] if read_file is None else [("read_file", read_file)]
    for argument, given in handed_in.items():
        if given is not None and not isinstance(given, Mapping):
            kind = "form" if argument == "forms" else "function"
            problems.append(Problem(argument, f"{type(given).__name__!r} is no mapping", f'write {argument}={{"name": {kind}}}'))
        elif argument != "forms":
            functions += [(f"{argument}[{name!r}]", each) for name, each in (given or {}).items()]
    for where, each in functions:
        if not callable(each):
            problems.append(Problem(where, f"{each!r} is not a function", "hand in a function"))
        elif inspect.iscoroutinefunction(each):
            problems.append(Problem(where, "is an async function, and is called plainly, not awaited", "hand in a plain one (`def`)"))
    if problems:
        raise ConfigError(problems, source="ToolRouter")


def forms_of_strangers(book: RuleBook) -> list[Problem]:
    """The forms that rules give to models of which no chain of the configuration has any, so that they are shown to no model."""
    known = book.specs()
    strangers = {(rule.path, spec): None for rule in book.every_rule() for spec in rule.options.forms if spec not in known}
    return [
        Problem(f"{path}.form", f"{spec!r} is in no chain, so its form is never used", did_you_mean(spec, known, f"known are {', '.join(known)}"))
        for path, spec in strangers
    ]


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
