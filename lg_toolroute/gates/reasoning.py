"""The gate for a reasoning model: text is shown at once, a kept call when it is complete, a routed call never.

It works inside the model's own stream, below LangChain's callbacks: a callback gets a chunk before the consumer of `model.stream()` does, so a
consumer that stops at a tool's name has already shown that name to the callbacks.

Calls are held until the message ends or is cut, so a stream that breaks inside a call shows no part of it. Which calls are routed, and where they
are cut, is `routing.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from lg_toolroute.core.rules.meant import meant
from lg_toolroute.core.turn.turn import Intercepted
from lg_toolroute.errors import AnswerRejected
from lg_toolroute.gates.between_calls import BetweenCalls
from lg_toolroute.gates.chunks import (
    blocks_of_pieces,
    call_chunk,
    generation,
    has_content,
    is_call_block,
    own_chunk,
    shift_blocks,
    split_at_calls,
    thought,
)
from lg_toolroute.gates.held_call import HeldCall
from lg_toolroute.gates.looked import sent_back
from lg_toolroute.gates.routing import RoutingGate
from lg_toolroute.gates.unusable import why_unusable


@dataclass(eq=False, repr=False, kw_only=True)
class ReasonGate(RoutingGate):
    """Reads the chunks of one reasoning model; what it yields may be shown. Afterwards its attributes say what happened.

    What it takes beside the arguments of `RoutingGate`:

    Args:
        block_offset: The first index for content blocks: the number of blocks in earlier segments of the message.
        estimate: Gives the usage of a cut answer from the text and the reasoning that it generated, because providers do not report it.
        keeps: Whether an error of the stream may end the stream quietly once something was shown.
        named: The model's own name, for the last chunk of a cut stream: usage is counted by that name, and the model never got to say it.
        only_bound: Withhold calls of tools that the model was not offered, for surfaces that do not run the tools and cannot refuse them.

    Attributes:
        announcing: Drained calls are shown by name and id, in their place among the kept calls, so that the order of the calls survives.
        kept: The calls that were shown, each with the id that it was shown with.
        renamed: A call was shown with another id than the model gave it (none, or another call's), or by the name of the tool that it means.
        drafts: The arguments that the model wrote for routed calls, by slot; empty unless drained.
        shown: Something was shown, in this stream or in an earlier one of this gate.
        error: The error that broke the stream after something was shown.
        rejected: Why the answer cannot be used, if that was found after something was shown.
    """

    block_offset: int = 0
    estimate: Callable[[str, str], UsageMetadata] | None = None
    keeps: Callable[[BaseException], bool] = lambda error: isinstance(error, Exception)
    named: str | None = None
    only_bound: bool = False
    announcing: bool = field(default=False, init=False)
    shown: bool = field(default=False, init=False)

    def restart(self) -> None:
        super().restart()
        self.kept: list[HeldCall] = []
        self.renamed = False
        self.drafts: dict[int, str] = {}
        self.error: BaseException | None = None
        self.rejected: AnswerRejected | None = None
        self._ended = False
        self._between = BetweenCalls(self.block_offset)
        self._thought: list[str] = []
        self._usage_reported = False
        self._provider: str | None = None
        self._provider_shown = False

    def begin(self, *, announce: bool = True) -> Iterable[ChatGenerationChunk]:
        """Nothing can be shown yet; `announce` says whether drained calls are announced at the end, which the v3 protocol cannot show."""
        self.announcing = announce
        return ()

    # -- while the stream runs -------------------------------------------------------------------------------------------------

    def _feed(self, chunk: ChatGenerationChunk, message: AIMessageChunk) -> Iterable[ChatGenerationChunk]:
        self._usage_reported = self._usage_reported or bool(message.usage_metadata)
        content = message.content
        plain = isinstance(content, str) or not (self.calls or any(map(self._is_call_block, content)))
        return (self._show(chunk, message),) if plain and not message.tool_call_chunks and not self._cutting else self._feed_calls(chunk, message)

    def _is_call_block(self, block: Any, opened: Collection[Any] = ()) -> bool:
        """Whether a block is (part of) a call of the agent's tools. Arguments of a server-side tool belong to no call that has come or is opened."""
        return is_call_block(block) and (block["type"] != "input_json_delta" or block.get("index") in self._by_index or block.get("index") in opened)

    def _show(self, chunk: ChatGenerationChunk, message: AIMessageChunk) -> ChatGenerationChunk:
        self._provider_shown = self._provider_shown or "model_provider" in message.response_metadata
        message.id = self.message_id
        if message.chunk_position is not None:
            message.chunk_position = None  # the gate sends the last chunk itself, after the calls it holds
        if self.block_offset:
            message = message.model_copy(update={"content": shift_blocks(message.content, self.block_offset)})  # the model may keep its chunk
            chunk = generation(message, chunk.generation_info)
        if has_content(message.content):
            self.shown = True
            self._generated.append(message.content if isinstance(message.content, str) else message.text)
        elif any(message.additional_kwargs.values()):
            self.shown = True  # some clients put reasoning there
        if message.additional_kwargs or not isinstance(message.content, str):
            self._thought.append(thought(message))
        return chunk

    def _feed_calls(self, chunk: ChatGenerationChunk, message: AIMessageChunk) -> Iterator[ChatGenerationChunk]:
        """Reads a chunk at or behind a call: shows its text, adds its pieces to their calls, and decides the calls whose names are complete."""
        opened = {piece.get("index") for piece in message.tool_call_chunks}
        before, blocks, after = split_at_calls(message.content, lambda block: self._is_call_block(block, opened))
        # Some clients end a block with a chunk that has no call chunks; such blocks belong to the call of the same index.
        pieces = message.tool_call_chunks or [tool_call_chunk(index=block.get("index")) for block in blocks]
        metadata = message.response_metadata
        self._provider = self._provider or metadata.get("model_provider")
        # Reasoning in the chunk of a call came before the call, and is shown even if the call is not.
        reasoning = {key: value for key, value in message.additional_kwargs.items() if isinstance(value, str) and value}
        extras = {key: value for key, value in message.additional_kwargs.items() if key not in reasoning}
        if self._cutting:
            before, after, reasoning = "", [], {}
        elif self._between.hold(before, self.calls):
            before = ""
        if has_content(before) or reasoning or message.usage_metadata or chunk.generation_info or metadata.keys() - {"model_provider"}:
            without_calls: dict[str, Any] = {"content": before, "tool_call_chunks": [], "tool_calls": [], "invalid_tool_calls": []}
            text = message.model_copy(update={**without_calls, "additional_kwargs": reasoning})
            yield self._show(generation(text, chunk.generation_info), text)
        for piece, own_blocks in zip(pieces, blocks_of_pieces(blocks, pieces), strict=True):
            call = self._call_of(piece)
            if self._cutting and call.slot >= self.routed[0].slot and call.args:
                continue  # of the routed call and those behind it, only whether their arguments have begun is read: see `_is_left_behind`
            call.add(piece, shift_blocks(own_blocks, self.block_offset), extras)
            self._look_at(call, begun=bool(piece.get("args")))
            if self._cutting:
                after = []
                if self.halted:
                    return
        if after and not self._between.hold(after, self.calls):
            text = AIMessageChunk(content=after)
            yield self._show(generation(text), text)

    # -- when the stream has ended ---------------------------------------------------------------------------------------------

    def end(self) -> Iterator[ChatGenerationChunk]:
        """What may be shown when the stream has ended, was cut, or broke: the calls that were held, then the last chunk.

        Raises:
            AnswerRejected: The answer cannot be used, and nothing of it was shown.
        """
        if self._ended:
            return
        self._ended = True
        for call in self.calls:
            # The last name of an answer that broke off may be the beginning of another one.
            if call is not self.calls[-1] or not (self.finish.truncated or self.finish.refused):
                self._decide(call)
                self._read_short(call, last=True)
        if self._draining:
            self._keep_short_of_drained()
        self._retitle()
        problem = why_unusable(self, self._is_unavailable) if self.hit is None and self.error is None else None
        rejected = AnswerRejected(self.model, *problem) if problem is not None else None
        if rejected is not None and not self.shown:
            raise rejected
        self.rejected = rejected
        keep = self.kept = self._calls_to_keep()
        self._tell_apart(keep)
        keep = self._looked_at(keep)
        # An answer that broke off is requested again, perhaps with other calls: none of its calls is announced.
        announcing = self._draining and self.announcing and self.error is None
        back = {each.call.slot for each in self.sent_back} if self.announcing else ()
        calls = [call for call in self.calls if call in keep or call.slot in back or (call.routed is not None and announcing)]
        for part in self._between.in_order(calls, self.calls, renamed=self.renamed, broken=self.error is not None or rejected is not None):
            if not isinstance(part, HeldCall):
                text = AIMessageChunk(content=part, response_metadata={"model_provider": self._provider} if self._provider else {})
                yield self._show(generation(text), text)
            elif part in keep:
                yield generation(part.as_chunk(self.message_id, self._provider))
                self._generated.append(part.args)
            elif (routed := part.routed) is not None:
                place: dict[str, Any] = {"slot": part.slot, "block": routed.block, "provider": self._provider}
                yield generation(call_chunk(self.message_id, name=routed.tool, args="", call_id=routed.call_id, **place))
        if announcing:
            self.routed = [replace(routed, announced=True) for routed in self.routed]
        self.sent_back = [each.announced() if self.announcing else each for each in self.sent_back]
        self.shown = self.shown or bool(keep)
        if self._draining:
            self.drafts = {call.slot: call.args for call in self.calls if call.routed}
        yield generation(self._last())

    def _looked_at(self, keep: list[HeldCall]) -> list[HeldCall]:
        """The calls that the look lets pass. The others are announced, as drained ones are, and mended."""
        if self.look is None or not keep:
            return keep
        calls = [(call.routed or Intercepted(call.slot, call.name, call.id or "", block=call.block), call) for call in self.calls]
        known = [(each, (call.args.strip() or "{}") if call in keep else None) for each, call in calls if call in keep or call.routed is not None]
        self.sent_back = sent_back(self.look, self.model, known)
        back = {each.call.slot: each.call for each in self.sent_back}
        for call in keep:
            call.routed = back.get(call.slot)
        self.kept = [call for call in keep if call.routed is None]
        return self.kept

    def _retitle(self) -> None:
        """Give each call the name of the tool that it means."""
        for call in self.calls:
            if (tool := meant(call.name, self.tools)) != call.name:
                call.retitle(tool)
                self.renamed = True

    def _tell_apart(self, calls: Iterable[HeldCall]) -> None:
        """Give each call an id of its own: the result of a call, and the record of who wrote it, are found by its id."""
        taken = {routed.call_id for routed in self.routed}
        for call in calls:
            if not call.id or call.id in taken:
                call.rename(self._fresh_id())
                self.renamed = True
            taken.add(call.id or "")

    def _calls_to_keep(self) -> list[HeldCall]:
        """The calls to show: all calls of a good answer, or those of a cut answer that were complete before the routed call."""
        if self.error is not None or self.rejected is not None:
            return []
        kept = [call for call in self.calls if call.routed is None]
        if self.hit is None:
            return kept
        first = len(self.calls) if self._draining else self.routed[0].slot
        return [call for call in kept if call.slot < first and not self._is_unavailable(call) and self._is_whole(call)]

    def _is_unavailable(self, call: HeldCall) -> bool:
        return self.only_bound and call.name not in self.bound

    def _last(self) -> AIMessageChunk:
        usage: UsageMetadata | None = None
        metadata: dict[str, Any] = {}
        if self._provider and not self._provider_shown:
            metadata["model_provider"] = self._provider
        if self.halted and self.estimate is not None:
            usage = self.estimate("".join(self._generated), "".join(self._thought))
            if self._usage_reported:  # providers report the input when the stream begins, so only the output is missing
                usage = {**usage, "input_tokens": 0, "total_tokens": usage["output_tokens"]}
            metadata["usage_estimated"] = True
            if self.named and not self.finish.model_named:
                metadata["model_name"] = self.named
        return own_chunk(self.message_id, chunk_position="last", usage_metadata=usage, response_metadata=metadata)

    def fail(self, error: BaseException) -> bool:
        """Whether the stream, which broke with this error, ends without raising it, because the next model can go on from what was shown."""
        if self.halted:
            return True  # the stream was cut; an error from closing the connection does not matter
        if error is self.fault or not self.keeps(error):
            return False
        if self.finish.reason and not self.finish.truncated:
            return True  # the answer was complete before the connection broke
        if self.shown:
            self.error = error
        return self.shown
