"""Groups of tools and tool profiles, with OpenClaw's membership.

A member is a tool name, a pattern, a tag (`tag:mcp`) or another group. Names that OpenClaw accepts for a member (`bash` for `exec`,
`cron` for `automations`) are members themselves; outside of groups no name stands for another.

Source: the tool policy page of openclaw 2026.9.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

GROUP = "group:"
TAG = "tag:"

GROUPS: dict[str, tuple[str, ...]] = {
    "runtime": ("exec", "process", "code_execution", "bash"),
    "fs": ("read", "write", "edit", "apply_patch"),
    "sessions": (
        "sessions", "sessions_list", "sessions_history", "sessions_search", "conversations_list", "conversations_send", "conversations_turn",
        "sessions_send", "sessions_spawn", "sessions_yield", "subagents", "session_status", "suggest_task", "dismiss_task",
    ),
    "memory": ("memory_search", "memory_get"),
    "web": ("web_search", "x_search", "web_fetch"),
    "ui": ("browser", "screen", "theme", "dashboard", "terminal", "portal", "canvas", "show_widget"),
    "automation": ("heartbeat_respond", "automations", "cron", "gateway", "plugins", "openclaw"),
    "messaging": ("message",),
    "nodes": ("nodes", "computer"),
    "agents": ("agents_list", "get_goal", "create_goal", "update_goal", "progress_card", "ask_user", "skill_workshop"),
    "media": ("view_image", "image_generate", "music_generate", "video_generate", "tts", "pdf"),
    # There are no plugins here: what comes from a server, by its tag or by the usual prefix, is what OpenClaw means by it.
    "plugins": ("tag:plugin", "tag:mcp", "mcp__*"),
}  # fmt: skip
_NOT_IN_OPENCLAW = frozenset({"read", "write", "edit", "apply_patch", "exec", "process", "bash", "canvas"})
GROUPS["openclaw"] = tuple(
    name for group, members in GROUPS.items() if group != "plugins" for name in members if name not in _NOT_IN_OPENCLAW
)

PROFILES: dict[str, tuple[str, ...]] = {
    "minimal": ("session_status", "gateway"),
    "coding": (
        "group:fs", "group:runtime", "group:web", "group:sessions", "group:memory", "cron", "gateway", "get_goal", "create_goal",
        "update_goal", "progress_card", "ask_user", "skill_workshop", "view_image", "image_generate", "music_generate", "video_generate",
        "theme", "group:plugins",
    ),
    "messaging": (
        "group:messaging", "sessions", "sessions_list", "sessions_history", "sessions_search", "conversations_list", "conversations_send",
        "conversations_turn", "sessions_send", "sessions_spawn", "sessions_yield", "subagents", "session_status", "gateway", "ask_user",
        "theme", "group:plugins",
    ),
    "full": ("*",),
}  # fmt: skip

BUILT_IN_TOOLS: tuple[str, ...] = tuple(
    dict.fromkeys(name for group in GROUPS.values() for name in group if not name.startswith(TAG) and "*" not in name)
)
"""Every tool name that ships in a group, in order."""


def group_name(text: str) -> str:
    """A group's name without `group:`, in lower case."""
    name = text.strip().lower()
    return name[len(GROUP) :] if name.startswith(GROUP) else name


def all_groups(own: Mapping[str, Sequence[str]] | None = None) -> dict[str, tuple[str, ...]]:
    """The groups that ship and those of a configuration, by name; its own take the place of those that ship."""
    return {**GROUPS, **{group_name(name): tuple(members) for name, members in (own or {}).items()}}


def members(name: str, groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What a group stands for: names, patterns and tags, no groups, no duplicates.

    Raises:
        KeyError: There is no such group.
        ValueError: The group contains itself; the message is the way round.
    """
    found: dict[str, None] = {}
    _collect(group_name(name), groups, (), found)
    return tuple(found)


def _collect(name: str, groups: Mapping[str, Sequence[str]], way: tuple[str, ...], found: dict[str, None]) -> None:
    if name in way:
        raise ValueError(" > ".join(GROUP + step for step in (*way[way.index(name) :], name)))
    for member in groups[name]:
        if member.lower().startswith(GROUP):
            _collect(group_name(member), groups, (*way, name), found)
        else:
            found[member] = None
