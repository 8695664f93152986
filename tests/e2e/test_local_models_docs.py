"""`docs/local_models.md` is true: its configurations are read without a warning, and name what they say they need."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from lg_toolroute.clients.models import ModelBook
from lg_toolroute.config import load_config
from lg_toolroute.rulebook.book import compile_config
from tests.support.local_engines import gguf, llama_cpp, mlx_lm  # noqa: F401  # fixtures

PAGE = (Path(__file__).parents[2] / "docs" / "local_models.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
KEYS = {"OPENROUTER_API_KEY": "test-key", "MINIMAX_API_KEY": "test-key"}


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_configuration_of_the_page_can_be_built(number: int, llama_cpp: Any, mlx_lm: Any, gguf: Path):  # noqa: F811
    text = BLOCKS[number].replace("~/models/Qwen3-4B-Q4_K_M.gguf", str(gguf))
    config = load_config(text)
    assert not config.warnings
    book = compile_config(config)
    models = ModelBook(book, {}, KEYS)
    assert models.check() == ()
    *_, last = book.reasoning_chain()
    assert models.get(last, book.params(last)) is not None
    denied = "web_search" not in book.allowed(last, [("web_search", ()), ("edit", ())])
    assert denied == ("deny" in text)


def test_the_page_has_a_configuration_of_each_kind():
    kinds = ("ChatLlamaCpp", "mlx/", "MiniMaxChat")
    assert all(any(kind in block for block in BLOCKS) for kind in kinds)
