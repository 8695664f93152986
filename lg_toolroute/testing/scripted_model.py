"""A chat model that does what a script says, and remembers what it was asked.

It is a `BaseChatModel` like any other: it binds tools, streams, reports usage, is traced, can be copied and wrapped. No network, no key,
no clock, no dice.

```python
from lg_toolroute.testing import Call, Say, ScriptedModel

with ScriptedModel([Say("Let me fix that.", [Call("edit", {"path": "a.py"})]), Say("Done.")], name="kimi/kimi-for-coding") as model:
    agent = create_agent(model, [edit])
    agent.invoke({"messages": [("user", "Fix a.py")]})
assert model.requests[1].messages[-1].type == "tool"
```

Leaving the `with` block fails if a step was never asked for, or if more was asked than the script has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from lg_toolroute.testing.steps import Fail, Hang
from lg_toolroute.testing.whole_model import Play, ScriptedWholeModel, note_closed, noted


class ScriptedModel(ScriptedWholeModel):
    """A scripted chat model that streams.

    Args:
        script: Steps or short forms of them, one a request: see `lg_toolroute.testing.steps`.
        answer: A function asked for the step of every request, instead of a script. It may be called from several threads.
        loop: Begin the script again after its last step.
        name: Its model spec, `provider/model`; traces show both halves.
        dialect: `"openai"`: text is a string. `"anthropic"`: content is a list of indexed blocks once tools are bound or it thinks, and no chunk
            holds more than one of them.
        usage_at: Where a stream reports the input tokens: with the rest on the `"last"` chunk, or on a `"first"` one of their own.
        profile: What it can do, as any LangChain model says it.
        output_version: `"v1"` for standard content blocks, as any LangChain model takes it.

    Attributes:
        requests: What it was asked, with `chunks_sent`, `closed_at` and `finished` of each answer. Copies and bindings write into the same list.
        bindings: The tools and the tool choice of every `bind_tools`.
    """

    def __init__(self, script: Sequence[Any] = (), **settings: Any) -> None:
        # For type checkers: they make a constructor from the fields of each class that writes none.
        super().__init__(script, **settings)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        request = self._record(messages, stop, kwargs, streamed=True, is_async=False)
        play = self._play(request, self._take(request))
        try:
            for chunk in self._until_stop(play):
                request.chunks_sent += 1
                yield ChatGenerationChunk(message=chunk)
            if isinstance(play.step, Fail):
                raise noted(request, play.step)
            if isinstance(play.step, Hang):
                if not play.step.latch.wait(play.step.limit_s):
                    raise self._never_opened(request, play.step)
                for chunk in play.chunks[play.stop :]:
                    request.chunks_sent += 1
                    yield ChatGenerationChunk(message=chunk)
            request.finished = True
        except GeneratorExit:
            note_closed(request)
            raise

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        request = self._record(messages, stop, kwargs, streamed=True, is_async=True)
        play = self._play(request, self._take(request))
        try:
            for chunk in self._until_stop(play):
                await asyncio.sleep(0)  # let others run, as a real client does
                request.chunks_sent += 1
                yield ChatGenerationChunk(message=chunk)
            if isinstance(play.step, Fail):
                raise noted(request, play.step)
            if isinstance(play.step, Hang):
                if not await play.step.latch.wait_async(play.step.limit_s):
                    raise self._never_opened(request, play.step)
                for chunk in play.chunks[play.stop :]:
                    request.chunks_sent += 1
                    yield ChatGenerationChunk(message=chunk)
            request.finished = True
        except (GeneratorExit, asyncio.CancelledError):
            note_closed(request)
            raise

    def _until_stop(self, play: Play) -> Sequence[AIMessageChunk]:
        return play.chunks if play.stop is None else play.chunks[: play.stop]
