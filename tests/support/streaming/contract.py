"""One row of the streaming table: what one consumer saw of every story on every surface."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from tests.support.documented import check_part_of_row, check_row
from tests.support.sampling import whole
from tests.support.streaming.checks import check
from tests.support.streaming.consumers import Seen
from tests.support.streaming.scenarios import SCENARIOS, Scenario
from tests.support.streaming.surfaces import SURFACES

MESSAGES_TUPLE, SDK_THREADS = "LangGraph server, `messages-tuple`", "LangGraph SDK, v3 threads"
SERVER_ROWS = (MESSAGES_TUPLE, SDK_THREADS)
SEPARATOR = " · "


async def check_row_of_the_contract(
    consumer: str, chosen: Sequence[tuple[str, Scenario]], listen: Callable[[str, Scenario], Awaitable[Seen]]
) -> None:
    """Listen to each chosen run, check what was seen of it, and compare the surfaces that kept the contract with the documented row.

    Args:
        consumer: The row's first cell.
        chosen: Surfaces and stories.
        listen: Makes a run and gives what the consumer saw.

    Raises:
        ExceptionGroup: The runs in which something was wrong, each with its surface and its story.
    """
    kept: dict[str, list[str]] = defaultdict(list)
    errors: list[Exception] = []
    for surface, scenario in chosen:
        try:
            check(await listen(surface, scenario), scenario)
        except Exception as error:
            error.add_note(f"{consumer}, {surface}, {scenario.name}")
            errors.append(error)
        else:
            kept[scenario.name].append(surface)
    if errors:
        raise ExceptionGroup(f"{len(errors)} of {len(chosen)} runs broke the contract", errors)
    row = [sorted(kept[scenario.name], key=list(SURFACES).index) for scenario in SCENARIOS]
    if whole():
        check_row("streaming.md", "contract", consumer, [SEPARATOR.join(surfaces) for surfaces in row])
    else:
        check_part_of_row("streaming.md", "contract", consumer, dict(enumerate(row)), separator=SEPARATOR)
