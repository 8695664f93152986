"""The gate in front of a model that writes a routed call: nothing is shown that has not been checked.

A consumer sees the tool's name and the call's id at once; both are ours and stay true whichever candidate writes the call. The
arguments follow when they are complete, strict JSON, and fit the tool's schema. So a failed attempt leaves no trace. With `live`,
arguments are passed on as they come, and the first piece takes away the right to another candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from lg_toolroute.gates.answer import Finish, fits, parse_arguments, rejected
from lg_toolroute.gates.chunks import generation, merged


class WriteGate:
    """Feeds on the chunks of one model that was told to call a tool; what it yields may be shown.

    Args:
        message_id: The id every chunk is to carry.
        model: `provider/model`, for error texts.
        tools: The calls that are wanted, one name a call.
        call_ids: The id each call gets.
        slots: The position of each call in the message.
        exact: Exactly these calls are wanted; otherwise at least one of the one tool.
        schemas: The JSON Schema of each tool's arguments.
        announced: How many of the calls a consumer has seen by name.
        live: Pass arguments on as they come.
        blocks: The index of each call's content block, where the message's content names its calls (Anthropic's does).
        provider: Whose dialect those blocks are in.
        new_id: Makes the id of a further call.

    Attributes:
        accepted: The calls that landed: `(slot, id, name, arguments as JSON)`.
        announced: As above, afterwards.
        spent: Arguments went out live.
    """

    def __init__(
        self,
        message_id: str,
        *,
        model: str,
        tools: tuple[str, ...],
        call_ids: tuple[str, ...],
        slots: tuple[int, ...],
        exact: bool,
        schemas: Mapping[str, Mapping[str, Any] | None],
        announced: int = 0,
        live: bool = False,
        blocks: Sequence[int | None] = (),
        provider: str | None = None,
        new_id: Callable[[], str],
    ) -> None:
        self.message_id = message_id
        self.model = model
        self.tools = tools
        self.call_ids = call_ids
        self.slots = slots
        self.exact = exact
        self.schemas = schemas
        self.announced = announced
        self.live = live and not exact
        self.blocks = tuple(blocks)
        self.provider = provider
        self.new_id = new_id
        self.spent = False
        self._sent = ""
        self.raised: BaseException | None = None
        self.restart()

    def restart(self) -> None:
        """Be ready for the model's stream; also for its next one, when something around the model tries again after a failure."""
        self.halted = False
        self.saw_chunk = False
        self.accepted: list[tuple[int, str, str, str]] = []
        self.finish = Finish()
        self._chunks: list[ChatGenerationChunk] = []
        self._begun = self.announced > 0
        self._heard: dict[Any, dict[str, str]] = {}
        self._live_call: dict[str, str] | None = None

    def begin(self) -> Iterator[ChatGenerationChunk]:
        """The names and ids of the wanted calls, before the model has said a word."""
        for position in range(self.announced, len(self.tools)):
            yield self._call(position, name=self.tools[position], call_id=self.call_ids[position], args="")
        self.announced = len(self.tools)
        self._begun = True

    def feed(self, chunk: ChatGenerationChunk) -> Iterator[ChatGenerationChunk]:
        """Keeps the chunk; with `live`, yields the arguments of the first wanted call."""
        message = chunk.message
        if not isinstance(message, AIMessageChunk):
            raise TypeError(f"{self.model} streamed a {type(message).__name__}; a chat model streams AIMessageChunk")
        self.saw_chunk = True
        self._chunks.append(chunk)
        for metadata in (chunk.generation_info, message.response_metadata):
            if metadata:
                self.finish.see(metadata)
        if self.live:
            for piece in message.tool_call_chunks:
                yield from self._feed_live(piece)

    def _feed_live(self, piece: ToolCallChunk) -> Iterator[ChatGenerationChunk]:
        index, mark = piece.get("index"), piece.get("id")
        heard = self._heard.get(index)
        if heard is None or (mark and heard["id"] and mark != heard["id"]):
            heard = self._heard[index] = {"id": mark or "", "name": "", "args": ""}
        heard["name"] += piece.get("name") or ""
        heard["args"] += piece.get("args") or ""
        # The name is complete when arguments begin. The first call of the wanted tool is the one that goes live.
        if not heard["args"] or not (self._live_call is heard or (self._live_call is None and heard["name"] == self.tools[0])):
            return
        self._live_call = heard
        args = heard["args"][len(self._sent) :]
        if not heard["args"].startswith(self._sent[: len(heard["args"])]):
            raise rejected(self.model, "invalid_tool_call", "it was asked again after a failure, and wrote other arguments than were shown")
        if args:
            self.spent = True
            self._sent += args
            name = None if self._begun else self.tools[0]
            self._begun = True
            self.announced = max(self.announced, 1)
            yield self._call(0, name=name, call_id=self.call_ids[0], args=args)

    def end(self) -> Iterator[ChatGenerationChunk]:
        """The arguments, now that all is known, and the last chunk.

        Raises:
            AnswerRejected: The answer is not the call that was wanted.
        """
        whole = merged(self._chunks)
        wanted = self._wanted(_calls(whole))
        for position, (name, args) in enumerate(wanted):
            call_id = self.call_ids[position] if position < len(self.call_ids) else self.new_id()
            slot = self.slots[position] if position < len(self.slots) else self.slots[-1] + position - len(self.slots) + 1
            self.accepted.append((slot, call_id, name, args))
            if position == 0 and self._live_call is not None:
                continue
            seen = self._begun and position < len(self.tools)
            yield self._piece(position, slot, None if seen else name, call_id, args)
        yield generation(self._last(whole))

    def _wanted(self, calls: list[ToolCallChunk]) -> list[tuple[str, str]]:
        """The calls that were wanted, in the order in which they were wanted.

        Raises:
            AnswerRejected: They are not there, or cannot be run.
        """
        names = ", ".join(dict.fromkeys(self.tools))
        if self.finish.refused:
            raise rejected(self.model, "content_policy", f"it refused to write the call of {names}")
        if self.finish.truncated:
            raise rejected(self.model, "truncated", self.finish.detail())
        by_name: dict[str, list[str]] = {name: [] for name in self.tools}
        for call in calls:
            if (name := call["name"]) in by_name:
                by_name[name].append(self._checked(name, call["args"] or ""))
        if not any(by_name.values()):
            said = ", ".join(repr(call["name"]) for call in calls)
            instead = f"it called {said} instead" if said else "it called nothing"
            reason = "invalid_tool_call" if calls or self._said_something() else "empty_response"
            raise rejected(self.model, reason, f"answer with a call of {names}, and with nothing else; {instead}")
        if not self.exact:
            return [(self.tools[0], args) for args in by_name[self.tools[0]]]
        wanted: list[tuple[str, str]] = []
        for name in self.tools:
            if not by_name[name]:
                asked = ", ".join(f"{self.tools.count(tool)} of {tool!r}" for tool in dict.fromkeys(self.tools))
                raise rejected(self.model, "invalid_tool_call", f"too few calls: wanted are {asked}, all in one answer")
            wanted.append((name, by_name[name].pop(0)))
        return wanted

    def _checked(self, name: str, text: str) -> str:
        arguments = parse_arguments(text)
        problem = arguments if isinstance(arguments, str) else fits(arguments, self.schemas.get(name))
        if problem is not None:
            raise rejected(self.model, "invalid_tool_call", f"the call of {name!r} cannot be run: {problem}")
        return text if text.strip() else "{}"

    def _said_something(self) -> bool:
        whole = merged(self._chunks)
        return whole is not None and bool(whole.content)

    def _call(self, position: int, *, name: str | None, call_id: str, args: str) -> ChatGenerationChunk:
        return self._piece(position, self.slots[position], name, call_id, args)

    def _piece(self, position: int, slot: int, name: str | None, call_id: str, args: str) -> ChatGenerationChunk:
        content: list[str | dict[str, Any]] = []
        index = self._block(position)
        if index is not None:
            if name is not None:
                content.append({"type": "tool_use", "id": call_id, "name": name, "input": {}, "index": index})
            if args and name is None:
                content.append({"type": "input_json_delta", "partial_json": args, "index": index})
            elif args:
                content[0]["partial_json"] = args  # type: ignore[index]  # the block just made
        piece = tool_call_chunk(name=name, args=args, id=call_id, index=slot if index is None else index)
        # Blocks are in the dialect of the message's words, and a chunk that does not say so is not understood.
        read_as = {"model_provider": self.provider} if content and self.provider else {}
        return generation(AIMessageChunk(content=content or "", tool_call_chunks=[piece], response_metadata=read_as, id=self.message_id))

    def _block(self, position: int) -> int | None:
        if position < len(self.blocks):
            return self.blocks[position]
        last = self.blocks[-1] if self.blocks else None
        return None if last is None else last + position - len(self.blocks) + 1

    def _last(self, whole: AIMessageChunk | None) -> AIMessageChunk:
        # The provider's name is left out: a message that holds both models' parts belongs to the provider of its text.
        metadata = {key: value for key, value in (whole.response_metadata if whole else {}).items() if key != "model_provider"}
        for chunk in self._chunks:
            metadata.update({key: value for key, value in (chunk.generation_info or {}).items() if key not in metadata})
        metadata.pop("model_provider", None)
        usage = whole.usage_metadata if whole else None
        return AIMessageChunk(content="", id=self.message_id, chunk_position="last", response_metadata=metadata, usage_metadata=usage)

    def fail(self, error: BaseException) -> bool:
        """A broken stream of arguments is never shown: unless the answer was complete, the error goes on."""
        complete = self.finish.reason is not None and not self.finish.truncated
        return complete and isinstance(error, Exception)


def _calls(whole: AIMessageChunk | None) -> list[ToolCallChunk]:
    return list(whole.tool_call_chunks) if whole is not None else []
