"""Fixtures that put the stand-ins of the local engines in the place of the real packages, and a model file."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ENGINES = Path(__file__).parent / "engines"


def _stand_in(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ENGINES))
    yield importlib.import_module(name)
    for module in [found for found in sys.modules if found == name or found.startswith(f"{name}.")]:
        del sys.modules[module]


@pytest.fixture
def llama_cpp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    yield from _stand_in(monkeypatch, "llama_cpp")


@pytest.fixture
def mlx_lm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    yield from _stand_in(monkeypatch, "mlx_lm")


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "qwen3-4b.gguf"
    path.write_bytes(b"GGUF")
    return path
