"""What of a message may be shown: secrets are masked, long texts shortened."""

from __future__ import annotations

import pytest

from lg_toolroute.core.failures.redact import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer ***"),
        ("authorization: basic dXNlcjpwYXNz", "authorization: basic ***"),
        ("GET http://h/v1?key=abcdefgh&alt=sse", "GET http://h/v1?key=***&alt=sse"),
        ("'x-api-key': 'abcdef123456'", "'x-api-key': '***'"),
        ('{"api_key": "abcdef123456", "n": 1}', '{"api_key": "***", "n": 1}'),
        ("OPENAI_API_KEY=abcdef123456 was set", "OPENAI_API_KEY=*** was set"),
        ("postgres://me:hunter2@db/x", "postgres://***@db/x"),
        ("password: hunter22", "password: ***"),
        ("the task key was not found", "the task key was not found"),
        ("risk-based sk-etch", "risk-based sk-etch"),
    ],
)
def test_labelled_secrets_are_masked_and_plain_words_are_not(text, masked):
    assert mask(text) == masked
