"""Each rule of the prompt cache bites."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.claude.prompt_cache import Prices, PromptCache, Usage

MARK = {"type": "ephemeral"}
LONG = "word " * 2_000


def block(text: str = LONG, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **more}


def request(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "claude-sonnet-5", "messages": [{"role": "user", "content": list(content)}], **more}


def use(*bodies: dict[str, Any], step_s: float = 60.0) -> list[Usage]:
    cache = PromptCache()
    return [cache.use(body, place * step_s) for place, body in enumerate(bodies)]


def test_a_prefix_is_written_at_the_breakpoint_and_read_by_the_next_request_that_begins_with_it() -> None:
    first, second = use(request(block(cache_control=MARK), block("one")), request(block(cache_control=MARK), block("two")))
    assert (first.read, first.written > 2_000, 0 < first.uncached < 20) == (0, True, True)
    assert (second.read, second.written) == (first.written, 0)


def test_a_breakpoint_behind_what_changes_is_written_every_time() -> None:
    first, second = use(request(block(), block("one", cache_control=MARK)), request(block(), block("two", cache_control=MARK)))
    assert (first.read, second.read) == (0, 0)
    assert second.written == second.input


def test_a_short_prefix_is_not_cached_and_how_short_depends_on_the_model() -> None:
    small = {"type": "text", "text": "word " * 600, "cache_control": MARK}
    assert use(request(small))[0].written == 0
    assert use(request(small, model="claude-opus-5-5"))[0].written > 512


@pytest.mark.parametrize(("blocks", "found"), [(19, True), (20, False)])
def test_a_breakpoint_looks_back_at_twenty_places(blocks: int, found: bool) -> None:
    between = [block(f"{n}") for n in range(blocks - 1)]
    first, second = use(request(block(cache_control=MARK)), request(block(), *between, block("end", cache_control=MARK)))
    assert (second.read > 0) is found
    assert first.written > 0


def test_a_run_of_results_is_one_place() -> None:
    results = [{"type": "tool_result", "tool_use_id": f"{n}", "content": "ok"} for n in range(40)]
    _, second = use(request(block(cache_control=MARK)), request(block(), *results, block("end", cache_control=MARK)))
    assert second.read > 0


@pytest.mark.parametrize(("step_s", "found"), [(300.0, True), (301.0, False)])
def test_an_entry_lives_for_five_minutes_and_lives_on_when_it_is_read(step_s: float, found: bool) -> None:
    usages = use(*[request(block(cache_control=MARK))] * 3, step_s=step_s)
    assert [usage.read > 0 for usage in usages] == [False, found, found]
    assert use(*[request(block(cache_control={**MARK, "ttl": "1h"}))] * 2, step_s=step_s)[1].read > 0


def test_a_fifth_breakpoint_is_refused_and_the_automatic_one_counts() -> None:
    four = [block(f"{LONG}{n}", cache_control=MARK) for n in range(4)]
    assert use(request(*four))[0].written > 0
    with pytest.raises(ValueError, match="Found 5"):
        use(request(*four, block("end"), cache_control=MARK))


def test_the_automatic_breakpoint_stands_on_the_last_block_and_never_on_thinking() -> None:
    body = request(block(), cache_control=MARK)
    body["messages"].append({"role": "assistant", "content": [{"type": "thinking", "thinking": LONG, "signature": "s"}]})
    usage = use(body)[0]
    assert usage.uncached > 2_000
    assert usage.written > 2_000


TOOL = {"name": "edit", "description": LONG, "input_schema": {}, "cache_control": MARK}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({}, 3),
        ({"tool_choice": {"type": "any"}}, 2),
        ({"thinking": {"type": "adaptive"}}, 2),
        ({"output_config": {"effort": "low"}}, 2),
        ({"speed": "fast"}, 1),
        ({"system": [block(LONG + "!", cache_control=MARK)]}, 1),
        ({"tools": [{**TOOL, "description": LONG + "!"}]}, 0),
        ({"model": "claude-opus-5-5"}, 0),
    ],
    ids=str,
)
def test_what_changes_invalidates_its_level_and_all_behind_it(change: dict[str, Any], left: int) -> None:
    parts: dict[str, Any] = {"tools": [TOOL], "system": [block(cache_control=MARK)]}
    first, second = use(request(block(cache_control=MARK), **parts), request(block(cache_control=MARK), **{**parts, **change}))
    assert round(3 * second.read / first.written) == left


def test_a_string_is_short_for_one_block_of_text() -> None:
    body = request(block(cache_control=MARK))
    longer = [{"role": "user", "content": LONG}, {"role": "user", "content": [block("end", cache_control=MARK)]}]
    first, second = use(body, {**body, "messages": longer})
    assert second.read == first.written


def test_a_write_costs_a_quarter_more_and_a_read_a_tenth_or_the_models_own_price() -> None:
    usage = Usage(read=1_000_000, written=1_000_000, uncached=1_000_000, output=1_000_000)
    assert Prices(input=4, output=20).of(usage) == pytest.approx(0.4 + 5 + 4 + 20)
    assert Prices(input=4, output=20, cache_read=0.2).of(usage) == pytest.approx(0.2 + 5 + 4 + 20)
    assert Prices(input=4, output=20).uncached(usage) == pytest.approx(12 + 20)
