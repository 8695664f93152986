"""What providers really answered, as people reported it, and what each answer means.

`error_bodies_known.json` was read while the spellings were written.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest

from lg_toolroute.core.failures.classify import classify
from lg_toolroute.core.failures.failure import CLASSES, Failure

SUPPORT = Path(__file__).parents[3] / "support"
CLIENTS = (openai.OpenAI(api_key="x", base_url="http://127.0.0.1/v1"), anthropic.Anthropic(api_key="x", base_url="http://127.0.0.1"))
KNOWN = json.loads((SUPPORT / "error_bodies_known.json").read_text(encoding="utf-8"))


def errors(case: dict[str, Any]) -> list[Exception]:
    """The answer as the clients of OpenAI and Anthropic and as plain httpx raise it."""
    text = case["body"] if isinstance(case["body"], str) else json.dumps(case["body"])
    response = httpx.Response(case["status"], text=text, headers=case.get("headers"), request=httpx.Request("POST", "http://127.0.0.1/v1/chat"))
    found: list[Exception] = [client._make_status_error_from_response(response) for client in CLIENTS]
    with pytest.raises(httpx.HTTPStatusError) as caught:
        response.raise_for_status()
    return [*found, caught.value]


def meant(case: dict[str, Any]) -> list[Failure]:
    """What the answer is taken for, by client."""
    return [classify(error) for error in errors(case)]


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: f"{case['provider']}: {case['source']}")
def test_a_known_body_has_its_class(case):
    assert case["class"] in CLASSES
    for failure in meant(case):
        assert failure.cls == case["class"], failure
        if case["class"] == "parameter_refused":
            assert (failure.parameter, failure.while_thinking) == (case["parameter"], case["while_thinking"]), failure
