"""`ScriptedModel`: what it says, what it remembers, and what it refuses."""

import asyncio
import copy
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.runnables import RunnableBinding

from lg_toolroute.testing import (
    Call,
    Chunks,
    Eof,
    Expect,
    Fail,
    Hang,
    Latch,
    Say,
    ScriptedModel,
    ScriptedWholeModel,
    ScriptError,
    by_tool,
)
from tests.support.asking import agather, gather


def edit(path: str) -> str:
    """Edit a file."""
    return f"edited {path}"


async def _append_texts(stream, seen):
    async for chunk in stream:
        seen.append(chunk.text)


def read(path: str) -> str:
    """Read a file."""
    return f"read {path}"


FIX = Say("Let me fix that.", [Call("edit", {"path": "a.py"}), Call("edit", {"path": "b.py"})])
CHUNKINGS = ["parts", "whole", 1, 3, [2, 17, 18, 19, 30], random.Random(3), lambda text: list(text.partition("e"))]


@pytest.mark.parametrize("chunks", CHUNKINGS, ids=["parts", "whole", "every", "every third", "cuts", "random", "function"])
@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
@pytest.mark.parametrize("output_version", [None, "v1"])
def test_message_is_the_same_whatever_the_chunks(chunks, dialect, output_version):
    say = Say(FIX.text, FIX.calls, thinking="Hm.", chunks=chunks)
    model = ScriptedModel([say, say], dialect=dialect, output_version=output_version)
    whole = model.bind_tools([edit]).invoke("go")
    streamed = gather(model.bind_tools([edit]).stream("go"))
    assert streamed.text == whole.text == "Let me fix that."
    assert [(call["name"], call["args"]) for call in streamed.tool_calls] == [(call["name"], call["args"]) for call in whole.tool_calls]
    assert [call["args"] for call in streamed.tool_calls] == [{"path": "a.py"}, {"path": "b.py"}]
    assert streamed.usage_metadata == whole.usage_metadata


async def test_async_answers_are_the_sync_ones():
    model = ScriptedModel([FIX, FIX, FIX, FIX], name="kimi/kimi-for-coding")
    bound = model.bind_tools([edit])
    texts = [bound.invoke("go").text, gather(bound.stream("go")).text, (await bound.ainvoke("go")).text, (await agather(bound.astream("go"))).text]
    assert texts == ["Let me fix that."] * 4
    assert [(request.streamed, request.is_async) for request in model.requests] == [(False, False), (True, False), (False, True), (True, True)]


def test_first_chunk_of_a_call_carries_name_id_and_index():
    chunks = list(ScriptedModel([Say("Hi", [Call("edit", {"path": "a.py"}, id="c1")])]).stream("go"))
    assert [chunk.tool_call_chunks for chunk in chunks if chunk.tool_call_chunks] == [
        [{"name": "edit", "args": "", "id": "c1", "index": 0, "type": "tool_call_chunk"}],
        [{"name": None, "args": '{"path": "a.py"}', "id": None, "index": 0, "type": "tool_call_chunk"}],
    ]
    assert chunks[-1].chunk_position == "last"
    assert chunks[-1].response_metadata["finish_reason"] == "tool_calls"


def test_positions_cut_inside_a_tools_name():
    chunks = list(ScriptedModel([Say("Hi", [Call("edit", {})], chunks=[4])]).stream("go"))
    assert [piece["name"] for chunk in chunks for piece in chunk.tool_call_chunks] == ["ed", "it"]
    assert chunks[0].content == "Hi"


def test_usage_may_come_first():
    model = ScriptedModel([Say("Hi", usage=(7, 3))], usage_at="first")
    chunks = list(model.stream("go"))
    assert chunks[0].usage_metadata == {"input_tokens": 7, "output_tokens": 0, "total_tokens": 7}
    assert gather(chunks).usage_metadata == {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}


def test_usage_is_counted_or_left_out():
    counted, none = ScriptedModel([Say("12345678"), Say("Hi", usage=False)]).batch(["1234", "x"], config={"max_concurrency": 1})
    assert counted.usage_metadata == {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    assert none.usage_metadata is None


def test_anthropic_dialect_has_blocks_only_with_tools():
    model = ScriptedModel(["Hi", "Hi"], dialect="anthropic")
    assert model.invoke("go").content == "Hi"
    assert gather(model.bind_tools([edit]).stream("go")).content == [{"type": "text", "text": "Hi", "index": 0}]


def test_whole_answer_with_broken_arguments_has_an_invalid_call():
    message = ScriptedModel([Say(calls=[Call("edit", '{"path": "a')])]).invoke("go")
    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["args"] == '{"path": "a'


@pytest.mark.parametrize(
    ("at", "text", "names"),
    [("start", "", ""), ("text", "Hello ", ""), ("name", "Hello world!", "ed"), ("args", "Hello world!", "edit"), ("end", "Hello world!", "edit")],
)
def test_error_comes_at_its_place(at, text, names):
    model = ScriptedModel([Fail(ConnectionError("gone"), Say("Hello world!", [Call("edit", {"path": "a.py"})]), at=at)])
    seen = []
    with pytest.raises(ConnectionError, match="gone"):
        seen.extend(model._stream([HumanMessage("go")]))
    assert "".join(chunk.message.text for chunk in seen) == text
    assert "".join(piece["name"] or "" for chunk in seen for piece in chunk.message.tool_call_chunks) == names
    assert isinstance(model.last.error, ConnectionError)
    assert not model.last.finished


async def test_error_after_a_number_of_chunks():
    model = ScriptedModel([Fail(ConnectionError, Say("abcdef", chunks=2), after_chunks=2)])
    seen = []
    with pytest.raises(ConnectionError):
        await _append_texts(model.astream("go"), seen)
    assert seen == ["ab", "cd"]


def test_eof_ends_without_a_finish_reason():
    model = ScriptedModel([Eof(Say("Hi", [Call("edit", {"path": "a.py"})]), at="args")])
    message = gather(model.stream("go"))
    assert "finish_reason" not in message.response_metadata
    assert message.tool_call_chunks[0]["args"] == '{"path":'[: len(message.tool_call_chunks[0]["args"])]


def test_raw_chunks_are_sent_as_they_are():
    model = ScriptedModel([[AIMessageChunk(content="a"), AIMessageChunk(content="b", chunk_position="last")], Chunks([AIMessageChunk(content="c")])])
    assert [chunk.content for chunk in model.stream("go")] == ["a", "b"]
    assert model.invoke("go").content == "c"


def test_closing_a_stream_is_recorded():
    model = ScriptedModel([Say("abcdef", chunks=1)])
    stream = model.stream("go")
    next(stream), next(stream)
    stream.close()
    assert (model.last.closed_at, model.last.chunks_sent, model.last.chunks_total, model.last.finished) == (2, 2, 7, False)


async def test_closing_an_async_stream_is_recorded():
    model = ScriptedModel([Say("abcdef", chunks=1)])
    stream = model._astream([HumanMessage("go")])
    await anext(stream)
    await stream.aclose()
    assert model.last.closed_at == 1


def test_reading_to_the_end_is_recorded():
    model = ScriptedModel(["abc"])
    list(model.stream("go"))
    assert model.last.finished
    assert model.last.closed_at is None


def test_hanging_goes_on_when_the_latch_opens():
    latch = Latch()
    model = ScriptedModel([Hang(latch, Say("abcd", chunks=1), after_chunks=2)])
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: gather(model.stream("go")).text)
        latch.wait_reached()
        assert model.last.chunks_sent == 2
        latch.open()
        assert running.result() == "abcd"


@pytest.mark.parametrize("streamed", [True, False])
async def test_hanging_ends_with_the_task(streamed):
    latch = Latch()
    model = ScriptedModel([Hang(latch, Say("abcd"))])
    task = asyncio.create_task(agather(model.astream("go")) if streamed else model.ainvoke("go"))
    await latch.wait_reached_async()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.last.closed_at == 0


async def test_a_latch_that_nobody_opens_is_an_error():
    model = ScriptedModel([Hang(Latch(), Say("abcd"), limit_s=0.01), Hang(Latch(), Say("abcd"), limit_s=0.01)])
    with pytest.raises(ScriptError, match="its latch was not opened"):
        model.invoke("go")
    with pytest.raises(ScriptError, match="its latch was not opened"):
        await model.ainvoke("go")


def test_too_many_requests_are_refused():
    model = ScriptedModel(["one"], name="kimi/k2")
    model.invoke("go")
    with pytest.raises(ScriptError, match=r"kimi/k2: asked for the 2nd time, but its script has 1 step\. It was asked: tools \[\].*'again'"):
        model.invoke("again")
    with pytest.raises(ScriptError, match="2nd time"):
        model.assert_done()


def test_steps_nobody_asked_for_are_refused():
    with pytest.raises(ScriptError, match="1 of 2 steps were never asked for; the next one is 'two'"), ScriptedModel(["one", "two"]) as model:
        model.invoke("go")


def test_an_error_in_the_block_is_not_hidden_by_steps_that_are_left():
    with pytest.raises(ZeroDivisionError), ScriptedModel(["one"]):
        raise ZeroDivisionError


def test_unexpected_request_is_refused():
    step = Say("x", expects=Expect(tools={"edit"}, tool_choice="edit", last="fix", where=lambda request: len(request.messages) == 1))
    ScriptedModel([step]).bind_tools([edit], tool_choice="edit").invoke("please fix")
    wrong = r"tools \['edit', 'read'\] are bound, not \['edit'\]; tool_choice is 'auto', not 'edit'; the last message is 'go'"
    with pytest.raises(ScriptError, match=wrong):
        ScriptedModel([step]).bind_tools([edit, read]).invoke("go")


def test_expectation_may_be_a_function():
    with pytest.raises(ScriptError, match="says no"):
        ScriptedModel([Say("x", expects=lambda request: "edit" in request.tools)]).invoke("go")


def test_includes_and_excludes():
    expects = Expect(includes=["edit"], excludes=["read"])
    with pytest.raises(ScriptError, match=r"\['edit'\] not among the bound tools \['read'\]; \['read'\] must not be bound"):
        ScriptedModel([Say("x", expects=expects)]).bind_tools([read]).invoke("go")


def test_function_in_a_script_sees_the_request():
    model = ScriptedModel([lambda request: f"you said {request.last_text}"])
    assert model.invoke("hello").content == "you said hello"


def test_functions_that_hand_on_for_ever_are_refused():
    def circle(request):
        return circle

    with pytest.raises(ScriptError, match="handed on to each other"):
        ScriptedModel([circle]).invoke("go")


def test_what_is_not_a_step_is_refused():
    with pytest.raises(ScriptError, match="17 is not a step"):
        ScriptedModel([17]).invoke("go")


def test_script_and_answer_exclude_each_other():
    with pytest.raises(ValueError, match="leave one out"):
        ScriptedModel(["a"], answer=lambda request: "b")


def test_loop_begins_again():
    model = ScriptedModel(["a", "b"], loop=True)
    assert [model.invoke("go").content for _ in range(5)] == ["a", "b", "a", "b", "a"]
    model.assert_done()


def test_by_tool_plays_the_forced_one():
    model = ScriptedModel(answer=by_tool({"edit": Say(calls=[Call("edit", {"path": "x"})]), None: "text"}))
    assert model.invoke("go").content == "text"
    assert model.bind_tools([edit], tool_choice="edit").invoke("go").tool_calls[0]["name"] == "edit"
    assert model.bind_tools([edit]).invoke("Continue with one call of the tool `edit`.").tool_calls[0]["name"] == "edit"
    assert model.bind_tools([edit]).invoke("The editor is open; you edited it.").content == "text"
    assert model.bind_tools([edit, read]).invoke("Continue with one call of the tool `edit`.").content == "text"


def test_many_threads_share_one_answer_function():
    model = ScriptedModel(answer=lambda request: Say(request.last_text, [Call("edit", {})]))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: model.invoke(str(number)), range(200)))
    assert [answer.content for answer in answers] == [str(number) for number in range(200)]
    assert len({answer.tool_calls[0]["id"] for answer in answers}) == 200
    assert [request.index for request in model.requests] == list(range(200))


def test_threads_take_each_step_once():
    model = ScriptedModel([str(number) for number in range(64)])
    barrier = threading.Barrier(8)

    def ask(_):
        barrier.wait()
        return [model.invoke("go").content for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        said = [text for texts in pool.map(ask, range(8)) for text in texts]
    assert sorted(said, key=int) == [str(number) for number in range(64)]


def test_copies_share_script_and_records():
    model = ScriptedModel(["a", "b", "c", "d"])
    shallow = model.model_copy()
    object.__setattr__(shallow, "__class__", type("Gated", (ScriptedModel,), {}))
    said = [each.invoke("go").content for each in (model, shallow, copy.deepcopy(model), model.model_copy(update={"temperature": 1.0}))]
    assert said == ["a", "b", "c", "d"]
    assert model.requests is shallow.requests
    model.assert_done()
    shallow.assert_done()


def test_bind_tools_gives_a_binding_and_is_recorded():
    model = ScriptedModel(["x"])
    bound = model.bind_tools([edit, read], tool_choice="any", strict=True)
    assert isinstance(bound, RunnableBinding)
    assert bound.kwargs["tool_choice"] == "required"
    assert model.bindings == [(("edit", "read"), "any")]
    bound.invoke("go")
    assert (model.last.tools, model.last.tool_choice, model.last.kwargs["strict"]) == (("edit", "read"), "any", True)


@pytest.mark.parametrize(
    ("dialect", "choice", "sent"),
    [
        ("openai", "edit", {"type": "function", "function": {"name": "edit"}}),
        ("openai", "auto", "auto"),
        ("openai", True, "required"),
        ("anthropic", "edit", {"type": "tool", "name": "edit"}),
        ("anthropic", "any", {"type": "any"}),
    ],
)
def test_tool_choice_is_sent_as_the_provider_takes_it(dialect, choice, sent):
    assert ScriptedModel(["x"], dialect=dialect).bind_tools([edit], tool_choice=choice).kwargs["tool_choice"] == sent


def test_whole_model_has_no_stream():
    model = ScriptedWholeModel([FIX])
    assert type(model)._stream is BaseChatModel._stream
    assert len(list(model.stream("go"))) == 1
    assert not model.last.streamed


def test_traces_show_provider_and_model():
    params = ScriptedModel(name="kimi/kimi-for-coding")._get_ls_params(stop=["x"])
    assert (params["ls_provider"], params["ls_model_name"], params["ls_stop"]) == ("kimi", "kimi-for-coding", ["x"])
    assert ScriptedModel(name="ollama:gpt-oss:20b").model_name == "gpt-oss:20b"


def test_profile_is_what_the_caller_says():
    assert ScriptedModel(["x"], profile={"max_input_tokens": 1000}).profile == {"max_input_tokens": 1000}


def test_last_of_a_model_nobody_asked():
    with pytest.raises(ScriptError, match="was never asked"):
        _ = ScriptedModel().last


async def test_agent_runs_on_it_sync_and_async():
    for run in ("invoke", "ainvoke"):
        with ScriptedModel([Say("Let me fix that.", [Call("edit", {"path": "a.py"})]), "Done."]) as model:
            agent = create_agent(model, [edit])
            state = {"messages": [("user", "Fix a.py")]}
            result = agent.invoke(state) if run == "invoke" else await agent.ainvoke(state)
        assert [message.type for message in result["messages"]] == ["human", "ai", "tool", "ai"]
        assert result["messages"][2].content == "edited a.py"
        assert model.requests[1].messages[-1].type == "tool"


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
@pytest.mark.parametrize("version", ["v2", "v3"])
def test_agent_streams_it(version):
    with ScriptedModel([Say("Let me fix that.", [Call("edit", {"path": "a.py"})], chunks=2), "Done."]) as model:
        agent = create_agent(model, [edit])
        if version == "v2":
            list(agent.stream({"messages": [("user", "go")]}, stream_mode="messages"))
        else:
            list(agent.stream_events({"messages": [("user", "go")]}, version="v3"))
    assert all(request.streamed for request in model.requests)
