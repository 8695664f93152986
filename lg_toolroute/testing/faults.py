"""The catalogue: everything that goes wrong between an agent and a model's server, ready to be put into a `FaultServer`'s script.

```python
from lg_toolroute.testing import FaultServer, Say, faults

with FaultServer({"kimi-for-coding": [faults.rate_limit(retry_after=7), Say("Back again.")]}) as server:
    ...
```

Each function gives a `Fault` that knows the failure class it belongs to (`fault.expected_class`), so a table of tests can be made from
`CATALOGUE`. `table()` prints it. The bodies are what providers really send, shortened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from lg_toolroute.testing.bad_answers import (
    broken_arguments,
    content_filter,
    empty_answer,
    eof,
    length,
    none,
    text_instead,
    truncated_arguments,
    unknown_tool,
    wrong_arguments,
)  # fmt: skip
from lg_toolroute.testing.fault import Fault, FaultPlace
from lg_toolroute.testing.outages import close, empty_body, error_event, hang, malformed_event, no_choices, not_json, reset, slow, stall
from lg_toolroute.testing.refusals import (
    BROKEN,
    INVALID,
    NO_TOOLS,
    TOO_LONG,
    content_policy,
    context_overflow,
    forbidden,
    insufficient_quota,
    invalid_request,
    model_not_found,
    no_tool_support,
    payment_required,
    rate_limit,
    server_error,
    status,
    unauthorized,
)  # fmt: skip

__all__ = [
    "CATALOGUE", "MID_STREAM", "PLACES", "broken_arguments", "close", "content_filter", "content_policy", "context_overflow", "empty_answer",
    "empty_body", "eof", "error_event", "forbidden", "hang", "insufficient_quota", "invalid_request", "length", "malformed_event", "model_not_found",
    "no_choices", "no_tool_support", "none", "not_json", "payment_required", "rate_limit", "reset", "server_error", "slow", "stall", "status",
    "table", "text_instead", "truncated_arguments", "unauthorized", "unknown_tool", "wrong_arguments",
]  # fmt: skip

CATALOGUE: Final[Mapping[str, Callable[[], Fault]]] = {
    "rate_limit": rate_limit,
    "rate_limit_no_hint": lambda: rate_limit(None),
    "insufficient_quota": insufficient_quota,
    "payment_required": payment_required,
    "unauthorized": unauthorized,
    "forbidden": forbidden,
    "model_not_found": model_not_found,
    **{f"no_tool_support_{key}": (lambda key=key: no_tool_support(key)) for key in NO_TOOLS},  # type: ignore[misc]
    **{f"context_overflow_{key}": (lambda key=key: context_overflow(key)) for key in TOO_LONG},  # type: ignore[misc]
    **{f"invalid_request_{key}": (lambda key=key: invalid_request(key)) for key in INVALID},  # type: ignore[misc]
    "content_policy": content_policy,
    **{f"server_error_{code}": (lambda code=code: server_error(code)) for code in BROKEN},  # type: ignore[misc]
    "reset_before_headers": reset,
    "reset_before_text": lambda: reset("start"),
    "reset_in_stream": lambda: reset(after_chunks=2),
    "reset_after_last_chunk": lambda: reset("end"),
    "close_before_headers": lambda: close("headers"),
    "close_in_stream": close,
    "hang": hang,
    "stall": stall,
    "malformed_event": malformed_event,
    "error_event": error_event,
    "error_event_overloaded": lambda: error_event(code="overloaded_error", message="Overloaded", expected_class="overloaded"),
    "not_json": not_json,
    "empty_body": empty_body,
    "no_choices": no_choices,
    "eof": eof,
    "length": length,
    "content_filter": content_filter,
    "empty_answer": empty_answer,
    "truncated_arguments": truncated_arguments,
    "broken_arguments": broken_arguments,
    "wrong_arguments": wrong_arguments,
    "unknown_tool": unknown_tool,
    "text_instead": text_instead,
    "slow": slow,
    "none": none,
}
"""Every fault with its default parameters, by name."""

PLACES: Final[tuple[FaultPlace, ...]] = ("headers", "start", "text", "name", "args", "end")
"""Every named place, from before the headers to behind the last chunk."""

MID_STREAM: Final[Mapping[str, Callable[..., Fault]]] = {
    "reset": reset,
    "close": close,
    "stall": stall,
    "malformed_event": malformed_event,
    "error_event": error_event,
    "eof": eof,
}
"""The faults that can strike at any place of an answer: `MID_STREAM["reset"]("args", say=Say(…))`."""


def table() -> str:
    """The catalogue as a Markdown table."""
    rows = [f"| `{name}` | {fault.what} | {_classes(fault)} |" for name, fault in ((name, make()) for name, make in CATALOGUE.items())]
    return "\n".join(["| fault | what happens | failure class |", "|---|---|---|", *rows])


def _classes(fault: Fault) -> str:
    if fault.expected_class is None:
        return "–"
    streamed = f", streamed `{fault.expected_streamed}`" if fault.expected_streamed else ""
    return f"`{fault.expected_class}`{streamed}"
