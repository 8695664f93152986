"""`HandoffChooser`: what each candidate for a routed call is sent, the whole history or a brief, and whether a brief would know the file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolCall
from langchain_core.messages.utils import count_tokens_approximately

from lg_toolroute.briefs.built_in import built_in
from lg_toolroute.briefs.parts import planned_file
from lg_toolroute.briefs.request import BriefRequest, PlannedCall
from lg_toolroute.core.rules.decision import DEFAULT_OPTIONS, RuleOptions
from lg_toolroute.core.rules.handoff import CACHED_S, LEAST_BRIEF, SIZES, TYPICAL_TOKENS, Choice, Tokens, choose_handoff
from lg_toolroute.core.turn.inputs import TurnInputs
from lg_toolroute.core.turn.selection import USABLE_SHARE
from lg_toolroute.core.turn.turn import Intercepted, Job, Turn
from lg_toolroute.files.known import KnownFile, KnownFiles
from lg_toolroute.files.tools import FileTool
from lg_toolroute.router import ToolRouter

FOR_THE_ANSWER = 2_000
"""Tokens of a candidate's context window that a brief leaves for the answer, where the configuration does not say how long that may be."""

BY_RULE = "the rule says so"


@dataclass(frozen=True, slots=True)
class Handed:
    """What a candidate is sent.

    Attributes:
        kind: `full`, `brief` or `draft`.
        why: The reason, in words.
        tokens: About so many, without the tools and what belongs to this turn alone.
        size: Of a brief: `lean`, `mid`, `rich`, `cut` where not even the file fits, or the name of the function that made it.
        messages: The brief.
        history: About how many tokens the whole history holds, for which a brief stands.
    """

    kind: str
    why: str
    tokens: int
    size: str = ""
    messages: tuple[BaseMessage, ...] = ()
    history: int = 0

    def record(self) -> dict[str, Any]:
        """As it is kept with the attempt."""
        size = {"size": self.size} if self.size else {}
        instead = {"history_tokens": self.history} if self.kind == "brief" else {}
        return {"kind": self.kind, **size, "tokens": self.tokens, **instead, "why": self.why}


class HandoffChooser:
    """Chooses for one turn.

    Args:
        router: Rules, prices, the application's briefs and its reader of files.
        inputs: What the turn reads.
        messages: The history, as it is stored.
        tools: What the agent binds, in the order of `inputs.tools`.
        system: The system prompt, which goes along with the history.
        drafts: The primary's own arguments of drained calls, by slot.
    """

    def __init__(
        self,
        router: ToolRouter,
        inputs: TurnInputs,
        messages: Sequence[BaseMessage],
        tools: Sequence[Any],
        system: SystemMessage | None,
        drafts: Mapping[int, str],
    ) -> None:
        self._router = router
        self._inputs = inputs
        self._messages = messages
        self._bound = tools
        self._system = system
        self._drafts = drafts
        self._tools: Mapping[str, FileTool] | None = None
        self._files: KnownFiles | None = None
        self._read: dict[str, str | None] = {}

    # -- what a candidate is sent -------------------------------------------------------------------------------------------------------

    def handed(self, turn: Turn, job: Job, spec: str, written: Mapping[int, ToolCall] | None = None) -> Handed:
        """What a candidate is sent for the calls of a job.

        Args:
            turn: The turn.
            job: What is to be written.
            spec: The candidate.
            written: The calls of this very message that are written and have not run yet, by slot.

        Raises:
            Exception: As a brief of the application, or its reader of files, raised it.
        """
        options = _options(job)
        history = self._history()
        if options.handoff in ("full", "draft"):
            return Handed(options.handoff, BY_RULE, history)
        calls = self._planned(job, written or {})
        if not all(self._is_known(call, options) for call in calls):
            return Handed("full", choose_handoff(Tokens(history), knows=False).why, history)
        brief = self._brief(calls, options, spec)
        if brief is None:
            return Handed("full", f"the brief {options.brief!r} says that it does not know this thread", history)
        brief = replace(brief, history=history)
        if options.handoff == "brief":
            return brief
        choice = self._choice(spec, brief.tokens, turn.primary, reasons=spec in (turn.primary, turn.reasoner))
        return replace(brief, why=choice.why) if choice.kind == "brief" else Handed("full", choice.why, history)

    def _choice(self, spec: str, brief: int, primary: str | None, *, reasons: bool) -> Choice:
        """Whether a candidate is sent the history, or a brief of so many tokens of what is known."""
        facts = self._inputs.facts(spec)
        return choose_handoff(
            Tokens(self._history(), self._router.sent.cached(self._messages, spec, self._router.clock(), CACHED_S), brief),
            knows=True,
            reasons=reasons,
            room=None if facts.context_window is None else facts.context_window * USABLE_SHARE,
            cost=facts.cost,
            primary=None if primary is None else self._inputs.facts(primary).cost,
        )

    def _brief(self, calls: tuple[PlannedCall, ...], options: RuleOptions, spec: str) -> Handed | None:
        """The brief for a candidate: a smaller one than the rule says where its context window has no room for that."""
        budget, wanted = self._room(spec), options.brief
        if (form := options.forms.get(spec)) is not None and getattr(self._router.forms.form(form), "counts_lines", False):
            calls = tuple(replace(call, numbered=True) for call in calls)
        if isinstance(wanted, str) and wanted not in SIZES:
            made = self._router.briefs[wanted](BriefRequest(self._messages, calls, budget))
            return None if made is None else _handed_in(wanted, made)
        if isinstance(wanted, int):
            budget = wanted if budget is None else min(budget, wanted)
        size = wanted if isinstance(wanted, str) else "rich" if isinstance(wanted, int) else _fitting_size(calls)
        told = built_in(BriefRequest(self._messages, calls, budget), size, self.file_tools())
        return Handed("brief", BY_RULE, told.tokens, told.size, told.messages)

    def _room(self, spec: str) -> int | None:
        """How many tokens a brief may hold, by the candidate's context window."""
        facts = self._inputs.facts(spec)
        if facts.context_window is None:
            return None
        answer = min(facts.max_output or FOR_THE_ANSWER, facts.context_window // 4)
        return max(int(facts.context_window * USABLE_SHARE) - answer, LEAST_BRIEF)

    def sent(self, spec: str, handed: Handed | None) -> None:
        """A model has answered: what it was sent may stand in its provider's cache.

        Args:
            spec: The model.
            handed: What it was sent; `None` for a model that reasons, which is sent the whole history.
        """
        whole = handed is None or handed.kind != "brief"
        if whole and self._inputs.routed and self._inputs.facts(spec).cost is not None:
            self._router.sent.note(self._messages, spec, self._history(), self._router.clock())

    def _history(self) -> int:
        """About how many tokens the whole history takes, with the system prompt."""
        return self._inputs.tokens() + (0 if self._system is None else count_tokens_approximately([self._system]))

    def needs_draft(self, call: Intercepted) -> bool:
        """Whether a drained call is to be handed off at once, because its draft, which is never stored, says what the writer is sent."""
        options = self._inputs.decision(call.tool, "intercepted").options
        return options.handoff == "draft" or (options.handoff != "full" and call.slot in self._drafts and self.file_tool(call.tool) is not None)

    # -- what is known -------------------------------------------------------------------------------------------------------------------

    def file_tool(self, tool: str) -> FileTool | None:
        """What the arguments of a bound tool mean; `None` if it is no file tool."""
        return self.file_tools().get(tool)

    def knows(self, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Whether a brief would know the file that a call names.

        Args:
            tool: The tool's name.
            arguments: Those that are known already.
        """
        return self.known_file(tool, arguments) is not None

    def lacks(self, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Whether the rule asks for a brief, and none could show what a call with these arguments is about."""
        options = self._inputs.decision(tool, "intercepted").options
        return options.handoff == "brief" and not self._is_known(PlannedCall(tool, None, arguments, self.known_file(tool, arguments)), options)

    def may_brief(self, tool: str, spec: str) -> bool:
        """Whether a candidate would be sent a brief, if the arguments of a call of this tool named a file that is known."""
        options = self._inputs.decision(tool, "intercepted").options
        if options.handoff not in ("auto", "brief") or self.file_tool(tool) is None:
            return False
        if options.handoff == "brief":
            return True
        if self._router.read_file is None and not self._known().some:
            return False  # the thread shows no file at all
        primary = next(iter(self._inputs.reasoning_chain()), None)
        return self._choice(spec, TYPICAL_TOKENS["lean"], primary, reasons=spec == primary).kind == "brief"

    def least(self, job: Job, spec: str) -> int | None:
        """About how many tokens the smallest brief for a job takes; `None` where only the whole history will do."""
        options = _options(job)
        if options.handoff not in ("auto", "brief"):
            return None
        if all(call.call_id for call in job.calls):
            return LEAST_BRIEF if all(self._is_known(call, options) for call in self._planned(job, {})) else None
        # Which file it will be is not known before the call is written.
        return LEAST_BRIEF if options.handoff == "brief" or all(self.file_tool(call.tool) is not None for call in job.calls) else None

    def _planned(self, job: Job, written: Mapping[int, ToolCall]) -> tuple[PlannedCall, ...]:
        return tuple(self._plan(call, [each for slot, each in written.items() if slot < call.slot]) for call in job.calls)

    def _plan(self, call: Intercepted, before: Sequence[ToolCall]) -> PlannedCall:
        arguments = self._arguments(call)
        bound = next((tool for (name, _), tool in zip(self._inputs.tools, self._bound, strict=True) if name == call.tool), None)
        schema = None if bound is None else self._router.models.schema(bound)
        return PlannedCall(call.tool, schema, arguments, self.known_file(call.tool, arguments, before))

    def _arguments(self, call: Intercepted) -> Mapping[str, Any]:
        """What the primary wrote of a call, as far as it stands."""
        text = call.fixed or self._drafts.get(call.slot)
        try:
            written = json.loads(text) if text else {}
        except ValueError:  # a draft may be wrong: it is no answer
            return {}
        return written if isinstance(written, dict) else {}

    def _is_known(self, call: PlannedCall, options: RuleOptions) -> bool:
        """Whether a brief can show what a call is about: always where the rule asks for one, but for a file that is to be edited and is not known."""
        if call.file is not None:
            return True
        if options.handoff != "brief":
            return False
        tool = self.file_tool(call.tool)
        own = isinstance(options.brief, str) and options.brief not in SIZES
        return own or tool is None or tool.kind == "write"

    def known_file(self, tool: str, arguments: Mapping[str, Any], before: Sequence[ToolCall] = ()) -> KnownFile | None:
        """What is known of the file that a call names; `None` if nothing is, or if it names none.

        Args:
            tool: The tool's name.
            arguments: Those that are known already.
            before: Calls of the same message that stand before it, taken to succeed.
        """
        name = planned_file(self.file_tool(tool), arguments)
        return None if name is None else self.known(name, before)

    def known(self, name: str, before: Sequence[ToolCall] = ()) -> KnownFile | None:
        """What is known of a file; `None` if nothing is.

        Args:
            name: The file, by the name that a call gives it.
            before: Calls of this very message that run before, and have not run yet.
        """
        files = self._known()
        if self._router.read_file is not None:
            if name not in self._read:
                self._read[name] = self._router.read_file(name)
            text = self._read[name]
            files = files if text is None else files.given(name, text)
        return _expected(files, before, self.file_tools(), name)

    def _known(self) -> KnownFiles:
        if self._files is None:
            self._files = self._router.known.of(self._messages, self.file_tools())
        return self._files

    def file_tools(self) -> Mapping[str, FileTool]:
        """What the arguments of the bound file tools mean, by the tools' names."""
        if self._tools is None:
            named = zip(self._inputs.tools, self._bound, strict=True)
            self._tools = {name: tool for (name, _), bound in named if (tool := self._router.file_tool(name, bound)) is not None}
        return self._tools


def _options(job: Job) -> RuleOptions:
    return DEFAULT_OPTIONS if job.decision is None else job.decision.options


def _expected(files: KnownFiles, before: Sequence[ToolCall], tools: Mapping[str, FileTool], name: str) -> KnownFile | None:
    """A file as it will be when the calls of the same message that stand before have run."""
    for call in before:
        tool = tools.get(call["name"])
        meant = None if tool is None else tool.called(call["args"])
        if meant is not None:
            files = files.expecting(meant, call["args"])
    return files.of(name)


def _fitting_size(calls: Sequence[PlannedCall]) -> str:
    """The size for a call where the rule names none: a file that is new holds names that stand in the conversation only."""
    if all(call.file is not None for call in calls):
        return "lean"
    return "rich"


def _handed_in(name: str, made: Any) -> Handed:
    messages = (HumanMessage(content=made),) if isinstance(made, str) else made
    if not isinstance(messages, Sequence) or not all(isinstance(each, BaseMessage) for each in messages):
        raise TypeError(f"briefs[{name!r}] returned {type(made).__name__}; return messages, a text, or None for the whole history")
    return Handed("brief", BY_RULE, count_tokens_approximately(messages), name, tuple(messages))
