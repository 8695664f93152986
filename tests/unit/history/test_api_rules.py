"""The table of what each API takes is the only place that tells providers apart."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lg_toolroute.history
from lg_toolroute.history.api_rules import API_RULES, COMPATIBLE_RULES, SERVER_RULES

FOLDER = Path(lg_toolroute.history.__file__).parent
CHANGES_MESSAGES = ("adapting", "assistant", "content", "ids", "media", "order", "own_blocks", "pairing", "reasoning", "settings")


@pytest.mark.parametrize("module", CHANGES_MESSAGES)
def test_a_module_that_changes_messages_never_asks_which_api_it_is(module: str) -> None:
    """It reads a rule, so that a provider's rule is changed in one file."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "api"]


def test_modules_import_each_other_in_one_direction() -> None:
    """No circle, lazy and typed imports and the package itself included; below are only `core` and `errors`."""
    package = "lg_toolroute.history"
    imports: dict[str, set[str]] = {}
    for path in FOLDER.glob("*.py"):
        if path.stem == "__init__":
            continue
        found = {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom) and node.module}
        imports[f"{package}.{path.stem}"] = {name for name in found if name.startswith("lg_toolroute")}
    outside = {name for names in imports.values() for name in names if not name.startswith(package)}
    assert all(name.startswith(("lg_toolroute.core", "lg_toolroute.errors")) for name in outside)
    while imports:
        lowest = {name for name, names in imports.items() if not {other for other in names if other.startswith(package)} & {*imports, package}}
        assert lowest, f"a circle among {sorted(imports)}"
        for name in lowest:
            del imports[name]


def test_every_row_is_one_api_with_clients_of_its_own() -> None:
    """A client class stands in one row; only OpenAI's Responses API and the unknown one have none."""
    clients = [client for rules in API_RULES.values() for client in rules.clients]
    assert len(clients) == len(set(clients))
    assert {api for api, rules in API_RULES.items() if not rules.clients} == {"openai-responses", "unknown"}
    assert all(rules.api == api for api, rules in [*API_RULES.items(), *COMPATIBLE_RULES.items()])
    assert all(rules.profiled_inputs <= rules.inputs for rules in API_RULES.values())
    assert all(rules.hosts for rules in SERVER_RULES)
