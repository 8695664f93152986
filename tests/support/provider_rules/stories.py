"""Histories as they are really stored: each assistant message is what a real client made of its server's answer."""

from __future__ import annotations

import warnings
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from tests.support.provider_rules.loopback import Loopback
from tests.support.provider_rules.minted import Minted
from tests.support.provider_rules.providers import PROVIDERS, Answer, Provider

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
FEATURES = ("text", "thinking", "one call", "parallel calls", "cut call", "image", "server tool", "v1 blocks", "handoff")
"""The rows of the matrix; `handoff` is what the model that takes over is sent: the words so far, then one instruction."""


class Studio:
    """Real clients over one loopback server, each built once, and the stories they write."""

    def __init__(self) -> None:
        self.loopback = Loopback()
        self.minted = Minted()
        self._clients: dict[tuple[str, str], BaseChatModel] = {}
        self._said = 0

    def client(self, provider: Provider, **settings: Any) -> BaseChatModel:
        """Give the provider's client, built once for each set of settings."""
        key = (provider.name, repr(settings))
        if key not in self._clients:
            self._clients[key] = provider.build(self.loopback.base, **settings)
        return self._clients[key]

    def says(self) -> str:
        """Give words that can be found again in a request."""
        self._said += 1
        return f"SAID-{self._said}."

    def answer(self, provider: Provider, answer: Answer, **settings: Any) -> AIMessage:
        """Have a provider answer, and give the message that its client stores."""
        self.loopback.answer = provider.write(provider, answer, self.minted)
        message = self.client(provider, **settings).invoke("go on")
        assert isinstance(message, AIMessage)
        return message

    def send(self, reader: Provider, model: Any, messages: list[BaseMessage]) -> dict[str, Any]:
        """Send messages with a client of the reader's, or a binding of one, and give the body that arrived."""
        self.loopback.answer = reader.write(reader, Answer(text="Done."), Minted())
        before = len(self.loopback.bodies)
        model.invoke(messages)
        assert len(self.loopback.bodies) == before + 1
        return self.loopback.last()

    def close(self) -> None:
        self.loopback.close()

    def stories(self, writer: Provider, feature: str) -> list[list[BaseMessage]]:
        """Give the stored histories of one writer that show one feature, ready to be read."""
        start: list[BaseMessage] = [SystemMessage("You edit files."), HumanMessage("Change a.py.")]
        with warnings.catch_warnings():
            # How its own client stores an answer is the writer's affair.
            warnings.simplefilter("ignore")
            if feature == "cut call":
                return [self._cut(start, writer, other) for other in PROVIDERS if other is not writer]
            return [self._story(start, writer, feature)]

    def _story(self, start: list[BaseMessage], writer: Provider, feature: str) -> list[BaseMessage]:
        one = (("edit", {"path": "a.py"}),)
        two = (*one, ("search", {"query": "ü"}))
        if feature == "text":
            return [*start, self.answer(writer, Answer(text=self.says())), HumanMessage("And b.py?")]
        if feature == "thinking":
            thought = self.answer(writer, Answer(text=self.says(), thinking=f"Hm {self._said}.", calls=one))
            answered = self.answer(writer, Answer(text=self.says(), thinking=f"So {self._said}."))
            return [*start, *with_results(thought), answered, HumanMessage("Go on.")]
        if feature == "one call":
            return [*start, *with_results(self.answer(writer, Answer(calls=one)))]
        if feature == "parallel calls":
            first = with_results(self.answer(writer, Answer(text=self.says(), calls=two)))
            return [*start, *first, *with_results(self.answer(writer, Answer(text=self.says(), calls=two)))]
        if feature == "image":
            return self._image(writer)
        if feature == "server tool":
            searched = self.answer(writer, Answer(text=self.says(), thinking=f"Hm {self._said}.", server_tool=True))
            calls = with_results(self.answer(writer, Answer(text=self.says(), server_tool=True, calls=one)))
            return [*start, searched, HumanMessage("Then edit."), *calls]
        if feature == "v1 blocks":
            v1 = self.answer(writer, Answer(text=self.says(), thinking=f"Hm {self._said}.", calls=two), **writer.v1)
            searched = self.answer(writer, Answer(text=self.says(), server_tool=True), **writer.v1)
            return [*start, *with_results(v1), searched, HumanMessage("Go on.")]
        partial = self.answer(writer, Answer(text=self.says(), thinking=f"Hm {self._said}."))
        return [*start, partial, HumanMessage("Now call `edit`, and nothing else.")]

    def _image(self, writer: Provider) -> list[BaseMessage]:
        data = f"data:image/png;base64,{PNG}"
        shown: dict[str, dict[str, Any]] = {
            "anthropic": {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                "cache_control": {"type": "ephemeral"},
            },
            "google-genai": {"type": "media", "mime_type": "image/png", "data": PNG},
            "ollama": {"type": "image", "base64": PNG, "mime_type": "image/png"},
        }
        block = shown.get(writer.name, {"type": "image_url", "image_url": {"url": data}})
        seen = HumanMessage([{"type": "text", "text": "What is this?"}, block])
        call = self.answer(writer, Answer(text=self.says(), calls=(("screenshot", {}),)))
        picture = {"type": "image", "base64": PNG, "mime_type": "image/png", "id": "lc_1"}
        result = ToolMessage([{"type": "text", "text": "Taken."}, picture], tool_call_id=call.tool_calls[0]["id"], name="screenshot")
        return [SystemMessage("You see."), seen, self.answer(writer, Answer(text=self.says())), HumanMessage("Look again."), call, result]

    def _cut(self, start: list[BaseMessage], writer: Provider, other: Provider) -> list[BaseMessage]:
        """Merge the words of one model and the call of another, with everything that the cut answer left behind."""
        words = self.answer(writer, Answer(text=self.says(), thinking=f"Hm {self._said}."))
        self.minted.forget(writer.model)
        call = self.answer(other, Answer(text="unused", calls=(("edit", {"path": "a.py"}),)))
        one, two = f"{writer.name}/{writer.model}", f"{other.name}/{other.model}"
        record = {"tool": "edit", "model": two, "primary": one, "reasoner": one, "calls": {call.tool_calls[0]["id"]: two}, "attempts": []}
        update = {"tool_calls": call.tool_calls, "response_metadata": {**words.response_metadata, "toolroute": record}}
        return [*start, *with_results(words.model_copy(update=update))]


def with_results(message: AIMessage) -> list[BaseMessage]:
    """Give a message and a result for each of its calls."""
    return [message, *(ToolMessage("ok", tool_call_id=call["id"], name=call["name"]) for call in message.tool_calls)]
