"""Errors in words that no provider was seen to use: what is meant shows in what they have in common."""

from __future__ import annotations

import httpx
import pytest

from lg_toolroute.core.failures.classify import classify


def meant(status: int, body: object) -> str:
    response = httpx.Response(status, json=body, request=httpx.Request("POST", "http://127.0.0.1/v1/chat"))
    with pytest.raises(httpx.HTTPStatusError) as caught:
        response.raise_for_status()
    return classify(caught.value).cls


WORDS = [
    (400, "Your wallet balance has run out.", "quota"),
    (403, "This key has no remaining credits.", "quota"),
    (429, "Please top up: your balance is negative.", "quota"),
    (500, "账户额度已用完", "quota"),
    (400, "The access token you sent has expired.", "auth"),
    (400, "Your organization is suspended until it is verified.", "auth"),
    (422, "This API is not available in your country.", "auth"),
    (400, "令牌无效", "auth"),
    (403, "Deployment my-gpt.4 was retired last month.", "model_not_found"),
    (400, "Sorry, the model acme/large-v2.5 is no longer offered.", "model_not_found"),
    (403, "You do not have permission to use the model large-v2.", "model_not_found"),
    (400, "该模型已下线", "model_not_found"),
    (400, "The conversation holds 70312 tokens, more than the limit of 65536.", "context_overflow"),
    (500, "Your prompt is far too large for this model's context.", "context_overflow"),
    (400, "上下文超出限制", "context_overflow"),
    (400, "Function calling has no effect here: tools are currently not supported by this model.", "no_tool_support"),
    (400, "该模型不支持工具调用", "no_tool_support"),
    (500, "The model generated an unknown function name.", "invalid_tool_call"),
    (400, "Unable to decode the tool call that was written.", "invalid_tool_call"),
    (400, "The prompt was blocked by our moderation.", "content_policy"),
    (403, "输入内容涉嫌违规", "content_policy"),
    (400, "请求过于频繁，请稍后再试", "rate_limit"),
    (403, "You may send 20 requests per minute.", "rate_limit"),
    (400, "All servers are busy, try again soon.", "overloaded"),
    (429, "There is no capacity for this model now.", "overloaded"),
    (502, "当前访问量过大", "overloaded"),
    (404, "This deployment is denied to you: it is no longer running.", "model_not_found"),
    (403, "Access to the model large-v2 was denied.", "model_not_found"),
    (403, "This model is only available on a paid plan.", "model_not_found"),
    (400, "No providers are there for the requested model.", "model_not_found"),
    (400, "total tokens should be less than max_seq_len", "context_overflow"),
    (429, "You may send 50 calls / month.", "quota"),
    (500, "raise_exception('roles have to alternate')", "invalid_request"),
    (400, "Unknown option: 'beam_width' is not a supported parameter", "parameter_refused"),
]


@pytest.mark.parametrize(("status", "message", "cls"), WORDS, ids=[message for _, message, _ in WORDS])
def test_a_family_is_known_by_its_subject_and_what_is_said_of_it(status, message, cls):
    assert meant(status, {"error": {"message": message, "type": "invalid_request_error" if status == 400 else None}}) == cls


@pytest.mark.parametrize(
    ("status", "code", "cls"),
    [
        (403, "WalletBalanceLow", "quota"),
        (400, "ExpiredSecurityToken", "auth"),
        (400, "deployment_not_ready_or_unknown", "model_not_found"),
        (400, "InputTooLong", "context_overflow"),
        (400, "ContentModerationFailed", "content_policy"),
        (400, "requests_limit_hit", "rate_limit"),
        (503, "NoCapacityLeft", "overloaded"),
        (502, "UpstreamTimedOut", "timeout"),
    ],
)
def test_a_code_is_known_by_its_words(status, code, cls):
    assert meant(status, {"error": {"code": code, "message": "The request failed."}}) == cls


@pytest.mark.parametrize(
    ("status", "message", "cls"),
    [
        (400, "messages.3: a tool message needs the tool call that it answers", "invalid_request"),
        (400, "tools[0].function.parameters: this schema is not valid", "invalid_request"),
        (400, "Invalid 'messages[2].content': string too long", "invalid_request"),
        (400, "Video input is not supported by this model", "invalid_request"),
        (400, "Unexpected token } in JSON at position 17", "invalid_request"),
        (400, "The content of messages[1] must be a string", "invalid_request"),
        (429, "Slow down: 60 requests per minute are included in your plan, add credits for more", "rate_limit"),
        (500, "rpc error: context deadline exceeded", "timeout"),
        (400, "This model is not available for image input, which it does not support", "invalid_request"),
        (500, "Something went wrong in the model's worker", "server_error"),
        (404, "There is no page at this address", "server_error"),
    ],
)
def test_what_looks_like_a_family_is_none(status, message, cls):
    assert meant(status, {"error": {"message": message}}) == cls


def test_what_a_request_said_is_no_error():
    body = {"detail": [{"type": "missing", "loc": ["body", "messages", 0], "msg": "Field required", "input": "my api key is invalid"}]}
    assert meant(422, body) == "invalid_request"
