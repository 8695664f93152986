"""The schema of tool policies: which tools a model may see and run."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from lg_toolroute.config import foreign
from lg_toolroute.config.section import Section


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


