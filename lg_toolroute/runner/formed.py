"""What a model that has a form is sent: its tools in that form, and the earlier calls of the history in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial

from langchain_core.messages import BaseMessage, ToolCall

from lg_toolroute.core.turn.turn import Job, Turn
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.gates.answer import parse_arguments
from lg_toolroute.gates.formed import FormedTool
from lg_toolroute.runner.request_parts import NamedTool, RequestParts


def formed_tools(
    parts: RequestParts, turn: Turn, job: Job, spec: str, tools: Sequence[NamedTool], written: Mapping[int, ToolCall]
) -> tuple[list[NamedTool], dict[str, FormedTool]]:
    """The tools as a candidate is shown them, and those of them that it is shown in a form.

    Args:
        parts: What the requests of the turn share.
        turn: The turn.
        job: What is to be written.
        spec: The candidate.
        tools: The tools that it may see.
        written: The calls of this very message that are written and have not run yet, by slot.
    """
    formed: dict[str, FormedTool] = {}
    bound: list[NamedTool] = []
    forms = parts.router.forms
    for name, tool in tools:
        form = parts.inputs.decision(name, job.source).options.forms.get(spec)
        if form is None or (name in job.tools and forms.needs_own(turn.id, job)):
            bound.append((name, tool))
            continue
        try:
            found = forms.shown(form, name, tool)
        except FormRefused:  # a pattern that also matches tools which cannot take the form: `check_tools` has looked at them
            found = None
        bound.append((name, tool if found is None else found[1]))
        if found is not None:
            first = min((call.slot for call in job.calls if call.tool == name), default=0)
            before = [call for slot, call in written.items() if slot < first]
            formed[name] = FormedTool(found[0], forms.form(form), found[2], partial(parts.handoffs.known, before=before), at_once=parts.only_bound)
    return bound, formed


def formed_history(parts: RequestParts, formed: Mapping[str, FormedTool]) -> Sequence[BaseMessage]:
    """The history, its calls of formed tools in the form in which the reader is shown these tools, where they can be expressed in it."""
    if not formed:
        return parts.messages
    return parts.router.formed_threads.of(parts.messages, formed, parts.handoffs.file_tools())


def formed_draft(formed: Mapping[str, FormedTool], tool: str, draft: str) -> str:
    """The primary's own arguments of a call, as JSON, in the form of their reader; as they are where that cannot be."""
    found, arguments = formed.get(tool), parse_arguments(draft)
    if found is None or isinstance(arguments, str):
        return draft
    try:
        return json.dumps(found.form.arguments(tool=found.tool, arguments=arguments, known=found.known), ensure_ascii=False)
    except FormRefused:
        return draft
