"""`docs/forms.md` is true: its examples run and print what the page says, and it has a row for every built-in form."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from lg_toolroute.forms.built_in import BUILT_IN

PAGE = (Path(__file__).parents[2] / "docs" / "forms.md").read_text(encoding="utf-8")


def test_the_examples_print_what_the_page_says():
    (output,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    printed, names = io.StringIO(), {}
    with contextlib.redirect_stdout(printed):
        for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
            exec(compile(code, "docs/forms.md", "exec"), names)
    assert printed.getvalue() == output


def test_every_built_in_form_has_its_row():
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)[1:] == list(BUILT_IN)
