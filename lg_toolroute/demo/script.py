"""The demo's scripted models. Each is a function from a request to an answer: it reads what it is sent and knows nothing else.

| model | reasons | writes `edit` |
|---|---|---|
| primary | finds the bugs from the test output | from memory, so the old text does not match |
| editor | is not asked to | copies the old text exactly |
| local | as the primary does, and tries web tools that it does not have | from memory |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lg_toolroute.demo.repairs import Hand, Repair, careless_hand, edit_arguments, exact_hand, meant, mended, open_repairs
from lg_toolroute.demo.transcript import Transcript
from lg_toolroute.testing import Call, Say

CHUNK = 4
"""Characters a chunk: about a token."""


def primary(request: Mapping[str, Any]) -> Say:
    """The model that reasons well and copies badly."""
    seen = Transcript.of(request)
    return _write(seen, careless_hand) if seen.forced else _reason(seen, careless_hand)


def editor(request: Mapping[str, Any]) -> Say:
    """The model that copies well."""
    return _write(Transcript.of(request), exact_hand)


def local(request: Mapping[str, Any]) -> Say:
    """The small model that takes over; it calls `web_fetch` also when it was not given it."""
    seen = Transcript.of(request)
    return _write(seen, careless_hand) if seen.forced else _reason(seen, careless_hand, invents_tools=True)


def _say(text: str, *calls: Call) -> Say:
    return Say(text, list(calls), chunks=CHUNK)


def _reason(seen: Transcript, hand: Hand, *, invents_tools: bool = False) -> Say:
    pages = [result for result in seen.of_tool("web_fetch") if result.turn == seen.turn]
    link = re.search(r"https?://\S+[\w/]", seen.task)
    runs = seen.of_tool("run_tests")
    wants_page = link is not None and not pages and ("web_fetch" in seen.tools or invents_tools)
    if link is not None and wants_page and (runs or seen.turn > 1):
        return _say("The rules are on that page; I look them up.", Call("web_fetch", {"url": link[0]}))
    if not runs:
        return _say("Let me see what fails.", Call("run_tests"))
    if runs[-1].text.startswith("GREEN"):
        return _say(_report(seen, pages[-1].text if pages else ""))
    repairs = open_repairs(runs[-1].text)
    edits = [result for result in seen.since("run_tests") if result.tool == "edit"]
    done = {result.path for result in edits if mended(result.text)}
    left = [repair for repair in repairs if repair.path not in done]
    if not repairs:
        return _say("The tests fail in a way I have no explanation for.")
    unread = [repair.path for repair in left if not seen.of_tool("read", repair.path)]
    if unread:
        excuse = "The page is not open to me, so I go by the code. " if pages and "not available" in pages[-1].text else ""
        return _say(f"{excuse}The traces lead to {' and '.join(unread)}.", *(Call("read", {"path": path}) for path in unread))
    if not left:
        return _say("Now the tests again.", Call("run_tests"))
    return _mend(seen, left[0], hand)


def _mend(seen: Transcript, repair: Repair, hand: Hand) -> Say:
    failed = [result for result in seen.since("read", repair.path) if result.tool == "edit" and result.path == repair.path]
    if len(failed) >= 2:
        return _say("The text does not match. I read the file again.", Call("read", {"path": repair.path}))
    arguments = edit_arguments(repair, seen, hand)
    if arguments is None:
        return _say(f"I cannot find `{repair.function}` in {repair.path}.")
    words = repair.why if not seen.of_tool("edit", repair.path) else f"The old text was not found. I write the edit of `{repair.function}` again."
    return _say(words, Call("edit", arguments))


def _write(seen: Transcript, hand: Hand) -> Say:
    repair = meant(seen.words)
    arguments = edit_arguments(repair, seen, hand) if repair is not None and seen.forced == "edit" else None
    return _say("I do not see what is to be edited.") if arguments is None else _say("", Call("edit", arguments))


def _report(seen: Transcript, page: str) -> str:
    rule = re.search(r"Overtime is counted (by the \w+)", page)
    if rule is not None:
        return f"The page says that overtime is counted {rule[1]}, in however many shifts. That is what `pay` does now."
    count = re.search(r"(\d+) run", seen.of_tool("run_tests")[-1].text)
    files = dict.fromkeys(result.path for result in seen.of_tool("edit") if mended(result.text))
    return f"All {count[1] if count else ''} tests pass. I changed {' and '.join(files) or 'nothing'}."
