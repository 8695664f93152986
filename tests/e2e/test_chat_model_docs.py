"""`docs/chat_model.md` is true: its example runs, and prints what the page says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from lg_toolroute import ToolRoutedChatModel

PAGE = (Path(__file__).parents[2] / "docs" / "chat_model.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_says():
    ((code, output),) = re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", PAGE, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "docs/chat_model.md", "exec"), {})
    assert printed.getvalue() == output


def test_every_field_is_described():
    own = set(ToolRoutedChatModel.__annotations__) - {"model_config", "_run", "_config"}
    assert own <= set(re.findall(r"`(\w+)`", PAGE))
    assert {"router", "agent", "role", "model", "timeout"} <= own
