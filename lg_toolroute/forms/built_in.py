"""The forms that come with the package, by name."""

from __future__ import annotations

from collections.abc import Mapping

from lg_toolroute.forms.blocks import Blocks
from lg_toolroute.forms.edit_form import EditForm
from lg_toolroute.forms.exact import Exact
from lg_toolroute.forms.form import ToolForm
from lg_toolroute.forms.lines import Lines
from lg_toolroute.forms.unified import Unified
from lg_toolroute.forms.v4a import V4A
from lg_toolroute.forms.whole import Whole

BUILT_IN: Mapping[str, ToolForm] = {
    "exact": EditForm(Exact),
    "blocks": EditForm(Blocks),
    "v4a": EditForm(lambda _: V4A()),
    "unified": EditForm(lambda _: Unified()),
    "lines": EditForm(lambda file: Lines(file, ranges="changes", was="was"), counts_lines=True),
    "whole": EditForm(Whole),
}
"""Exact replacement, search/replace blocks, V4A patches, unified patches, line ranges, the whole file."""
