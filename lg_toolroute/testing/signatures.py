"""Signatures that can be checked without a memory: each says who signed, and what it is bound to.

A provider's real signatures are opaque. These are readable, so that a refusal can name what was changed, and a server that was started anew knows
what an earlier one signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

SKIP: Final = "skip_thought_signature_validator"
"""What Gemini takes in the place of a signature for a call that another model wrote. Source: Gemini API, "Thought signatures"."""


def sign(model: str, **bound_to: Any) -> str:
    """A signature in base64, as Gemini's client wants it.

    Args:
        model: Who signs.
        **bound_to: What the signature is bound to, by name; values become JSON.
    """
    content = {"model": model, **{name: digest(value) for name, value in bound_to.items()}}
    return base64.b64encode(json.dumps(content, sort_keys=True).encode()).decode()


def signed(signature: Any) -> Mapping[str, str]:
    """What a signature holds: `model`, and a digest of each thing it is bound to. Empty for what `sign` did not make.

    Args:
        signature: As it came over the wire.
    """
    try:
        content = json.loads(base64.b64decode(str(signature), validate=True))
    except (binascii.Error, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def digest(value: Any) -> str:
    """A short digest of anything that can be JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
