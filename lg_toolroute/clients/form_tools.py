"""`FormBook`: the forms of a router, built in and handed in, and the tools as models are shown them in a form."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from lg_toolroute.clients.bindings import IdentityCache, arguments_schema
from lg_toolroute.core.rules.decision import Decision
from lg_toolroute.core.rules.match import kind_of
from lg_toolroute.core.rules.nearest import did_you_mean
from lg_toolroute.core.rules.tools import tool_name, tool_tags
from lg_toolroute.core.turn.turn import Job
from lg_toolroute.errors import ConfigError, Problem
from lg_toolroute.files.tools import FileTool
from lg_toolroute.forms.built_in import BUILT_IN
from lg_toolroute.forms.form import FormTool, ToolForm
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.rulebook.book import RuleBook

Shown = tuple[FormTool, Any, Mapping[str, Any]]
"""A tool of the application, what a model is shown in its place, and the JSON Schema of the arguments that it writes."""

_MOST_REMEMBERED = 1024


def _kind(given: Any) -> str:
    return f"the class {given.__name__!r}" if isinstance(given, type) else f"an object of the class {type(given).__name__!r}"


class FormBook:
    """The forms that rules may name.

    Args:
        book: The rules.
        handed_in: Forms of the application, by name.
        meant: What the arguments of a tool mean, by its name and itself.

    Attributes:
        handed_in: As above.
        used: Some rule names a form.

    Raises:
        ConfigError: A rule names a form that is not known, a form is none, or one has the name of a built-in one.
    """

    def __init__(self, book: RuleBook, handed_in: Mapping[str, ToolForm], meant: Callable[[str, Any], FileTool | None]) -> None:
        self.handed_in = dict(handed_in)
        self._forms = {**BUILT_IN, **handed_in}
        self._meant = meant
        self.used = bool(self._named(book))
        self._shown: IdentityCache[Shown | FormRefused | None] = IdentityCache()
        self._own: OrderedDict[tuple[str, str | None, tuple[str, ...]], None] = OrderedDict()
        hint = "write a class with the methods shown, calls and arguments, as ToolForm has them, and hand in an object of it"
        none = {name: form for name, form in handed_in.items() if not isinstance(form, ToolForm) or isinstance(form, type)}
        problems = [Problem(f"forms[{name!r}]", f"{_kind(form)} is no form", hint) for name, form in none.items()]
        problems += [Problem("forms", f"{name!r} is a built-in form", "give yours another name") for name in handed_in if name in BUILT_IN]
        problems += self._unknown(book)
        if problems:
            raise ConfigError(problems, source=book.config.source)

    def _named(self, book: RuleBook) -> dict[str, str]:
        """The forms that rules name, each with the place of a rule."""
        return {name: rule.path for rule in book.every_rule() for name in rule.options.forms.values()}

    def _unknown(self, book: RuleBook) -> list[Problem]:
        problems = []
        for name, path in self._named(book).items():
            if name not in self._forms:
                known = f"known are {', '.join(self._forms)}; hand yours in as ToolRouter(…, forms={{{name!r}: …}})"
                hint = did_you_mean(name, self._forms, known)
                problems.append(Problem(f"{path}.form", f"{name!r} is no form that is known", hint))
        return problems

    def form(self, name: str) -> ToolForm:
        """The form of this name."""
        return self._forms[name]

    def shown(self, form: str, name: str, tool: Any) -> Shown | None:
        """A tool in a form; `None` if it has this form already. Made once for each tool, so that it is also bound once.

        Args:
            form: The form's name.
            name: The tool's name.
            tool: The tool, as it is bound.

        Raises:
            FormRefused: The tool cannot take the form.
        """
        found = self._shown.get((form, name), (tool,), lambda: self._make(form, name, tool))
        if isinstance(found, FormRefused):
            raise found
        return found

    def _make(self, form: str, name: str, tool: Any) -> Shown | FormRefused | None:
        schema = arguments_schema(tool)
        if schema is None:
            return FormRefused("it runs at its provider", "leave `form` out")
        description = str(tool.get("description") or "") if isinstance(tool, Mapping) else str(getattr(tool, "description", "") or "")
        described = FormTool(name, description, schema, self._meant(name, tool))
        try:
            made = self._forms[form].shown(tool=described)
        except FormRefused as refused:
            return refused
        return None if made is None else (described, _instead(tool, name, made), made["parameters"])

    def problems(self, tools: Sequence[Any], decide: Callable[[str, tuple[str, ...]], Decision]) -> list[Problem]:
        """What is wrong with the forms of the rules that name these tools: a tool that cannot take its form. Of a pattern, such tools keep their own.

        Args:
            tools: The tools that an agent binds.
            decide: The rules' decision on a tool, by its name and its tags.
        """
        refused: list[Problem] = []
        for tool in tools:
            name = tool_name(tool)
            decision = decide(name, tool_tags(tool))
            if decision.rule is None or kind_of(decision.rule) != "exact":
                continue
            for form in dict.fromkeys(decision.options.forms.values()):
                try:
                    self.shown(form, name, tool)
                except FormRefused as error:
                    refused.append(Problem(f"{decision.path}.form", f"{name!r} cannot be shown as {form!r}: {error.reason}", error.remedy))
        return refused

    def note_own(self, turn_id: str, job: Job) -> None:
        """Remember that a job's candidate must write its calls in the tools' own form. Like rejected answers, it is kept out of the turn."""
        self._own[(turn_id, job.candidate, job.tools)] = None
        while len(self._own) > _MOST_REMEMBERED:
            self._own.popitem(last=False)

    def needs_own(self, turn_id: str, job: Job) -> bool:
        """Whether a job's candidate must write its calls in the tools' own form."""
        return (turn_id, job.candidate, job.tools) in self._own


def _instead(tool: Any, name: str, shown: Mapping[str, Any]) -> Any:
    """What is bound in the place of a tool."""
    if isinstance(tool, BaseTool):
        return tool.model_copy(update={"description": shown["description"], "args_schema": dict(shown["parameters"])})
    if isinstance(tool, Mapping) and isinstance(tool.get("input_schema"), Mapping):
        return {**tool, "description": shown["description"], "input_schema": dict(shown["parameters"])}
    asked = convert_to_openai_tool(cast("Any", tool))
    return {**asked, "function": {**asked["function"], "name": name, "description": shown["description"], "parameters": dict(shown["parameters"])}}
