"""What an exception means: by its words, its status, its class, and by whose code raised it."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Callable
from functools import partial

import httpx
import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import convert_to_messages
from langgraph.errors import GraphInterrupt, GraphRecursionError, InvalidUpdateError, NodeInterrupt, ParentCommand
from langgraph.types import Command

from lg_toolroute.core.failures.classify import classify
from lg_toolroute.core.failures.failure import CLASSES, LONGEST_TEXT, Failure
from lg_toolroute.core.failures.redact import presentable
from lg_toolroute.errors import AnswerRejected, CandidateSkipped, ChainExhausted, ConfigError, Problem


class Thrown(Exception):
    """A stranger's error with the attributes that it is given."""

    def __init__(self, message: str = "failed", **attributes: object) -> None:
        super().__init__(message)
        self.__dict__.update(attributes)


def http(status: int, body: object = None, headers: dict[str, str] | None = None) -> httpx.HTTPStatusError:
    """The error of plain httpx for a response that was read."""
    content = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    response = httpx.Response(status, headers=headers, content=content, request=httpx.Request("POST", "http://127.0.0.1/v1/chat"))
    with pytest.raises(httpx.HTTPStatusError) as caught:
        response.raise_for_status()
    return caught.value


def raised(error: Exception) -> Exception:
    """The error with a traceback that ends in this module."""
    try:
        raise error
    except Exception as caught:
        return caught


def raised_in(modules: list[str], error: Exception) -> Exception:
    """The error with a traceback through these modules, the innermost last."""
    call = partial(function_in(modules[-1], "raise given"), error.with_traceback(None))
    for module in reversed(modules[:-1]):
        call = partial(function_in(module, "given()"), call)
    try:
        call()
    except Exception as caught:
        return caught.with_traceback(caught.__traceback__.tb_next)


def function_in(module: str, body: str) -> Callable[[object], None]:
    """A function of a module of this name."""
    scope = {"__name__": module}
    exec(f"def function(given): {body}", scope)
    return scope["function"]


WORDS = {
    "rate_limit": [
        "429 Too Many Requests",
        "Too many concurrent requests",
        "ThrottlingException: Rate exceeded",
        "resource exhausted",
        "weekly usage limit reached",
        "Too many tokens, please wait before trying again.",
        "402 weekly limit reached for this subscription",
    ],
    "quota": [
        "402 organization spend limit reached",
        "You exceeded your current quota, please check your plan and billing details",
        "402 Payment Required",
        "Insufficient credits",
        "Your credit balance is too low to access the Anthropic API",
        "You're out of extra usage",
        "Error code: 429 - {'error': {'code': 'insufficient_quota'}}",
        "400 Your credit balance is too low",
        "Insufficient Balance",
        "Your newly created team doesn't have any credits yet",
        "400 You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
        "400 Third-party apps now draw from your extra usage, not your plan limits.",
        "429 余额不足或无可用资源包,请充值。",
    ],
    "overloaded": [
        "503 Service Unavailable",
        "529 overloaded_error",
        "ModelNotReadyException",
        "Overloaded",
        "model requires more system memory",
    ],
    "server_error": [
        "500 internal server error",
        "Provider finish_reason: error",
        "An unknown error occurred",
        "Provider returned error",
        "LLM request failed with an unknown error.",
        "502 Bad Gateway",
        "409 conflict",
        "404 page not found",
        "something odd",
    ],
    "timeout": ["504 Gateway Timeout", "LLM request timed out", "408 Request Timeout", "Error code: 524", "HTTP 522", "499", "410 Gone"],
    "connection": [
        "fetch failed",
        "ECONNREFUSED",
        "finish_reason: network_error",
        "certificate has expired",
        "Server disconnected",
        "socket hang up",
    ],
    "auth": [
        "401 Unauthorized",
        "invalid api key",
        "account has been deactivated",
        "403 Forbidden",
        "400 API key not valid. Please pass a valid API key.",
    ],
    "model_not_found": [
        "404 model not found",
        "The requested model is not supported.",
        "400 Invalid model: mistral-huge",
        "Error code: 400 - x/y is not a valid model ID",
        "400 Model Not Exist",
        "The model `llama2-70b` has been decommissioned",
        "404 models/gemini-9 is not found for API version v1beta",
        "The model `gpt-9` does not exist or you do not have access to it.",
        "403 Project `p` does not have access to model `gpt-9`",
    ],
    "no_tool_support": [
        "400 model qwen does not support tools",
        "registry.ollama.ai/library/gemma:2b does not support tools (status code: 400)",
        "404 No endpoints found that support tool use. Try disabling 'edit'.",
        "Function calling is not enabled for models/gemma-3-1b-it",
        "`tool calling` is not supported with this model",
        "This model doesn't support tool use in streaming mode.",
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "Unsupported parameter: 'tools' is not supported with this model.",
    ],
    "context_overflow": [
        "input exceeds the maximum number of tokens",
        "The input token count (1203) exceeds the maximum number of tokens allowed (1024).",
        "context_length_exceeded",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "ollama error: context length exceeded",
        "413 Request too large for model `llama` on tokens per minute (TPM): Limit 8000, Requested 8098",
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "Your input exceeds the context window of this model.",
        "the request exceeds the available context size. try increasing the context size",
        "exceed_context_size_error",
        "Range of input length should be [1, 30720]",
        "input length and `max_tokens` exceed context limit: 199000 + 20000 > 200000",
        "Prompt contains 32769 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        "This model's maximum prompt length is 131072 but the request contains 137000 tokens.",
        "Your request exceeded model token limit: 8192",
        "invalid params, context window exceeds limit",
        "413 request_too_large",
        "Input is too long for requested model.",
        "Please reduce the length of the messages or completion.",
        "500 input length exceeds maximum context length",
        "400 Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
        "400 The decoder prompt (length 9000) is longer than the maximum model length of 4096.",
        "422 Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1900 `inputs` tokens",
        "422 Input validation error: `inputs` must have less than 1024 tokens. Given: 1168",
    ],
    "invalid_request": [
        "tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
        "Tool call id was call_abc but must be a-z, A-Z, 0-9, with a length of 9.",
        "Invalid signature in thinking block",
        "400 this model is not supported for vision",
        "No tool call found for function call output with call_id x.",
        "422 Unprocessable Entity",
        "404 No endpoints found that support image input",
        "405",
    ],
    "parameter_refused": [
        'think value "low" is not supported for this model',
        "400 deepseek-reasoner does not support this tool_choice",
        "400 Unsupported parameter: 'tool_choice'",
    ],
    "content_policy": [
        "content policy violation",
        "400 Output blocked by content filtering policy",
        "400 Content Exists Risk",
        "403 input was flagged",
    ],
    "invalid_tool_call": ['error parsing tool call: raw=\'{"text": "prompt is too long\' (status code: 500)'],
    "truncated": ["Ollama API stream ended without a final response"],
    "empty_response": ["No generation chunks were returned", "No generations found in stream."],
}


@pytest.mark.parametrize(("cls", "text"), [(cls, text) for cls, texts in WORDS.items() for text in texts])
def test_every_spelling_means_its_class(cls, text):
    assert classify(Thrown(text)).cls == cls


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (400, "invalid_request"),
        (401, "auth"),
        (402, "quota"),
        (403, "auth"),
        (404, "server_error"),
        (405, "invalid_request"),
        (408, "timeout"),
        (409, "server_error"),
        (410, "timeout"),
        (413, "context_overflow"),
        (422, "invalid_request"),
        (425, "server_error"),
        (429, "rate_limit"),
        (499, "timeout"),
        (500, "server_error"),
        (502, "server_error"),
        (503, "server_error"),
        (504, "timeout"),
        (522, "timeout"),
        (524, "timeout"),
        (529, "overloaded"),
        (599, "server_error"),
    ],
)
def test_a_bare_status_has_a_class_wherever_the_client_keeps_it(status, cls):
    for error in (
        Thrown(status_code=status),
        Thrown(code=status),
        Thrown(status=status),
        Thrown(response=Thrown(status_code=status)),
        Thrown(body={"error": {"code": status, "message": "upstream"}}),
        Thrown(response={"Error": {}, "ResponseMetadata": {"HTTPStatusCode": status}}),
    ):
        found = classify(error)
        assert (found.cls, found.status) == (cls, status)


@pytest.mark.parametrize(
    ("body", "status", "cls"),
    [
        ({"error": {"code": "insufficient_quota", "type": "insufficient_quota"}}, 429, "quota"),
        ({"error": {"code": "rate_limit_exceeded", "type": "tokens"}}, 429, "rate_limit"),
        ({"error": {"type": "exceeded_current_quota_error"}}, 429, "quota"),
        ({"error": {"type": "engine_overloaded_error"}}, 429, "overloaded"),
        ({"error": {"code": "billing_not_active"}}, 429, "quota"),
        ({"type": "error", "error": {"type": "overloaded_error"}}, 529, "overloaded"),
        ({"type": "error", "error": {"type": "overloaded_error"}}, None, "overloaded"),
        ({"type": "error", "error": {"type": "api_error"}}, None, "server_error"),
        ({"type": "error", "error": {"type": "timeout_error"}}, None, "timeout"),
        ({"error": {"code": "context_length_exceeded", "type": "invalid_request_error"}}, 400, "context_overflow"),
        ({"error": {"code": "content_filter"}}, 400, "content_policy"),
        ({"error": {"code": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, 400, "content_policy"),
        ({"error": {"code": "tool_use_failed"}}, 400, "invalid_tool_call"),
        ({"error": {"code": "model_decommissioned"}}, 400, "model_not_found"),
        ({"error": {"code": "model_not_found"}}, 403, "model_not_found"),
        (
            {"error": {"type": "permission_error", "message": "You've reached your usage limit for this billing cycle. Purchase extra usage."}},
            403,
            "quota",
        ),
        ({"error": {"status": "RESOURCE_EXHAUSTED"}}, 429, "rate_limit"),
        ({"error": {"status": "UNAVAILABLE"}}, 503, "overloaded"),
        ({"error": {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}, 400, "auth"),
        (
            {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": '{"error":{"code":"context_length_exceeded"}}'}}},
            400,
            "context_overflow",
        ),
        ({"object": "error", "message": "maximum context length is 10", "code": 400}, 400, "context_overflow"),
        ({"error": {"code": "string_above_max_length", "message": "Invalid 'tool_calls[0].id': string too long"}}, 400, "invalid_request"),
        ({"detail": [{"type": "missing", "msg": "Field required"}]}, 422, "invalid_request"),
        ({"error": "model 'x' not found, try pulling it first"}, 404, "model_not_found"),
        ([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}], None, "rate_limit"),
    ],
)
def test_codes_in_the_body_say_more_than_the_status(body, status, cls):
    assert classify(Thrown(body=body, status_code=status)).cls == cls
    if status is not None:
        assert classify(http(status, body)).cls == cls


def test_a_429_that_mentions_a_context_window_is_still_a_rate_limit():
    assert classify(http(429, {"error": {"message": "Request too large: exceeds the model's context window budget"}})).cls == "rate_limit"


def test_a_minute_s_allowance_that_is_too_small_is_no_reason_to_look_for_a_larger_window():
    tpm = classify(http(413, {"error": {"message": "Limit 8000, Requested 8098 on tokens per minute (TPM)", "code": "rate_limit_exceeded"}}))
    assert (tpm.cls, tpm.larger_window) == ("context_overflow", False)
    assert classify(http(400, {"error": {"message": "prompt is too long"}})).larger_window


def named(*names: str) -> Exception:
    """An error whose class and bases carry these names, as clients of other makers do."""
    cls: type = Exception
    for name in reversed(names):
        cls = type(name, (cls,), {})
    return cls("failed")


@pytest.mark.parametrize(
    ("names", "cls"),
    [
        (["ModelAuthenticationError", "ModelError"], "auth"),
        (["ModelPermissionDeniedError", "ModelError"], "auth"),
        (["ModelInvalidRequestError", "ModelError"], "invalid_request"),
        (["ModelNotFoundError", "ModelError"], "model_not_found"),
        (["ModelRateLimitError", "ModelError"], "rate_limit"),
        (["ModelAPIError", "ModelError"], "server_error"),
        (["ModelConnectionError", "ModelError"], "connection"),
        (["ModelTimeoutError", "ModelError"], "timeout"),
        (["ContextOverflowError", "ModelError"], "context_overflow"),
        (["OpenAITimeoutError", "APITimeoutError", "APIConnectionError", "APIError"], "timeout"),
        (["APIConnectionError", "APIError"], "connection"),
        (["RemoteProtocolError", "ProtocolError", "TransportError"], "connection"),
        (["ReadTimeout", "TimeoutException", "TransportError"], "timeout"),
        (["ConnectTimeout", "TimeoutException", "TransportError"], "timeout"),
        (["StreamChunkTimeoutError", "TimeoutError", "OSError"], "timeout"),
        (["APIResponseValidationError", "APIError"], "server_error"),
        (["ContextWindowExceededError", "BadRequestError"], "context_overflow"),
        (["BudgetExceededError"], "quota"),
        (["OpenAIRefusalError"], "content_policy"),
        (["ChunkedEncodingError", "RequestException"], "connection"),
    ],
)
def test_a_class_name_is_enough(names, cls):
    assert classify(named(*names)).cls == cls


@pytest.mark.parametrize(
    ("error", "cls"),
    [
        (httpx.RemoteProtocolError("peer closed connection without sending complete message body (incomplete chunked read)"), "connection"),
        (httpx.ReadTimeout("The read operation timed out"), "timeout"),
        (httpx.ConnectTimeout("timed out"), "timeout"),
        (httpx.PoolTimeout("no connection is free"), "timeout"),
        (httpx.ReadError(""), "connection"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired"), "connection"),
        (httpx.LocalProtocolError("Illegal header value b'Bearer '"), "auth"),
        (httpx.UnsupportedProtocol("Request URL is missing an 'http://' or 'https://' protocol."), "connection"),
        (httpx.DecodingError("bad gzip"), "server_error"),
        (httpx.TooManyRedirects("20"), "server_error"),
    ],
)
def test_raw_errors_of_httpx_need_no_wrapper(error, cls):
    """A client of an older major lets them through in the middle of a stream."""
    assert classify(error).cls == cls


def test_errors_of_the_platform_need_no_client():
    assert classify(TimeoutError()).cls == "timeout"
    assert classify(ConnectionResetError(104, "reset")).cls == "connection"
    assert classify(BrokenPipeError()).cls == "connection"
    assert classify(OSError(113, "No route to host")).cls == "server_error"


@pytest.mark.parametrize(
    "error",
    [
        asyncio.CancelledError(),
        KeyboardInterrupt(),
        SystemExit(1),
        GeneratorExit(),
        GraphInterrupt(()),
        ParentCommand(Command()),
        BaseExceptionGroup("g", [asyncio.CancelledError(), ValueError("x")]),
        named("ModelCallLimitExceededError"),
        named("NodeTimeoutError"),
        named("PIIDetectionError"),
    ],
)
def test_a_stopped_run_is_no_failure_of_the_model_and_no_other_is_asked(error):
    found = classify(error)
    assert (found.cls, found.next_candidate) == ("cancelled", False)


def test_the_old_name_of_an_interrupt_is_known_too():
    assert issubclass(NodeInterrupt, GraphInterrupt)


@pytest.mark.parametrize(
    "error",
    [
        TypeError("x"),
        AttributeError("x"),
        NameError("x"),
        KeyError("x"),
        IndexError("x"),
        AssertionError(),
        ZeroDivisionError(),
        NotImplementedError(),
        ImportError("no module named x"),
        RecursionError(),
        StopIteration(),
        GraphRecursionError("limit"),
        InvalidUpdateError("bad update"),
        named("ToolException"),
    ],
)
def test_a_mistake_in_a_program_never_falls_back(error):
    found = classify(raised(error))
    assert (found.cls, found.next_candidate) == ("bug", False)
    assert found.text.startswith(type(error).__name__)


@pytest.mark.parametrize("error", [KeyError("choices"), IndexError("list index out of range"), TypeError("'NoneType' object is not iterable")])
def test_the_same_error_inside_a_client_is_a_malformed_answer(error):
    client = ["myapp.graph", "langchain_core.language_models.chat_models", "langchain_openai.chat_models.base", "json.decoder"]
    assert classify(raised_in(client, error)).cls == "server_error"
    assert classify(raised_in(["openai._streaming", "myapp.callbacks"], error)).cls == "bug"
    assert classify(raised_in(["langchain_openai.chat_models.base", "lg_toolroute.gates.gate"], error)).cls == "bug"
    assert classify(error.with_traceback(None)).cls == "bug"


def test_a_client_that_is_called_wrongly_is_the_caller_s_bug():
    modules = ["langchain_openai.chat_models.base", "openai._utils"]
    assert classify(raised_in(modules, TypeError("create() got an unexpected keyword argument 'foo'"))).cls == "bug"
    assert classify(raised_in(modules, TypeError("Object of type set is not JSON serializable"))).cls == "bug"


def test_a_value_error_is_a_refusal_of_this_request_unless_the_framework_or_this_package_raised_it():
    assert classify(raised_in(["langchain_ollama.chat_models"], ValueError("unsupported block"))).cls == "invalid_request"
    assert classify(raised(ValueError("my own model does not like this"))).cls == "invalid_request"
    assert classify(raised_in(["lg_toolroute.history"], ValueError("x"))).cls == "bug"
    assert classify(raised_in(["lg_toolroute.testing.scripted_model"], ValueError("x"))).cls == "invalid_request"
    with pytest.raises(ValueError, match="role") as caught:
        convert_to_messages([{"no": "role"}])
    assert classify(caught.value).cls == "bug"


def test_json_that_does_not_parse_is_a_malformed_answer():
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("{")
    assert classify(caught.value).cls == "server_error"


def test_chunks_that_cannot_be_merged_are_a_malformed_answer():
    from langchain_core.utils._merge import merge_dicts

    with pytest.raises(TypeError) as caught:
        merge_dicts({"a": "text"}, {"a": 1})
    assert classify(caught.value).cls == "server_error"


def test_a_client_that_returns_no_answer_at_all_gave_an_empty_response():
    from langchain_core.language_models import FakeListChatModel
    from langchain_core.outputs import ChatResult

    class Silent(FakeListChatModel):
        def _generate(self, *args: object, **kwargs: object) -> ChatResult:
            return ChatResult(generations=[])

    with pytest.raises(IndexError) as caught:
        Silent(responses=["x"]).invoke("hi")
    assert classify(caught.value).cls == "empty_response"


def test_a_model_without_bind_tools_cannot_call_tools():
    from langchain_core.language_models import FakeListChatModel

    with pytest.raises(NotImplementedError) as caught:
        FakeListChatModel(responses=["x"]).bind_tools([])
    assert classify(caught.value).cls == "no_tool_support"


def test_a_package_that_is_not_installed_is_a_model_that_is_not_there():
    missing = ImportError("Initializing ChatFoo requires the langchain-foo package. Please install it with `pip install langchain-foo`")
    assert classify(raised(missing)).cls == "model_not_found"
    assert classify(raised(ValueError("Unable to infer model provider for model='foo'"))).cls == "model_not_found"


def test_missing_credentials_are_auth_whatever_class_says_so():
    assert classify(TypeError('"Could not resolve authentication method. Expected one of api_key"')).cls == "auth"
    assert classify(Thrown("The api_key client option must be set either by passing api_key to the client")).cls == "auth"


def test_our_own_errors_mean_what_they_say():
    assert classify(AnswerRejected("a/b", "truncated", "cut off")).cls == "truncated"
    assert classify(AnswerRejected("a/b", "nonsense", "?")).cls == "invalid_tool_call"
    assert classify(AnswerRejected("a/b", "content_policy", "no")).next_candidate is False
    assert classify(ConfigError([Problem("a.b", "wrong")])).cls == "bug"
    skipped = classify(CandidateSkipped("a/b", "cooling down", 12.0))
    assert (skipped.retry_after_s, skipped.next_candidate) == (12.0, True)


def test_a_chain_within_a_chain_that_is_exhausted_lets_the_outer_one_go_on():
    inner = ChainExhausted("no model is left", [ConnectionError("refused"), CandidateSkipped("a/b", "cooling", 9.0)], due_in_s=9.0)
    found = classify(inner)
    assert (found.next_candidate, found.retry_after_s) == (True, 9.0)


def test_a_group_is_as_grave_as_its_gravest_member():
    assert classify(ExceptionGroup("g", [TimeoutError(), KeyError("x")])).cls == "bug"
    assert classify(ExceptionGroup("g", [ExceptionGroup("h", [Thrown(status_code=429)])])).cls == "rate_limit"


def test_a_wrapper_tells_what_it_was_raised_from():
    wrapper = RuntimeError("the model call failed")
    wrapper.__cause__ = http(429, {"error": {"code": "insufficient_quota", "message": "no money"}}, {"retry-after": "3"})
    found = classify(wrapper)
    assert (found.cls, found.status, found.retry_after_s, found.text) == ("quota", 429, 3.0, "no money")


def test_what_merely_happened_before_does_not_count():
    """While the second candidate is asked, the failure of the first is the context of whatever happens."""
    second = RuntimeError("odd")
    second.__context__ = http(402)
    assert (classify(second).cls, classify(second).status) == ("server_error", None)


def test_what_lies_below_a_broken_connection_lends_it_no_status_but_its_words():
    broken = named("ClientPayloadError", "ClientError")
    broken.__cause__ = Thrown("Not enough data", code=400, body={"error": {"code": "rate_limit_exceeded"}})
    assert (classify(broken).cls, classify(broken).status) == ("connection", None)
    refused = named("APIConnectionError")
    refused.__cause__ = httpx.LocalProtocolError("Illegal header value b'Bearer '")
    assert classify(refused).cls == "auth"


def test_a_circle_of_causes_ends():
    one, two = RuntimeError("one"), RuntimeError("two")
    one.__cause__, two.__cause__ = two, one
    assert classify(one).cls == "server_error"


def test_the_wait_is_read_from_the_response_whatever_the_case_of_its_headers():
    assert classify(http(429, None, {"Retry-After": "7.5"})).retry_after_s == 7.5
    assert classify(http(429, {"error": {"message": "Please try again in 3s."}})).retry_after_s == 3.0
    assert classify(http(429, {"error": {"details": [{"retryDelay": "13.5s"}]}})).retry_after_s == 13.5


def test_errors_that_lie_or_break_are_classified_all_the_same():
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

        @property
        def response(self) -> object:
            raise RuntimeError("no response")

        @property
        def body(self) -> object:
            raise KeyError("no body")

    assert classify(Broken()).cls == "server_error"
    assert classify(Thrown(status_code=True, code=["x"], body=b"\xff", response=7, headers=3)).cls == "server_error"
    assert classify(Thrown(status_code="⁵⁰⁰")).status is None


SECRETS = [
    "sk-proj-abcdefghijklmnop0123456789",
    "sk-ant-api03-abcdefghijklmnop",
    "gsk_abcdefghijklmnop0123456789",
    "xai-abcdefghijklmnop0123456789",
    "hf_abcdefghijklmnop0123456789",
    "AIzaSyA-abcdefghijklmnop0123456789",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_abcdefghijklmnop0123456789",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "lsv2_pt_abcdefghijklmnop_0123456789",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_key_is_masked_wherever_it_stands(secret):
    assert classify(http(401, {"error": {"message": f"Incorrect API key provided: {secret}. See the docs."}})).text == (
        "Incorrect API key provided: ***. See the docs."
    )
    assert secret not in classify(Thrown(f"{'x' * 280} {secret}")).text


def test_a_long_message_is_shortened_to_one_line():
    text = classify(Thrown("a\n\n b " * 1000)).text
    assert len(text) <= LONGEST_TEXT
    assert "\n" not in text
    assert text.endswith("…")
    assert presentable("short", 10) == "short"


def test_a_failure_is_plain_data():
    found = classify(http(429, {"error": {"message": "slow"}}))
    assert pickle.loads(pickle.dumps(found)) == found


def test_only_a_terminal_failure_keeps_the_next_candidate_from_being_asked():
    assert [cls for cls in CLASSES if not Failure(cls).next_candidate] == ["cancelled", "bug", "content_policy"]


def test_a_parser_s_error_is_a_bad_answer():
    assert classify(raised(OutputParserException("could not parse"))).cls == "invalid_tool_call"
