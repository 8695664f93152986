"""A decision in lines that people read: the rule, the chain with who is skipped and why, and the numbers that tell whether it pays."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.core.rules.decision import Decision, RuleOptions
from lg_toolroute.core.rules.facts import Cost, ModelFacts
from lg_toolroute.core.rules.handoff import SIZES, Tokens, brief_usd, history_usd, longest_history
from lg_toolroute.core.rules.match import kind_of
from lg_toolroute.rulebook.breakeven import Speeds, Traffic, break_even_s, break_even_usd

CallsOf = Callable[[str], Mapping[str, CallCounts]]
"""How each model, by its spec, did with the calls of a tool."""

_KINDS = {
    "exact": "exact name",
    "prefix": "prefix",
    "glob": "glob",
    "group": "group",
    "tag": "tag",
    "all": "whatever no other rule matches",
}
_MOMENTS = {
    "call": "call: the model writes the arguments of the call",
    "result": "result: the model runs the turn that reads the result",
}


Forcing = Callable[[str, bool], str]
"""How a model is made to call, in words: `(spec, its thinking is to be switched off) -> text`."""


def explain(
    decision: Decision,
    *,
    primary: str | None,
    agent_known: bool,
    facts: Callable[[str], ModelFacts],
    forcing: Forcing | None = None,
    calls_of: CallsOf | None = None,
    speeds: Speeds = Speeds(),  # noqa: B008  # frozen
    traffic: Traffic = Traffic(),  # noqa: B008  # frozen
) -> str:
    """A decision in readable lines.

    Args:
        decision: The decision.
        primary: The model that reasons for this agent.
        agent_known: Whether the decision's agent is configured.
        facts: Gives what is known about a model; its prices are read.
        forcing: Says how a model is made to call.
        calls_of: Gives how each model did with the calls of a tool.
        speeds: What the arithmetic in time assumes.
        traffic: What the arithmetic in money assumes.
    """
    lines = [f"{decision.tool} → {decision.model or 'no model'}", f"  why         {decision.reason}"]
    if not agent_known:
        lines.append(f"  agent       {decision.agent!r} is not configured, so it has the defaults")
    if decision.rule is None:
        lines.append("  rule        none")
    else:
        lines.append(f"  rule        {decision.rule!r} ({_KINDS[kind_of(decision.rule)]}), at {decision.path}")
        lines += [f"  {'moment' if number == 0 else '':<10}  {_MOMENTS[moment]}" for number, moment in enumerate(decision.moments)]
    lines += _chain(decision, primary)
    if calls_of is not None and decision.tool is not None:
        counted = calls_of(decision.tool)
        # An agent's own model, which the middleware has as its primary, stands in no chain.
        models = [model for model in dict.fromkeys((*decision.chain, *counted)) if model in counted]
        calls = [(model, str(counted[model]) if counted[model].calls else "") for model in models]
        for title, said in (("written", calls), ("looked at", [(model, counted[model].looks) for model in models])):
            lines += _titled(title, [f"{model} {decision.tool}: {text}" for model, text in said if text])
    if decision.rule is not None:
        acts = _options(decision.options, decision.candidates) if decision.moments else ()
        lines += [f"  {name:<10}  {text}" for name, text in (*acts, *_look(decision.options))]
        if "call" in decision.moments:
            sent = enumerate(_handoff(decision, primary, facts, traffic))
            lines += [f"  {'handoff' if number == 0 else '':<10}  {line}" for number, line in sent]
        if forcing is not None and "call" in decision.moments:
            off = decision.options.thinking == "off"
            lines += [f"  {'forced' if number == 0 else '':<10}  {spec}: {forcing(spec, off)}" for number, spec in enumerate(decision.candidates)]
        if decision.model is not None and "call" in decision.moments:
            lines += _break_even(primary, decision.model, facts, speeds, traffic)
    return "\n".join(lines)


def _titled(title: str, told: Sequence[str]) -> list[str]:
    return [f"  {'' if number else title:<10}  {line}" for number, line in enumerate(told)]


def _chain(decision: Decision, primary: str | None) -> Iterator[str]:
    why = {skip.model: skip.why for skip in decision.skipped}
    if not decision.chain:
        yield "  chain       empty; under the middleware the agent's own model writes it, elsewhere write model.primary"
    for number, model in enumerate(decision.chain, 1):
        notes = [note for note in ("the primary" if model == primary else "", f"skipped: {why[model]}" if model in why else "") if note]
        yield f"  {'chain' if number == 1 else '':<10}  {number}. {model}" + (f"   ({'; '.join(notes)})" if notes else "")


def _options(options: RuleOptions, candidates: Collection[str]) -> Iterator[tuple[str, str]]:
    if options.boundary:
        yield "boundary", "fallbacks: [] — the call is never sent to any other model"
    if options.on_intercept == "drain":
        yield "intercept", "drain: the primary's whole message is read" + (", its arguments are a draft" if options.handoff == "draft" else "")
    else:
        yield "intercept", f"cut: the primary's stream is closed {_place(options)}"
    if options.stream_args == "live":
        yield "arguments", "shown as they come, so no other candidate can take over once the first piece is out"
    if options.escalate is not None:
        target = options.escalate.to or "the next candidate"
        yield "escalate", f"after {options.escalate.after} failed results in a row, to {target}"
    if options.params:
        yield "params", ", ".join(f"{name}={value!r}" for name, value in options.params.items())
    if options.thinking == "off":
        yield "thinking", "off while the call is written, where the model's provider lets that be switched"
    for spec, form in ((spec, form) for spec, form in options.forms.items() if spec in candidates):
        yield "form", f"{spec} is shown the tool as {form!r}, and its calls land in the tool's own form"
    if options.refusal_falls_back:
        yield "refusal", "goes to the next candidate"


def _look(options: RuleOptions) -> Iterator[tuple[str, str]]:
    if options.look is not None:
        whose = "" if options.look is True else f" by {options.look!r}"
        yield "look", f"a finished call is looked at{whose} before it lands; its model may mend it once, then it stands"


def _place(options: RuleOptions) -> str:
    """Where the stream is closed, in words."""
    if isinstance(options.cut_at, tuple):
        return f"where {' or '.join(options.cut_at)} begins; the arguments before it stay"
    if options.cut_at == "argument":
        return "where the first long argument begins; the arguments before it stay"
    if options.cut_at is None and options.handoff in ("auto", "brief") and options.stream_args != "live":
        return "at the tool's name, or, where a brief may show its file, at the first long argument"
    return "at the tool's name"


def _handoff(decision: Decision, primary: str | None, facts: Callable[[str], ModelFacts], traffic: Traffic) -> Iterator[str]:
    """What each candidate is sent, and from which length of the history on a brief costs less."""
    options, mode, size = decision.options, decision.options.handoff, decision.options.brief
    if mode in ("full", "draft"):
        yield {"full": "full: the whole history", "draft": "draft: the whole history, and the primary's own arguments"}[mode]
        return
    if mode == "brief":
        held = "of the size that the call needs" if size is None else f"of {size:,} tokens" if isinstance(size, int) else repr(size)
        if isinstance(size, str) and size not in SIZES:
            yield f"brief {held}: what that function returns; the whole history where it returns none"
        elif options.on_intercept == "cut" and (options.cut_at == "name" or options.stream_args == "live"):
            yield f"brief {held}: what the call needs of the thread; an edit that is cut at its name does not tell its file: the whole history"
        elif options.boundary:
            yield f"brief {held}: what the call needs of the thread; the whole history where the file to be edited is not known"
        else:
            yield f"brief {held}: what the call needs of the thread; where the file to be edited is not known, the primary's own call stands"
        return
    cost_of_primary = None if primary is None else facts(primary).cost
    for spec in decision.candidates:
        if spec == primary:
            yield f"auto: {spec}: the whole history, which its cache holds while it reasons"
            continue
        cost = facts(spec).cost or Cost()
        cold, warm = (longest_history(cost, cost_of_primary, share) for share in (0.0, traffic.cached_share))
        if cold is None or warm is None:
            yield f"auto: {spec}: a brief where the call names a file that is known, else the whole history; no price is configured for it"
            continue
        brief = Tokens(traffic.input_tokens, round(traffic.cached_share * traffic.input_tokens))
        sums = f"{brief.brief:,} tokens ${brief_usd(brief, cost):.4f}; {traffic} ${history_usd(brief, cost):.4f}"
        above = f"about {_round(cold)} tokens ({_round(warm)} where its cache holds {traffic.cached_share:.0%})"
        yield f"auto: {spec}: a brief where the call names a file that is known and the history is above {above}; {sums}"


def _break_even(primary: str | None, routed: str, facts: Callable[[str], ModelFacts], speeds: Speeds, traffic: Traffic) -> Iterator[str]:
    if routed == primary:
        yield "  pays        the primary writes it itself: nothing is saved and nothing is spent"
        return
    least = break_even_s(speeds)
    if least is None:
        yield f"  time        never saved: the routed model is no faster ({speeds})"
    else:
        yield f"  time        saved above about {_round(least)} tokens of arguments, lost below ({speeds})"
    if primary is None:
        yield "  money       unknown: no primary is configured"
        return
    costs = {model: facts(model).cost or Cost() for model in (primary, routed)}
    money = break_even_usd(costs[primary], costs[routed], traffic)
    if money is None:
        missing = [model for model, cost in costs.items() if cost.output is None] or [routed]
        yield f"  money       unknown: no prices for {' and '.join(missing)} (models.providers.<id>.models[].cost)"
    elif math.isinf(money):
        yield f"  money       never saved: the routed model's output costs no less ({traffic})"
    else:
        yield f"  money       saved above about {_round(money)} tokens of arguments, lost below ({traffic})"


def _round(tokens: float) -> str:
    if math.isinf(tokens):
        return "any number of"
    return f"{round(tokens, -1):,.0f}" if tokens >= 20 else f"{math.ceil(tokens)}"
