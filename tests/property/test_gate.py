"""Laws of the gates: whatever chunk boundaries a provider picks, the message is the same, and nothing of a dropped call is shown."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from lg_toolroute.gates.chunks import generation, merged
from lg_toolroute.gates.gate import gated
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.writing import WriteGate
from tests.support.sampling import examples

TOOLS = ("edit", "edit_file", "read", "write", "ed")
SECRET = "the-dropped-call"

names = st.sampled_from(TOOLS)
arguments = st.dictionaries(st.sampled_from(["path", "old", "new"]), st.text(max_size=12), max_size=3)
calls = st.lists(st.tuples(names, arguments), max_size=4)
texts = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=30)


class Replay(BaseChatModel):
    """Streams the chunks it was given; the source of the gate under test."""

    chunks: list[AIMessageChunk]
    pulled: list[int] = []

    @property
    def _llm_type(self) -> str:
        return "replay"

    def _generate(self, messages: list[BaseMessage], stop=None, run_manager=None, **kwargs) -> ChatResult:
        raise AssertionError("this model streams")

    def _stream(self, messages: list[BaseMessage], stop=None, run_manager=None, **kwargs) -> Iterator[ChatGenerationChunk]:
        for number, chunk in enumerate(self.chunks):
            self.pulled.append(number)
            yield generation(chunk.model_copy(deep=True))


def pieces(data: st.DataObject, text: str) -> list[str]:
    """`text`, cut at places that the test engine picks."""
    places = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6))) if text else []
    bounds = [0, *places, len(text)]
    return [text[a:b] for a, b in itertools.pairwise(bounds) if a != b]


def openai_chunks(data: st.DataObject, text: str, wanted: list[tuple[str, dict[str, str]]]) -> list[AIMessageChunk]:
    chunks = [AIMessageChunk(content=piece) for piece in pieces(data, text)]
    for index, (name, args) in enumerate(wanted):
        parts = pieces(data, name)
        chunks.append(chunk(index, name=parts[0], id=f"call_{index}"))
        chunks.extend(chunk(index, name=part) for part in parts[1:])
        chunks.extend(chunk(index, args=part) for part in pieces(data, json.dumps(args)))
    chunks.append(AIMessageChunk(content="", response_metadata={"finish_reason": "tool_calls", "model_name": "replay"}))
    return chunks


def anthropic_chunks(data: st.DataObject, text: str, wanted: list[tuple[str, dict[str, str]]]) -> list[AIMessageChunk]:
    first = 1 if text else 0
    chunks = [AIMessageChunk(content=[{"type": "text", "text": piece, "index": 0}]) for piece in pieces(data, text)]
    for number, (name, args) in enumerate(wanted):
        index = first + number
        block = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}, "index": index}
        start = tool_call_chunk(name=name, args="", id=f"toolu_{number}", index=index)
        chunks.append(AIMessageChunk(content=[block], tool_call_chunks=[start]))
        for part in pieces(data, json.dumps(args)):
            delta = {"type": "input_json_delta", "partial_json": part, "index": index}
            chunks.append(AIMessageChunk(content=[delta], tool_call_chunks=[tool_call_chunk(args=part, index=index)]))
    chunks.append(AIMessageChunk(content="", response_metadata={"stop_reason": "tool_use", "model_name": "replay"}))
    return chunks


def chunk(index: int, *, name: str | None = None, id: str | None = None, args: str | None = None) -> AIMessageChunk:
    return AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(name=name, args=args, id=id, index=index)])


def run(chunks: list[AIMessageChunk], gates: dict[str, str]) -> tuple[ReasonGate, list[AIMessageChunk], int]:
    numbers = itertools.count()
    gate = ReasonGate("lc_run--1", model="a/b", gates=gates, bound=TOOLS, new_id=lambda: f"ours_{next(numbers)}")
    source = Replay(chunks=chunks, pulled=[])
    shown = [part.message for part in gated(source, gate)._stream([])]
    return gate, shown, len(source.pulled)


def expected(
    text: str, wanted: list[tuple[str, dict[str, str]]], gates: dict[str, str]
) -> tuple[list[tuple[str, dict[str, str]]], list[tuple[int, str]]]:
    """The kept calls and the routed ones, by the rule of the books: cut at the first routed call, or drain the whole message."""
    routed = [(slot, name) for slot, (name, _) in enumerate(wanted) if name in gates]
    if routed and gates[routed[0][1]] == "cut":
        return wanted[: routed[0][0]], routed[:1]
    return [call for call in wanted if call[0] not in gates], routed


def landed(shown: list[AIMessageChunk]) -> AIMessageChunk:
    whole = merged(generation(part) for part in shown)
    assert whole is not None
    return whole


@settings(max_examples=examples(300), deadline=None)
@given(data=st.data(), text=texts, wanted=calls, routed=st.dictionaries(names, st.sampled_from(["cut", "drain"]), max_size=3), dialect=st.booleans())
def test_any_chunking_lands_the_same_message_and_shows_nothing_of_a_dropped_call(data, text, wanted, routed, dialect):
    """Twice the same message in different chunks, in both dialects; what is kept, routed and shown follows from the message alone."""
    modes = set(routed.values())
    gates = dict.fromkeys(routed, "drain") if "drain" in modes else routed
    dropped = [(name, {**args, "marker": SECRET}) if name in gates else (name, args) for name, args in wanted]
    make = anthropic_chunks if dialect else openai_chunks
    if not text and not wanted:
        return
    kept, cut_at = expected(text, dropped, gates)
    for _ in range(2):
        gate, shown, _pulled = run(make(data, text, dropped), gates)
        whole = landed(shown)
        assert whole.text == text
        announced = {call.call_id for call in gate.routed if call.announced}
        assert announced == ({call.call_id for call in gate.routed} if "drain" in gates.values() else set())
        in_order = [(call["name"], call["args"] if call["id"] not in announced else None) for call in whole.tool_calls]
        assert [call for call in in_order if call[1] is not None] == kept
        if announced:
            assert [name for name, _ in in_order] == [name for name, _ in dropped]
        assert [(call.slot, call.tool) for call in gate.routed] == cut_at
        assert SECRET not in "".join(part.model_dump_json() for part in shown)
        assert {part.id for part in shown} == {"lc_run--1"}
        assert [part.chunk_position for part in shown].count("last") == 1
        assert shown[-1].chunk_position == "last"


@settings(max_examples=100, deadline=None)
@given(data=st.data(), text=texts, args=arguments)
def test_a_cut_stream_is_left_within_two_chunks_of_the_end_of_the_name(data, text, args):
    """The name is known when its last piece is there, or, if another tool's name begins like it, when the arguments begin."""
    chunks = openai_chunks(data, text, [("edit", {**args, "rest": "x" * 50}), ("read", {})])
    name_ends = max(
        i for i, part in enumerate(chunks) if part.tool_call_chunks and part.tool_call_chunks[0]["name"] and part.tool_call_chunks[0]["index"] == 0
    )
    gate, _shown, pulled = run(chunks, {"edit": "cut"})
    assert gate.hit == "edit"
    assert pulled <= name_ends + 1 + 2


@settings(max_examples=150, deadline=None)
@given(data=st.data(), args=arguments, text=texts, dialect=st.booleans(), announced=st.booleans(), extra=st.booleans())
def test_a_written_call_is_the_same_for_any_chunking_and_nothing_else_of_the_answer_is_shown(data, args, text, dialect, announced, extra):
    wanted = [("read", {"path": SECRET}), ("edit", args)] if extra else [("edit", args)]
    make = anthropic_chunks if dialect else openai_chunks
    chunks = make(data, text + SECRET, wanted)
    gate = WriteGate(
        "lc_run--1",
        model="c/d",
        tools=("edit",),
        call_ids=("call_ours",),
        slots=(3,),
        exact=False,
        schemas={},
        announced=int(announced),
        new_id=lambda: "call_more",
    )
    shown = [part.message for part in gated(Replay(chunks=chunks, pulled=[]), gate)._stream([])]
    whole = landed(shown)
    if announced:
        head = AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(name="edit", args="", id="call_ours", index=3)], id="lc_run--1")
        whole = head + whole
    assert [(call["name"], call["args"], call["id"]) for call in whole.tool_calls] == [("edit", args, "call_ours")]
    assert whole.text == ""
    assert SECRET not in "".join(part.model_dump_json() for part in shown)
    assert gate.accepted == [(3, "call_ours", "edit", json.dumps(args))]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), text=st.text(min_size=1, max_size=20), args=arguments, where=st.integers(0, 60))
def test_a_stream_that_dies_shows_its_text_but_never_a_torn_call(data, text, args, where):
    """Death at any chunk: what was shown is a prefix of the text; a call is there only if the answer was whole."""
    chunks = openai_chunks(data, text, [("read", {**args, "path": "p"})])
    where = min(where, len(chunks))

    class Dying(Replay):
        def _stream(self, messages, stop=None, run_manager=None, **kwargs):
            for number, part in enumerate(self.chunks):
                if number == where:
                    raise ConnectionError("reset by peer")
                yield generation(part.model_copy(deep=True))
            if where == len(self.chunks):
                raise ConnectionError("reset by peer")

    gate = ReasonGate("lc_run--1", model="a/b", gates={}, bound=TOOLS)
    shown: list[AIMessageChunk] = []
    raised = False
    try:
        for part in gated(Dying(chunks=chunks), gate)._stream([]):
            shown.append(part.message)
    except ConnectionError:
        raised = True
    whole = merged(generation(part) for part in shown)
    said = whole.text if whole is not None else ""
    assert text.startswith(said)
    if where == len(chunks):
        assert [call["name"] for call in whole.tool_calls] == ["read"]
        assert gate.error is None
    else:
        assert whole is None or whole.tool_calls == []
        assert raised == (said == "")
        assert (gate.error is not None) == (said != "")
