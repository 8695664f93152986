"""Many runs of one agent at once on one event loop, with a model that takes its time: how many a second, and how much memory they take."""

from __future__ import annotations

import asyncio
import gc
import mmap
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from benchmarks.agents import ARGUMENTS, PRIMARY, question, tools
from benchmarks.cases import agent
from benchmarks.rounds import Timing, interleaved
from lg_toolroute.testing import Call, Say, ScriptedModel

RUNS = 1_000
ROUNDS = 3
LATENCY_S = 0.05
_WARM = 10


class SlowModel(ScriptedModel):
    """A scripted model that takes `LATENCY_S` before it answers, and forgets what it was asked, so that only the agents' memory is measured."""

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        await asyncio.sleep(LATENCY_S)
        result = await super()._agenerate(messages, stop, run_manager, **kwargs)
        self.requests.clear()
        return result

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        await asyncio.sleep(LATENCY_S)
        async for chunk in super()._astream(messages, stop, run_manager, **kwargs):
            yield chunk
        self.requests.clear()


def _answer(request: Any) -> Say:
    """Calls a tool once, then ends the run. The runs share the model, so the answer is read off the conversation."""
    return Say("Done.") if isinstance(request.messages[-1], ToolMessage) else Say("Let me look at that.", [Call("read", ARGUMENTS)])


def _together(name: str, count: int, runner: asyncio.Runner) -> Callable[[int], None]:
    """A function that runs an agent so many times at once.

    Args:
        name: The case.
        count: How many tools it has.
        runner: Whose event loop they share.
    """
    compiled = agent(name, SlowModel(answer=_answer, name=PRIMARY), tools(count))

    async def gathered(runs: int) -> None:
        finished = await asyncio.gather(*(compiled.ainvoke(question()) for _ in range(runs)))
        spoken = sum(isinstance(message, AIMessage) for each in finished for message in each["messages"])
        if spoken != 2 * runs:
            raise RuntimeError(f"{name}: {runs} runs gave {spoken} answers of the model instead of two each")

    def together(runs: int) -> None:
        runner.run(gathered(runs))

    together(_WARM)
    return together


def seconds(names: Iterable[str], count: int, runs: int, rounds: int) -> dict[str, Timing]:
    """Times them in processor time, in seconds a run; the first case is the baseline.

    One event loop keeps one core busy, so this is what limits the runs a second; the wall would also count what else the machine does.

    Args:
        names: The cases.
        count: How many tools each has.
        runs: How many run at once.
        rounds: How often.
    """
    with asyncio.Runner() as runner:
        cases = {name: partial(_together(name, count, runner), runs) for name in names}
        return interleaved(cases, rounds=rounds, units=runs, warm=0, collecting=True)


def peak_bytes(name: str, count: int, runs: int) -> int:
    """How far the memory of a process of its own grows while so many runs are under way, above what it had taken after a few runs.

    It is the peak of the resident set, as Linux counts it; tracing every allocation would take minutes.

    Args:
        name: The case.
        count: How many tools it has.
        runs: How many run at once.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_growth_bytes, name, count, runs).result()


def _growth_bytes(name: str, count: int, runs: int) -> int:
    with asyncio.Runner() as runner:
        together = _together(name, count, runner)
        gc.collect()
        before = _peak_resident_bytes()
        together(runs)
        return max(_peak_resident_bytes() - before, mmap.PAGESIZE)


def _peak_resident_bytes() -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
