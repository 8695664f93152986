"""Every private name of LangChain that the package uses is in one table, exists in the installed versions, and is reported when it is gone."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import pkgutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lg_toolroute
from lg_toolroute.langchain_hooks import HOOKS, SUPPORTED, Hook, MissingHookError, check_hooks

PACKAGE = Path(lg_toolroute.__file__).parent
ROOT = PACKAGE.parent
VENDORS = ("langchain", "langgraph")
every_hook = pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: f"{hook.place.rpartition(':')[2]}:{hook.mentions}".rstrip(":"))


@every_hook
def test_the_installed_versions_have_each_hook(hook: Hook) -> None:
    assert hook.problem() is None


def remove(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a name out of LangChain, as a new release might."""
    module_name, _, path = hook.place.partition(":")
    owner_path, _, name = path.rpartition(".")
    module = importlib.import_module(module_name)
    if hook.mentions:
        monkeypatch.setattr(module, path, type(path, (), {}))
    elif owner_path:
        for cls in pkgutil.resolve_name(f"{module_name}:{owner_path}").__mro__:
            if name in vars(cls):
                monkeypatch.delattr(cls, name)
    else:
        monkeypatch.delattr(module, name)


@every_hook
def test_a_missing_hook_is_reported_with_the_installed_version_and_the_fix(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    remove(hook, monkeypatch)
    with pytest.raises(MissingHookError) as caught:
        check_hooks(*hook.used_in)
    said = next(line for line in str(caught.value).splitlines() if hook.name in line)
    installed = importlib.metadata.version(hook.package)
    assert f"{hook.package} {installed}, which is installed, does not have it" in said
    assert hook.why in said
    assert said.endswith(f"install '{hook.package}{SUPPORTED[hook.package]}'")


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if hook.takes], ids=lambda hook: hook.name)
def test_a_missing_parameter_is_reported(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    owner_path, _, name = hook.place.replace(":", ".").rpartition(".")
    monkeypatch.setattr(pkgutil.resolve_name(owner_path), name, lambda self: None)
    assert f"the parameter {hook.takes[0]!r} of" in str(hook.problem())


def test_a_package_that_is_not_installed_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUPPORTED, "no-such-package", ">=1,<2")
    said = Hook("no_such_package:Model._stream", ("gates",), "stream").problem()
    needs = "lg_toolroute needs Model._stream (no_such_package) of no-such-package, to stream"
    assert said == f"{needs}; no-such-package is not installed; install 'no-such-package>=1,<2'"


def test_only_the_hooks_of_the_user_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    remove(next(hook for hook in HOOKS if hook.name == "LC_ID_PREFIX"), monkeypatch)
    check_hooks("gates", "clients.wrappers")
    with pytest.raises(MissingHookError, match="LC_ID_PREFIX"):
        check_hooks()


@pytest.mark.parametrize(
    "removal",
    ["del BaseChatModel._streaming_disabled", "sys.modules['langchain_core.language_models._compat_bridge'] = None"],
    ids=["method", "module"],
)
def test_importing_the_gates_names_the_missing_hook(removal: str) -> None:
    """The first error is ours, not an `ImportError` or `AttributeError` from deep inside."""
    script = f"import sys\nfrom langchain_core.language_models.chat_models import BaseChatModel\n{removal}\nimport lg_toolroute.gates.gate\n"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    last = [line for line in done.stderr.splitlines() if "lg_toolroute needs" in line]
    assert done.returncode == 1
    assert last[0].startswith("lg_toolroute.langchain_hooks.MissingHookError: lg_toolroute needs ")
    assert "of langchain-core" in last[0]


def test_the_supported_versions_are_those_of_the_project_file() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {f"{package}{versions}" for package, versions in SUPPORTED.items()} <= set(dependencies)
    assert {hook.package for hook in HOOKS} == set(SUPPORTED)


# -- the table is complete -----------------------------------------------------------------------------------------------------------------


def sources() -> dict[str, ast.Module]:
    """Our modules, by name below the package."""
    paths = [path for path in PACKAGE.rglob("*.py") if "demo_project" not in path.parts]
    return {".".join(path.relative_to(PACKAGE).with_suffix("").parts): ast.parse(path.read_text()) for path in paths}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def defined_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def foreign_names(tree: ast.Module, own: set[str]) -> Iterator[str]:
    """Private names that a module imports from LangChain, and private attributes that it reads and that are not defined in our package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(VENDORS):
            private_module = any(map(is_private, (node.module or "").split(".")))
            yield from (alias.name for alias in node.names if private_module or is_private(alias.name))
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            yield node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"getattr", "hasattr"} and len(node.args) > 1:
            wanted = node.args[1]
            if isinstance(wanted, ast.Constant) and is_private(str(wanted.value)):
                yield str(wanted.value)


def overridden_names(module: Any) -> Iterator[str]:
    """Private names that classes of a module override in classes of LangChain."""
    for cls in vars(module).values():
        if inspect.isclass(cls) and cls.__module__ == module.__name__:
            bases = [base for base in cls.__mro__[1:] if base.__module__.startswith(VENDORS)]
            yield from (name for name in vars(cls) if is_private(name) and not name.startswith("_abc_") and any(name in vars(base) for base in bases))


def users_of(name: str) -> set[str]:
    return {user for hook in HOOKS if hook.name == name for user in hook.used_in}


def test_every_private_name_of_langchain_that_is_used_is_in_the_table() -> None:
    trees = sources()
    own = {name for tree in trees.values() for name in defined_names(tree)}
    used = {(module, name) for module, tree in trees.items() for name in foreign_names(tree, own)}
    for module in trees:
        if not module.endswith("__main__"):
            used |= {(module, name) for name in overridden_names(importlib.import_module(f"lg_toolroute.{module}".removesuffix(".__init__")))}
    assert {name for _, name in used} >= {"_stream", "_get_ls_params", "chunks_to_events", "_use_responses_api"}, "the search finds what it should"
    missing = {(module, name) for module, name in used if not any(f"{module}.".startswith(f"{user}.") for user in users_of(name))}
    assert missing == set(), "add these to `langchain_hooks.HOOKS`, or write the code without them"


@every_hook
def test_the_places_that_the_table_names_use_the_hook(hook: Hook) -> None:
    for user in hook.used_in:
        place = PACKAGE.joinpath(*user.split("."))
        files = [place.with_suffix(".py")] if place.with_suffix(".py").exists() else [*place.rglob("*.py")]
        assert any(hook.name in path.read_text() for path in files), f"{user} does not use {hook.name}"
