"""The record of one routing decision: immutable, comparable, JSON-able.

Nothing is decided here: the rule book makes decisions; the graph, the middleware and the chat model act on them and store them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

from lg_toolroute.core.rules.params import NO_PARAMS


@dataclass(frozen=True, slots=True)
class Escalate:
    """When a rule goes one step up its chain.

    Attributes:
        after: Failed results of the same tool in a row, within one user's turn, before the next call goes up.
        to: The model to go to, `provider/model`; `None` means the next candidate of the chain.
    """

    after: int = 2
    to: str | None = None


@dataclass(frozen=True, slots=True)
class RuleOptions:
    """How a rule is carried out.

    Attributes:
        on_intercept: `cut` closes the primary's stream at the routed call; `drain` reads its whole message.
        cut_at: Where in the call: `name`, or `argument`, at the first argument that is long, or the names of these arguments. `None`: `argument`
            where the writer is told of a file that an argument names, else `name`.
        handoff: What the writer is sent: `full`, the whole history; `brief`, what the call needs; `draft`, the history and the primary's own
            arguments, to be corrected; `auto`, `full` or `brief`, as `handoff.py` chooses.
        stream_args: `checked` shows arguments when they have been checked; `live` as they come.
        escalate: When to go one step up the chain; `None` for never.
        params: Settings for the routed model only, on top of all others.
        boundary: The rule said `fallbacks: []`: its call is never sent to any other model.
        refusal_falls_back: A refusal for reasons of content goes to the next candidate; otherwise it is the answer.
        thinking: `off`: the model that writes the call does not think meanwhile, where its provider lets that be switched.
        look: A finished call is looked at before it lands: `True` by the look that is built in for edits, a name by one of the application's.
        forms: The form in which a model is shown the tool, by the model's spec; a model that is not among them is shown the tool's own.
        brief: How much a brief holds: `lean`, `mid`, `rich`, a number of tokens, or the name of a function of the application's; `None`: by the call.
    """

    on_intercept: Literal["cut", "drain"] = "cut"
    cut_at: Literal["name", "argument"] | tuple[str, ...] | None = None
    handoff: Literal["auto", "full", "brief", "draft"] = "auto"
    stream_args: Literal["checked", "live"] = "checked"
    escalate: Escalate | None = None
    params: Mapping[str, Any] = field(default=NO_PARAMS)
    boundary: bool = False
    refusal_falls_back: bool = False
    thinking: Literal["off"] | None = None
    look: Literal[True] | str | None = None
    forms: Mapping[str, str] = field(default=NO_PARAMS)
    brief: str | int | None = None


DEFAULT_OPTIONS = RuleOptions()


@dataclass(frozen=True, slots=True)
class Skip:
    """A candidate that is not asked.

    Attributes:
        model: The candidate, `provider/model`.
        why: The reason in words, for people.
        due_in_s: Seconds until it may be asked again; `None` if waiting does not help.
        kind: The reason for programs: `cooldown`, `policy`, `no_tools`, `images`, `context`, `incapable` or `failed`.
    """

    model: str
    why: str
    due_in_s: float | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who writes a call of `tool`, in which order, and why.

    Attributes:
        tool: The expected tool; `None` when the model is to reason.
        agent: The agent whose rules were read; `None` for the defaults.
        rule: The pattern that won, as written: `edit`, `mcp__*`, `group:fs`. `None`: no rule matched.
        path: Where the rule stands in the document: `agents.defaults.model.toolRouting.edit`.
        moments: When the rule acts, `("call",)` unless it says otherwise; `()` without a rule.
        chain: The candidates in order, canonical specs, no duplicates, before anything is skipped.
        skipped: Candidates that cannot write the call: refused by the tool policy, or without tools.
        model: The first candidate that is not skipped; `None` if there is none.
        source: How the tool is known: `forced`, `intercepted`, or `looked` for a call that a look sent back; `None` if that is open.
        reason: One plain sentence.
        options: How the rule is carried out.
    """

    tool: str | None
    agent: str | None
    rule: str | None
    path: str | None
    moments: tuple[str, ...]
    chain: tuple[str, ...]
    skipped: tuple[Skip, ...]
    model: str | None
    source: str | None
    reason: str
    options: RuleOptions = DEFAULT_OPTIONS

    @property
    def candidates(self) -> tuple[str, ...]:
        """The chain without what is skipped."""
        out = {skip.model for skip in self.skipped}
        return tuple(model for model in self.chain if model not in out)

    def to_dict(self) -> dict[str, Any]:
        """The decision as plain data, for JSON."""
        data: dict[str, Any] = plain(self)
        return data


def plain(record: Any) -> Any:
    """A record as data that JSON can hold: dataclasses and mappings become dicts, tuples become lists."""
    if is_dataclass(record) and not isinstance(record, type):
        return {each.name: plain(getattr(record, each.name)) for each in fields(record)}
    if isinstance(record, Mapping):
        return {key: plain(value) for key, value in record.items()}
    return [plain(value) for value in record] if isinstance(record, (tuple, list)) else record
