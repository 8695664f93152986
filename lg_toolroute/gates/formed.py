"""Calls that a model wrote in another form than the tool's own, put into the tool's own form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lg_toolroute.forms.form import FormTool, Known, ToolForm
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.gates.answer import schema_problem


@dataclass(frozen=True, slots=True)
class FormedTool:
    """A tool that a model is shown in a form.

    Attributes:
        tool: The tool of the application.
        form: The form.
        shown: The JSON Schema of the arguments that the model writes.
        known: Gives what is known of a file.
        at_once: The calls of a message run at the same time, as far as this surface knows, so that two edits of one file are refused.
    """

    tool: FormTool
    form: ToolForm
    shown: Mapping[str, Any]
    known: Known
    at_once: bool = False

    def landed(self, arguments: Mapping[str, Any], fixed: Mapping[str, Any]) -> list[str]:
        """The arguments of the tool's own calls, as JSON.

        Args:
            arguments: What the model wrote.
            fixed: Arguments that are settled, in the tool's own form; the model was not asked for them.

        Raises:
            FormRefused: The model's arguments do not fit what it was shown, cannot be expressed in the tool's own form, or not without loss.
        """
        changed = next((name for name in fixed.keys() & arguments.keys() if arguments[name] != fixed[name]), None)
        if changed is not None:
            raise FormRefused(f"`{changed}` is settled, and was changed", f"leave `{changed}` out")
        written = {**{name: value for name, value in fixed.items() if name in self.shown.get("properties", {})}, **arguments}
        if (problem := schema_problem(written, self.shown)) is not None:
            raise FormRefused(problem)
        calls = self.form.calls(tool=replace(self.tool, fixed=fixed), arguments=written, known=self.known)
        other = next((name for call in calls for name in fixed.keys() & call.keys() if call[name] != fixed[name]), None)
        if other is not None:
            raise FormRefused(f"it needs another `{other}`, which is settled", own=True)
        landed = [{**call, **fixed} for call in calls]
        files = [call.get(self.tool.file.file) for call in landed] if self.tool.file is not None else []
        if self.at_once and any(files.count(file) > 1 for file in files):
            raise FormRefused("it takes several calls, of which the second would undo the first", "change what lies close together")
        problem = next((problem for call in landed if (problem := schema_problem(call, self.tool.schema)) is not None), None)
        if problem is not None or not landed:
            raise FormRefused(problem or "it changes nothing", own=problem is not None)
        return [json.dumps(call, ensure_ascii=False) for call in landed]
