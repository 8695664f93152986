"""A model is shown a tool in the form that it writes best; its call lands as the application's, on every surface, in every way of consuming it."""

from __future__ import annotations

import asyncio
import pickle
import time
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langchain_mistralai import ChatMistralAI
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI

from lg_toolroute import ConfigError, FormRefused, ToolForm, ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.briefs.known import known_files
from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.files.tools import FileTool, file_tool
from lg_toolroute.forms.built_in import BUILT_IN
from lg_toolroute.forms.exact import MOST_JOINED
from lg_toolroute.forms.form import FormTool
from lg_toolroute.testing import Call, FaultServer, Say, ScriptedModel
from tests.support.edit_turn import EDIT, TEXT, TOOLS, TWO, Turn, config, named, patch, thread
from tests.support.one_turn import SURFACES, WAYS, A, B, C
from tests.support.sampling import cells

SOMETIMES = cells(list(SURFACES), WAYS, one_in=4)
WRITES = Say("", [Call("edit_file", TWO)], chunks=3)


def test_a_patch_lands_as_the_applications_call_under_the_announced_id():
    for surface, way in cells(list(SURFACES), WAYS, one_in=2):
        turn = Turn(surface, way, {A: [named()], B: [WRITES]}, config("v4a"))
        assert turn.calls == [EDIT], (surface, way)
        assert turn.landed.text == "Let me fix it."
        assert "*** Begin Patch" not in turn.seen, "no consumer and no state has anything in the model's form"
        assert turn.landed.response_metadata["toolroute"]["calls"] == {turn.landed.tool_calls[0]["id"]: B}
        (request,) = turn.models[B].requests
        (shown,) = [each["function"] for each in request.kwargs["tools"] if each["function"]["name"] == "edit_file"]
        assert list(shown["parameters"]["properties"]) == ["patch", "why"]
        assert "*** Begin Patch" in shown["description"]
        if way[1]:
            assert turn.added_up is not None
            assert [(call["id"], call["args"]) for call in turn.added_up.tool_calls] == [(turn.landed.tool_calls[0]["id"], EDIT)]


@pytest.mark.parametrize(
    ("form", "arguments"),
    [
        ("blocks", {"file_path": "a.py", "blocks": "<<<<<<< SEARCH\n    return 2\n=======\n    return 3\n>>>>>>> REPLACE"}),
        ("unified", {"patch": "--- a/a.py\n+++ b/a.py\n@@ -4,2 +4,2 @@\n def two():\n-    return 2\n+    return 3\n"}),
        ("lines", {"file_path": "a.py", "changes": [{"start": 5, "end": 5, "text": "    return 3", "was": "    return 2"}]}),
        ("whole", {"file_path": "a.py", "content": TEXT.replace("2", "3")}),
    ],
)
def test_every_form_lands(form: str, arguments: Any):
    surface, way = ("graph", (False, False))
    turn = Turn(surface, way, {A: [named()], B: [Say("", [Call("edit_file", {**arguments, "why": "three"})])]}, config(form))
    assert turn.calls == [{**EDIT, "why": "three"}]


def test_hunks_that_are_far_apart_land_as_several_calls_the_first_under_the_announced_id():
    text = "first\n" + "".join(f"line {number}\n" for number in range(MOST_JOINED // 6)) + "last\n"
    both = Say("", [Call("edit_file", patch("@@", "-first", "+FIRST", "@@", "-last", "+LAST"))])
    for surface, way in SOMETIMES:
        if surface == "chat model":  # it runs no tools, so it cannot let them take turns
            one = Say("", [Call("edit_file", patch("@@", "-first", "+FIRST"))])
            turn = Turn(surface, way, {A: [named()], B: [both, one]}, config("v4a"), thread(text))
            assert turn.calls == [{"file_path": "a.py", "old_string": "first\n", "new_string": "FIRST\n"}]
            assert "the second would undo the first; change what lies close together" in turn.models[B].requests[1].last_text
            continue
        turn = Turn(surface, way, {A: [named()], B: [both]}, config("v4a"), thread(text))
        assert [(call["old_string"], call["new_string"]) for call in turn.calls] == [("first\n", "FIRST\n"), ("last\n", "LAST\n")], (surface, way)
        ids = [call["id"] for call in turn.landed.tool_calls]
        assert len(set(ids)) == 2
        assert set(turn.landed.response_metadata["toolroute"]["calls"]) == set(ids)
        if way[1]:
            assert turn.added_up is not None
            assert [(call["id"], call["args"]) for call in turn.added_up.tool_calls] == list(zip(ids, turn.calls, strict=True))


def test_several_hunks_land_as_one_call_of_a_tool_that_takes_several():
    both = Say("", [Call("multi_edit", patch("@@", "-    return 1", "+    return 10", "@@", "-    return 2", "+    return 20"))])
    turn = Turn("graph", (False, True), {A: [named("multi_edit")], B: [both]}, config("v4a", "multi_edit"))
    (call,) = turn.calls
    assert [(each["old_string"], each["new_string"]) for each in call["edits"]] == [
        ("    return 1\n", "    return 10\n"),
        ("    return 2\n", "    return 20\n"),
    ]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (patch("@@", "-    return 7", "+    return 3"), "copy the lines from the file"),
        (patch("@@", "+    return 3"), "does not say where"),
        ({"patch": "two returns three"}, "*** Begin Patch"),
        ({"file_path": "a.py", "old_string": "2", "new_string": "3"}, "'patch'"),
    ],
    ids=["not there", "no place", "no patch", "the application's form"],
)
def test_what_cannot_be_expressed_is_mended_once_with_the_remedy_and_shown_to_no_consumer(wrong: dict[str, Any], told: str):
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, {A: [named()], B: [Say("", [Call("edit_file", wrong)]), WRITES]}, config("v4a"))
        assert turn.calls == [EDIT], (surface, way)
        first, second = turn.models[B].requests
        assert told in second.last_text
        assert second.kwargs["tools"] == first.kwargs["tools"], "the same form, for the model and for its provider's prompt cache"
        assert "return 7" not in turn.seen
        assert turn.router.health.calls_of(B, "edit_file") == CallCounts(1, mended=1)


def test_the_next_candidate_gets_the_applications_own_form():
    bad = Say("", [Call("edit_file", patch("@@", "-    return 7", "+    return 3"))])
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, {A: [named()], B: [bad, bad], C: [Say("", [Call("edit_file", EDIT)])]}, config("v4a"))
        assert turn.calls == [EDIT], (surface, way)
        (request,) = turn.models[C].requests
        assert "old_string" in str(request.kwargs["tools"])
        assert "patch" not in str(request.kwargs["tools"])


def test_a_file_that_was_not_read_is_mended_in_the_tools_own_form():
    own = {**EDIT, "file_path": "b.py"}
    for surface, way in SOMETIMES:
        scripts = {A: [named()], B: [Say("", [Call("edit_file", patch("@@", "-a", "+b", file="b.py"))]), Say("", [Call("edit_file", own)])]}
        turn = Turn(surface, way, scripts, config("v4a"))
        assert turn.calls == [own], (surface, way)
        assert "old_string" in str(turn.models[B].requests[1].kwargs["tools"])


def test_an_applications_reader_of_files_is_asked():
    turn = Turn("graph", (False, False), {A: [named()], B: [WRITES]}, config("v4a"), thread()[:1], read_file={"a.py": TEXT}.get)
    assert turn.calls == [EDIT]


def test_forms_by_model_are_for_every_candidate_that_has_one():
    block = {"file_path": "a.py", "blocks": "<<<<<<< SEARCH\n    return 2\n=======\n    return 3\n>>>>>>> REPLACE"}
    scripts = {A: [named()], B: [Say("I cannot."), Say("I cannot.")], C: [Say("", [Call("edit_file", block)])]}
    turn = Turn("middleware", (True, True), scripts, config({B: "v4a", C: "blocks"}))
    assert turn.calls == [EDIT]
    told = turn.router.explain("edit_file")
    assert f"{B} is shown the tool as 'v4a'" in told
    assert f"{C} is shown the tool as 'blocks'" in told


def test_several_calls_of_a_drained_message_keep_their_places():
    two = Say("Both.", [Call("edit_file", {"file_path": "a.py"}), Call("read_file", {"file_path": "b.py"}), Call("edit_file", {"file_path": "a.py"})])
    one = patch("@@", "-    return 1", "+    return 9")
    scripts = {A: [two], B: [Say("", [Call("edit_file", TWO), Call("edit_file", one)])]}
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, scripts, config("v4a", cutAt=None, onIntercept="drain"))
        assert [call.get("new_string", "") for call in turn.calls] == ["    return 3\n", "", "    return 9\n"], (surface, way)


@pytest.mark.parametrize(
    ("form", "arguments"),
    [("v4a", TWO), ("blocks", {"blocks": "<<<<<<< SEARCH\n    return 2\n=======\n    return 3\n>>>>>>> REPLACE"})],
)
def test_what_the_primary_has_written_of_the_call_carries_over_into_the_form(form: str, arguments: dict[str, Any]):
    written = Say("Let me fix it.", [Call("edit_file", {"file_path": "./a.py", "why": "two", "old_string": "dropped", "new_string": "dropped"})])
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, {A: [written], B: [Say("", [Call("edit_file", arguments)])]}, config(form, cutAt="argument"))
        assert turn.calls == [{**EDIT, "file_path": "./a.py", "why": "two"}], (surface, way)
        assert "dropped" not in turn.seen


def test_a_writer_that_changes_another_file_than_the_one_that_is_decided_is_told():
    written = Say("", [Call("edit_file", {"file_path": "a.py", "old_string": "dropped", "new_string": "dropped"})])
    other = Say("", [Call("edit_file", {"patch": TWO["patch"].replace("a.py", "b.py")})])
    turn = Turn("graph", (False, False), {A: [written], B: [other, WRITES]}, config("v4a", cutAt="argument"))
    assert turn.calls == [EDIT]
    assert "the file is a.py" in turn.models[B].requests[1].last_text


def test_a_writer_with_a_brief_is_shown_the_form_too():
    written = Say("Let me fix it.", [Call("edit_file", {"file_path": "a.py", "old_string": "dropped", "new_string": "dropped"})])
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, {A: [written], B: [WRITES]}, config("v4a", handoff="brief", cutAt=None), history()[:3])
        assert turn.calls == [EDIT], (surface, way)
        (request,) = turn.models[B].requests
        assert TEXT in str([message.content for message in request.messages]).replace("\\n", "\n")
        assert "tool" not in [message.type for message in request.messages], "a brief, and not the history"


def test_a_writer_that_counts_lines_is_shown_them_with_numbers_in_a_brief():
    written = Say("Let me fix it.", [Call("edit_file", {"file_path": "a.py", "old_string": "dropped", "new_string": "dropped"})])
    number, line = next((number, line) for number, line in enumerate(TEXT.split("\n"), 1) if line.strip() == "return 2")
    said = Call("edit_file", {"file_path": "a.py", "changes": [{"start": number, "end": number, "text": "    return 3", "was": line}]})
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, {A: [written], B: [Say("", [said])]}, config("lines", handoff="brief", cutAt=None), history()[:3])
        (request,) = turn.models[B].requests
        assert f"{number}\t{line}\n" in "".join(str(message.content) for message in request.messages)
        assert [(call["file_path"], call["new_string"].strip()) for call in turn.calls] == [("a.py", "return 3")]


def test_a_draft_is_shown_in_the_writers_form():
    draft = Say("Let me fix it.", [Call("edit_file", {**EDIT, "new_string": "    return 5\n"})])
    turn = Turn("graph", (False, False), {A: [draft], B: [WRITES]}, config("v4a", cutAt=None, handoff="draft"))
    assert turn.calls == [EDIT]
    assert "+    return 5" in turn.models[B].requests[0].last_text
    assert "old_string" not in turn.models[B].requests[0].last_text


# -- the history ---------------------------------------------------------------------------------------------------------------------------------


def history() -> list[Any]:
    """A thread with an earlier edit that worked, and one that failed."""
    done = {"name": "edit_file", "args": {**EDIT, "new_string": "    return 4\n"}, "id": "edit1", "type": "tool_call"}
    failed = {"name": "edit_file", "args": {**EDIT, "old_string": "nowhere"}, "id": "edit2", "type": "tool_call"}
    return [
        *thread(),
        AIMessage([{"type": "text", "text": "Now."}, {**done, "type": "tool_use", "input": done["args"]}], tool_calls=[done]),
        ToolMessage("done", tool_call_id="edit1", name="edit_file"),
        AIMessage("", tool_calls=[failed]),
        ToolMessage("old_string not found", tool_call_id="edit2", name="edit_file", status="error"),
    ]


def test_earlier_calls_are_shown_in_the_readers_form_where_they_can_be_and_stay_in_the_state_as_they_are():
    four = Say("", [Call("edit_file", patch("@@", " def two():", "-    return 4", "+    return 3"))])
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, {A: [named()], B: [four]}, config("v4a"), history())
        assert turn.calls == [{**EDIT, "old_string": "    return 4\n"}]
        (request,) = turn.models[B].requests
        earlier = [call["args"] for message in request.messages if isinstance(message, AIMessage) for call in message.tool_calls]
        assert "-    return 2\n+    return 4" in earlier[1]["patch"]
        assert earlier[2]["old_string"] == "nowhere", "what failed cannot be expressed, and stays as it is"
        assert "return 4" in str(turn.models[A].requests[0].messages)
        assert "*** Begin Patch" not in turn.seen


def test_a_growing_thread_is_shown_with_the_same_beginning():
    router = ToolRouter(config("v4a"), models={spec: ScriptedModel(name=spec) for spec in (A, B, C)})
    found = router.forms.shown("v4a", "edit_file", TOOLS[1])
    assert found is not None

    class Formed:
        tool, form = found[0], router.forms.form("v4a")

    files = {each.name: file for each in TOOLS if (file := router.file_tool(each.name, each)) is not None}
    messages = history()
    short = router.formed_threads.of(messages[:5], {"edit_file": Formed()}, files)
    long = router.formed_threads.of(messages, {"edit_file": Formed()}, files)
    assert all(one is other for one, other in zip(short, long, strict=False))
    messages[3].tool_calls[0]["args"] = {**EDIT, "new_string": "    return 5\n"}
    again = router.formed_threads.of(messages, {"edit_file": Formed()}, files)
    assert "return 5" in str(again[3]), "a message that was changed in place is read again"


# -- without a form, and what cannot be ------------------------------------------------------------------------------------------------------------


def test_without_a_form_the_very_same_is_bound_and_sent():
    for surface, way in SOMETIMES:
        plain = Turn(surface, way, {A: [named()], B: [Say("", [Call("edit_file", EDIT)])]}, config(None), history())
        same = Turn(surface, way, {A: [named()], B: [Say("", [Call("edit_file", EDIT)])]}, config("exact"), history())
        one, other = plain.models[B].requests[0], same.models[B].requests[0]
        assert one.kwargs == other.kwargs
        assert [message.content for message in one.messages] == [message.content for message in other.messages]
        assert plain.calls == [EDIT]


@pytest.mark.parametrize(
    ("rule", "path", "said"),
    [
        ({"form": "v4"}, "form", "did you mean 'v4a'"),
        ({"form": "v4a", "streamArgs": "live"}, "form", "leave `form` out"),
        ({"form": 4}, "form", ""),
    ],
)
def test_a_form_that_cannot_be_is_refused_with_its_place(rule: dict[str, Any], path: str, said: str):
    with pytest.raises(ConfigError) as error:
        ToolRouter({"model": A, "toolRouting": {"edit_file": {"primary": B, **rule}}}, models={A: ScriptedModel(name=A), B: ScriptedModel(name=B)})
    assert f"toolRouting.edit_file.{path}" in str(error.value)
    assert said in str(error.value)


def test_a_tool_that_cannot_take_the_form_is_refused_when_tools_are_known_and_a_pattern_is_not_if_one_of_its_tools_can():
    models = {spec: ScriptedModel(name=spec) for spec in (A, B)}
    one = ToolRouter({"model": A, "toolRouting": {"read_file": {"primary": B, "form": "v4a"}}}, models=models)
    with pytest.raises(ConfigError, match=r"toolRouting\.read_file\.form: 'read_file' cannot be shown as 'v4a'.*tools\.files"):
        one.check_tools(TOOLS)
    with pytest.raises(ConfigError, match="cannot be shown"):
        create_toolroute_agent(one, TOOLS)
    with pytest.raises(ConfigError, match="cannot be shown"):
        create_agent(models[A], TOOLS, middleware=[ToolRouteMiddleware(one)])
    with pytest.raises(ConfigError, match="cannot be shown"):
        ToolRoutedChatModel(router=one).bind_tools(TOOLS)
    ToolRouter({"model": A, "toolRouting": {"*_file": {"primary": B, "form": "v4a"}}}, models=models).check_tools(TOOLS)


class Shout:
    """A form of the application's: the text that comes is written in capitals."""

    def shown(self, *, tool: Any) -> Any:
        return {"description": "Shout.", "parameters": {"type": "object", "properties": {"shout": {"type": "string"}}, "required": ["shout"]}}

    def calls(self, *, tool: Any, arguments: Any, known: Any) -> Any:
        if arguments["shout"].islower():
            raise FormRefused("that is no shout", "write it in capitals")
        return [{**EDIT, "new_string": arguments["shout"].lower()}]

    def arguments(self, *, tool: Any, arguments: Any, known: Any) -> Any:
        return {"shout": arguments["new_string"].upper()}


def test_a_form_of_the_applications_is_used_by_its_name():
    assert isinstance(Shout(), ToolForm)
    scripts = {A: [named()], B: [Say("", [Call("edit_file", {"shout": word})]) for word in ("abc", "ABC")]}
    turn = Turn("graph", (True, False), scripts, config("shout"), history(), forms={"shout": Shout()})
    assert turn.calls == [{**EDIT, "new_string": "abc"}]
    assert "write it in capitals" in turn.models[B].requests[1].last_text
    assert {"shout": "    RETURN 4\n"} in [call["args"] for each in turn.models[B].requests[0].messages for call in getattr(each, "tool_calls", ())]
    with pytest.raises(ConfigError, match="built-in"):
        ToolRouter(config("v4a"), models=turn.models, forms={"v4a": Shout()})
    with pytest.raises(ConfigError, match="is no form"):
        ToolRouter(config("shout"), models=turn.models, forms={"shout": Shout})  # type: ignore[dict-item]  # the class in place of an object


def test_a_router_with_forms_is_rebuilt_with_them_in_another_process():
    router = ToolRouter(config("shout"), forms={"shout": Shout()})
    assert isinstance(pickle.loads(pickle.dumps(router)).forms.form("shout"), Shout)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("surface", ["graph", "middleware"])
def test_edits_of_one_file_take_turns_because_the_second_would_overwrite_the_first(surface: str, is_async: bool):
    text = "first\n" + "".join(f"line {number}\n" for number in range(MOST_JOINED // 6)) + "last\n"
    files = {"a.py": text}
    both = Say("", [Call("edit_file", patch("@@", "-first", "+FIRST", "@@", "-last", "+LAST"))])

    def slow(file_path: str, old_string: str, new_string: str) -> str:
        """Replace text in a file."""
        read = files[file_path]
        time.sleep(0.05)
        files[file_path] = read.replace(old_string, new_string)
        return "done"

    async def aslow(file_path: str, old_string: str, new_string: str) -> str:
        """Replace text in a file."""
        read = files[file_path]
        await asyncio.sleep(0.05)
        files[file_path] = read.replace(old_string, new_string)
        return "done"

    edit = StructuredTool.from_function(slow, aslow, name="edit_file")
    models = {A: ScriptedModel([named(), Say("Done.")], name=A), B: ScriptedModel([both], name=B), C: ScriptedModel(name=C)}
    router = ToolRouter(config("v4a"), models=models)
    tools = [TOOLS[0], edit]
    agent: Any = create_toolroute_agent(router, tools)
    if surface == "middleware":
        agent = create_agent(models[A], tools, middleware=[ToolRouteMiddleware(router)])
    given: Any = {"messages": thread(text)}
    asyncio.run(agent.ainvoke(given)) if is_async else agent.invoke(given)
    assert files["a.py"] == text.replace("first", "FIRST").replace("last", "LAST")


# -- real clients ----------------------------------------------------------------------------------------------------------------------------------

CLIENTS = {
    "openai": lambda server: ChatOpenAI(**server.client("writer")),
    "responses": lambda server: ChatOpenAI(**server.client("writer", use_responses_api=True)),
    "anthropic": lambda server: ChatAnthropic(model="writer", base_url=server.url, api_key="x", max_retries=0),
    "ollama": lambda server: ChatOllama(model="writer", base_url=server.url),
    "mistral": lambda server: ChatMistralAI(model="writer", base_url=f"{server.url}/v1", api_key="x", max_retries=0),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_real_client_sends_the_form_and_the_earlier_calls_in_it(client: str):
    four = Say("", [Call("edit_file", patch("@@", " def two():", "-    return 4", "+    return 3"))], chunks=3)
    with FaultServer({"writer": [four]}) as server:
        models = {A: ScriptedModel([named()], name=A), B: CLIENTS[client](server), C: ScriptedModel(name=C)}
        agent = SURFACES["graph"](ToolRouter(config("v4a"), models=models), models, TOOLS)
        run = {"configurable": {"thread_id": "1"}}
        agent.invoke({"messages": history()}, run)
        (request,) = server.requests
    landed = agent.get_state(run).values["messages"][-1]
    assert [call["args"] for call in landed.tool_calls] == [{**EDIT, "old_string": "    return 4\n"}]
    assert set(request.schema("edit_file")["properties"]) == {"patch", "why"}
    sent = str(request.body)
    assert "*** Update File: a.py" in sent.replace(str(request.body.get("tools")), "")
    assert sent.count("old_string") - str(request.body.get("tools")).count("old_string") <= 2, "the call that failed, and its result"


# -- beside other options ------------------------------------------------------------------------------------------------------------------------


def test_a_call_that_a_look_sends_back_is_told_in_the_form_in_which_it_is_to_be_mended():
    mended = Say("", [Call("edit_file", patch("@@", "-    return 2", "+    return 30"))])
    turn = Turn("graph", (False, False), {A: [named()], B: [WRITES, mended]}, config("v4a", look="own"), looks={"own": lambda request: "write 30"})
    assert [call["new_string"] for call in turn.calls] == ["    return 30\n"]
    assert "+    return 3" in turn.models[B].requests[1].last_text
    assert "old_string" not in turn.models[B].requests[1].last_text


def test_a_settled_argument_that_would_change_more_than_the_model_wrote_is_refused():
    read: Any = {"name": "read_file", "args": {"file_path": "a.py"}, "id": "read1", "type": "tool_call"}
    part = ToolMessage("     4\tdef two():\n     5\t    return 2\n     6\t# x", tool_call_id="read1", name="read_file")
    every = {"file_path": "a.py", "replace_all": True}
    tool = FormTool("edit_file", "", EVERYWHERE, file_tool("edit_file", EVERYWHERE["properties"]), fixed=every)
    means = {"read_file": FileTool("read", "file_path")}
    known = known_files([AIMessage("", tool_calls=[read]), part], means)
    with pytest.raises(FormRefused, match="not every occurrence"):
        BUILT_IN["v4a"].calls(tool=tool, arguments={**TWO, **every}, known=known.of)
    (call,) = BUILT_IN["v4a"].calls(tool=tool, arguments={**TWO, **every}, known=known.given("a.py", TEXT).of)
    assert call == {**EDIT, "replace_all": True}


EVERYWHERE: Any = {
    "type": "object",
    "properties": {"file_path": {}, "old_string": {}, "new_string": {}, "replace_all": {"type": "boolean"}},
    "required": ["file_path", "old_string", "new_string"],
}


class Elsewhere:
    """A form of an application that names another file, or breaks."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def shown(self, *, tool: Any) -> Any:
        return {"description": "", "parameters": {"type": "object", "properties": {"file_path": {}, "said": {}}, "required": ["said"]}}

    def calls(self, *, tool: Any, arguments: Any, known: Any) -> Any:
        if self.error is not None:
            raise self.error
        return [{**EDIT, "file_path": "b.py"}]

    def arguments(self, *, tool: Any, arguments: Any, known: Any) -> Any:
        raise FormRefused("not here")


def test_a_form_of_the_applications_cannot_change_what_is_settled():
    written = Say("", [Call("edit_file", {"file_path": "a.py", "old_string": "dropped", "new_string": "dropped"})])
    said = Say("", [Call("edit_file", {"said": "x"})])
    scripts = {A: [written], B: [said, Say("", [Call("edit_file", EDIT)])]}
    turn = Turn("graph", (False, False), scripts, config("own", cutAt="argument"), forms={"own": Elsewhere()})
    assert "needs another `file_path`" in turn.models[B].requests[1].last_text


def refuses(name: str) -> str | None:
    raise PermissionError(name)


@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        ({"form": "v4a"}, {"read_file": refuses}),
        ({"form": "own"}, {"forms": {"own": Elsewhere(PermissionError("a.py"))}}),
        ({"form": None, "handoff": "brief", "cutAt": "argument"}, {"read_file": refuses}),
        ({"form": None, "handoff": "brief", "cutAt": None, "onIntercept": "drain"}, {"read_file": refuses}),
    ],
    ids=["reader in a form", "form", "reader at a cut", "reader at a drain"],
)
def test_an_error_of_the_applications_code_inside_a_models_stream_is_raised_and_is_not_the_models(rule: dict[str, Any], settings: dict[str, Any]):
    written = Say("Now.", [Call("edit_file", {"file_path": "a.py", "old_string": "dropped", "new_string": "dropped"})], chunks=4)
    said = Say("", [Call("edit_file", {**TWO, "said": "x"} if rule["form"] == "own" else TWO)])
    for surface, way in SOMETIMES:
        scripts = {A: [written, written], B: [said, said], C: [Say("", [Call("edit_file", EDIT)])]}
        with pytest.raises(PermissionError, match=r"a\.py"):
            Turn(surface, way, scripts, config(**rule), **settings)


@pytest.mark.parametrize("form", [None, "v4a"])
def test_a_call_behind_the_drained_one_has_not_run_before_it(form: str | None):
    both = Say("", [Call("edit_file", EDIT), Call("multi_edit", {"file_path": "a.py", "edits": [{"old_string": TEXT, "new_string": "brand new"}]})])
    writes = WRITES if form else Say("", [Call("edit_file", EDIT)])
    turn = Turn("graph", (False, False), {A: [both], B: [writes]}, config(form, onIntercept="drain", handoff="brief", cutAt=None), thread())
    assert turn.calls[0] == EDIT
    (request,) = turn.models[B].requests
    told = "".join(str(message.content) for message in request.messages)
    assert TEXT in told
    assert "brand new" not in told
