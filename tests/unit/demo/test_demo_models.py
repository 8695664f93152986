"""The demo's scripted models react to what they are sent; the outcome is not part of their scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lg_toolroute.demo import demo_models
from lg_toolroute.demo.folder import Folder
from lg_toolroute.demo.project import copy_project
from lg_toolroute.demo.repairs import REPAIRS, copy_exactly, copy_from_memory
from lg_toolroute.testing import Say, ServerRequest


class Dialogue:
    """A chat-completions history that grows call by call, over a real folder."""

    def __init__(self, folder: Folder, task: str = "Mend it.") -> None:
        self.folder = folder
        self.messages: list[dict[str, Any]] = [{"role": "user", "content": task}]
        self.count = 0

    def request(self, *, forced: str | None = None, tools: tuple[str, ...] = ("read", "edit", "run_tests")) -> ServerRequest:
        messages = list(self.messages)
        body: dict[str, Any] = {"tools": [{"type": "function", "function": {"name": name}} for name in tools]}
        if forced is not None:
            messages.append({"role": "user", "content": f"Write one call of {forced}."})
            body["tool_choice"] = {"type": "function", "function": {"name": forced}}
        return ServerRequest(0, "POST", "/v1/chat/completions", {}, {"messages": messages, **body})

    def add(self, say: Say, results: list[str]) -> None:
        calls = []
        for call in say.calls:
            self.count += 1
            calls.append({"id": f"c{self.count}", "type": "function", "function": {"name": call.name, "arguments": call.json}})
        self.messages.append({"role": "assistant", "content": say.text, "tool_calls": calls})
        self.messages += [{"role": "tool", "tool_call_id": call["id"], "content": text} for call, text in zip(calls, results, strict=True)]

    def read_everything(self) -> None:
        run = self.folder.run_tests()
        self.add(demo_models.primary(self.request()), [f"RED: {run.summary}\n\n{run.output}"])
        reads = demo_models.primary(self.request())
        self.add(reads, [self.folder.read(json.loads(call.json)["path"]) for call in reads.calls])


@pytest.fixture
def dialogue(tmp_path: Path) -> Dialogue:
    return Dialogue(copy_project(tmp_path / "project"))


def test_the_first_thing_is_to_run_the_tests(dialogue: Dialogue):
    assert [call.name for call in demo_models.primary(dialogue.request()).calls] == ["run_tests"]


def test_the_traces_lead_to_both_files(dialogue: Dialogue):
    dialogue.read_everything()
    assert dialogue.messages[-1]["content"].startswith("   1  ")
    wanted = demo_models.primary(dialogue.request())
    assert [call.name for call in wanted.calls] == ["edit"]


@pytest.mark.parametrize("failures", range(4))
@pytest.mark.parametrize("repair", REPAIRS, ids=lambda repair: repair.function)
def test_a_copy_from_memory_never_matches_the_file_and_an_exact_one_always_does(dialogue: Dialogue, repair: Any, failures: int):
    """Each kind of slip shows in each of the two functions."""
    text = (dialogue.folder.root / repair.path).read_text()
    shown = dialogue.folder.read(repair.path)
    start = shown.index(f"def {repair.function}(")
    numbered = shown[shown.rindex("\n", 0, start) + 1 :]
    assert copy_exactly(numbered, failures) in text
    assert copy_from_memory(numbered, failures) not in text


def test_the_editor_copies_from_the_history_and_mends_what_the_words_are_about(dialogue: Dialogue):
    dialogue.read_everything()
    dialogue.messages.append({"role": "assistant", "content": "Overtime: `pay` has to add up by day."})
    [call] = demo_models.editor(dialogue.request(forced="edit")).calls
    args = json.loads(call.json)
    assert args["path"] == "timesheet/pay.py"
    dialogue.folder.edit(**args)
    assert "by_day" in (dialogue.folder.root / "timesheet/pay.py").read_text()


def test_the_editor_follows_the_file_and_not_a_memory_of_it(dialogue: Dialogue):
    """The same bug in a file that looks different is mended in its own words."""
    path = dialogue.folder.root / "timesheet/clock.py"
    path.write_text(path.read_text().replace("begin   = ", "begin     = ").replace("# '22:00' to '06:00' is eight hours", "# a difference"))
    dialogue.read_everything()
    dialogue.messages.append({"role": "assistant", "content": "`worked` forgets the day in between."})
    [call] = demo_models.editor(dialogue.request(forced="edit")).calls
    assert "begin     = " in json.loads(call.json)["old_text"]
    dialogue.folder.edit(**json.loads(call.json))
    assert "% MINUTES_PER_DAY" in path.read_text()


def test_an_editor_that_was_shown_nothing_writes_no_call(dialogue: Dialogue):
    dialogue.messages.append({"role": "assistant", "content": "`worked` forgets the day in between."})
    assert not demo_models.editor(dialogue.request(forced="edit")).calls


def test_green_tests_end_the_work(dialogue: Dialogue):
    dialogue.add(demo_models.primary(dialogue.request()), ["GREEN: 13 run, all passed"])
    assert not demo_models.primary(dialogue.request()).calls


def test_an_unknown_failure_ends_the_work_with_an_explanation(dialogue: Dialogue):
    dialogue.add(demo_models.primary(dialogue.request()), ["RED: 1 run, 1 failed\n\nsomething else"])
    assert "no explanation" in demo_models.primary(dialogue.request()).text


def test_after_two_failed_edits_the_file_is_read_again(dialogue: Dialogue):
    dialogue.read_everything()
    for _ in range(2):
        say = demo_models.primary(dialogue.request())
        assert [call.name for call in say.calls] == ["edit"]
        dialogue.add(say, ["old text not found in timesheet/clock.py"])
    assert [call.name for call in demo_models.primary(dialogue.request()).calls] == ["read"]


def test_the_local_model_calls_a_web_tool_that_it_was_not_given_and_the_primary_does_not(tmp_path: Path):
    dialogue = Dialogue(copy_project(tmp_path / "project"), "See http://127.0.0.1:9/overtime.md. Mend it.")
    run = dialogue.folder.run_tests()
    dialogue.add(demo_models.primary(dialogue.request()), [f"RED: {run.summary}\n\n{run.output}"])
    assert [call.name for call in demo_models.primary(dialogue.request()).calls] == ["read", "read"]
    [invented] = demo_models.local(dialogue.request()).calls
    assert (invented.name, json.loads(invented.json)) == ("web_fetch", {"url": "http://127.0.0.1:9/overtime.md"})
