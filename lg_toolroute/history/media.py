"""Images, documents, audio and video: read in any spelling, and written in the one that every client translates.

Known spellings: LangChain's standard blocks (v1), their predecessors with `source_type` (v0), OpenAI's `image_url`,
`input_image` and `file`, Anthropic's `source`, Gemini's `media`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from lg_toolroute.history.target import Target

Role = Literal["user", "system", "tool"]

_DATA_URL: Final = re.compile(r"data:(?P<mime>[^;,]+)?(?:;[^,]*)?;base64,(?P<data>.*)", re.DOTALL)
_MAGIC: Final = (
    ("iVBOR", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi", "application/pdf"),
)
"""How the base64 of a file of each type begins."""

_SPELLINGS: Final = {
    "image": ("image", "image_url", "input_image"),
    "file": ("file", "input_file", "document", "document_url", "text-plain"),
    "audio": ("audio", "input_audio"),
    "video": ("video",),
}
_KINDS: Final = {spelling: kind for kind, spellings in _SPELLINGS.items() for spelling in spellings}
_PLAIN_KEYS: Final = frozenset({"type", "image_url", "base64", "url", "mime_type", "file_id", "source", "file", "input_audio", "data", "filename"})
_MARKS: Final = frozenset({"cache_control", "citations", "title", "context"})
"""Keys of Anthropic's own blocks, accepted where cache markers are."""


@dataclass(frozen=True, slots=True)
class Medium:
    """One image, document, audio or video file.

    Attributes:
        kind: `"image"`, `"file"`, `"audio"` or `"video"`.
        data: Its bytes in base64, or empty.
        mime: Their type.
        url: Its address, if it was not sent along.
        file_id: Its name in a provider's own store.
        text: Its content, for a document that is plain text.
        name: The file's name.
    """

    kind: str
    data: str = ""
    mime: str = ""
    url: str = ""
    file_id: str = ""
    text: str = ""
    name: str = ""


def kind_of_medium(block: Mapping[str, Any]) -> str | None:
    """Say what a content block shows: `"image"`, `"file"`, `"audio"`, `"video"`, or `None` for anything else."""
    kind = block.get("type")
    if kind == "media":
        return str(block.get("mime_type", "")).partition("/")[0].replace("application", "file").replace("text", "file") or "file"
    return _KINDS.get(kind) if isinstance(kind, str) else None


def read_medium(block: Mapping[str, Any]) -> Medium | None:
    """Read a block of any spelling; `None` if it shows nothing that could be sent on."""
    kind = kind_of_medium(block)
    if kind is None:
        return None
    inner: Mapping[str, Any] = next((block[key] for key in ("input_audio", "file", "source") if isinstance(block.get(key), Mapping)), {})
    fields: dict[str, Any] = {**block, **inner}
    link = next((fields[key] for key in ("image_url", "url", "file_uri", "file_url", "document_url") if fields.get(key)), None)
    if isinstance(link, Mapping):
        link = link.get("url")
    data = fields.get("base64") or fields.get("data") or fields.get("file_data") or ""
    mime = fields.get("mime_type") or fields.get("media_type") or ""
    text = fields.get("text") or ""
    if fields.get("source_type") == "text" or inner.get("type") == "text":
        text, data = text or data, ""
    name = fields.get("filename") or fields.get("title") or (fields.get("extras") or {}).get("filename") or ""
    file_id = fields.get("file_id") or (fields.get("id") if fields.get("source_type") == "id" else "") or ""
    for inline in (data, link):
        match = _DATA_URL.match(inline) if isinstance(inline, str) else None
        if match is not None:
            data, mime, link = match["data"], match["mime"] or mime, None
    if not all(isinstance(value, str) for value in (data, mime, text, name, file_id)):
        return None
    if data and not mime:
        mime = next((known for magic, known in _MAGIC if data.startswith(magic)), "image/png" if kind == "image" else "application/pdf")
    medium = Medium(kind, data, mime, link if isinstance(link, str) else "", file_id, text, name)
    return medium if data or medium.url or file_id or text else None


def write_medium(medium: Medium) -> dict[str, Any]:
    """Write the standard block, which the clients translate for their API."""
    block: dict[str, Any] = {"type": medium.kind}
    if medium.data:
        block |= {"base64": medium.data, "mime_type": medium.mime}
    elif medium.url:
        block |= {"url": medium.url, "mime_type": medium.mime} if medium.mime else {"url": medium.url}
    else:
        block["file_id"] = medium.file_id
    if medium.kind == "file":
        # A client asks for a name where the API wants one, and warns when it has to invent it.
        block["filename"] = medium.name or "document.pdf"
    return block


def takes(medium: Medium, role: Role, target: Target) -> bool:
    """Say whether the reader's client, API and model take a medium in a message of this role."""
    rules = target.rules
    if medium.data:
        sendable = True
    elif medium.url:
        sendable = medium.kind in rules.links
    else:  # an upload lives in one provider's store
        sendable = medium.kind in ("image", "file") and rules.file_ids is not None and medium.file_id.startswith(rules.file_ids)
    reads = {"image": target.images, "file": target.files, "audio": target.audio, "video": target.video}
    return sendable and reads.get(medium.kind, False) and (role == "user" or (role == "tool" and medium.kind == "image"))


def fits_as_it_is(block: dict[Any, Any], role: Role, target: Target) -> bool:
    """Say whether the client carries a block in the spelling it has, with all its keys."""
    kind, rules = block["type"], target.rules
    if block.keys() - _PLAIN_KEYS - (_MARKS if target.cache_markers else set()):
        return False
    if kind == "image_url":
        link = block["image_url"]
        url = link.get("url") if isinstance(link, dict) else None
        return role == "user" and isinstance(url, str) and url.startswith(rules.image_urls)
    if "source" in block:
        return rules.source_blocks
    if kind == "image":
        return ("base64" in block and "mime_type" in block) or ("url" in block and not str(block["url"]).startswith("data:"))
    if kind == "file" and "base64" in block:
        return "mime_type" in block and "filename" in block
    return kind in rules.user_blocks and role == "user"
