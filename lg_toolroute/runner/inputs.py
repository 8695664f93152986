"""Reads from the messages what a turn depends on: the newest tool results, earlier failures, attachments, the length."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from lg_toolroute.clients.wrappers import LanguageModel
from lg_toolroute.core.rules.facts import ModelFacts
from lg_toolroute.core.rules.tools import Tools, named_tools
from lg_toolroute.core.turn.escalation import ToolOutcome, args_key, escalation
from lg_toolroute.core.turn.inputs import TurnInputs
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.overrides import NO_OVERRIDES, Overrides

IsFailure = Callable[[ToolMessage], bool]
"""Says whether a tool's result is a failure."""


def has_error_status(result: ToolMessage) -> bool:
    """A result is a failure when its tool said so: `ToolMessage(status="error")`."""
    return result.status == "error"


def read_inputs(
    router: ToolRouter,
    messages: Sequence[BaseMessage],
    tools: Sequence[Any],
    overrides: Overrides = NO_OVERRIDES,
    *,
    forced: str | None = None,
    agent_model: str | None = None,
    agent_models: Mapping[str, LanguageModel] | None = None,
    is_failure: IsFailure = has_error_status,
    named: Tools | None = None,
) -> TurnInputs:
    """What the next turn of this history reads.

    Args:
        router: The rules, and what is known of the models.
        messages: The history, without the system prompt.
        tools: What the agent binds: `BaseTool`s or tool dicts.
        overrides: The run's agent, role and model.
        forced: A tool that is known to come next.
        agent_model: The spec of a primary that was handed in for this turn and that the configuration does not name.
        agent_models: Models that were handed in for this turn, by spec.
        is_failure: Says whether a tool's result is a failure.
        named: What `named_tools` gives for `tools`, where they are the same in every turn.
    """
    agent, role = overrides.agent, overrides.role
    router.check_run(agent, role)
    if named is None:
        named = named_tools(tools)
    images, pdfs = _has_image_or_pdf(messages)
    return TurnInputs(
        rules=router.book,
        tools=named,
        facts=_facts(router, agent_models or {}),
        agent=agent,
        role=role,
        override=overrides.model,
        forced=forced,
        results=results_just_in(messages),
        images=images,
        pdfs=pdfs,
        tokens=_token_counter(router, messages),
        steps=_escalation_steps(router, messages, named, agent, role, is_failure),
        agent_model=agent_model,
    )


def _facts(router: ToolRouter, agent_models: Mapping[str, LanguageModel]) -> Callable[[str], ModelFacts]:
    """Reads what is known of a model once a turn."""
    known: dict[str, ModelFacts] = {}

    def facts(spec: str) -> ModelFacts:
        found = known.get(spec)
        if found is None:
            found = known[spec] = router.models.facts(spec, agent_models.get(spec))
        return found

    return facts


def results_just_in(messages: Sequence[BaseMessage]) -> tuple[str, ...]:
    """The tools whose results stand at the end of the history, in order."""
    names: list[str] = []
    for message in reversed(messages):
        if not isinstance(message, ToolMessage):
            break
        names.append(message.name or _called_name(messages, message.tool_call_id))
    return tuple(reversed([name for name in names if name]))


def _called_name(messages: Sequence[BaseMessage], call_id: str) -> str:
    for message in reversed(messages):
        if isinstance(message, AIMessage):
            for call in message.tool_calls:
                if call["id"] == call_id:
                    return call["name"]
    return ""


def _escalation_steps(
    router: ToolRouter, messages: Sequence[BaseMessage], tools: Tools, agent: str | None, role: str | None, is_failure: IsFailure
) -> Mapping[str, tuple[int, str]]:
    """How far up its chain each tool goes, for the rules that escalate."""
    after = router.book.toolsets.escalating(tools, agent=agent, role=role)
    if not after:
        return {}
    results = results_of_turn(messages, is_failure)
    steps = {name: escalation(results, name, count) for name, count in after}
    return {name: (found.steps, found.reason) for name, found in steps.items() if found.steps}


def results_of_turn(messages: Sequence[BaseMessage], is_failure: IsFailure = has_error_status) -> list[ToolOutcome]:
    """The tool results since the user last spoke, oldest first."""
    start = next((i for i in range(len(messages) - 1, -1, -1) if isinstance(messages[i], HumanMessage)), -1) + 1
    args: dict[str, tuple[str, str]] = {}
    results: list[ToolOutcome] = []
    for message in messages[start:]:
        if isinstance(message, AIMessage):
            args.update({call["id"] or "": (call["name"], args_key(call["args"])) for call in message.tool_calls})
        elif isinstance(message, ToolMessage):
            name, key = args.get(message.tool_call_id, (message.name or "", ""))
            results.append(ToolOutcome(name, key, is_failure(message)))
    return results


def _has_image_or_pdf(messages: Sequence[BaseMessage]) -> tuple[bool, bool]:
    """Does the newest human or tool message carry an image, a pdf?"""
    newest = next((m for m in reversed(messages) if isinstance(m, (HumanMessage, ToolMessage))), None)
    if newest is None or isinstance(newest.content, str):
        return False, False
    image = pdf = False
    for block in newest.content:
        if not isinstance(block, dict):
            continue
        kind = block.get("type")
        mime = _mime(block)
        image = image or kind in {"image", "image_url", "input_image"} or mime.startswith("image/")
        pdf = pdf or mime == "application/pdf" or kind in {"document", "input_file"}
    return image, pdf


def _mime(block: Mapping[str, Any]) -> str:
    source = block.get("source")
    found = block.get("mime_type") or block.get("media_type") or (source.get("media_type") if isinstance(source, Mapping) else None)
    return str(found or "")


def _token_counter(router: ToolRouter, messages: Sequence[BaseMessage]) -> Callable[[], int]:
    counted: list[int] = []

    def count() -> int:
        if not counted:
            counted.append(router.token_counts.count(messages))
        return counted[0]

    return count
