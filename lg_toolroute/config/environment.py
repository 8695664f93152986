"""`${NAME}` in provider settings: what is left of a secret in the configuration, and how it becomes one.

The text of a setting may be a secret itself, so nothing here ever shows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
MASK = "**********"


def expand(text: str, environ: Mapping[str, str]) -> str:
    """The text with every `${NAME}` replaced by its value in `environ`; `$${` stands for a plain `${`.

    Raises:
        KeyError: A variable is unset or empty; its argument is the name.
    """

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if name is None:
            return "${"
        if not environ.get(name):
            raise KeyError(name)
        return environ[name]

    return _REFERENCE.sub(value, text)


def masked(text: str) -> str:
    """A setting as it may be shown: references stay, everything else is covered, unless there is nothing else."""
    return text if _REFERENCE.sub("", text).strip() in {"", "Bearer"} else MASK
