"""What the providers of the tests issued: what a server of ours remembers, and the thoughts that carry no signature."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from lg_toolroute.testing.providers import minted
from lg_toolroute.testing.providers.histories import ollama, openai_chat
from lg_toolroute.testing.providers.histories.pairs import check_pairs
from lg_toolroute.testing.providers.rule import Refusal


@dataclass
class Minted(minted.Minted):
    """The providers' memory.

    Attributes:
        thoughts: Each thought that a model of Ollama's wrote, with the model. The server cannot tell whose they are.
        call_ids: Each call id of a form that the API's maker would refuse, with the model whose server gave it.
    """

    thoughts: dict[str, str] = field(default_factory=dict)
    call_ids: dict[str, str] = field(default_factory=dict)


def check_openai_chat(body: dict[str, Any], minted: Minted) -> list[Refusal]:
    """OpenAI's rules for a server that imitates it: that one takes the ids that it gave itself, whatever their form."""
    sent = json.dumps(body)
    for number, (given, model) in enumerate(minted.call_ids.items()):
        if model == body.get("model"):
            sent = sent.replace(json.dumps(given), json.dumps(f"given_{number}"))
    return openai_chat.check(json.loads(sent), minted)


def check_ollama(body: dict[str, Any], minted: Minted) -> list[Refusal]:
    """Ollama's rules, and what it would pass over: keys that it does not know, pairs that are broken, another model's thoughts as its own."""
    messages = body.get("messages") or []
    thoughts = [message["thinking"] for message in messages if message.get("thinking")]
    foreign = [thought for thought in thoughts if minted.thoughts.get(thought, body.get("model")) != body.get("model")]
    strange = [key for message in messages for key in message.keys() - ollama.TYPES.keys()]
    # The client leaves the id of a result out.
    return [
        *ollama.check(body, minted),
        *check_pairs(messages, ids=False),
        *(Refusal(f"unknown key {key!r}", rule="keys exist") for key in strange),
        *(Refusal(f"another model's thinking: {thought!r}", rule="thinking is its own") for thought in foreign),
    ]
