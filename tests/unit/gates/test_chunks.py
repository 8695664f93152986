"""Taking chunks apart: what is text, what belongs to which call, what a consumer would see."""

from __future__ import annotations

import pytest
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from lg_toolroute.gates.chunks import (
    added_up,
    as_chunk,
    blocks_of_pieces,
    call_chunk,
    generation,
    has_content,
    highest_block,
    is_call_block,
    merged,
    own_chunk,
    shift_blocks,
    split_at_calls,
)


def test_a_whole_message_is_the_one_chunk_of_its_stream():
    message = AIMessage(
        content="hi",
        tool_calls=[{"name": "edit", "args": {"path": "ü"}, "id": "1", "type": "tool_call"}],
        invalid_tool_calls=[invalid_tool_call(name="write", args='{"a', id="2", error="no")],
        additional_kwargs={"tool_calls": ["raw"], "reasoning_content": "hm"},
        response_metadata={"finish_reason": "stop"},
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
        id="own",
        name="agent",
    )
    chunk = as_chunk(message)
    assert [(piece["name"], piece["args"], piece["id"], piece["index"]) for piece in chunk.tool_call_chunks] == [
        ("edit", '{"path": "\\u00fc"}', "1", 0),
        ("write", '{"a', "2", 1),
    ]
    assert chunk.tool_calls[0]["args"] == {"path": "ü"}
    assert chunk.additional_kwargs == {"reasoning_content": "hm"}
    assert (chunk.content, chunk.id, chunk.name, chunk.usage_metadata) == ("hi", "own", "agent", message.usage_metadata)
    assert as_chunk(chunk) is chunk


@pytest.mark.parametrize("kind", ["tool_use", "input_json_delta", "tool_call", "tool_call_chunk", "function_call", "custom_tool_call"])
def test_content_is_split_at_the_blocks_of_calls(kind: str):
    text, call, other = {"type": "text", "text": "a"}, {"type": kind, "id": "1"}, {"type": kind, "id": "2"}
    assert split_at_calls([text, call, "b", other]) == ([text], [call, other], ["b"])
    assert split_at_calls([text, "b"]) == ([text, "b"], [], [])
    assert split_at_calls("a") == ("a", [], [])


@pytest.mark.parametrize("kind", ["server_tool_use", "web_search_tool_result", "web_search_call", "thinking", "reasoning"])
def test_blocks_of_server_side_tools_are_content(kind: str):
    assert not is_call_block({"type": kind})


def test_a_string_is_no_call_block():
    assert not is_call_block("tool_use")


def piece(**values):
    return tool_call_chunk(**{"name": None, "args": None, "id": None, "index": None, **values})


def test_a_block_belongs_to_the_piece_of_its_id_else_of_its_index_else_of_its_position():
    blocks = [{"type": "tool_use", "id": "b"}, {"type": "tool_use", "index": 4}, {"type": "function_call", "call_id": "c"}]
    pieces = [piece(id="c"), piece(id="b"), piece(index=4)]
    assert blocks_of_pieces(blocks, pieces) == [[blocks[2]], [blocks[0]], [blocks[1]]]
    nameless = [{"type": "tool_use"}, {"type": "tool_use"}, {"type": "tool_use"}]
    assert [len(dealt) for dealt in blocks_of_pieces(nameless, [piece(), piece()])] == [1, 2]


@pytest.mark.parametrize(
    ("content", "shows"),
    [
        ("", False),
        ("a", True),
        ([], False),
        ([""], False),
        (["a"], True),
        ([{"type": "text", "text": "", "index": 0, "id": "msg_1"}], False),
        ([{"type": "text", "text": "a", "index": 0}], True),
        ([{"type": "thinking", "thinking": "", "signature": "x"}], True),
        ([{"type": "server_tool_use", "name": "web_search"}], True),
    ],
)
def test_empty_text_is_no_content(content, shows):
    assert has_content(content) == shows


def test_block_indices_of_a_later_segment_follow_those_of_an_earlier_one():
    content = ["a", {"type": "text", "index": 1}, {"type": "text", "index": "lc_txt_0"}, {"type": "text"}]
    assert shift_blocks(content, 3) == ["a", {"type": "text", "index": 4}, {"type": "text", "index": "lc_txt_0"}, {"type": "text"}]
    assert shift_blocks(content, 0) is content
    assert shift_blocks("a", 3) == "a"
    assert content[1] == {"type": "text", "index": 1}
    assert [highest_block(each) for each in (content, "a", [], [{"index": 7}, {"index": 2}])] == [1, -1, -1, 7]


def test_chunks_are_added_up():
    chunks = [generation(AIMessageChunk(content=text)) for text in ("a", "b", "c")]
    whole = merged(chunks)
    assert whole is not None
    assert whole.content == "abc"
    assert merged([]) is None
    assert merged(chunks[:1]) is chunks[0].message


# -- what is made without LangChain's checks is what LangChain makes -----------------------------------------------------------------------


@pytest.mark.parametrize("args", ["", "{}", '{"path": "a.py", "line": 7}', '{"path": "a', "[1]", "  ", "nonsense", '{"x": NaN}'])
@pytest.mark.parametrize("block", [None, 2])
def test_a_chunk_of_a_call_is_what_langchain_makes_of_the_same_values(args: str, block: int | None) -> None:
    made = call_chunk("m", name="edit", args=args, call_id="call_1", slot=1, block=block, provider="anthropic")
    checked = AIMessageChunk(content=made.content, tool_call_chunks=made.tool_call_chunks, response_metadata=made.response_metadata, id="m")
    assert made == checked


def test_no_two_chunks_of_a_gate_share_what_a_consumer_may_change() -> None:
    first, second = (own_chunk("m", chunk_position="last") for _ in range(2))
    first.response_metadata["mine"] = first.additional_kwargs["mine"] = True
    first.tool_calls.append(tool_call(name="edit", args={}, id=None))
    assert second == AIMessageChunk(content="", id="m", chunk_position="last")


USAGE = UsageMetadata(input_tokens=3, output_tokens=4, total_tokens=7, output_token_details={"reasoning": 2})


@pytest.mark.parametrize(
    "chunks",
    [
        [own_chunk("m", chunk_position="last")],
        [AIMessageChunk(content="Let ", id="m", response_metadata={"model_provider": "openai"}), AIMessageChunk(content="me.", id="m")],
        [
            AIMessageChunk(content="Look.", id="m", additional_kwargs={"reasoning_content": "a"}, response_metadata={"model_provider": "openai"}),
            AIMessageChunk(content="", id="m", additional_kwargs={"reasoning_content": "b"}, response_metadata={"model_provider": "openai"}),
            call_chunk("m", name="edit", args='{"path": "a.py"}', call_id="c1", slot=0),
            call_chunk("m", name="read", args='{"pa', call_id="c2", slot=1),
            call_chunk("m", name="read", args="[]", call_id="c3", slot=2),
            own_chunk("m", chunk_position="last", usage_metadata=USAGE, response_metadata={"model_name": "kimi", "model_provider": "openai"}),
        ],
        [
            own_chunk("m", usage_metadata=USAGE),
            call_chunk("m", name="edit", args='{"path": ', call_id="c1", slot=0),
            call_chunk("m", name=None, args='"a.py"}', call_id=None, slot=0),
            own_chunk("m", chunk_position="last", usage_metadata=USAGE),
        ],
        [
            AIMessageChunk(content=[{"type": "text", "text": "Look.", "index": 0}], id="m"),
            call_chunk("m", name="edit", args="{}", call_id="c1", slot=0, block=1, provider="anthropic"),
            own_chunk("m", chunk_position="last"),
        ],
    ],
    ids=["nothing", "words", "whole calls", "a call in pieces", "blocks"],
)
def test_chunks_add_up_to_what_langchain_makes_of_them(chunks: list[AIMessageChunk]) -> None:
    def shown() -> list[ChatGenerationChunk]:
        infos = [{"finish_reason": "stop"} if number == 0 and len(chunks) > 1 else None for number in range(len(chunks))]
        return [generation(chunk, info) for chunk, info in zip(chunks, infos, strict=True)]

    assert added_up(shown()) == generate_from_stream(iter(shown()))
