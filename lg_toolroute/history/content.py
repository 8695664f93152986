"""The content of human, system and tool messages: only blocks that the reader's client and API take."""

from __future__ import annotations

from typing import Any, Final

from lg_toolroute.history.media import Role, fits_as_it_is, kind_of_medium, read_medium, takes, write_medium
from lg_toolroute.history.notes import AddNote
from lg_toolroute.history.target import Target

Content = str | list[str | dict[Any, Any]]

EMPTY: Final = "(empty message)"
"""Stands for a human message without text: most APIs refuse one, and leaving it out would bring two answers together."""

_LEFT_OUT: Final = {
    "image": "[image left out: this model reads text only]",
    "file": "[document left out: this model does not read documents]",
    "audio": "[audio left out: this model does not hear]",
    "video": "[video left out: this model does not see video]",
}


def is_blank(text: str) -> bool:
    """Say whether a text is empty for an API that wants something other than white space."""
    return not text or text.isspace()


def plain_text(content: Any) -> str:
    """Give the text of a tool's result, its blocks as paragraphs."""
    if not isinstance(content, list):
        return str(content)
    return "\n\n".join(str(part.get("text", "")) if isinstance(part, dict) else str(part) for part in content)


def fit(content: Any, role: Role, target: Target, note: AddNote) -> Content:
    """Fit a content to the reader; the same object is returned if it fits, or was written for a reader whose forms are not known here."""
    untouched = target.addressed and target.rules.opaque
    fitted: Content = content if untouched or isinstance(content, str) else _fit_blocks(content, role, target, note)
    if role == "user" and isinstance(fitted, str) and is_blank(fitted) and not untouched:
        note("empty message given a placeholder")
        return EMPTY
    return fitted


def _fit_blocks(content: list[Any], role: Role, target: Target, note: AddNote) -> Content:
    fitted = [now for block in content if (now := _fit_block(block, role, target, note)) is not None]
    if all(block.get("type") == "text" for block in fitted) and (
        not fitted or (not target.addressed and (target.rules.flat_text or (role == "tool" and not target.rules.tool_images)))
    ):
        text = "\n\n".join(block["text"] for block in fitted)
        return "" if is_blank(text) else text
    same = len(fitted) == len(content) and all(now is block for now, block in zip(fitted, content, strict=True))
    return content if same else list(fitted)


def _fit_block(block: Any, role: Role, target: Target, note: AddNote) -> dict[Any, Any] | None:
    """Fit one block; `None` leaves it out without a trace."""
    if not isinstance(block, dict):
        return _text(str(block))
    kind = block.get("type")
    if kind == "text" and isinstance(block.get("text"), str) and "source_type" not in block:
        return _fit_text(block, target)
    if kind == "non_standard" and isinstance(block.get("value"), dict):
        return _fit_block(block["value"], role, target, note)
    if kind in ("input_text", "output_text"):
        return _text(str(block.get("text", "")))
    if kind == "tool_result":  # a result in Anthropic's spelling: only what is in it is meant
        return _text(plain_text(block.get("content", "")))
    if role == "tool" and kind in target.rules.result_blocks:
        return block
    if kind_of_medium(block) is not None:
        return _fit_medium(block, role, target, note)
    if role == "user" and kind in target.rules.user_blocks:
        return block
    if set(block) == {"cachePoint"} or kind == "cachePoint":
        note("cache marker left out")
        return None
    note(f"content block of type {kind!r} left out: this provider does not take it")
    return _text(f"[content of type {kind!r} left out]")


def _text(text: str) -> dict[Any, Any] | None:
    return None if is_blank(text) else {"type": "text", "text": text}


def _fit_text(block: dict[Any, Any], target: Target) -> dict[Any, Any] | None:
    if is_blank(block["text"]):
        return None
    if len(block) == 2:
        return block
    kept = {"type", "text"}
    if target.cache_markers or (target.addressed and not target.first_party):
        kept.add("cache_control")  # behind a server that imitates an API may stand one that knows them
    if target.rules.cache_breakpoints:
        kept.add("prompt_cache_breakpoint")
        if "prompt_cache_breakpoint" in (block.get("extras") or {}):
            kept.add("extras")
    return block if block.keys() <= kept else {key: value for key, value in block.items() if key in kept}


def _fit_medium(block: dict[Any, Any], role: Role, target: Target, note: AddNote) -> dict[Any, Any] | None:
    kind, medium = kind_of_medium(block), read_medium(block)
    if medium is not None and medium.text:
        return _text(medium.text)
    if medium is None or not takes(medium, role, target):
        note(f"{kind} left out: this model does not take it")
        return _text(_LEFT_OUT.get(str(kind), f"[{kind} left out]"))
    if fits_as_it_is(block, role, target):
        return block
    fitted = write_medium(medium)
    if target.cache_markers and "cache_control" in block:
        fitted["cache_control"] = block["cache_control"]
    return fitted
