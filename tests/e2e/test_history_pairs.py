"""Any provider reads any provider's history: the requests that the real clients send, checked against each API's rules.

The table in `docs/histories.md` is written from here with `LG_TOOLROUTE_WRITE_DOCS=1`, and compared with what was measured otherwise.
"""

from __future__ import annotations

import copy
import json
import os
import re
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.base import message_to_dict

from lg_toolroute.history import Target, adapt, target_of
from tests.e2e.provider_rules.providers import PROVIDERS, Provider
from tests.e2e.provider_rules.stories import FEATURES, Studio

DOCS = Path(__file__).parents[2] / "docs" / "histories.md"
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


@pytest.fixture(scope="module")
def stories(studio: Studio) -> dict[tuple[str, str], list[list[BaseMessage]]]:
    return {(writer.name, feature): studio.stories(writer, feature) for writer in PROVIDERS for feature in FEATURES}


def reader_of(studio: Studio, reader: Provider) -> tuple[Any, Target]:
    model = studio.client(reader)
    return model.bind_tools(TOOLS), target_of(model)


def dumped(history: list[BaseMessage]) -> str:
    return json.dumps([message_to_dict(message) for message in history], sort_keys=True, default=str)


def words(history: list[BaseMessage]) -> set[str]:
    """Give the words that assistants said; a reader that misses some was not sent the history."""
    return {said for message in history if isinstance(message, AIMessage) for said in SAID.findall(message.text)}


@pytest.mark.parametrize("reader", PROVIDERS, ids=lambda provider: provider.name)
@pytest.mark.parametrize("writer", PROVIDERS, ids=lambda provider: provider.name)
def test_every_adapted_history_is_legal_for_its_reader(
    writer: Provider, reader: Provider, studio: Studio, stories: dict[tuple[str, str], list[list[BaseMessage]]]
) -> None:
    """The rules find nothing, no word is lost, nothing stored is changed, and adapting again changes nothing."""
    model, target = reader_of(studio, reader)
    for feature in FEATURES:
        for history in stories[writer.name, feature]:
            before = dumped(history)
            adapted = adapt(history, target)
            body = studio.send(reader, model, adapted)
            assert reader.check(body, studio.minted) == [], f"{writer.name} -> {reader.name}: {feature}"
            sent = json.dumps(body)
            assert not [said for said in words(history) if said not in sent], f"{writer.name} -> {reader.name}: {feature} lost words"
            assert dumped(history) == before
            assert adapt(adapted, target) == adapted


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


def test_the_rules_find_violations_where_nothing_is_adapted(
    studio: Studio, stories: dict[tuple[str, str], list[list[BaseMessage]]]
) -> None:
    """The same matrix without `adapt` is full of refusals, so the check can fail; the docs show how many."""
    broken = {
        (writer.name, reader.name): sum(
            any(raw_violations(studio, reader, history) for history in stories[writer.name, feature]) for feature in FEATURES
        )
        for writer in PROVIDERS
        for reader in PROVIDERS
    }
    assert sum(broken.values()) > 100
    table = render(broken)
    text = DOCS.read_text()
    start, end = "<!-- pair-matrix:begin -->\n", "<!-- pair-matrix:end -->"
    head, _, rest = text.partition(start)
    measured, _, tail = rest.partition(end)
    if os.environ.get("LG_TOOLROUTE_WRITE_DOCS") == "1":
        DOCS.write_text(head + start + table + end + tail)
    else:
        assert measured == table, "docs/histories.md differs from what was measured; run `make docs`"


def test_the_example_in_the_docs_prints_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The page's first block is run, its output compared."""
    blocks = re.findall(r"```(python|text)\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (_, code), (_, shown) = blocks[:2]
    exec(compile(code, str(DOCS), "exec"), {})
    assert capsys.readouterr().out == shown


def render(broken: dict[tuple[str, str], int]) -> str:
    """Write the matrix: in each cell how many of the features are refused without adapting; with it, none is."""
    cells = len(PROVIDERS) ** 2 * len(FEATURES)
    names = [provider.name for provider in PROVIDERS]
    lines = [
        f"{len(names)} writers × {len(names)} readers × {len(FEATURES)} features = {cells} cells.",
        f"Adapted: **0** refused. Sent as stored: **{sum(broken.values())}** refused.",
        "",
        "| writer ↓ reader → | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for writer in names:
        row = [f"0 / {broken[writer, reader]}" for reader in names]
        lines.append(f"| {writer} | " + " | ".join(row) + " |")
    packages = sorted({provider.package for provider in PROVIDERS})
    lines += ["", "Measured with " + ", ".join(f"{package} {version(package)}" for package in packages) + "."]
    return "\n".join(lines) + "\n"
