"""An audit of a configuration: every model that a chain can reach, its size, its tools, and which of that is dangerous or useless."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lg_toolroute.core.rules.decision import plain
from lg_toolroute.core.rules.groups import BUILT_IN_TOOLS, members
from lg_toolroute.core.rules.match import Table
from lg_toolroute.core.rules.spec import Size, model_size
from lg_toolroute.core.rules.tools import Tools
from lg_toolroute.rulebook.book import RuleBook
from lg_toolroute.rulebook.breakeven import Speeds, break_even_s

SMALL_B = 300.0
"""Models up to this many billions of parameters count as small.

Source:
    OpenClaw's own audit of small models.
"""


@dataclass(frozen=True, slots=True)
class ModelAudit:
    """One model as one agent may use it.

    Attributes:
        model: The model, `provider/model`.
        agent: The agent's id; `None` for the defaults.
        reached: How it is reached: `primary`, `fallback`, `rule 'edit'`, `escalation of 'edit'`, `image`, `pdf`, `role 'heartbeat'`.
        size: Its size in words: `20B`, `235B (22B active)`, `unknown`.
        size_b: All its parameters in billions; `None` if unknown.
        size_from: Where the size comes from: `name`, `config` or `nothing`.
        tools: What it may use, in the order given.
        denied: What it may not use, with the path of what refuses it.
        web: The tools among them that read the web.
        exec: The tools among them that run programs.
    """

    model: str
    agent: str | None
    reached: tuple[str, ...]
    size: str
    size_b: float | None
    size_from: Literal["name", "config", "nothing"]
    tools: tuple[str, ...]
    denied: tuple[tuple[str, str], ...]
    web: tuple[str, ...]
    exec: tuple[str, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        """`small` or `unknown size`, `web`, `exec`, `no tools`."""
        small = "unknown size" if self.size_b is None else "small" if self.size_b <= SMALL_B else ""
        reach = ("web" if self.web else "", "exec" if self.exec else "", "" if self.tools else "no tools")
        return tuple(flag for flag in (small, *reach) if flag)

    def to_dict(self) -> dict[str, Any]:
        """The record as plain data, for JSON."""
        return {**plain(self), "denied": dict(self.denied), "flags": list(self.flags)}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that should be looked at.

    Attributes:
        level: `critical`, `warning` or `note`.
        kind: For programs: `small_model`, `unknown_size`, `hole`, `dead_rule`, `useless_rule`, `boundary`, `no_tools`.
        message: What is so, in one sentence.
        remedy: What to write, or empty.
        path: Where it stands in the document, if it stands at one place.
    """

    level: Literal["critical", "warning", "note"]
    kind: str
    message: str
    remedy: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """The whole audit.

    Attributes:
        models: Every model that any chain can reach, agent by agent.
        findings: What should be looked at, the worst first.
        tools: The tools that were asked about.
        assumed_tools: Whether those are the names that ship with the groups, because the caller did not say which tools are bound.
    """

    models: tuple[ModelAudit, ...]
    findings: tuple[Finding, ...]
    tools: tuple[str, ...]
    assumed_tools: bool

    @property
    def critical(self) -> tuple[Finding, ...]:
        """The findings that should stop a release."""
        return tuple(finding for finding in self.findings if finding.level == "critical")

    def to_dict(self) -> dict[str, Any]:
        """The audit as plain data, for JSON."""
        return {**plain(self), "models": [model.to_dict() for model in self.models]}


def audit(book: RuleBook, tools: Sequence[tuple[str, Sequence[str]]] = (), *, agent: str | None = None) -> Audit:
    """Audits a configuration.

    Args:
        book: The compiled rules.
        tools: The bound tools, each with its tags. Empty: the names that ship with the groups.
        agent: One agent only; `None` for the defaults and all agents.
    """
    bound = tuple((name, tuple(tags)) for name, tags in tools) or tuple((name, ()) for name in BUILT_IN_TOOLS)
    agents = (agent,) if agent is not None else (None, *book.agents)
    models = tuple(record for one in agents for record in _models(book, bound, one))
    found = list(_dangers(models))
    for one in agents:
        found += [*_holes(book, bound, one), *_rules(book, bound, one, assumed=not tools)]
    order = ("critical", "warning", "note")
    findings = sorted(dict.fromkeys(found), key=lambda finding: order.index(finding.level))
    return Audit(models, tuple(findings), tuple(name for name, _ in bound), assumed_tools=not tools)


def _size(book: RuleBook, spec: str) -> tuple[Size | None, Literal["name", "config", "nothing"]]:
    configured = book.facts(spec).size
    if configured is not None:
        return configured, "config"
    named = model_size(spec.partition("/")[2])
    return named, "nothing" if named is None else "name"


def _models(book: RuleBook, tools: Tools, agent: str | None) -> Iterator[ModelAudit]:
    reached: dict[str, dict[str, None]] = {}
    for model, way in _ways(book, agent):
        reached.setdefault(model, {})[way] = None
    web, runs = _dangerous(book)
    for model, ways in reached.items():
        size, origin = _size(book, model)
        verdicts = [(name, book.verdict(name, model, agent=agent, tags=tags)) for name, tags in tools]
        usable = tuple(name for name, path in verdicts if path is None)
        yield ModelAudit(
            model=model,
            agent=agent,
            reached=tuple(ways),
            size="unknown" if size is None else str(size),
            size_b=None if size is None else size.total_b,
            size_from=origin,
            tools=usable,
            denied=tuple((name, path) for name, path in verdicts if path is not None),
            web=tuple(name for name in usable if web.holds(name)),
            exec=tuple(name for name in usable if runs.holds(name)),
        )


def _ways(book: RuleBook, agent: str | None) -> Iterator[tuple[str, str]]:
    for number, model in enumerate(book.reasoning_chain(agent=agent)):
        yield model, "primary" if number == 0 else "fallback"
    for rule in book.rules(agent):
        for number, model in enumerate(rule.chain):
            yield model, f"rule {rule.pattern!r}" if number == 0 else f"fallback of rule {rule.pattern!r}"
        if rule.options.escalate is not None and rule.options.escalate.to is not None:
            yield rule.options.escalate.to, f"escalation of {rule.pattern!r}"
    for kind in ("image", "pdf"):
        yield from ((model, kind) for model in book.capability_chain(kind, agent=agent))
    for role in book.roles(agent):
        for chain in (book.reasoning_chain(agent=agent, role=role), *(rule.chain for rule in book.rules(agent, role))):
            yield from ((model, f"role {role!r}") for model in chain)


def _dangerous(book: RuleBook) -> tuple[Table, Table]:
    # `browser` reads the web too, though `group:web` does not hold it.
    return (
        Table.of((*members("web", book.groups), "browser", "*web_search*", "*web_fetch*"), {}),
        Table.of((*members("runtime", book.groups), "shell", "terminal", "computer", "python", "python_repl"), {}),
    )


def _dangers(models: Sequence[ModelAudit]) -> Iterator[Finding]:
    # Agents that may do the same with a model share one finding.
    alike: dict[tuple[str, tuple[str, ...]], list[ModelAudit]] = {}
    for record in models:
        alike.setdefault((record.model, record.tools), []).append(record)
    for records in alike.values():
        record = records[0]
        agents = [f"agent {one.agent!r}" if one.agent is not None else "the defaults" for one in records]
        who = record.model if agents == ["the defaults"] else f"{record.model} (in {', '.join(agents)})"
        if not record.tools and not any(way in ("image", "pdf") for way in record.reached):
            yield Finding("note", "no_tools", f"{who} may use none of the tools, so it can only answer in words")
        reach = [flag for flag in ("web", "exec") if flag in record.flags]
        names = (*record.web, *record.exec)
        small = "small" in record.flags
        if not reach or not (small or "unknown size" in record.flags):
            continue
        size = f"is small ({record.size})" if small else "has an unknown size"
        listed = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
        deny = f'tools.byModel["{record.model}"].deny = ["group:web", "browser", "group:runtime"]'
        yield Finding(
            "critical" if small else "warning",
            "small_model" if small else "unknown_size",
            f"{who} {size} and can reach {' and '.join(reach)} tools ({listed}), as {record.reached[0]}",
            f"write {deny}" if small else f"write its sizeB under models.providers if it is large; if not, {deny}",
        )


# What people deny, what they forget with it, and why that matters.
_HOLES = (
    (("group:web", "web_search", "web_fetch", "web_*"), ("browser",), "`browser` reads the web too and is not in group:web"),
    (("web_*", "web_search", "web_fetch"), ("x_search",), "`x_search` searches too and does not begin with web_"),
    (("write",), ("edit", "apply_patch", "exec", "bash"), "these change files too"),
    (("edit",), ("write", "apply_patch", "exec", "bash"), "these change files too"),
    (("exec", "bash"), ("process", "code_execution", "terminal", "bash", "exec"), "these run programs too"),
)


def _holes(book: RuleBook, tools: Tools, agent: str | None) -> Iterator[Finding]:
    names = {name for name, _ in tools}
    models = dict.fromkeys(model for model, _ in _ways(book, agent))
    for spec, layer in [(model, layer) for model in models for layer in book.layers(model, agent=agent) if not layer.allows]:
        written = {entry.lower() for entry in layer.table.patterns}
        for denied, left, why in _HOLES:
            listed = [entry for entry in denied if entry in written]
            open_ = [name for name in left if name in names and name not in written and book.verdict(name, spec, agent=agent) is None]
            if listed and open_:
                yield Finding(
                    "warning",
                    "hole",
                    f"{', '.join(listed)} is denied and {', '.join(open_)} is not: {why}",
                    f"add {', '.join(open_)} to the list, or say why it may stay",
                    layer.path,
                )


def _rules(book: RuleBook, tools: Tools, agent: str | None, *, assumed: bool) -> Iterator[Finding]:
    primary = next(iter(book.reasoning_chain(agent=agent)), None)
    if not assumed:
        for problem in book.unmatched(tools, agent):
            yield Finding("warning", "dead_rule", problem.message, problem.hint, problem.path)
    for name, tags in tools:
        decision = book.decide(name, agent=agent, tags=tags)
        if decision.rule is None or not decision.skipped:
            continue
        first = decision.skipped[0]
        if decision.model is None:
            yield Finding("warning", "dead_rule", decision.reason, "take the rule out, or allow the tool to one of them", decision.path or "")
        elif first.model == decision.chain[0]:
            message = f"the rule {decision.rule!r} gives {name!r} to {first.model}, which {first.why}"
            yield Finding("warning", "dead_rule", message, "allow it the tool, or route the tool to another model", decision.path or "")
    for rule in book.rules(agent):
        if rule.options.boundary:
            message = f"the calls of {rule.pattern!r} never go to any model but {rule.chain[0]}; if that is down, they fail"
            yield Finding("note", "boundary", message, "", rule.path)
        if primary is not None and rule.chain[:1] == (primary,) and "call" in rule.moments:
            message = f"the rule {rule.pattern!r} names the primary itself, so it changes nothing but its options"
            yield Finding("note", "useless_rule", message, "", rule.path)
        elif rule.pattern.lower() in _SHORT and "call" in rule.moments:
            least = break_even_s(Speeds())
            message = f"calls of {rule.pattern!r} are usually short: routing them costs time below about {least:.0f} tokens of arguments"
            yield Finding("note", "useless_rule", message, "route the tools whose arguments are long: edit, write, apply_patch", rule.path)


# In recorded coding sessions these write 46 to 55 tokens a call, an edit 454.
_SHORT = frozenset({"read", "grep", "glob", "ls", "bash", "exec", "web_fetch", "web_search", "process", "memory_get"})
