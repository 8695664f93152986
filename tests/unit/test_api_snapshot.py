"""The public names and their signatures, held against the committed list in `api_snapshot.txt`.

Whoever changes one on purpose writes the list anew with `LG_TOOLROUTE_WRITE_API=1 python -m pytest tests/unit/test_api_snapshot.py`, and says
so in the changelog.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, is_typeddict

import lg_toolroute
import lg_toolroute.testing

SNAPSHOT = Path(__file__).parent / "api_snapshot.txt"


def public_names() -> str:
    """Every public name of the package and of its testing module, one a line, with what it takes and gives."""
    lines: list[str] = []
    for module in (lg_toolroute, lg_toolroute.testing):
        lines.append(f"# {module.__name__}")
        for name in sorted(module.__all__):
            lines += described(name, getattr(module, name))
        lines.append("")
    return "\n".join(lines)


def described(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, type):
        yield f"class {name}({', '.join(base.__name__ for base in value.__bases__)})"
        yield from (f"    {line}" for line in members(value))
    elif isinstance(value, ModuleType):
        yield f"module {name}"
        for each, function in sorted(vars(value).items()):
            if inspect.isfunction(function) and function.__module__.startswith("lg_toolroute.testing") and not each.startswith("_"):
                yield f"    {each}{signature(function)}"
    elif isinstance(value, Mapping):
        yield f"{name}: {', '.join(value)}"
    else:
        yield f"{name}{signature(value)}"


def members(cls: type[Any]) -> Iterator[str]:
    own = [base for base in cls.__mro__ if base.__module__.startswith("lg_toolroute")]
    if is_typeddict(cls):
        yield from (f"{key}: {_text(kind)}" for key, kind in sorted(cls.__annotations__.items()))
        return
    if dataclasses.is_dataclass(cls) or any("__init__" in vars(base) for base in own):
        yield f"__init__{signature(cls.__init__)}"
    found: dict[str, str] = {}
    for base in own:
        for key, kind in inspect.get_annotations(base).items():
            if not key.startswith("_") and "ClassVar" not in _text(kind):
                found.setdefault(key, f"{key}: {_text(kind)}")
        for key, value in vars(base).items():
            if not key.startswith("_") and key != "model_post_init" and (line := member(key, value)):
                found.setdefault(key, line)
    yield from (found[key] for key in sorted(found))


def member(name: str, value: Any) -> str | None:
    if isinstance(value, (classmethod, staticmethod)):
        return f"{type(value).__name__} {name}{signature(value.__func__)}"
    if inspect.isfunction(value):
        return f"{'async ' if inspect.iscoroutinefunction(value) else ''}{name}{signature(value)}"
    if isinstance(value, property) and value.fget is not None:
        return f"{name}: {_text(inspect.signature(value.fget).return_annotation)}"
    return None


class Bare(str):
    """Text that is shown without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def signature(function: Any) -> inspect.Signature:
    """A signature that reads the same in every Python: annotations as they are written, functions and classes by their names."""
    found = inspect.signature(function)
    parameters = []
    for each in found.parameters.values():
        default = each.default
        if default is not each.empty and (inspect.isfunction(default) or isinstance(default, type)):
            default = Bare(default.__name__)
        parameters.append(each.replace(annotation=_bare(each.annotation), default=default))
    return found.replace(parameters=parameters, return_annotation=_bare(found.return_annotation))


def _bare(kind: Any) -> Any:
    return Bare(kind) if isinstance(kind, str) else kind


def _text(kind: Any) -> str:
    if isinstance(kind, str):
        return kind
    return str(getattr(kind, "__forward_arg__", None) or inspect.formatannotation(kind))


def test_public_names_are_those_of_the_snapshot():
    found = public_names()
    if os.environ.get("LG_TOOLROUTE_WRITE_API"):
        SNAPSHOT.write_text(found, encoding="utf-8")
    wanted = SNAPSHOT.read_text(encoding="utf-8")
    changed = "\n".join(difflib.unified_diff(wanted.splitlines(), found.splitlines(), "snapshot", "now", lineterm=""))
    assert found == wanted, f"the public names have changed; {__doc__}\n{changed}"


def test_every_public_name_is_documented():
    for module in (lg_toolroute, lg_toolroute.testing):
        for name in module.__all__:
            assert inspect.getdoc(getattr(module, name)), f"{module.__name__}.{name} has no docstring"


def test_a_name_that_is_not_public_is_no_attribute():
    assert sorted(dir(lg_toolroute)) == sorted(lg_toolroute.__all__)
    assert not hasattr(lg_toolroute, "Turn")
