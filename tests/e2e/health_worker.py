"""One worker of several: turns against a primary over loopback, health in a shared store. Started by `test_shared_health.py`.

Each turn asks the primary if its circuit allows it, else it stands in for a fallback by asking nobody. The last line on standard output
is a JSON object: `turns` as `[began, choice, ended]` and what the book says of its store.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from lg_toolroute.core.failures.classify import classify
from lg_toolroute.core.failures.cooldowns import CooldownLimits
from lg_toolroute.health.store import StoreHealth

SPEC = "primary/model-4.1"
LONGEST_RUN_S = 40.0


def ask(url: str, client: httpx.Client) -> None:
    client.get(url).raise_for_status()


def run(book: StoreHealth, settings: dict) -> list[tuple[float, str, float]]:
    turns = []
    with httpx.Client(timeout=5.0) as client:
        for _ in paced(settings):
            began = time.time()
            circuit = book.snapshot([SPEC])[SPEC]
            choice = "primary" if not circuit.opened else "fallback"
            if circuit.half_open(book.now()) and book.claim(SPEC):
                choice = "probe"
                if settings["dies"]:
                    ask(settings["url"] + "&died=1", client)
                    os._exit(9)  # no clean-up, no report, as if it were killed
            if choice != "fallback":
                try:
                    ask(settings["url"] + f"&{choice}=1", client)
                except httpx.HTTPError as error:
                    book.report(SPEC, classify(error))
                    choice += " failed"
                else:
                    book.report(SPEC, None)
            turns.append((began, choice, time.time()))
    return turns


async def arun(book: StoreHealth, settings: dict) -> list[tuple[float, str, float]]:
    turns = []
    async with httpx.AsyncClient(timeout=5.0) as client:
        for _ in paced(settings):
            began = time.time()
            circuit = (await book.asnapshot([SPEC]))[SPEC]
            choice = "primary" if not circuit.opened else "fallback"
            if circuit.half_open(book.now()) and await book.aclaim(SPEC):
                choice = "probe"
            if choice != "fallback":
                try:
                    (await client.get(settings["url"] + f"&{choice}=1")).raise_for_status()
                except httpx.HTTPError as error:
                    await book.areport(SPEC, classify(error))
                    choice += " failed"
                else:
                    await book.areport(SPEC, None)
            turns.append((began, choice, time.time()))
    return turns


def paced(settings: dict) -> Iterator[None]:
    """A turn every few milliseconds until the stop file is there, or for too long."""
    last = time.monotonic() + LONGEST_RUN_S
    while time.monotonic() < last and not Path(settings["stop"]).exists():
        yield
        time.sleep(0.004)  # a real process needs real time; nothing waits for this


async def amain(settings: dict) -> None:
    if settings["kind"] == "sqlite":
        from langgraph.store.sqlite.aio import AsyncSqliteStore as Store
    else:
        from langgraph.store.postgres.aio import AsyncPostgresStore as Store
    async with Store.from_conn_string(settings["at"]) as store:
        book = StoreHealth(store, CooldownLimits(**settings["limits"]), refresh_s=settings["refresh_s"])
        turns = await arun(book, settings)
        inspected = await book.ainspect()
        print(json.dumps({"turns": turns, "store": inspected["store"], "models": inspected["models"]}), flush=True)


def main(settings: dict) -> None:
    if settings["kind"] == "sqlite":
        from langgraph.store.sqlite import SqliteStore as Store
    else:
        from langgraph.store.postgres import PostgresStore as Store
    with Store.from_conn_string(settings["at"]) as store:
        book = StoreHealth(store, CooldownLimits(**settings["limits"]), refresh_s=settings["refresh_s"])
        turns = run(book, settings)
        inspected = book.inspect()
        print(json.dumps({"turns": turns, "store": inspected["store"], "models": inspected["models"]}), flush=True)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    if given["async"]:
        asyncio.run(amain(given))
    else:
        main(given)
