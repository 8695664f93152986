"""How providers spell their errors: statuses, codes, class names and phrases. A spelling is added or changed here and nowhere else.

Order matters: the first class that matches is taken, so each table runs from the most to the least specific.

Sources: the API references of OpenAI, Anthropic, Google, Mistral, Groq, DeepSeek, Moonshot, xAI, OpenRouter, Azure, Bedrock and Alibaba,
and the messages of Ollama, vLLM and llama.cpp, as their users have met them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lg_toolroute.core.failures.failure import FailureClass


def words(text: str) -> frozenset[str]:
    """A set of words written as one text."""
    return frozenset(text.split())


def _phrases(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{alternative})" for alternative in alternatives), re.IGNORECASE)


CONTROL_FLOW: Final = words(
    """GraphBubbleUp GraphInterrupt NodeInterrupt ParentCommand GraphDrained CancelledError Cancelled
    KeyboardInterrupt SystemExit GeneratorExit APIUserAbortError NodeTimeoutError NodeCancelledError
    ModelCallLimitExceededError ToolCallLimitExceededError PIIDetectionError OpenAIModerationError"""
)
"""Not the model's failure: the run was stopped or paused, or ran into a limit that its author set."""

STATUSES: Final[Mapping[FailureClass, frozenset[int]]] = {
    "auth": frozenset({401, 403}),
    "quota": frozenset({402}),
    "model_not_found": frozenset({404}),
    "timeout": frozenset({408, 410, 499, 504, 522, 524}),
    "server_error": frozenset({409, 425}),
    "context_overflow": frozenset({413}),
    "rate_limit": frozenset({429}),
    "overloaded": frozenset({529}),
}
"""HTTP statuses. Other 4xx are `invalid_request`; other 5xx are `overloaded` if the message says so, else `server_error`."""

CODES: Final[Mapping[FailureClass, frozenset[str]]] = {
    "content_policy": words(
        """content_filter content_policy content_policy_violation responsibleaipolicyviolation
        data_inspection_failed datainspectionfailed cyber_policy_violation prohibited_content
        moderation_blocked image_content_policy_violation invalid_prompt_safety"""
    ),
    "context_overflow": words(
        """context_length_exceeded context_window_exceeded exceed_context_size_error request_too_large
        model_context_window_exceeded contextwindowexceedederror input_too_long"""
    ),
    "quota": words(
        """insufficient_quota billing_not_active billing_hard_limit_reached billing_error
        exceeded_current_quota_error insufficient_balance insufficient_credits payment_required arrearage
        quota_exceeded credits_exhausted credit_limit_reached"""
    ),
    "invalid_tool_call": words("tool_use_failed malformed_function_call"),
    "auth": words(
        """invalid_api_key api_key_invalid authentication_error invalid_authentication_error permission_error
        permission_denied unauthenticated unauthorized account_deactivated organization_deactivated
        unsupported_country_region_territory accessdeniedexception unrecognizedclientexception
        expiredtokenexception"""
    ),
    "model_not_found": words(
        """model_not_found not_found_error deploymentnotfound model_decommissioned model_not_available
        model_not_supported invalid_model unsupported_model resource_not_found_error resourcenotfoundexception"""
    ),
    "overloaded": words("overloaded_error overloaded engine_overloaded_error server_overloaded unavailable slow_down modelnotreadyexception"),
    "rate_limit": words(
        """rate_limit_exceeded rate_limit_error rate_limit rate_limited too_many_requests throttling
        throttlingexception resource_exhausted rate_limit_reached_error limit_requests toomanyrequestsexception"""
    ),
    "timeout": words("timeout timeout_error deadline_exceeded request_timeout gateway_timeout modeltimeoutexception"),
    "connection": words("econnrefused econnreset enotfound etimedout network_error"),
    "server_error": words(
        """server_error api_error internal_server_error internal internal_error internalserverexception
        internalservererror upstream_error bad_gateway unknown_error modelerrorexception
        modelstreamerrorexception"""
    ),
}
"""Codes and types in bodies. What only says "this request is wrong" is not here: the status says so, and the message says more."""

TELLING_CLASSES: Final[Mapping[FailureClass, frozenset[str]]] = {
    "context_overflow": words("ContextOverflowError ContextWindowExceededError"),
    "content_policy": words("OpenAIRefusalError ContentPolicyViolationError ContentFilterFinishReasonError"),
}
"""Classes, by name, that say more than any phrase or status."""

NEUTRAL_CLASSES: Final[Mapping[FailureClass, frozenset[str]]] = {
    "auth": words("ModelAuthenticationError ModelPermissionDeniedError"),
    "model_not_found": words("ModelNotFoundError"),
    "rate_limit": words("ModelRateLimitError"),
    "timeout": words("ModelTimeoutError"),
    "connection": words("ModelConnectionError"),
    "invalid_request": words("ModelInvalidRequestError"),
}
"""LangChain's provider-neutral errors, by name. `ModelAPIError` is left out: its status tells overloaded from broken."""

CLIENT_CLASSES: Final[Mapping[FailureClass, frozenset[str]]] = {
    "timeout": words("TimeoutError TimeoutException APITimeoutError Timeout DeadlineExceeded GatewayTimeout ReadTimeoutError"),
    "quota": words("BudgetExceededError PaymentRequiredError"),
    "rate_limit": words("RateLimitError ThrottlingException ResourceExhausted TooManyRequests"),
    "auth": words("AuthenticationError PermissionDeniedError PermissionDenied Unauthenticated DefaultCredentialsError RefreshError"),
    "model_not_found": words("NotFoundError NotFound"),
    "overloaded": words("OverloadedError ServiceUnavailableError ServiceUnavailable"),
    "server_error": words(
        """InternalServerError ServerError ModelAPIError APIResponseValidationError UnknownApiResponseError
        DecodingError SSEError TooManyRedirects JSONDecodeError UnicodeDecodeError ContentDecodingError"""
    ),
    "invalid_request": words("BadRequestError UnprocessableEntityError InvalidArgument BadRequest"),
    "connection": words(
        """ConnectionError APIConnectionError NetworkError ProtocolError TransportError ConnectError ReadError
        WriteError CloseError ChunkedEncodingError ClientConnectionError ClientPayloadError IncompleteRead
        SSLError gaierror InvalidURL UnsupportedProtocol BrokenResourceError ClosedResourceError EndOfStream
        BadStatusLine"""
    ),
    "invalid_tool_call": words("OutputParserException"),
}
"""The clients' own classes, by name: a subclass stands before its base (`APITimeoutError` is an `APIConnectionError`)."""

TRANSPORT: Final = frozenset[str]().union(*(table[cls] for table in (NEUTRAL_CLASSES, CLIENT_CLASSES) for cls in ("timeout", "connection")))
"""The classes of a connection that failed: what they were raised from is a detail of a parser or a socket, with numbers of its own."""

TOKENS_PER_MINUTE: Final = _phrases(r"tokens per minute", r"\bTPM\b")
"""A 413 of this kind says that the request is larger than a minute's allowance: no window is too small, the account is."""

USAGE_WINDOW: Final = _phrases(
    r"(?:hourly|daily|weekly|monthly)\s+(?:\w+\s+)?limit",
    r"usage limit (?:has been )?reached",
    r"spend(?:ing)?[ -]limit",
    r"limit.{0,20}per (?:day|week)",
)
"""A 402 of this kind is a limit that resets by itself."""

OVERLOADED: Final = _phrases(
    r"overload",
    r"service (?:is )?(?:temporarily )?unavailable",
    r"(?:at|over|insufficient|exceeded) capacity",
    r"server(?: is)? busy",
    r"ModelNotReadyException",
    r"(?:model|currently) (?:is )?(?:currently )?loading",
    r"experiencing high (?:demand|load|traffic)",
    r"requires more system memory",
)

SPECIFIC: Final[Mapping[FailureClass, re.Pattern[str]]] = {
    "invalid_tool_call": _phrases(r"error parsing tool call"),  # Ollama quotes the call behind it, so it stands first
    "context_overflow": _phrases(
        r"context[_ ](?:length|window)[_ ]?(?:is |was )?(?:exceed|limit exceed)",
        r"(?:maximum|model'?s?|available|max) context (?:length|window|size)",
        r"exceeds? (?:the |this |its )?(?:model'?s? )?(?:maximum |available |effective )?context",
        r"exceeds? the maximum number of (?:input )?tokens",
        r"exceeds? (?:the )?(?:model(?:'s)? )?(?:input )?token limit",
        r"exceeded model token limit",
        r"exceed(?:s|ed)? context (?:length|limit|size|window)",
        r"context window exceeds limit",
        r"exceed_context_size_error|ContextWindowExceededError",
        r"(?:prompt|input) is too long",
        r"input length exceeds",
        r"input tokens exceed the configured limit",
        r"maximum prompt length",
        r"range of input length should be",
        r"request_too_large",
        r"too large for model with \d+ maximum context",
        r"reduce the length of (?:the|your) (?:messages|prompt|input)",
        r"trying to keep the first \d+ tokens when",
        r"longer than the maximum model length",
        r"inputs`? (?:tokens \+ `?max_new_tokens`? must be|must have less than \d+ tokens)",
    ),
    "no_tool_support": _phrases(
        r"does(?:n't| not) support (?:the use of )?(?:tools?\b(?! ?choice)|tool[ -]?(?:use|call)|functions?\b|function[ -]call)",
        r"no endpoints? found that support tool",
        r"(?:tools?|tool[ -](?:use|calls?|calling)|function[ -]call(?:s|ing)?)[`'\"]? (?:is|are) not (?:supported|enabled|available)",
        r"unsupported parameter:? [`'\"]?tools?[`'\"]?(?! ?choice)\b(?!_)",
        r"requires? --enable-auto-tool-choice",
        r"tools? (?:param )?requires? --jinja",
    ),
    "quota": _phrases(
        r"insufficient[_ ](?:quota|credits?|balance|funds)",
        r"credit balance is too low",
        r"out of (?:extra usage|credits?)",
        r"payment required",
        r"exceeded_current_quota",
        r"billing (?:hard )?limit",
        r"account is not active.{0,40}billing",
        r"(?:requires|need|purchase|add) (?:at least )?(?:\d+ )?(?:more )?credits",
        r"doesn'?t have any credits",
        r"key limit exceeded",
        r"arrearage|overdue.payment|in good standing",
        r"reached your specified api usage limits",
        r"(?:draw from your|purchase) extra usage",
        r"余额不足",
    ),
    "content_policy": _phrases(
        r"content[ _](?:policy|filter(?:ing)?|management policy|exists risk)",
        r"(?:violat\w*|against) (?:of )?(?:our|the) (?:usage|content|safety) polic",
        r"flagged (?:as|by|for)|input was flagged",
        r"inappropriate content|data_inspection_failed",
    ),
    "truncated": _phrases(r"stream ended without (?:a )?(?:final response|finish)", r"without (?:a )?finish[_ ]reason"),
    "empty_response": _phrases(
        r"no generations? (?:chunks? (?:were|was) returned|found in stream)",
        r"(?:empty|no) (?:response|output) (?:from|returned by) (?:the )?model",
        r"no data received from",
    ),
    "auth": _phrases(
        r"(?:invalid|incorrect|missing|no|expired) api[ _-]?key",
        r"api[ _-]?key (?:is )?(?:not valid|invalid|not found|expired|missing)",
        r"api_key client option must be set|could not resolve authentication|did not find \w*api_key|missing credentials",
        r"authentication (?:failed|error|fails)",
        r"account has been (?:deactivated|disabled|suspended)",
        r"illegal header value",
    ),
    "invalid_request": _phrases(r"no endpoints? found that support"),
    "model_not_found": _phrases(
        r"model[`'\":]? ?[`'\"]?[\w./:@-]*[`'\"]? (?:is |was )?(?:not found|does not exist|not exist|unavailable)",
        r"(?:no such|unknown|invalid) model\b",
        r"model not (?:found|exist)",
        r"requested model is not supported",
        r"not a valid model(?: id)?",
        r"is not found for api version",
        r"model.{0,80}has been (?:decommissioned|deprecated|removed|retired)",
        r"does not have access to model",
        r"no endpoints found",
        r"unable to infer model provider|unsupported provider|unsupported model_provider",
        r"requires the .{1,60} package|please install (?:it )?(?:with|using) .{0,12}pip install",
    ),
}
"""Phrases that say more than a status does: providers send most of these as a plain 400."""

PARAMETERS: Final[Mapping[str, re.Pattern[str]]] = {
    "tool_choice": _phrases(
        r"tool[_ -]?(?:config\.)?choice\b", r"function[_ ]call(?:ing)?[_ ](?:config|mode)", r"forced? (?:tool|function)[ -](?:us|call)"
    ),
    "parallel_tool_calls": _phrases(r"parallel[_ ]tool[_ ](?:calls?|use)"),
    "strict": _phrases(r"\bstrict\b(?! json)"),
    "cache_control": _phrases(r"cache_?(?:control|point)"),
    "response_format": _phrases(r"response_?(?:format|schema|mime_?type)"),
    "stream_options": _phrases(r"stream_?options"),
    "max_completion_tokens": _phrases(r"max_completion_tokens"),
    "max_tokens": _phrases(r"max_?(?:output_?|new_)?tokens"),
    "temperature": _phrases(r"\btemperature\b"),
    "top_p": _phrases(r"\btop_?p\b"),
    "top_k": _phrases(r"\btop_?k\b"),
    "stop": _phrases(r"[`'\"]stop(?:_?sequences)?[`'\"]"),
    "seed": _phrases(r"[`'\"]seed[`'\"]"),
    "reasoning_effort": _phrases(r"reasoning[_.]effort|output_config\.effort"),
    "enable_thinking": _phrases(r"enable_thinking"),
    "thinking": _phrases(
        r"thinking[._]?(?:type|budget(?:_tokens)?|config|level)\b", r"[`'\"]thinking[`'\"](?! block)", r"\bthinking type\b|\bthink value\b",
        r"invalid thinking\b|disabling thinking\b|thinking (?:mode )?(?:cannot|can't|can not) be (?:disabled|turned off)",
    ),
}
"""The request parameters that this package or a rule's `params` set, by OpenAI's name, as errors write them. The first one found is blamed."""

REFUSED: Final = _phrases(
    r"(?:not|n't|un)[ -]?(?:currently )?(?:be )?(?:support|permit|allow|accept|available|enabled|compatible)",
    r"incompatible|unrecognized|unknown|unexpected|deprecated|invalid|illegal|rejected",
    r"(?:must|should|can(?:not| only)?|may(?: not| only)?|has to) be\b",
    r"support(?:s|ed)? (?:string )?(?:only|values)|only supports?|only (?:the )?(?:default|auto)",
    r"cannot|can't|remove |extra inputs|no endpoints found that support the provided",
    r"不支持|仅支持|只支持|不能|无效|必须",
)
"""Words that refuse what stands near them."""

THINKING: Final = _phrases(r"think(?:ing|s)?\b(?!\.)", r"reasoning (?:mode|is enabled|enabled)", r"思考")
"""Words that say why a parameter is refused: the model thinks."""

GENERAL: Final[Mapping[FailureClass, re.Pattern[str]]] = {
    "overloaded": OVERLOADED,
    "rate_limit": _phrases(
        r"rate[ _-]?limit",
        r"too many (?:concurrent )?(?:requests|tokens)",
        r"throttl",
        r"resource[ _]exhausted",
        r"usage limit",
        r"exceeded your current quota",
    ),
    "timeout": _phrases(r"timed? ?out\b", r"deadline exceeded", r"ETIMEDOUT"),
    "connection": _phrases(
        r"ECONN(?:REFUSED|RESET|ABORTED)|ENOTFOUND|EAI_AGAIN|EPIPE",
        r"fetch failed|socket hang up|network[ _]error",
        r"connection (?:error|refused|reset|closed|aborted|lost)",
        r"peer closed connection|server disconnected|incomplete (?:chunked )?read",
        r"certificate (?:has expired|verify failed)|self[- ]signed certificate|SSL",
        r"event loop is closed",
        r"name or service not known|failed to resolve|getaddrinfo",
    ),
    "auth": _phrases(r"unauthori[sz]ed", r"permission denied", r"forbidden"),
    "invalid_request": _phrases(
        r"no tool call found for", r"is not supported", r"tool[_ ]call[_ ]id|tool_use\.id|invalid signature|should match pattern"
    ),
    "server_error": _phrases(
        r"internal (?:server )?error",
        r"provider returned error",
        r"unknown error",
        r"finish_reason:? error",
        r"(?:unexpected|invalid) response",
        r"validation errors? for \w*(?:Response|Completion|Chunk|Event|Result)\b",
    ),
}
"""Phrases for errors that carry neither a status nor a telling class."""

REQUIRED_IS_LEFT: Final = _phrases(
    r"\b(?:supported|valid|allowed|accepted|permitted|possible|expected|should be|must be|one of|use)\b[^.;]{0,60}\b(?:required|any)\b",
    r"^(?!.*\b(?:required|any|only|auto)\b).*\b(?:object|dict|dictionary|named?|function|specific(?:ied)?)\b",
)
"""A refused `tool_choice` of which `required` is left: the words list it among what is taken, or they blame a name or an object alone."""
