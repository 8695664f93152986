"""Any provider reads any provider's history: the requests that the real clients send, checked against each API's rules.

`docs/histories.md` prints the table; each row is written by the test of its writer.
"""

from __future__ import annotations

import copy
import json
import re
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.base import message_to_dict

from lg_toolroute.history import Target, adapt, target_of
from lg_toolroute.history.provenance import is_cut, is_own
from tests.support.documented import DOCS, check_part_of_row, check_row, check_table, rows_of
from tests.support.provider_rules.providers import PROVIDERS, Provider
from tests.support.provider_rules.stories import FEATURES, Studio
from tests.support.sampling import cells, whole

PAGE, TABLE = "histories.md", "pair-matrix"
NAMES = [provider.name for provider in PROVIDERS]
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": name, "description": name, "parameters": {"type": "object", "properties": {}}}}
    for name in ("edit", "search", "screenshot")
]
SAID = re.compile(r"SAID-\d+\.")


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    studio = Studio()
    yield studio
    studio.close()


def reader_of(studio: Studio, reader: Provider) -> tuple[Any, Target]:
    model = studio.client(reader)
    return model.bind_tools(TOOLS), target_of(model)


def dumped(history: list[BaseMessage]) -> str:
    return json.dumps([message_to_dict(message) for message in history], sort_keys=True, default=str)


def words(history: list[BaseMessage], target: Target) -> set[str]:
    """Give the words that assistants said; a reader that misses some was not sent the history.

    Mistral's client drops the words beside its own model's calls, with routing and without.
    """
    answers = [message for message in history if isinstance(message, AIMessage)]
    if not target.rules.text_beside_calls:
        answers = [message for message in answers if not message.tool_calls or is_cut(message) or not is_own(message, target)]
    return {said for message in answers for said in SAID.findall(message.text)}


@pytest.mark.parametrize("writer", PROVIDERS, ids=lambda provider: provider.name)
def test_every_adapted_history_is_legal_for_its_reader(writer: Provider, studio: Studio) -> None:
    """The rules find nothing, no word is lost, nothing stored is changed, and adapting again changes nothing.

    The same histories sent as they are stored are full of refusals, so the check can fail.
    """
    turn = NAMES.index(writer.name)
    readers = [reader for (reader,) in cells([*PROVIDERS[turn:], *PROVIDERS[:turn]], one_in=4, covering=False)]
    stories = {feature: studio.stories(writer, feature) for feature in FEATURES}
    measured = {NAMES.index(reader.name): refused(studio, reader, stories) for reader in readers}
    if whole():
        check_row(PAGE, TABLE, writer.name, [measured[column] for column in range(len(PROVIDERS))])
    else:
        check_part_of_row(PAGE, TABLE, writer.name, {column: [cell] for column, cell in measured.items()}, separator=" · ")


def refused(studio: Studio, reader: Provider, stories: dict[str, list[list[BaseMessage]]]) -> str:
    """Of how many features a reader refuses a history: adapted, and as it is stored."""
    adapted = [feature for feature, histories in stories.items() if any(adapted_violations(studio, reader, history) for history in histories)]
    stored = [feature for feature, histories in stories.items() if any(raw_violations(studio, reader, history) for history in histories)]
    assert adapted == []
    return f"{len(adapted)} / {len(stored)}"


def adapted_violations(studio: Studio, reader: Provider, history: list[BaseMessage]) -> list[str]:
    """Give the rules that are broken when a history is adapted and sent; nothing may be lost on the way."""
    model, target = reader_of(studio, reader)
    before = dumped(history)
    adapted = adapt(history, target)
    body = studio.send(reader, model, adapted)
    sent = json.dumps(body)
    assert not [said for said in words(history, target) if said not in sent], f"words are lost on the way to {reader.name}"
    assert dumped(history) == before
    assert adapt(adapted, target) == adapted
    return reader.check(body, studio.minted)


def raw_violations(studio: Studio, reader: Provider, history: list[BaseMessage]) -> list[str]:
    """Give the rules that are broken when a history is sent as it is; a client that raises breaks one."""
    model, _ = reader_of(studio, reader)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            body = studio.send(reader, model, copy.deepcopy(history))
        except Exception as error:  # whatever the client raises, the request is not sent
            return [f"the client raises {type(error).__name__}"]
    return reader.check(body, studio.minted)


def test_the_table_has_a_row_for_every_writer_and_adds_up_what_was_refused() -> None:
    known = rows_of(PAGE, TABLE)
    rows = {name: known.get(name, ["0 / 0"] * len(NAMES)) for name in NAMES}
    adapted, stored = (sum(int(cell.split(" / ")[place]) for row in rows.values() for cell in row) for place in (0, 1))
    assert stored > 100
    packages = sorted({provider.package for provider in PROVIDERS})
    lines = [
        f"Adapted: **{adapted}** refused. Sent as stored: **{stored}** refused.",
        "",
        "| writer ↓ reader → | " + " | ".join(NAMES) + " |",
        "|---" * (len(NAMES) + 1) + "|",
        *(f"| {name} | {' | '.join(row)} |" for name, row in rows.items()),
        "",
        "Measured with " + ", ".join(f"{package} {version(package)}" for package in packages) + ".",
    ]
    check_table(PAGE, TABLE, "\n".join(lines))


def test_the_example_in_the_docs_prints_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The page's first block is run, its output compared."""
    blocks = re.findall(r"```(python|text)\n(.*?)```", (DOCS / PAGE).read_text(), re.DOTALL)
    (_, code), (_, shown) = blocks[:2]
    exec(compile(code, PAGE, "exec"), {})
    assert capsys.readouterr().out == shown
