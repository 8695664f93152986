"""What a client keeps in `additional_kwargs` for its own API: signatures of calls, `reasoning_details`, `reasoning_content`.

It goes back with the message as it was. What is bound to a call that another model wrote in its place does not: a signature stands for
the one call that its model thought of. A call without a signature is sent with the mark that its API has for such calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from langchain_core.messages import AIMessage

from lg_toolroute.history.provenance import is_cut, is_own, wrote_call
from lg_toolroute.history.target import Target

SIGNATURES: Final = "__gemini_function_call_thought_signatures__"
DETAILS: Final = "reasoning_details"
CONTENT: Final = "reasoning_content"
NOT_RECORDED: Final = "(not recorded)"
_ENCRYPTED: Final = "reasoning.encrypted"
_GROWING: Final = frozenset({"text", "summary", "data"})
"""Keys whose values come in pieces; the others repeat, or come once."""
_UNSIGNED: Final = "skip_thought_signature_validator"
"""Source: Google, "Thought signatures": the mark for calls that another model wrote. Through OpenRouter one for each message, with the id of
its first call (Roo-Code#10640)."""


def bound_to_own_calls(message: AIMessage, target: Target) -> dict[str, Any]:
    """Give an own message's `additional_kwargs` without what is bound to calls that the reader did not write after all."""
    kept = dict(message.additional_kwargs)
    own = {call["id"] for call in message.tool_calls if wrote_call(message, call["id"] or "", target)}
    if isinstance(kept.get(SIGNATURES), Mapping):
        kept[SIGNATURES] = {call_id: signature for call_id, signature in kept[SIGNATURES].items() if call_id in own}
    if isinstance(kept.get(DETAILS), list):
        kept[DETAILS] = [entry for entry in kept[DETAILS] if not (_is_encrypted(entry) and entry.get("id") and entry["id"] not in own)]
    return kept


def with_marks(message: AIMessage, target: Target) -> AIMessage:
    """Give a message with calls, as it is sent, with a mark for each private field that the reader's API misses in another model's calls."""
    if not (target.echo_reasoning or target.echo_details) or (is_own(message, target) and not is_cut(message)):
        return message
    kwargs = dict(message.additional_kwargs)
    if target.echo_reasoning and not kwargs.get(CONTENT):
        kwargs[CONTENT] = NOT_RECORDED
    details = kwargs.get(DETAILS) or []
    if target.echo_details and "gemini" in target.model and not any(_is_encrypted(entry) for entry in details):
        mark = {"type": _ENCRYPTED, "data": _UNSIGNED, "id": message.tool_calls[0]["id"], "format": "google-gemini-v1", "index": 0}
        kwargs[DETAILS] = [*details, mark]
    return message if kwargs == message.additional_kwargs else message.model_copy(update={"additional_kwargs": kwargs})


def details_of(received: Sequence[Mapping[str, Any]], *, streamed: bool) -> list[dict[str, Any]]:
    """Give `reasoning_details` as they are stored in a message.

    Where messages are added up, LangChain joins entries of one numeric `index`, and their `format` too. So the pieces of a stream get a string for
    an `index`, and stay apart.
    """
    return [{**entry, "index": str(entry["index"])} if streamed and "index" in entry else dict(entry) for entry in received]


def whole_details(stored: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give stored `reasoning_details` as the API sent them: the pieces of a stream put together."""
    whole = []
    for (kind, index), pieces in groupby(stored, key=lambda entry: (entry.get("type"), entry.get("index"))):
        if not isinstance(index, str):
            whole += [dict(piece) for piece in pieces]
            continue
        entry: dict[str, Any] = {"type": kind}
        for key, value in ((key, value) for piece in pieces for key, value in piece.items() if value is not None):
            entry[key] = entry.get(key, "") + value if key in _GROWING else value
        whole.append({**entry, "index": int(index)})
    return whole


def _is_encrypted(entry: Any) -> bool:
    return isinstance(entry, Mapping) and entry.get("type") == _ENCRYPTED
