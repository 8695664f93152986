"""The gate in front of a reasoning model: text passes at once, calls when they are whole, a routed call never.

It sits in the model's own stream, below LangChain's callbacks, because a callback fires before a consumer could look: whoever breaks
out of `model.stream()` at a tool's name has already shown it.

A call is held until the message ends or is cut, so a stream that dies inside a call leaves nothing torn behind. A name may come in
pieces: it is complete when arguments begin, the next call begins, the stream ends, or no other bound tool has it as a prefix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from lg_toolroute.core.turn.turn import Intercepted
from lg_toolroute.errors import AnswerRejected
from lg_toolroute.gates.answer import Finish, parse_arguments
from lg_toolroute.gates.chunks import call_blocks, deal_blocks, generation, has_content, is_call_block, shift_blocks, text_part
from lg_toolroute.gates.held_call import HeldCall, index_of, kwargs_of

_LEGAL_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")


class ReasonGate:
    """Feeds on the chunks of one reasoning model; what it yields may be shown.

    After the stream, the attributes say what happened.

    Args:
        message_id: The id every chunk is to carry.
        model: `provider/model`, for error texts.
        gates: The routed tools: name to `cut` or `drain`.
        bound: The names of all tools the model sees; a name may be the beginning of another.
        block_offset: Where content block indices start; behind those of an earlier segment.
        estimate: Gives the usage of a cut answer from the text that was generated, since providers report none.
        new_id: Makes the id of an intercepted call whose own is not legal everywhere.
        keeps: Whether an error of the stream may end it quietly once something was shown.
        named: What the model calls itself. A stream says so in its last chunk, which a cut one does not have; without it, nobody counts the usage.
        keep_ids: An intercepted call keeps the id that this model gave it, if every provider takes that id. For a surface whose users watch
            the agent from outside, and know the call by it.
        only_bound: A call of a tool that the model does not see is withheld. For a surface that runs no tools, and so cannot refuse it there.

    Attributes:
        hit: The stream was cut at this tool.
        routed: The intercepted calls; with drain also several.
        announcing: Drained calls are shown by name and id in their place among the kept ones, so that who adds up the chunks gets the
            primary's order. The streaming protocol of v3, which finishes every block, cannot do that.
        drafts: What the model wrote as arguments of intercepted calls, by slot; only known when drained.
        shown: Something was shown.
        kept: How many calls were shown.
        error: The error that ended a stream of which something had been shown.
        rejected: What was wrong with the answer, when something of it had been shown.
        raised: What the model's last call raised.
    """

    def __init__(
        self,
        message_id: str,
        *,
        model: str,
        gates: Mapping[str, str] | None = None,
        bound: Collection[str] = (),
        block_offset: int = 0,
        estimate: Callable[[str], UsageMetadata] | None = None,
        new_id: Callable[[], str] = lambda: "call",
        keeps: Callable[[BaseException], bool] = lambda error: isinstance(error, Exception),
        named: str | None = None,
        keep_ids: bool = False,
        only_bound: bool = False,
    ) -> None:
        self.message_id = message_id
        self.model = model
        self.gates = dict(gates or {})
        self.bound = frozenset(bound) | frozenset(self.gates)
        self.block_offset = block_offset
        self.estimate = estimate
        self.new_id = new_id
        self.keeps = keeps
        self.named = named
        self.keep_ids = keep_ids
        self.only_bound = only_bound
        self.announcing = False
        self.shown = False
        self.raised: BaseException | None = None
        self.restart()

    def restart(self) -> None:
        """Be ready for the model's stream; also for its next one, when something around the model tries again after a failure."""
        self.hit: str | None = None
        self.routed: list[Intercepted] = []
        self.drafts: dict[int, str] = {}
        self.kept = 0
        self.error: BaseException | None = None
        self.rejected: AnswerRejected | None = None
        self.finish = Finish()
        self._has_name = False
        self.calls: list[HeldCall] = []
        self.usage: UsageMetadata | None = None
        self.saw_chunk = False
        self.text_only = True
        self._by_index: dict[Any, HeldCall] = {}
        self._draining = False
        self._generated: list[str] = []
        self._closed = False
        self._provider: str | None = None
        self._provider_shown = False

    @property
    def halted(self) -> bool:
        """Nothing more is wanted of the stream."""
        return self.hit is not None and not self._draining

    # -- while the stream runs -------------------------------------------------------------------------------------------------

    def feed(self, chunk: ChatGenerationChunk) -> Iterator[ChatGenerationChunk]:
        """What may be shown of one chunk, now."""
        message = chunk.message
        if not isinstance(message, AIMessageChunk):
            raise TypeError(f"{self.model} streamed a {type(message).__name__}; a chat model streams AIMessageChunk")
        self.saw_chunk = True
        for metadata in (chunk.generation_info, message.response_metadata):
            if metadata:
                self.finish.see(metadata)
                self._has_name = self._has_name or bool(metadata.get("model_name"))
        if message.usage_metadata:
            self.usage = message.usage_metadata
        content = message.content
        if not message.tool_call_chunks and (isinstance(content, str) or not any(map(is_call_block, content))):
            yield self._pass(chunk, message)
            return
        self.text_only = False
        yield from self._feed_calls(chunk, message)

    def _pass(self, chunk: ChatGenerationChunk, message: AIMessageChunk) -> ChatGenerationChunk:
        self._provider_shown = self._provider_shown or "model_provider" in message.response_metadata
        message.id = self.message_id
        if message.chunk_position is not None:
            message.chunk_position = None  # the last chunk is ours to send, behind the calls that are held
        if self.block_offset:
            message = message.model_copy(update={"content": shift_blocks(message.content, self.block_offset)})  # the model may keep its chunk
            chunk = generation(message, chunk.generation_info)
        if has_content(message.content):
            self.shown = True
            self._generated.append(_words(message.content))
        elif any(message.additional_kwargs.values()):
            self.shown = True  # reasoning, with the clients that put it there
        return chunk

    def _feed_calls(self, chunk: ChatGenerationChunk, message: AIMessageChunk) -> Iterator[ChatGenerationChunk]:
        pieces = list(message.tool_call_chunks)
        blocks = call_blocks(message)
        if not pieces:
            # Blocks without call chunks, as some clients send the end of a block: they go with the call that is open.
            pieces = [tool_call_chunk(index=block.get("index")) for block in blocks]
        dealt = deal_blocks(blocks, pieces)
        before, after = self._text_around(message, dealt)
        metadata = message.response_metadata
        self._provider = self._provider or metadata.get("model_provider")
        # Thoughts that come with a call were thought before it, and stay although the call may go.
        thoughts = {key: value for key, value in message.additional_kwargs.items() if isinstance(value, str) and value}
        if has_content(before) or thoughts or message.usage_metadata or chunk.generation_info or metadata.keys() - {"model_provider"}:
            emptied: dict[str, Any] = {"tool_call_chunks": [], "tool_calls": [], "invalid_tool_calls": [], "additional_kwargs": thoughts}
            plain = message.model_copy(update={"content": before, **emptied})
            yield self._pass(generation(plain, chunk.generation_info), plain)
        others = {key: value for key, value in message.additional_kwargs.items() if key not in thoughts}
        for piece, own_blocks in zip(pieces, dealt, strict=True):
            if not self._take(piece, own_blocks, others):
                return
        if after:
            tail = AIMessageChunk(content=after)
            yield self._pass(generation(tail), tail)

    def _take(self, piece: ToolCallChunk, blocks: list[dict[str, Any]], extra: Mapping[str, Any]) -> bool:
        """Add a piece to its call. `False`: nothing more is wanted."""
        call = self._call_of(piece)
        if call is None:
            return False
        before = (call.name, call.id, call.args)
        call.name += piece.get("name") or ""
        call.id = piece.get("id") or call.id
        call.args += piece.get("args") or ""
        if call.block is None and blocks and blocks[0].get("type") == "tool_use" and isinstance(blocks[0].get("index"), int):
            call.block = blocks[0]["index"] + self.block_offset
        beside = kwargs_of(extra, call.id) if extra else extra
        if blocks or beside or call.pieces:
            if not call.pieces and any(before):
                call.pieces.append(self._spelled(call, *before))
            call.pieces.append(self._piece(piece, blocks, call, beside))
        if not call.decided and (call.args or self._unambiguous(call.name)):
            self._decide(call)
        return not self.halted

    def _text_around(self, message: AIMessageChunk, dealt: list[list[dict[str, Any]]]) -> tuple[str | list[Any], list[Any]]:
        """The text of a chunk before its first call, and behind it: behind a call that will be cut there is nothing to show."""
        if isinstance(message.content, str) or not any(dealt):
            return text_part(message), []
        first = next(i for i, block in enumerate(message.content) if is_call_block(block))
        tail = [block for block in message.content[first:] if not is_call_block(block)]
        return text_part(message, until=first), tail

    def _call_of(self, piece: ToolCallChunk) -> HeldCall | None:
        """The call that a piece belongs to; `None` if the call before it turns out to be one to cut at."""
        index = piece.get("index")
        known = self._by_index.get(index) if index is not None else (self.calls[-1] if self.calls and not piece.get("name") else None)
        mark = piece.get("id")
        if known is not None and not (mark and known.id and mark != known.id):
            return known
        if self.calls and not self.calls[-1].decided:
            self._decide(self.calls[-1])  # the next call begins, so the name before it is complete
        if self.halted:
            return None
        call = HeldCall(len(self.calls))
        self.calls.append(call)
        if index is not None:
            self._by_index[index] = call
        return call

    def _whole(self, call: HeldCall) -> AIMessageChunk:
        """A kept call as one chunk: it is whole, and a chunk that ends inside an escape sequence cannot be serialised."""
        if not call.pieces:  # the common case; making a chunk of each piece and adding them up would cost several times as much
            return self._spelled(call, call.name, call.id, call.args)
        return call.pieces[0] + call.pieces[1:] if call.pieces[1:] else call.pieces[0]

    def _spelled(self, call: HeldCall, name: str, mark: str | None, args: str) -> AIMessageChunk:
        pieces = [tool_call_chunk(name=name or None, args=args, id=mark, index=index_of(call))]
        return AIMessageChunk(content="", tool_call_chunks=pieces, id=self.message_id)

    def _piece(self, piece: ToolCallChunk, blocks: list[dict[str, Any]], call: HeldCall, beside: Mapping[str, Any]) -> AIMessageChunk:
        return AIMessageChunk(
            content=shift_blocks(list(blocks), self.block_offset) if blocks else "",
            additional_kwargs=dict(beside),
            tool_call_chunks=[tool_call_chunk(name=piece.get("name"), args=piece.get("args"), id=piece.get("id"), index=index_of(call))],
            response_metadata=self._read_as() if blocks else {},
            id=self.message_id,
        )

    def _read_as(self) -> dict[str, Any]:
        """Whose dialect blocks are in. A chunk that does not say so is not understood."""
        return {"model_provider": self._provider} if self._provider else {}

    def _unambiguous(self, name: str) -> bool:
        return name in self.bound and not any(other != name and other.startswith(name) for other in self.bound)

    def _decide(self, call: HeldCall) -> None:
        call.decided = True
        mode = self.gates.get(call.name)
        if mode is None:
            return
        mark = call.id if self.keep_ids and call.id and _LEGAL_ID.fullmatch(call.id) else self.new_id()
        call.routed = Intercepted(call.slot, call.name, mark, block=call.block)
        self.hit = self.hit or call.name
        self.routed.append(call.routed)
        if mode == "drain":
            self._draining = True

    # -- when it has ended -----------------------------------------------------------------------------------------------------

    def end(self) -> Iterator[ChatGenerationChunk]:
        """What may be shown when the stream has ended, was cut, or broke: the calls that were held, then the last chunk.

        Raises:
            AnswerRejected: The answer is not to be believed, and nothing of it was shown.
        """
        if self._closed:
            return
        self._closed = True
        for call in self.calls:
            if not call.decided and not self.halted:
                self._decide(call)
        if self.hit is None and self.error is None:
            self._check()
        keep = self._keep()
        self.kept = len(keep)
        # An answer that broke off is asked for again, perhaps with other calls: none of it is announced.
        announcing = self._draining and self.announcing and self.error is None
        for call in self.calls:
            if call in keep:
                yield generation(self._named(self._whole(call)))
                self._generated.append(call.args)
            elif call.routed is not None and announcing:
                yield self._announcement(call.routed)
        if announcing:
            self.routed = [replace(call, announced=True) for call in self.routed]
        self.shown = self.shown or bool(keep)
        self.drafts = {call.slot: call.args for call in self.calls if call.routed} if self._draining else {}
        yield generation(self._last())

    def _keep(self) -> list[HeldCall]:
        """The calls that stay: all of a good answer's, or those of a cut one that were whole before the routed call."""
        if self.error is not None or self.rejected is not None:
            return []
        kept = [call for call in self.calls if call.routed is None]
        if self.hit is None:
            return kept
        first = len(self.calls) if self._draining else self.routed[0].slot
        return [call for call in kept if call.slot < first and not self._unavailable(call) and isinstance(parse_arguments(call.args), dict)]

    def _named(self, whole: AIMessageChunk) -> AIMessageChunk:
        """A kept call, with an id of ours if its provider gave it none: its result could not be told from another's."""
        if whole.tool_call_chunks[0]["id"]:
            return whole
        piece: ToolCallChunk = {**whole.tool_call_chunks[0], "id": self.new_id()}
        return AIMessageChunk(content=whole.content, additional_kwargs=whole.additional_kwargs, tool_call_chunks=[piece], id=self.message_id)

    def _unavailable(self, call: HeldCall) -> bool:
        return self.only_bound and call.name not in self.bound

    def _announcement(self, call: Intercepted) -> ChatGenerationChunk:
        content: list[str | dict[str, Any]] = []
        if call.block is not None:
            content = [{"type": "tool_use", "id": call.call_id, "name": call.tool, "input": {}, "index": call.block}]
        piece = tool_call_chunk(name=call.tool, args="", id=call.call_id, index=index_of(call))
        read_as = self._read_as() if content else {}
        return generation(AIMessageChunk(content=content or "", tool_call_chunks=[piece], response_metadata=read_as, id=self.message_id))

    def _last(self) -> AIMessageChunk:
        usage: UsageMetadata | None = None
        metadata: dict[str, Any] = {}
        if self._provider and not self._provider_shown:
            metadata["model_provider"] = self._provider
        if self.halted and self.estimate is not None:
            usage = self.estimate("".join(self._generated))
            if self.usage is not None:  # the input was reported when the stream began; only the output is missing
                usage = UsageMetadata(input_tokens=0, output_tokens=usage["output_tokens"], total_tokens=usage["output_tokens"])
            metadata["usage_estimated"] = True
            if self.named and not self._has_name:
                metadata["model_name"] = self.named
        return AIMessageChunk(content="", id=self.message_id, chunk_position="last", usage_metadata=usage, response_metadata=metadata)

    def _check(self) -> None:
        problem = self._problem()
        if problem is None:
            return
        reason, detail = problem
        error = AnswerRejected(self.model, reason, detail)
        if not self.shown:
            raise error
        self.rejected = error

    def _problem(self) -> tuple[str, str] | None:
        if self.finish.refused and not self.calls:
            return None  # a refusal is an answer; whether another model is asked is the rule's to say
        if self.finish.truncated:
            return "truncated", self.finish.detail()
        for call in self.calls:
            if not call.name:
                return "invalid_tool_call", "a tool call had no name"
            if self._unavailable(call):
                return "invalid_tool_call", f"the tool {call.name!r} is not available; go on without it"
            arguments = parse_arguments(call.args)
            if isinstance(arguments, str):
                return "invalid_tool_call", f"the call of {call.name!r} cannot be run: {arguments}"
        if not self.calls and not self.shown:
            return "empty_response", "the answer was empty: it held neither text nor a tool call"
        return None

    def fail(self, error: BaseException) -> bool:
        """Take note that the stream broke. `True`: end it quietly, because something was shown and the next model goes on from there."""
        if self.halted:
            return True  # cut already; what the closing of a connection raises is of no interest
        if self.finish.reason is not None and self.finish.reason and not self.finish.truncated:
            return isinstance(error, Exception) and self.keeps(error)  # the answer was complete before the connection broke
        if not self.keeps(error):
            return False
        if not self.shown:
            return False
        self.error = error
        return True


def _words(content: str | list[Any]) -> str:
    """What a model generated of some content, for an estimate: words and thoughts, not the blocks around them."""
    if isinstance(content, str):
        return content
    return "".join(block if isinstance(block, str) else str(block.get("text") or block.get("thinking") or "") for block in content)
