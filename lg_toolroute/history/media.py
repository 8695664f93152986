"""Images and documents in any spelling, read once, and written in the one that every client translates.

Known spellings: LangChain's standard blocks (v1), their predecessors with `source_type` (v0), OpenAI's `image_url`,
`input_image` and `file`, Anthropic's `source`, Gemini's `media`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_DATA_URL: Final = re.compile(r"data:(?P<mime>[^;,]+)?(?:;[^,]*)?;base64,(?P<data>.*)", re.DOTALL)
_MAGIC: Final = (
    ("iVBOR", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi", "application/pdf"),
)
"""How the base64 of a file of each type begins."""

_KINDS: Final[dict[str, str]] = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "file": "file",
    "input_file": "file",
    "document": "file",
    "document_url": "file",
    "text-plain": "file",
    "audio": "audio",
    "input_audio": "audio",
    "video": "video",
}


@dataclass(frozen=True, slots=True)
class Medium:
    """One image, document, sound or film.

    Attributes:
        kind: `"image"`, `"file"`, `"audio"` or `"video"`.
        data: Its bytes in base64, or empty.
        mime: Their type.
        url: Where it lies, if it was not sent along.
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


def kind_of(block: Mapping[str, Any]) -> str | None:
    """Say what a content block shows: `"image"`, `"file"`, `"audio"`, `"video"`, or `None` for anything else."""
    kind = block.get("type")
    if kind == "media":
        return str(block.get("mime_type", "")).partition("/")[0].replace("application", "file").replace("text", "file") or "file"
    return _KINDS.get(kind) if isinstance(kind, str) else None


def read(block: Mapping[str, Any]) -> Medium | None:
    """Read a block of any spelling; `None` if it shows nothing that could be sent on."""
    kind = kind_of(block)
    if kind is None:
        return None
    inner = block
    for name in ("source", "file", "input_audio"):
        nested = block.get(name)
        if isinstance(nested, Mapping):
            inner = nested
    fields: dict[str, Any] = {**block, **inner}
    link = fields.get("image_url") or fields.get("url") or fields.get("file_uri") or fields.get("file_url") or fields.get("document_url")
    if isinstance(link, Mapping):
        link = link.get("url")
    data = fields.get("base64") or fields.get("data") or fields.get("file_data") or ""
    mime = fields.get("mime_type") or fields.get("media_type") or ""
    text = fields.get("text") or ""
    if fields.get("source_type") == "text" or (isinstance(inner, Mapping) and inner.get("type") == "text" and inner is not block):
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


def write(medium: Medium) -> dict[str, Any]:
    """Write the standard block, which the clients translate for their API."""
    block: dict[str, Any] = {"type": medium.kind}
    if medium.data:
        block["base64"], block["mime_type"] = medium.data, medium.mime
    elif medium.url:
        block["url"] = medium.url
        if medium.mime:
            block["mime_type"] = medium.mime
    else:
        block["file_id"] = medium.file_id
    if medium.kind == "file":
        # A client asks for a name where the API wants one, and warns when it has to invent it.
        block["filename"] = medium.name or "document.pdf"
    return block
