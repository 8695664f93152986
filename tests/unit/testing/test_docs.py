"""`docs/testing.md` is true: its blocks run and print what they say, its table is the catalogue."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from tests.support.documented import check_table
from tests.support.fault_catalogue import catalogue_table
from tests.support.provider_rules import tables

PAGE = Path(__file__).parents[3] / "docs" / "testing.md"
BLOCKS = re.findall(r"```python\n(.*?)```(?:\n```text\n(.*?)```)?", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block_prints_what_the_page_says(number):
    code, output = BLOCKS[number]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, f"{PAGE.name}, block {number}", "exec"), {})
    assert printed.getvalue() == output


def test_table_is_the_catalogue():
    check_table("testing.md", "catalogue", catalogue_table())


@pytest.mark.parametrize(
    ("name", "table"),
    [("profiles", tables.choices_table), ("profile-rules", tables.rules_table), ("profile-histories", tables.histories_table)],
)
def test_tables_of_providers_are_what_their_servers_do(name, table):
    check_table("testing.md", name, table())
