"""Model specs: `provider/model`, and what a model's name says about its size.

Only names are read here. What a configuration or a provider's profile says about a model is not in this file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_SEPARATOR = re.compile(r"[/:]")
_BILLIONS = re.compile(r"(?<![a-z0-9.])(?:(\d{1,3})x)?(\d{1,5}(?:\.\d{1,3})?)(b|t)(?![a-z0-9])")
_ACTIVE = re.compile(r"(?<![a-z0-9.])a(\d{1,4}(?:\.\d{1,3})?)b(?![a-z0-9])")
_MILLIONS = re.compile(r"(?<![a-z0-9.])(\d{2,4})m(?![a-z0-9])")
_SMALLEST_MILLIONS = 20  # `1m` and `10m` in a name tell a context window, not a size
_LARGEST_BILLIONS = 20_000  # above that it is a date


@dataclass(frozen=True, slots=True, order=True)
class ModelSpec:
    """A model and who serves it.

    Attributes:
        provider: The provider's id, lower-case: `ollama`.
        model: The model's name as the provider spells it: `gpt-oss:20b`, `deepseek/deepseek-v4-pro`.
    """

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True)
class Size:
    """The number of a model's parameters, as far as its name tells.

    Attributes:
        total_b: All parameters, in billions. For `8x7b` the product, which is an upper bound.
        active_b: Parameters used for one token, in billions (`a22b`); `None` if the name does not tell.
    """

    total_b: float
    active_b: float | None = None

    def __str__(self) -> str:
        total = f"{self.total_b:g}B"
        return total if self.active_b is None else f"{total} ({self.active_b:g}B active)"


def parse_spec(text: str) -> ModelSpec:
    """Reads `provider/model` or `provider:model`; the first `/` or `:` splits, and the provider becomes lower case.

    Raises:
        ValueError: There is no provider or no model; the message says what to write instead.
    """
    cleaned = text.strip()
    if not cleaned:
        raise ValueError('a model spec is empty; write "provider/model", for instance "anthropic/claude-sonnet-5"')
    found = _SEPARATOR.search(cleaned)
    if found is None:
        raise ValueError(f'{cleaned!r} names no provider; write "provider/{cleaned}", for instance {_example(cleaned)!r}')
    provider, model = cleaned[: found.start()].strip().lower(), cleaned[found.end() :].strip()
    if not provider or not model:
        missing = "provider" if not provider else "model"
        raise ValueError(f'{cleaned!r} has an empty {missing}; write "provider/model", for instance "ollama/gpt-oss:20b"')
    if any(not character.isprintable() or character.isspace() for character in provider + model):
        raise ValueError(f'{cleaned!r} holds a space or a control character; write "provider/model" without one')
    return ModelSpec(provider, model)


@lru_cache(maxsize=4096)  # asked several times a turn, of the few models of a configuration
def canonical(text: str) -> str:
    """The canonical form of a spec: `Ollama:gpt-oss:20b` becomes `ollama/gpt-oss:20b`.

    Raises:
        ValueError: As `parse_spec`.
    """
    return str(parse_spec(text))


def model_size(model_name: str) -> Size | None:
    """The size that a model's name tells; `None` when it tells none, which does not mean small.

    Read are `20b`, `0.6b`, `8x7b`, `235b-a22b`, `1t` and `500m`. Of several totals the largest counts. A whole spec is read too.
    """
    name = model_name.lower()
    totals = [
        int(experts or 1) * float(count) * (1000.0 if unit == "t" else 1.0) for experts, count, unit in _BILLIONS.findall(name)
    ]
    totals = [total for total in totals if 0 < total <= _LARGEST_BILLIONS]
    if totals:
        active = [float(count) for count in _ACTIVE.findall(name)]
        return Size(max(totals), max(active) if active else None)
    millions = [int(count) for count in _MILLIONS.findall(name) if int(count) >= _SMALLEST_MILLIONS]
    return Size(max(millions) / 1000) if millions else None


# The providers that people mean when they leave the provider out, by how the model's name begins.
_USUAL_PROVIDERS = (
    ("claude", "anthropic"), ("gpt-oss", "ollama"), ("gpt", "openai"), ("o1", "openai"), ("o3", "openai"), ("o4", "openai"),
    ("gemini", "google_genai"), ("deepseek", "deepseek"), ("kimi-for-", "kimi"), ("kimi", "moonshot"), ("grok", "xai"), ("mistral", "mistralai"),
    ("codestral", "mistralai"), ("devstral", "mistralai"), ("magistral", "mistralai"), ("llama", "ollama"), ("qwen", "ollama"),
    ("gemma", "ollama"), ("command", "cohere"),
)  # fmt: skip


def _example(model: str) -> str:
    lowered = model.lower()
    for beginning, provider in _USUAL_PROVIDERS:
        if lowered.startswith(beginning):
            return f"{provider}/{model}"
    return f"openai/{model}"
