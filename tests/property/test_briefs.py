"""Laws of briefs: they fit their budget, hold nothing that only a provider reads, and change nothing of the thread they are made of."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from lg_toolroute.briefs.built_in import built_in
from lg_toolroute.briefs.known import known_files
from lg_toolroute.briefs.request import BriefRequest, PlannedCall
from lg_toolroute.core.rules.handoff import LEAST_BRIEF, SIZES
from lg_toolroute.files.tools import file_tool
from tests.support.sampling import examples

TOOLS = {
    name: tool
    for name, arguments in {"read": ("path",), "edit": ("path", "old", "new"), "write": ("path", "text")}.items()
    if (tool := file_tool(name, arguments)) is not None
}
PRIVATE = "SIGNATURE"
names = st.sampled_from(["a.py", "src/a.py", "b.py"])

texts = st.one_of(
    st.text(alphabet="ab \n\r\té", max_size=80),
    st.integers(1, 50).map(lambda count: "\n".join(f"row {number}" for number in range(count))),
    st.just("x" * 700),
)
opaque: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": PRIVATE, "signature": PRIVATE},
    {"type": "reasoning", "id": "rs_1", "encrypted_content": PRIVATE},
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PRIVATE}"}},
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": PRIVATE}},
]


@st.composite
def threads(draw: st.DrawFn) -> list[BaseMessage]:
    """Threads as they come: with calls that failed or have no result, summaries, private blocks."""
    thread: list[BaseMessage] = []
    for number in range(draw(st.integers(0, 7))):
        words = draw(texts)
        match draw(st.sampled_from(["human", "system", "ai", "call", "torn"])):
            case "human":
                thread.append(HumanMessage([{"type": "text", "text": words}, opaque[2]] if draw(st.booleans()) else words))
            case "system":
                thread.append(SystemMessage(words))
            case "ai":
                thread.append(
                    AIMessage([draw(st.sampled_from(opaque)), {"type": "text", "text": words}], additional_kwargs={"reasoning_content": PRIVATE})
                )
            case kind:
                name = draw(st.sampled_from(["read", "edit", "write", "bash"]))
                args = {"path": draw(names), "old": draw(texts), "new": draw(texts), "text": draw(texts), "command": draw(names)}
                thread.append(AIMessage(words, tool_calls=[{"name": name, "args": args, "id": f"c{number}"}]))
                if kind == "call":
                    status = draw(st.sampled_from(["success", "error"]))
                    thread.append(ToolMessage(draw(texts), tool_call_id=f"c{number}", name=name, status=status))  # type: ignore[arg-type]
    return thread


@given(thread=threads(), size=st.sampled_from(SIZES), budget=st.none() | st.integers(LEAST_BRIEF, 20_000), name=names)
@settings(max_examples=examples(60), deadline=None)
def test_a_brief_fits_its_budget_and_is_plain_words_of_a_thread_that_stays_as_it_is(
    thread: list[BaseMessage], size: str, budget: int | None, name: str
) -> None:
    before = [message.model_copy(deep=True) for message in thread]
    call = PlannedCall("edit", None, {"path": name}, known_files(thread, TOOLS).of(name))
    request = BriefRequest(thread, (call,), budget)
    made = built_in(request, size, TOOLS)
    assert budget is None or made.tokens <= budget
    assert [type(message.content) for message in made.messages] == [str, str]
    assert PRIVATE not in str(made.messages)
    assert thread == before
    assert built_in(request, size, TOOLS) == made
