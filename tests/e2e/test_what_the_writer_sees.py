"""`docs/what_the_writer_sees.md` is true: its brief is the one that is sent, its examples run, and print what the page says."""

from __future__ import annotations

import contextlib
import io
import re

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from lg_toolroute.testing import Call, FaultServer, Say
from tests.support.briefed import PRIMARY, WRITER, Bench
from tests.support.documented import DOCS, check_table

PAGE = "what_the_writer_sees.md"
TEXT = '''\
def overtime(hours, limit=40):
    """Hours above the limit."""
    return hours - limit


def pay(hours, rate):
    return hours * rate + overtime(hours) * rate / 2
'''
FIXED = {"old": "    return hours - limit\n", "new": "    return max(hours - limit, 0)\n"}


def step(number: int, name: str, result: str, words: str = "", **arguments: str) -> list[BaseMessage]:
    call = {"name": name, "args": arguments, "id": f"call_{number}"}
    return [AIMessage(words, tool_calls=[call], id=f"a{number}"), ToolMessage(result, tool_call_id=f"call_{number}", name=name, id=f"r{number}")]


THREAD = [
    HumanMessage("Ann worked 30 hours and was paid for 25. Can you see why?", id="q1"),
    *step(1, "read", TEXT, path="pay.py"),
    AIMessage("Overtime is negative below 40 hours. Shall I fix that?", id="a2"),
    HumanMessage("Yes, please.", id="q2"),
    *step(3, "web_search", "tests/test_pay.py: pay.py is called with 30 hours", "First, who relies on it?", query="pay.py"),
    *step(4, "edit", "Error: old text not found", "Nothing does.", path="pay.py", old="return hours-limit", new="return max(hours - limit, 0)"),
]


def test_the_brief_of_the_page_is_the_one_that_is_sent():
    wish = Say("Once more, with the text as it stands in the file.", [Call("edit", {"path": "pay.py", "old": "x " * 200, "new": "y"})], chunks=3)
    answer = Say(calls=[Call("edit", {"path": "pay.py", **FIXED})])
    with FaultServer({PRIMARY: [wish, Say("Done.")], WRITER: [answer]}) as server:
        bench = Bench(server, rule={"handoff": {"brief": "mid"}})
        bench.folder.files = {"pay.py": TEXT}
        bench.run(messages=THREAD)
    assert "max(hours - limit, 0)" in bench.folder.files["pay.py"]
    (request,) = bench.asked(WRITER)
    told = [f"{message['role']}:\n{message['content']}" for message in request.messages]
    check_table(PAGE, "brief", "~~~text\n" + "\n\n".join(told) + "\n~~~")


def test_the_examples_print_what_the_page_says():
    text = (DOCS / PAGE).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", text, re.DOTALL)
    assert len(blocks) == 4
    for code, output in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, f"docs/{PAGE}", "exec"), {})
        assert printed.getvalue() == output
