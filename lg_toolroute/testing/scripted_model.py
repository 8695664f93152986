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
from lg_toolroute.testing.tape import ModelRequest
from lg_toolroute.testing.whole_model import ScriptedWholeModel, note_closed, noted


class ScriptedModel(ScriptedWholeModel):
    """A scripted chat model that streams.

    Args:
        script: Steps or short forms of them, one a request: see `lg_toolroute.testing.steps`.
        **settings: Those of `ScriptedWholeModel`, and what any LangChain model takes: `profile`, what it can do; `output_version`, `"v1"` for
            standard content blocks.

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
        try:
            for pulled in self._pulls(request):
                if isinstance(pulled, Hang):
                    if not pulled.latch.wait(pulled.limit_s):
                        raise self._latch_stayed_closed(request, pulled)
                else:
                    request.chunks_sent += 1
                    yield ChatGenerationChunk(message=pulled)
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
        try:
            for pulled in self._pulls(request):
                if isinstance(pulled, Hang):
                    if not await pulled.latch.wait_async(pulled.limit_s):
                        raise self._latch_stayed_closed(request, pulled)
                else:
                    await asyncio.sleep(0)  # let others run, as a real client does
                    request.chunks_sent += 1
                    yield ChatGenerationChunk(message=pulled)
        except (GeneratorExit, asyncio.CancelledError):
            note_closed(request)
            raise

    def _pulls(self, request: ModelRequest) -> Iterator[AIMessageChunk | Hang]:
        """The chunks of the answer, and a `Hang` where its latch is to be waited for."""
        play = self._play(request, self._take(request))
        yield from play.chunks[: play.stop]
        if isinstance(play.step, Fail):
            raise noted(request, play.step)
        if isinstance(play.step, Hang):
            yield play.step
            yield from play.chunks[play.stop :]
        request.finished = True
