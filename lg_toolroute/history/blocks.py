"""The content of human, system and tool messages: only blocks that the reader's client and API take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from lg_toolroute.history import media
from lg_toolroute.history.target import Target

Content = str | list[str | dict[Any, Any]]
Role = Literal["user", "system", "tool"]
Say = Callable[[str], None]

EMPTY: Final = "(empty message)"
"""Stands for a user's message without text: most APIs refuse one, and dropping it would bring two answers together."""

_LEFT_OUT: Final = {
    "image": "[image left out: this model reads text only]",
    "file": "[document left out: this model does not read documents]",
    "audio": "[audio left out: this model does not hear]",
    "video": "[video left out: this model does not see video]",
}
_OWN_FILES: Final = {"openai-chat": "file-", "openai-responses": "file-", "anthropic": "file_", "google": "https://"}
_PLAIN_KEYS: Final = frozenset(
    {"type", "image_url", "base64", "url", "mime_type", "file_id", "source", "file", "input_audio", "data", "filename"}
)
_TOOL_RESULT: Final = frozenset({"custom_tool_call_output", "input_image", "input_text", "input_file"})


def is_blank(text: str) -> bool:
    """Say whether a text is empty for an API that wants something other than white space."""
    return not text or text.isspace()


def fit(content: Any, role: Role, target: Target, say: Say) -> Content:
    """Fit a content to the reader; the same object is returned if it already fits."""
    if isinstance(content, str):
        if role == "user" and is_blank(content):
            say("empty message given a placeholder")
            return EMPTY
        return content
    if not isinstance(content, list):
        say("content of an unknown kind written out as text")
        return str(content)
    fitted: list[str | dict[Any, Any]] = []
    changed = False
    for block in content:
        now = _block(block, role, target, say)
        changed = changed or now is not block
        if now is not None:
            fitted.append(now)
    if all(isinstance(block, dict) and block.get("type") == "text" for block in fitted) and (
        not fitted or target.flat_text or (role == "tool" and not target.dialect.tool_images)
    ):
        text = "\n\n".join(block["text"] for block in fitted if isinstance(block, dict))
        if is_blank(text):
            if role == "user":
                say("empty message given a placeholder")
            return EMPTY if role == "user" else ""
        return text
    return fitted if changed else content


def _block(block: Any, role: Role, target: Target, say: Say) -> dict[Any, Any] | None:
    """Fit one block; `None` leaves it out without a trace."""
    if isinstance(block, str):
        return None if is_blank(block) else {"type": "text", "text": block}
    if not isinstance(block, dict):
        say("content block of an unknown kind written out as text")
        return _text(str(block))
    kind = block.get("type")
    if kind == "text" and isinstance(block.get("text"), str) and "source_type" not in block:
        return _text_block(block, target)
    if kind == "non_standard" and isinstance(block.get("value"), dict):
        return _block(block["value"], role, target, say)
    if kind in ("input_text", "output_text"):
        return _text(str(block.get("text", "")))
    if kind == "tool_result":  # a result in Anthropic's spelling: only what is in it is meant
        return _text(plain(block.get("content", "")))
    if role == "tool" and target.api == "openai-responses" and kind in _TOOL_RESULT:
        return block
    shown = media.kind_of(block)
    if shown is not None:
        return _medium(block, shown, role, target, say)
    if role == "user" and kind in target.dialect.user_blocks:
        return block
    if set(block) == {"cachePoint"} or kind == "cachePoint":
        say("cache marker left out")
        return None
    say(f"content block of type {kind!r} left out: this provider does not take it")
    return _text(f"[content of type {kind!r} left out]")


def _text(text: str) -> dict[Any, Any] | None:
    return None if is_blank(text) else {"type": "text", "text": text}


def plain(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n\n".join(str(part.get("text", "")) if isinstance(part, Mapping) else str(part) for part in content)
    return str(content)


def _text_block(block: dict[Any, Any], target: Target) -> dict[Any, Any] | None:
    if is_blank(block["text"]):
        return None
    if len(block) == 2:
        return block
    kept = {"type", "text"}
    if target.cache_markers:
        kept.add("cache_control")
    if target.api in ("openai-chat", "openai-responses") and target.first_party:
        kept |= {"prompt_cache_breakpoint"} | ({"extras"} if "prompt_cache_breakpoint" in (block.get("extras") or {}) else set())
    return block if block.keys() <= kept else {key: value for key, value in block.items() if key in kept}


def _medium(block: dict[Any, Any], shown: str, role: Role, target: Target, say: Say) -> dict[Any, Any] | None:
    medium = media.read(block)
    if medium is not None and medium.text:
        return _text(medium.text)
    if medium is None or not _takes(medium, role, target):
        say(f"{shown} left out: this model does not take it")
        return _text(_LEFT_OUT.get(shown, f"[{shown} left out]"))
    if _as_it_is(block, role, target):
        return block
    fitted = media.write(medium)
    if target.cache_markers and "cache_control" in block:
        fitted["cache_control"] = block["cache_control"]
    return fitted


def _takes(medium: media.Medium, role: Role, target: Target) -> bool:
    if role == "system":
        return False
    if medium.file_id and not medium.data and not medium.url:
        # An upload lives in one provider's store.
        prefix = _OWN_FILES.get(target.api)
        if prefix is None or not medium.file_id.startswith(prefix) or not target.first_party:
            return False
    if medium.kind == "image":
        return target.images and not (target.api == "ollama" and not medium.data)
    if medium.kind == "file":
        linked = bool(medium.url) and not medium.data
        return target.files and role == "user" and not (linked and target.api == "openai-chat")
    return bool(medium.data) and role == "user" and (target.audio if medium.kind == "audio" else target.video)


def _as_it_is(block: dict[Any, Any], role: Role, target: Target) -> bool:
    """Say whether the client carries the block in the spelling it has, marks and all."""
    kind = block["type"]
    extra = block.keys() - _PLAIN_KEYS
    if target.cache_markers:
        extra -= {"cache_control", "citations", "title", "context"}
    if extra:
        return False
    if kind == "image_url":
        link = block["image_url"]
        url = link.get("url") if isinstance(link, dict) else None
        known = target.api != "anthropic" or str(url).startswith(("https://", "http://", "data:image/"))
        return role == "user" and isinstance(url, str) and known
    if "source" in block:
        return target.api == "anthropic"
    if kind == "image":
        return ("base64" in block and "mime_type" in block) or ("url" in block and not str(block["url"]).startswith("data:"))
    if kind == "file" and "base64" in block:
        return "mime_type" in block and "filename" in block
    return kind in target.dialect.user_blocks and role == "user"
