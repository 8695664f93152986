"""What a configuration says about a model: window, inputs, tools, prices. `None` stands for what it does not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lg_toolroute.core.rules.spec import Size


@dataclass(frozen=True, slots=True)
class Cost:
    """Prices in US dollars for a million tokens; `None` where the configuration has none."""

    input: float | None = None
    output: float | None = None
    cache_read: float | None = None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the configuration says about one model. It overrides what LangChain's `model.profile` says.

    Attributes:
        context_window: Tokens of history and answer together.
        max_output: Tokens of one answer.
        inputs: What it reads: `text`, `image`, `pdf`, …
        supports_tools: `False`: it cannot call tools at all.
        cost: Prices.
        size: Its parameters, if the configuration says so.
        tool_choice: How it is made to call a tool: `name`, `required`, `none` or `auto`.
        prompt_cache: `auto`: cache markers are set for it where the application sets none; `off`: never.
    """

    context_window: int | None = None
    max_output: int | None = None
    inputs: frozenset[str] | None = None
    supports_tools: bool | None = None
    cost: Cost | None = None
    size: Size | None = None
    tool_choice: str | None = None
    prompt_cache: Literal["auto", "off"] = "auto"


NO_FACTS = ModelFacts()
