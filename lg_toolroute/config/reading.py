"""A file, a text or a mapping -> plain data: dialects, limits, duplicate keys. What the data mean is not known here.

Whatever is wrong with the document as a text is one `ConfigError`, and none of them shows a line of it: lines hold keys.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import json5
import yaml

from lg_toolroute.errors import ConfigError, Problem

DocumentFormat: TypeAlias = Literal["json", "json5", "yaml", "toml"]
DocumentSource: TypeAlias = "str | os.PathLike[str] | bytes | Mapping[str, Any]"

MAX_BYTES = 1024 * 1024
MAX_JSON5_BYTES = 256 * 1024  # json5 is parsed in Python, at some 100 kB/s
_MAX_MERGED_KEYS = 10_000
_MAX_MERGED_NODES = 20

_SUFFIXES: dict[str, DocumentFormat] = {".json": "json", ".json5": "json5", ".jsonc": "json5", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}
_TOML_LINE = re.compile(r"""^\s*(?:\[\[?[^\[\]]+\]\]?\s*(?:\#.*)?$|(?:[\w-]+|"[^"\n]*"|'[^'\n]*')(?:\s*\.\s*(?:[\w-]+|"[^"\n]*"|'[^'\n]*'))*\s*=)""")


class _Unreadable(Exception):
    """The text is not a document of its dialect; the message says where and why, and quotes no line."""


def read(source: DocumentSource, format: DocumentFormat | None = None) -> tuple[Mapping[str, Any], str]:
    """Reads a configuration into plain data.

    Args:
        source: A path, a text, bytes in UTF-8, or a mapping, which is passed on as it is.
        format: `json`, `json5`, `yaml` or `toml`. Unset, a file's ending tells, and a text is looked at.

    Returns:
        The data, and what to call them in messages.

    Raises:
        ConfigError: There is no such file, it is too large, not UTF-8, empty, not of its dialect, holds a key twice, or is no mapping.
    """
    if format is not None and format not in _PARSERS:
        raise _refusal(f"the format {format!r} is not known", f"write one of {', '.join(_PARSERS)}", "configuration")
    if isinstance(source, Mapping):
        return source, "configuration"
    if isinstance(source, bytes):
        return _parse(_decode(source, "configuration"), format, "configuration")
    if isinstance(source, str) and _is_text(source, format):
        if len(source.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            raise _too_large("configuration")
        return _parse(source, format, "configuration")
    if not isinstance(source, (str, os.PathLike)):
        raise _refusal(f"{type(source).__name__} is no configuration", "pass a path, a text or a mapping", "configuration")
    path = Path(source)
    return _parse(_decode(_load(path), str(path)), format or _SUFFIXES.get(path.suffix.lower()), str(path))


def _is_text(source: str, format: DocumentFormat | None) -> bool:
    stripped = source.strip()
    if not stripped or "\n" in source or stripped.startswith(("{", "[", "- ", "---", "&", "#")):
        return True
    if len(source) > 4096 or "\0" in source:
        return True
    if Path(source).suffix.lower() in _SUFFIXES or Path(source).exists():
        return False
    return format is not None or stripped.endswith(":") or ": " in source or "=" in source


def _load(path: Path) -> bytes:
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _refusal("there is no such file", "check the path", name) from None
    except IsADirectoryError:
        raise _refusal("is a folder", "give the path of the file in it", name) from None
    except OSError as error:
        raise _refusal(f"cannot be read ({error.strerror or type(error).__name__})", "check its permissions", name) from None
    if len(data) > MAX_BYTES:
        raise _too_large(name)
    return data


def _decode(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise _too_large(name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(f"is not UTF-8 (byte {error.start})", "save it in UTF-8", name) from None


def _parse(text: str, format: DocumentFormat | None, name: str) -> tuple[Mapping[str, Any], str]:
    if not text.strip():
        raise _refusal("is empty", 'write at least a primary model: {"model": "provider/model"}', name)
    chosen = format or _sniff(text)
    try:
        data = _PARSERS[chosen](text)
    except _Unreadable as error:
        raise _refusal(f"is not {chosen.upper()}: {error}", "", name) from None
    except RecursionError:
        raise _refusal("is nested too deeply to be read", "at most 64 levels are accepted", name) from None
    if data is None:
        raise _refusal("is empty", 'write at least a primary model: {"model": "provider/model"}', name)
    if not isinstance(data, Mapping):
        raise _refusal(f"is {_kind(data)}, not a mapping", 'begin with a key, for instance {"model": "provider/model"}', name)
    return data, name


def _sniff(text: str) -> DocumentFormat:
    stripped = text.lstrip()
    if stripped[0] == "{" or stripped.startswith(("//", "/*")):
        return "json"
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return "toml" if _TOML_LINE.match(line) else "yaml"
    return "yaml"


def _no_duplicates(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Unreadable(f"the key {key!r} is given twice in one object; keep one of them")
        found[key] = value
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_no_duplicates)
    except json.JSONDecodeError as error:
        # OpenClaw keeps JSON5 in `.json` files: comments and trailing commas are no mistake there.
        try:
            return _json5(text)
        except _Unreadable as also:
            if "given twice" in str(also) or len(text.encode()) <= MAX_JSON5_BYTES:
                raise
            raise _Unreadable(f"{error.msg} (line {error.lineno}, column {error.colno})") from None


def _json5(text: str) -> Any:
    if len(text.encode("utf-8", "surrogatepass")) > MAX_JSON5_BYTES:
        raise _Unreadable(f"it is longer than {MAX_JSON5_BYTES // 1024} KiB, which only plain JSON may be")
    try:
        return json5.loads(text, object_pairs_hook=_no_duplicates)
    except ValueError as error:
        found = re.match(r"<string>:(\d+) (.*)", str(error), re.DOTALL)
        where = f"{found.group(2)} (line {found.group(1)})" if found else "unexpected text"
        raise _Unreadable(where) from None


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _Unreadable(str(error)) from None


class _Loader(yaml.SafeLoader):
    """The safe loader, but a key given twice is a mistake and merge keys cannot explode."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge" and isinstance(value, yaml.SequenceNode) and len(value.value) > _MAX_MERGED_NODES:
                raise _Unreadable(f"more than {_MAX_MERGED_NODES} mappings are merged at line {key.start_mark.line + 1}")
        super().flatten_mapping(node)
        if len(node.value) > _MAX_MERGED_KEYS:
            raise _Unreadable(f"merging gives more than {_MAX_MERGED_KEYS} keys at line {node.start_mark.line + 1}")

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        written: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in written:
                    raise _Unreadable(f"the key {key.value!r} is given twice (line {key.start_mark.line + 1}); keep one of them")
                written.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _yaml(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise _Unreadable(f"{error.problem or error.context or 'it cannot be parsed'}{where}") from None
    except yaml.YAMLError:
        raise _Unreadable("it holds a character that YAML does not allow") from None
    except ValueError:
        raise _Unreadable("a number or a date in it cannot be read; put it in quotes") from None


_PARSERS: dict[DocumentFormat, Callable[[str], Any]] = {"json": _json, "json5": _json5, "yaml": _yaml, "toml": _toml}


def _kind(data: Any) -> str:
    return "a list" if isinstance(data, list) else {"str": "text", "bool": "a truth value"}.get(type(data).__name__, "a number")


def _too_large(name: str) -> ConfigError:
    return _refusal(f"is larger than {MAX_BYTES // 1024} KiB", "a configuration is rarely above 100 KiB; is this the right file?", name)


def _refusal(message: str, hint: str, source: str) -> ConfigError:
    return ConfigError([Problem("", message, hint)], source=source)
