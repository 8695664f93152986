"""Forms lose nothing: any edit of any file, written in any form, lands as the application's tool with the same file, or is refused with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lg_toolroute.files.known import KnownFile
from lg_toolroute.files.tools import FileTool
from lg_toolroute.forms.built_in import BUILT_IN
from lg_toolroute.forms.edit_form import EditForm
from lg_toolroute.forms.form import FormTool
from lg_toolroute.forms.notation import Notation
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.forms.text import FileText
from tests.support import edit_tools
from tests.support.sampling import examples

FILE = "src/a.py"
NAMED = "file_path"
"""The argument that names the file, also where a form gives a tool one that names its files in a patch."""


def tool(name: str, file: FileTool | None, *properties: str) -> FormTool:
    return FormTool(name, "…", {"type": "object", "properties": {each: {"type": "string"} for each in properties}}, file)


TOOLS: dict[str, tuple[FormTool, Callable[[str, Mapping[str, Any]], str]]] = {
    "exact": (tool("edit", FileTool("edit", NAMED, "old_string", "new_string"), NAMED), edit_tools.exact),
    "every": (tool("edit", FileTool("edit", NAMED, "old_string", "new_string", "replace_all"), NAMED), edit_tools.exact),
    "pairs": (tool("multi", FileTool("edit", NAMED, "old_string", "new_string", "replace_all", "edits"), NAMED), edit_tools.pairs),
    "whole": (tool("write", FileTool("write", NAMED, text="content"), NAMED), edit_tools.whole),
    "lines": (tool("lines", FileTool("edit", NAMED, new="new_text", start="start_line", end="end_line"), NAMED), edit_tools.lines),
    "patch": (tool("apply_patch", None, "patch"), edit_tools.apply_patch),
}

PLAIN = ("a", "b", "c", "a b", "\tif x:", "    return é", "", "{", "}")
AWKWARD = (*PLAIN, "a ", "b\t", "=======", "<<<<<<< SEARCH", ">>>>>>> REPLACE", "-- a", "++ b", "- a", "+", "@@", "@@ -1,2 +1,2 @@", "*** End Patch",
           "*** Update File: b", "\\ No newline at end of file", "```", "x\u2028y", "\x0c", "\ufeff#", "\x85", "a\rb", "c\r", "😀")  # fmt: skip


def texts(contents: tuple[str, ...], endings: tuple[str, ...], ends: bool) -> st.SearchStrategy[list[str]]:
    line = st.tuples(st.sampled_from(contents), st.sampled_from(endings)).map("".join)
    return st.lists(line, min_size=1 if ends else 0, max_size=14)


@st.composite
def edits(draw: st.DrawFn, *, plain: bool) -> tuple[str, str]:
    """A text, and what it is to become: lines taken out, put in, put in place of others, at the beginning, in the middle and at the end."""
    endings = ("\n",) if plain else draw(st.sampled_from([("\n",), ("\r\n",), ("\n", "\r\n")]))
    rows = draw(texts(PLAIN if plain else AWKWARD, endings, plain))
    changed = list(rows)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(changed)))
        end = draw(st.integers(start, min(start + 3, len(changed))))
        changed[start:end] = draw(texts(PLAIN if plain else AWKWARD, endings, False).map(lambda some: some[:3]))
    if not plain and draw(st.booleans()):
        changed = draw(st.sampled_from([[], changed, changed[::-1]]))
    before, after = "".join(rows), "".join(changed)
    if not plain:
        before, after = ((text.removesuffix("\n").removesuffix("\r") if draw(st.booleans()) else text) for text in (before, after))
    return before, after


def written(form: EditForm, before: str, after: str) -> dict[str, Any] | None:
    """The model's call in a form; `None` if the change cannot be written in it."""
    try:
        calls = notation(form).write(FILE, FileText.of(before), FileText.of(after))
    except FormRefused:
        return None
    assert len(calls) == 1
    return calls[0]


def notation(form: EditForm) -> Notation:
    return form.notation(NAMED)


def known(text: str) -> Callable[[str], KnownFile | None]:
    return lambda name: KnownFile.holding(name, text) if name == FILE else None


def land(form: EditForm, target: str, before: str, after: str) -> str | None:
    """What the application's tool makes of a model's call; `None` if it was refused."""
    call = written(form, before, after)
    if call is None:
        return None
    app, run = TOOLS[target]
    try:
        calls = form.calls(tool=app, arguments=call, known=known(before))
    except FormRefused as refused:
        return None if refused.reason and (refused.own or refused.remedy) else "a refusal without a reason and what to do instead"
    text = before
    for each in calls:
        text = run(text, each)
    return text


@pytest.mark.parametrize("name", BUILT_IN)
@settings(max_examples=examples(90), deadline=None)
@given(edit=edits(plain=False))
def test_an_edit_in_any_form_lands_as_the_same_file_or_is_refused(name: str, edit: tuple[str, str]) -> None:
    before, after = edit
    form = BUILT_IN[name]
    assert isinstance(form, EditForm)
    for target in TOOLS:
        assert land(form, target, before, after) in (None, after), target


@pytest.mark.parametrize("name", BUILT_IN)
@settings(max_examples=examples(60), deadline=None)
@given(edit=edits(plain=True))
def test_an_edit_of_a_plain_file_is_never_refused(name: str, edit: tuple[str, str]) -> None:
    before, after = edit
    form = BUILT_IN[name]
    assert isinstance(form, EditForm)
    if before != after:
        for target in TOOLS if after else ("exact", "every", "pairs", "whole"):
            assert land(form, target, before, after) == after, target


@pytest.mark.parametrize("name", BUILT_IN)
@settings(max_examples=examples(60), deadline=None)
@given(edit=edits(plain=False))
def test_what_one_notation_says_another_says_too_or_refuses(name: str, edit: tuple[str, str]) -> None:
    before, after = (FileText.of(text) for text in edit)
    call = written(BUILT_IN[name], *edit)  # type: ignore[arg-type]  # all built-in forms are EditForms
    for other in BUILT_IN.values() if call is not None and before != after else ():
        (part,) = notation(BUILT_IN[name]).parts(call)  # type: ignore[arg-type]
        said = notation(BUILT_IN[name]).apply(part, before)  # type: ignore[arg-type]
        try:
            calls = notation(other).write(FILE, before, said)  # type: ignore[arg-type]
        except FormRefused:
            continue
        (again,) = notation(other).parts(calls[0])  # type: ignore[arg-type]
        assert notation(other).apply(again, before) == after  # type: ignore[arg-type]


@pytest.mark.parametrize("name", BUILT_IN)
@settings(max_examples=examples(60), deadline=None)
@given(edit=edits(plain=False))
def test_an_earlier_call_of_the_tool_shown_in_a_form_means_the_same_file(name: str, edit: tuple[str, str]) -> None:
    before, after = edit
    form = BUILT_IN[name]
    assert isinstance(form, EditForm)
    for app, run in (TOOLS["exact"], TOOLS["pairs"], TOOLS["whole"]):
        own = {"pairs": BUILT_IN["exact"]}.get(app.name)
        try:
            calls = BUILT_IN["whole" if app.name != "write" else "exact"].calls(  # type: ignore[union-attr]
                tool=app, arguments={NAMED: FILE, "content": after}, known=known(before)
            ) if app.name != "write" else [{NAMED: FILE, "content": after}]
            shown = form.arguments(tool=app, arguments=calls[0], known=known(before)) if len(calls) == 1 else None
        except FormRefused:
            continue
        if shown is not None and own is not form:
            (part,) = notation(form).parts(shown)
            assert notation(form).apply(part, FileText.of(before)).text == run(before, calls[0])
