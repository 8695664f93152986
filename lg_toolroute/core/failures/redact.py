"""Texts from providers and stores made fit to be shown: secrets masked, on one line, short.

Providers echo keys ("Incorrect API key provided: sk-..."), addresses carry them (`?key=...`), and proxies print whole headers.
"""

from __future__ import annotations

import re
from typing import Final

from lg_toolroute.core.failures.failure import LONGEST_TEXT

_MASK: Final = "***"

# Order matters: the labelled forms first, so that the label stays readable and its value goes.
_SECRETS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # user:password@host in an address
    (re.compile(r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"), _MASK),
    # Authorization: Bearer abc, Basic abc
    (re.compile(r"\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1\2{_MASK}"),
    # api_key=..., "x-api-key": "...", ?key=..., token: ..., with or without quotes
    (
        re.compile(
            r"""(?P<label>(?:(?<![\w-])[\w-]*(?:api[-_ ]?key|apikey|access[-_]?token|auth[-_]?token|secret|password|passwd)|[?&](?:key|token|sig))"""
            r"""['"]?\s*[=:]\s*['"]?)"""
            r"""[^\s'"&,;}\])]{4,}""",
            re.IGNORECASE,
        ),
        rf"\g<label>{_MASK}",
    ),
    # Keys that are recognised by their first letters: OpenAI, Anthropic, Groq, xAI, Hugging Face, Google, GitHub, AWS ...
    (
        re.compile(
            r"\b(?:sk|pk|rk|gsk|xai|hf|nvapi|r8|fw|pplx|tgp_v1|csk|ghp|gho|github_pat|lsv2|AIza|AKIA|ASIA|ya29)(?:[-_.]|(?<=AIza)|(?<=AKIA)|(?<=ASIA))"
            r"[A-Za-z0-9*_.-]{7,}[A-Za-z0-9*_-]"
        ),
        _MASK,
    ),
    # JSON web tokens
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"), _MASK),
)


def mask(text: str) -> str:
    """The text with everything that looks like a key, a token or a password replaced by `***`."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def presentable(text: str, longest: int = LONGEST_TEXT) -> str:
    """The text masked, on one line, its end cut off beyond `longest` characters."""
    # What is masked is longer than what is shown, so that no half of a key survives at the cut.
    line = " ".join(mask(text[: longest * 8 + 512]).split())
    return line if len(line) <= longest else line[: max(longest - 1, 0)].rstrip() + "…"
