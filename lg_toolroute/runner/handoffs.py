"""`HandoffChooser`: what each candidate for a routed call is sent, the whole history or a brief, and whether a brief would know the file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately

from lg_toolroute.briefs.built_in import built_in
from lg_toolroute.briefs.parts import planned_file
from lg_toolroute.briefs.request import BriefRequest, PlannedCall
from lg_toolroute.core.rules.decision import DEFAULT_OPTIONS, RuleOptions
from lg_toolroute.core.rules.handoff import CACHED_S, LEAST_BRIEF, SIZES, TYPICAL_TOKENS, Tokens, choose_handoff
from lg_toolroute.core.turn.inputs import TurnInputs
from lg_toolroute.core.turn.selection import USABLE_SHARE
from lg_toolroute.core.turn.turn import Intercepted, Job, Turn
from lg_toolroute.files.known import KnownFile, KnownFiles
from lg_toolroute.files.tools import FileTool
from lg_toolroute.router import ToolRouter

FOR_THE_ANSWER = 2_000
"""Tokens of a candidate's context window that a brief leaves for the answer, where the configuration does not say how long that may be."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What a candidate is sent.

    Attributes:
        kind: `full`, `brief` or `draft`.
        why: The reason, in words.
        tokens: About so many, without the tools and what belongs to this turn alone.
        size: Of a brief: `lean`, `mid`, `rich`, `cut` where not even the file fits, or the name of the function that made it.
        messages: The brief.
    """

    kind: str
    why: str
    tokens: int
    size: str = ""
    messages: tuple[BaseMessage, ...] = ()

    def record(self) -> dict[str, Any]:
        """As it is kept with the attempt."""
        size = {"size": self.size} if self.size else {}
        return {"kind": self.kind, **size, "tokens": self.tokens, "why": self.why}


class HandoffChooser:
    """Chooses for one turn.

    Args:
        router: Rules, prices, the application's briefs and its reader of files.
        inputs: What the turn reads.
        messages: The history, as it is stored.
        tools: What the agent binds, in the order of `inputs.tools`.
        drafts: The primary's own arguments of drained calls, by slot.
    """

    def __init__(
        self, router: ToolRouter, inputs: TurnInputs, messages: Sequence[BaseMessage], tools: Sequence[Any], drafts: Mapping[int, str]
    ) -> None:
        self._router = router
        self._inputs = inputs
        self._messages = messages
        self._bound = tools
        self._drafts = drafts
        self._tools: Mapping[str, FileTool] | None = None
        self._files: KnownFiles | None = None
        self._read: dict[str, str | None] = {}

    # -- what a candidate is sent -------------------------------------------------------------------------------------------------------

    def handed(self, turn: Turn, job: Job, spec: str) -> Handed:
        """What a candidate is sent for the calls of a job.

        Raises:
            Exception: As a brief of the application, or its reader of files, raised it.
        """
        options = _options(job)
        history = self._inputs.tokens()
        if options.handoff in ("full", "draft"):
            return Handed(options.handoff, "the rule says so", history)
        calls = self._planned(job)
        knows = all(self._is_known(call, options) for call in calls)
        if options.handoff == "brief" and knows:
            return self._brief(calls, options, spec, "the rule says so") or Handed("full", f"the brief {options.brief!r} knows nothing of it", history)
        if not knows:
            return Handed("full", choose_handoff(Tokens(history), knows=False).why, history)
        brief = self._brief(calls, options, spec, "")
        if brief is None:
            return Handed("full", "there is no brief of it", history)
        tokens = Tokens(history, self._cached(spec), brief.tokens)
        window, cost = self._inputs.facts(spec).context_window, self._inputs.facts(spec).cost
        primary = None if turn.primary is None else self._inputs.facts(turn.primary).cost
        choice = choose_handoff(
            tokens,
            knows=True,
            reasons=spec in (turn.primary, turn.reasoner),
            room=None if window is None else window * USABLE_SHARE,
            cost=cost,
            primary=primary,
        )
        return replace(brief, why=choice.why) if choice.kind == "brief" else Handed("full", choice.why, history)

    def _brief(self, calls: tuple[PlannedCall, ...], options: RuleOptions, spec: str, why: str) -> Handed | None:
        """The brief for a candidate: a smaller one than the rule says where its context window has no room for that."""
        budget, wanted = self._room(spec), options.brief
        if isinstance(wanted, str) and wanted not in SIZES:
            made = self._router.briefs[wanted](BriefRequest(self._messages, calls, budget))
            return None if made is None else _handed_in(wanted, made, why)
        if isinstance(wanted, int):
            budget = wanted if budget is None else min(budget, wanted)
        size = wanted if isinstance(wanted, str) else "rich" if isinstance(wanted, int) else _fitting_size(calls)
        told = built_in(BriefRequest(self._messages, calls, budget), size, self._file_tools())
        return Handed("brief", why, told.tokens, told.size, told.messages)

    def _room(self, spec: str) -> int | None:
        """How many tokens a brief may hold, by the candidate's context window."""
        facts = self._inputs.facts(spec)
        if facts.context_window is None:
            return None
        answer = min(facts.max_output or FOR_THE_ANSWER, facts.context_window // 4)
        return max(int(facts.context_window * USABLE_SHARE) - answer, LEAST_BRIEF)

    def _cached(self, spec: str) -> int:
        return self._router.sent.cached(self._messages, spec, self._router.clock(), CACHED_S)

    # -- what is known -------------------------------------------------------------------------------------------------------------------

    def file_tool(self, tool: str) -> FileTool | None:
        """What the arguments of a bound tool mean; `None` if it is no file tool."""
        return self._file_tools().get(tool)

    def knows(self, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Whether a brief would know the file that a call names.

        Args:
            tool: The tool's name.
            arguments: Those that are known already.
        """
        return self._file(tool, arguments) is not None

    def may_brief(self, tool: str, spec: str) -> bool:
        """Whether a candidate would be sent a brief, if the arguments of a call of this tool named a file that is known."""
        options = self._inputs.decision(tool, "intercepted").options
        if options.handoff not in ("auto", "brief") or self.file_tool(tool) is None:
            return False
        if options.handoff == "brief":
            return True
        facts, reasons = self._inputs.facts(spec), next(iter(self._inputs.reasoning_chain()), None)
        tokens = Tokens(self._inputs.tokens(), self._cached(spec), TYPICAL_TOKENS["lean"])
        room = None if facts.context_window is None else facts.context_window * USABLE_SHARE
        primary = None if reasons is None else self._inputs.facts(reasons).cost
        return choose_handoff(tokens, knows=True, reasons=spec == reasons, room=room, cost=facts.cost, primary=primary).kind == "brief"

    def least(self, job: Job, spec: str) -> int | None:
        """About how many tokens the smallest brief for a job takes; `None` where only the whole history will do."""
        options = _options(job)
        if options.handoff not in ("auto", "brief"):
            return None
        if all(call.call_id for call in job.calls):
            return LEAST_BRIEF if all(self._is_known(call, options) for call in self._planned(job)) else None
        # Which file it will be is not known before the call is written.
        return LEAST_BRIEF if options.handoff == "brief" or all(self.file_tool(call.tool) is not None for call in job.calls) else None

    def _planned(self, job: Job) -> tuple[PlannedCall, ...]:
        return tuple(self._plan(call) for call in job.calls)

    def _plan(self, call: Intercepted) -> PlannedCall:
        arguments = self._arguments(call)
        schema = next((self._router.models.schema(tool) for (name, _), tool in zip(self._inputs.tools, self._bound, strict=True) if name == call.tool), None)
        return PlannedCall(call.tool, schema, arguments, self._file(call.tool, arguments))

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
        tool = self.file_tool(call.tool)
        return options.handoff == "brief" and (tool is None or tool.kind == "write" or (isinstance(options.brief, str) and options.brief not in SIZES))

    def _file(self, tool: str, arguments: Mapping[str, Any]) -> KnownFile | None:
        name = planned_file(self.file_tool(tool), arguments)
        if name is None:
            return None
        if self._files is None:
            self._files = self._router.known.of(self._messages, self._file_tools())
        known = self._files.of(name)
        if self._router.read_file is None:
            return known
        if name not in self._read:
            self._read[name] = self._router.read_file(name)
        text = self._read[name]
        given = None if text is None else self._files.given(name, text).of(name)
        return known if given is None else replace(given, evidence=() if known is None else known.evidence)

    def _file_tools(self) -> Mapping[str, FileTool]:
        if self._tools is None:
            named = zip(self._inputs.tools, self._bound, strict=True)
            self._tools = {name: tool for (name, _), bound in named if (tool := self._router.file_tool(name, bound)) is not None}
        return self._tools


def _options(job: Job) -> RuleOptions:
    return DEFAULT_OPTIONS if job.decision is None else job.decision.options


def _fitting_size(calls: Sequence[PlannedCall]) -> str:
    """The size for a call where the rule names none: a file that is new holds names that stand in the conversation only."""
    if all(call.file is not None for call in calls):
        return "lean"
    return "rich"


def _handed_in(name: str, made: Any, why: str) -> Handed:
    messages = (HumanMessage(content=made),) if isinstance(made, str) else made
    if not isinstance(messages, Sequence) or not all(isinstance(each, BaseMessage) for each in messages):
        raise TypeError(f"briefs[{name!r}] returned {type(made).__name__}; return messages, a text, or None for the whole history")
    return Handed("brief", why, count_tokens_approximately(messages), name, tuple(messages))
