"""A decision in readable lines."""

from lg_toolroute.config import load_config
from lg_toolroute.rulebook.book import compile_config
from lg_toolroute.rulebook.breakeven import Speeds
from lg_toolroute.rulebook.explain import explain

PRICES = {
    "providers": {
        "p": {"models": [{"id": "primary", "cost": {"input": 3, "output": 15, "cacheRead": 0.3}}]},
        "r": {"models": [{"id": "editor", "cost": {"input": 0.25, "output": 1.25, "cacheRead": 0.025}}]},
    }
}
BASE = {"model": {"primary": "p/primary", "fallbacks": ["ollama/gpt-oss:20b"]}, "toolRouting": {"edit": "r/editor"}}


def text(tool="edit", agent=None, **more):
    return compile_config(load_config({**BASE, **more})).explain(tool, agent=agent)


def test_the_whole_decision_is_shown():
    assert text(models=PRICES, tools={"byProvider": {"ollama": {"deny": ["edit"]}}}) == (
        "edit → r/editor\n"
        "  why         the rule 'edit' is for 'edit': r/editor writes its call\n"
        "  rule        'edit' (exact name), at toolRouting.edit\n"
        "  moment      call: the model writes the arguments of the call\n"
        "  chain       1. r/editor\n"
        "              2. ollama/gpt-oss:20b   (skipped: may not use 'edit' (tools.byProvider.ollama.deny))\n"
        "              3. p/primary   (the primary)\n"
        "  intercept   cut: the primary's stream is closed at the tool's name, or, where a brief may show its file, at the first long argument\n"
        "  handoff     auto: r/editor: a brief where the call names a file that is known and the history is above about 4,050 tokens "
        "(21,320 where its cache holds 90%); 3,000 tokens $0.0008; 8,000 tokens of history, 90% of them in the provider's cache $0.0004\n"
        "              auto: p/primary: the whole history, which its cache holds while it reasons\n"
        "  time        saved above about 170 tokens of arguments, lost below "
        "(primary 60 tokens/s, routed model 80 tokens/s, 0.6 s to its first token, 0.1 s to hand over)\n"
        "  money       saved above about 30 tokens of arguments, lost below (8,000 tokens of history, 90% of them in the provider's cache)"
    )


def test_a_tool_without_a_rule_has_no_numbers():
    assert text("read") == (
        "read → p/primary\n"
        "  why         no rule is for 'read': p/primary writes its call itself\n"
        "  rule        none\n"
        "  chain       1. p/primary   (the primary)\n"
        "              2. ollama/gpt-oss:20b"
    )


def test_an_unknown_agent_and_missing_prices_are_said():
    shown = text(agent="nobody")
    assert "'nobody' is not configured, so it has the defaults" in shown
    assert "unknown: no prices for p/primary and r/editor" in shown


def test_every_option_that_was_set_is_shown():
    rule = {
        "model": "r/editor",
        "fallbacks": [],
        "handoff": "draft",
        "streamArgs": "live",
        "escalate": {"after": 3},
        "params": {"temperature": 0},
        "moments": ["call", "result"],
        "refusalFallsBack": True,
    }
    shown = text(toolRouting={"e*": rule})
    for part in (
        "'e*' (prefix), at toolRouting['e*']",
        "result: the model runs the turn that reads the result",
        "never sent to any other model",
        "drain: the primary's whole message is read, its arguments are a draft",
        "shown as they come",
        "after 3 failed results in a row",
        "temperature=0",
        "goes to the next candidate",
    ):
        assert part in shown
    upwards = {"model": "r/editor", "escalate": {"after": 3, "to": "e/e"}}
    assert "after 3 failed results in a row, to e/e" in text(toolRouting={"e*": upwards})


def test_what_the_candidates_are_sent_is_said_for_each_kind_of_handoff():
    said = {
        "auto": "auto: r/editor: a brief where the call names a file that is known, else the whole history; no price is configured for it",
        "full": "full: the whole history",
        "text": "full: the whole history",
        "brief": "brief of the size that the call needs: what the call needs of the thread",
    }
    for handoff, expected in said.items():
        assert f"handoff     {expected}" in text(toolRouting={"edit": {"model": "r/editor", "handoff": handoff}})
    for size, expected in (("mid", "'mid'"), (4_000, "of 4,000 tokens")):
        assert f"handoff     brief {expected}: " in text(toolRouting={"edit": {"model": "r/editor", "handoff": {"brief": size}}})
    assert "handoff" not in text(toolRouting={"edit": {"model": "r/editor", "moments": ["result"]}})


def test_what_becomes_of_an_edit_whose_file_is_not_known_is_said_as_it_happens():
    said = {
        "where the file to be edited is not known, the primary's own call stands": {"handoff": "brief"},
        "the whole history where the file to be edited is not known": {"handoff": "brief", "fallbacks": []},
        "an edit that is cut at its name does not tell its file: the whole history": {"handoff": "brief", "cutAt": "name"},
        "what that function returns; the whole history where it returns none": {"handoff": {"brief": "tables"}},
    }
    for expected, rule in said.items():
        assert expected in text(toolRouting={"edit": {"model": "r/editor", **rule}})


def test_a_rule_that_cannot_pay_says_so():
    book = compile_config(load_config(BASE))
    slow = explain(book.decide("edit"), primary="p/primary", agent_known=True, facts=book.facts, speeds=Speeds(80, 60))
    assert "never saved: the routed model is no faster" in slow
    assert "the primary writes it itself" in text(tools={"byModel": {"r/*": {"deny": ["edit"]}, "ollama/*": {"deny": ["edit"]}}})
    cost = {"input": 1, "output": 2}
    same = {"providers": {name: {"models": [{"id": model, "cost": cost}]} for name, model in (("p", "primary"), ("r", "editor"))}}
    assert "never saved: the routed model's output costs no less" in text(models=same)


def test_no_model_is_named_when_none_may_use_the_tool():
    assert text(tools={"deny": ["edit"]}).startswith("edit → no model\n")
