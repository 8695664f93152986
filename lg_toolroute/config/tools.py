"""The schema of tool policies: which tools a model may see and run."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from lg_toolroute.config import foreign
from lg_toolroute.config.section import Section
from lg_toolroute.files.tools import FileTool


class PolicyConfig(Section):
    """One layer of the tool policy. It can only remove tools; `deny` wins.

    Entries are tool names, prefixes (`mcp__*`), globs, groups (`group:web`) and tags (`tag:mcp`), in any case. An entry stands for
    nothing but itself: `write` in `allow` does not bring `apply_patch`, which it does in OpenClaw.
    """

    profile: Literal["minimal", "coding", "messaging", "full"] | None = None
    """The base list that the layer starts from. `full` and unset: everything."""
    allow: tuple[str, ...] | None = None
    """Only these tools. Unset: all. `[]`: none, which differs from OpenClaw."""
    also_allow: tuple[str, ...] | None = None
    """Tools added to the profile. Not together with `allow`."""
    deny: tuple[str, ...] = ()
    """Never these tools, whatever any other layer says."""


class SwitchConfig(Section):
    """A section of OpenClaw's of which only one key is read here: whether its tool exists."""

    open_ended: ClassVar[bool] = True
    enabled: bool = True
    """`false` removes the tool for every model."""


class WebConfig(Section):
    """The web tools' switches."""

    search: SwitchConfig | None = None
    """The tool `web_search`."""
    fetch: SwitchConfig | None = None
    """The tool `web_fetch`."""
    x_search: SwitchConfig | None = None
    """The tool `x_search`."""


_OF_KIND = {
    "read": frozenset({"start", "count", "end", "first"}),
    "edit": frozenset({"old", "new", "every", "edits"}),
    "write": frozenset({"text"}),
}


class FileToolConfig(Section):
    """What the arguments of a tool of your own mean that reads, edits or writes files, or whatever its calls name: pages, cells."""

    kind: Literal["read", "edit", "write"]
    """What a call does."""
    file: str = Field(min_length=1)
    """The argument that names the file."""
    old: str | None = None
    """Of an edit: the text that is replaced."""
    new: str | None = None
    """Of an edit: the text in its place."""
    every: str | None = None
    """Of an edit: whether all occurrences are replaced. Unset: an old text that occurs twice is refused."""
    edits: str | None = None
    """Of an edit: a list of replacements, which have `old` and `new` under the names given there."""
    text: str | None = None
    """Of a write: the whole text."""
    start: str | None = None
    """Of a read: the first line, or a list of the first and the last."""
    count: str | None = None
    """Of a read: how many lines."""
    end: str | None = None
    """Of a read: the last line."""
    first: Literal[0, 1] = 1
    """Of a read: the number that `start` has for the first line."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> FileToolConfig:
        known = _OF_KIND[self.kind]
        for name in self.model_fields_set - {"kind", "file"} - known:
            raise ValueError(f"{name!r} says nothing of a tool that can {self.kind}; take it out, known there are {', '.join(sorted(known))}")
        if self.kind == "edit" and not (self.old and self.new):
            raise ValueError("an edit needs 'old' and 'new'; name the arguments (with 'edits': of its items) that hold the two texts")
        if self.kind == "edit" and self.old == self.new:
            raise ValueError(f"'old' and 'new' are both {self.old!r}; name the argument of the replaced text and that of the text in its place")
        if self.kind == "write" and not self.text:
            raise ValueError("a write needs 'text'; name the argument that holds the whole text")
        return self

    def arguments(self) -> dict[str, str]:
        """The names that are arguments of the tool, by key; those of the items of a list are none."""
        inner = ("old", "new", "every") if self.edits is not None else ()
        return {name: value for name in FileToolConfig.model_fields if name not in ("kind", *inner) and isinstance(value := getattr(self, name), str)}

    def meant(self) -> FileTool:
        """The description as it is used."""
        return FileTool(**{name: getattr(self, name) for name in FileToolConfig.model_fields})


class ToolsConfig(PolicyConfig):
    """The tool policy of all agents, or of one."""

    foreign: ClassVar[frozenset[str]] = foreign.TOOLS
    by_provider: dict[str, PolicyConfig] = Field(default_factory=dict)
    """Further layers by provider (`ollama`), model (`ollama/gpt-oss:20b`) or pattern. Every entry that matches applies."""
    by_model: dict[str, PolicyConfig] = Field(default_factory=dict)
    """Further layers by model spec or pattern (`ollama/*`, `*:20b`). Every entry that matches applies."""
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Groups of your own, `group:mine` or `mine`; one that ships may be given other members."""
    web: WebConfig | None = None
    """Switches of the web tools."""
    files: dict[str, FileToolConfig] = Field(default_factory=dict)
    """File tools whose arguments do not tell by their names what they mean, by the tool's name. The usual ones (`read`, `edit`, `write`, `read_file`,
    `str_replace_editor` and their like) are known without."""

    @property
    def file_tools(self) -> dict[str, FileTool]:
        """The descriptions of `files` as they are used."""
        return {name: tool.meant() for name, tool in self.files.items()}


