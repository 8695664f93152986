"""When two names are one file: `./a.py` and `a.py`; `src/a.py` and `/repo/src/a.py` where the folder is known."""

from __future__ import annotations

import re
from collections.abc import Collection

_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")


def plain(name: str) -> str:
    """A name without `.`, `..` and doubled slashes. Nothing is looked up: a link is not followed."""
    text = name.strip()
    if text.startswith("file://"):
        text = text[len("file://") :]
    if _DRIVE.match(text) or ("\\" in text and "/" not in text):
        text = text.replace("\\", "/")
    parts: list[str] = []
    absolute = text.startswith("/")
    for part in text.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part == ".." and absolute:
            continue
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if absolute else "") + "/".join(parts)


def is_absolute(name: str) -> bool:
    """Whether a plain name begins at a root."""
    return name.startswith("/") or bool(_DRIVE.match(name))


def ends_with(name: str, tail: str) -> bool:
    """Whether the last parts of `name` are `tail`."""
    return name == tail or name.endswith(f"/{tail}")


def root_of(absolute: str, relative: str) -> str | None:
    """The folder that makes `relative` the name `absolute`; `None` if none does.

    One part in common (`a.py`) proves nothing but at the top: there are many `README.md`.
    """
    if is_absolute(relative) or not is_absolute(absolute) or not absolute.endswith(f"/{relative}") or relative.startswith(".."):
        return None
    root = absolute[: -len(relative) - 1]
    return root if "/" in relative or root == "" else None


def same_as(name: str, known: Collection[str], roots: Collection[str]) -> str | None:
    """The known name of the same file, where that is certain; `name` itself if it is known."""
    if name in known:
        return name
    if is_absolute(name):
        under = [name[len(root) + 1 :] for root in roots if name.startswith(f"{root}/")]
        certain = [each for each in under if each in known]
        alike = [each for each in known if root_of(name, each) is not None]
    else:
        certain = [each for root in roots if (each := f"{root}/{name}") in known]
        alike = [each for each in known if root_of(each, name) is not None]
    found = certain or alike
    return found[0] if len(found) == 1 else None
