"""How providers spell their errors: statuses, codes and phrases. A spelling is added or changed here and nowhere else.

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


STATUSES: Final[Mapping[FailureClass, frozenset[int]]] = {
    "auth": frozenset({401, 403}),
    "quota": frozenset({402}),
    "timeout": frozenset({408, 410, 499, 504, 522, 524}),
    "server_error": frozenset({404, 409, 425}),
    "context_overflow": frozenset({413}),
    "rate_limit": frozenset({429}),
    "overloaded": frozenset({529}),
}
"""HTTP statuses. Other 4xx are `invalid_request`; other 5xx are `overloaded` if the message says so, else `server_error`.

A 404 whose words name no model is an address that is not there, or a gateway with a bad moment: it proves nothing about the model.
"""

CODES: Final[Mapping[FailureClass, frozenset[str]]] = {
    "content_policy": words(
        """content_filter content_policy content_policy_violation responsibleaipolicyviolation
        data_inspection_failed datainspectionfailed cyber_policy_violation prohibited_content
        moderation_blocked image_content_policy_violation invalid_prompt_safety
        sensitivecontentdetected inputtextsensitivecontentdetected outputtextsensitivecontentdetected 1301"""
    ),
    "context_overflow": words(
        """context_length_exceeded context_window_exceeded exceed_context_size_error request_too_large
        model_context_window_exceeded contextwindowexceedederror input_too_long model_max_prompt_tokens_exceeded
        tokens_limit_reached 1261"""
    ),
    "quota": words(
        """insufficient_quota billing_not_active billing_hard_limit_reached billing_error
        exceeded_current_quota_error insufficient_balance insufficient_credits payment_required arrearage
        quota_exceeded credits_exhausted credit_limit_reached accountoverdueerror allocationquota.freetieronly
        insufficient_user_quota setlimitexceeded token_quota_reached creditserror 1113 1309"""
    ),
    "invalid_tool_call": words("tool_use_failed malformed_function_call"),
    "auth": words(
        """invalid_api_key api_key_invalid authentication_error invalid_authentication_error permission_error
        permission_denied unauthenticated unauthorized account_deactivated organization_deactivated
        unsupported_country_region_territory accessdeniedexception unrecognizedclientexception
        expiredtokenexception access_terminated_error model_terms_required organization_restricted 1311"""
    ),
    "model_not_found": words(
        """model_not_found deploymentnotfound model_decommissioned model_not_available model_not_supported invalid_model
        unsupported_model unsupportedmodel operationnotsupported unsupported_api_for_model dedicated_endpoint_not_running
        invalidendpointormodel.notfound modelnotopen unknown_model 1211"""
    ),
    "overloaded": words(
        """overloaded_error overloaded engine_overloaded_error server_overloaded serveroverloaded unavailable slow_down
        modelnotreadyexception 1305"""
    ),
    "rate_limit": words(
        """rate_limit_exceeded rate_limit_error rate_limit rate_limited too_many_requests throttling
        throttlingexception resource_exhausted rate_limit_reached_error limit_requests toomanyrequestsexception 1302 1303"""
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

TOKENS_PER_MINUTE: Final = _phrases(r"tokens per minute", r"\bTPM\b")
"""A 413 of this kind says that the request is larger than a minute's allowance: no window is too small, the account is."""

USAGE_WINDOW: Final = _phrases(
    r"(?:hourly|daily|weekly|monthly)\s+(?:\w+\s+)?limit",
    r"usage limit (?:has been )?reached|spend(?:ing)?[ -]limit|limit.{0,20}per (?:day|week)",
)
"""A 402 of this kind is a limit that resets by itself."""

OVERLOADED: Final = _phrases(
    r"overload",
    r"service (?:is )?(?:temporarily )?unavailable",
    r"(?:at|over|insufficient|exceeded) capacity",
    r"(?:server(?: is)?|too|system(?: is)?) busy|繁忙|负载|no available channel",
    r"ModelNotReadyException",
    r"(?:model|currently) (?:is )?(?:currently )?loading|loading model",
    r"experiencing high (?:demand|load|traffic)",
    r"requires more system memory",
)

SPECIFIC: Final[Mapping[FailureClass, re.Pattern[str]]] = {
    "invalid_tool_call": _phrases(  # servers quote the call behind these, so they stand first
        r"(?:error|failed to) pars(?:e|ing) (?:the )?tool[ _]?calls?(?! id)",
        r"failed to call a function|tool call validation failed|which was not in request\.tools",
        r"tool choice is (?:required|none), but model (?:did not call|called) a tool",
        r"validation errors? for list\[function-wrap|XML syntax error on line \d+|malformed_function_call|failed to parse input at pos \d+",
    ),
    "truncated": _phrases(
        r"stream ended without (?:a )?(?:final response|finish)|without (?:a )?finish[_ ]reason", r"could not finish the message because max_tokens"
    ),
    "context_overflow": _phrases(
        r"context[_ ](?:length|window)[_ ]?(?:is |was )?(?:exceed|limit exceed)",
        r"(?:maximum|model'?s?|available|max) context (?:length|window|size)",
        r"exceeds? (?:the |this |its )?(?:model'?s? )?(?:maximum |available |effective )?context",
        r"exceeds? the maximum number of (?:input )?tokens|exceeded model token limit",
        r"exceeds? (?:the )?(?:model(?:'s)? )?(?:input )?token limit",
        r"exceed(?:s|ed)? context (?:length|limit|size|window)",
        r"context window exceeds limit|exceed_context_size_error|ContextWindowExceededError",
        r"(?:prompt|input) is too long|input length exceeds|input tokens exceed the configured limit",
        r"maximum prompt length",
        r"range of input length should be",
        r"request_too_large|too large for model with \d+ maximum context",
        r"reduce the length of (?:the|your) (?:messages|prompt|input)|exceed max message tokens",
        r"trying to keep the first \d+ tokens when|max_(?:completion_)?tokens must be at least 1, got -\d",
        r"longer than the maximum model length",
        r"n_keep.{0,20} >= n_ctx|tokens to keep from the initial prompt is greater than the context",
        r"(?:input|prompt)(?: \(?(?:length )?\d+(?: tokens)?\))? (?:is too long|is longer than|exceeds (?:the )?max)",
        r"(?:input|prompt|context)(?: token)?(?: count| length| size)?(?: of [\d,]+)? (?:has been |has )?exceed(?:s|ed)\b(?! your)",
        r"(?:input token count|prompt tokens?) is [\d,]+ but model only supports",
        r"too many (?:input )?tokens(?:: total|\.? ?in| for| to)|exceeded this model context window|request body too large for",
        r"(?:input|prompt|messages?) (?:exceeds?|is longer than|too long).{0,30}(?:max(?:imum)?|model'?s?) (?:context )?length",
        r"输入长度超|上下文长度|超出最大长度|prompt exceeds max length",
        r"inputs`? (?:tokens \+ `?max_new_tokens`? must be|must have less than \d+ tokens)",
    ),
    "no_tool_support": _phrases(
        r"does(?:n't| not) support (?:the use of )?(?:tools?\b(?![ -]?choice)|tool[ -]?(?:use|call)|functions?\b|function[ -]call)",
        r"no endpoints? found that support tool",
        r"(?:tools?|tool[ -](?:use|calls?|calling)|function[ -]call(?:s|ing)?)[`'\"]? (?:is|are) not (?:supported|enabled|available)",
        r"unsupported parameter:? [`'\"]?tools?[`'\"]?(?! ?choice)\b(?!_)",
        r"requires? --enable-auto-tool-choice",
        r"tools? (?:param )?requires? --jinja",
    ),
    "quota": _phrases(
        r"insufficient[_ ](?:quota|credits?|balance|funds)",
        r"credit balance is too low|exceeded your current quota[^\n]{0,200}platform\.openai\.com",
        r"out of (?:extra usage|credits?)|payment required|exceeded_current_quota|billing (?:hard )?limit",
        r"account is not active.{0,40}billing",
        r"(?:requires|need|purchase|add) (?:at least )?(?:\d+ )?(?:more )?credits",
        r"doesn'?t have any credits",
        r"key limit exceeded",
        r"arrearage|overdue.payment|in good standing",
        r"reached your specified api usage limits",
        r"(?:draw from your|purchase) extra usage|extra usage is required",
        r"余额不足|欠费|额度(?:已用|不足)|no resource package|please recharge",
        r"budget (?:has been )?exceeded|exceeded budget|used all available credits|no payment method|预扣费",
        r"monthly included credits|free (?:tier|quota|trial|credits?|allocation).{0,40}(?:exhaust|expired|used up|exceeded)",
        r"reached your usage limit for this billing cycle|can only afford \d+",
    ),
    "content_policy": _phrases(
        r"content[ _](?:policy|filter(?:ing)?|management policy|exists risk)",
        r"(?:violat\w*|against) (?:of )?(?:our|the) (?:usage|content|safety) polic",
        r"flagged (?:as|by|for)|input was flagged",
        r"inappropriate content|data_inspection_failed|considered high risk|usage guidelines|prohibited[ _]content",
        r"sensitive (?:content|information|words?)|new_sensitive|敏感|不安全",
    ),
    "empty_response": _phrases(
        r"no generations? (?:chunks? (?:were|was) returned|found in stream)",
        r"(?:empty|no) (?:response|output) (?:from|returned by) (?:the )?model",
        r"no data received from",
    ),
    "auth": _phrases(
        r"(?:invalid|incorrect|missing|no|expired) api[ _-]?key",
        r"api[ _-]?key (?:is |could )?(?:not valid|invalid|not (?:be )?found|expired|missing)|(?:find|set|provide|missing).{0,40}_API_KEY\b",
        r"api_key client option must be set|could not resolve authentication|did not find \w*api_key|missing credentials",
        r"authentication (?:failed|error|fails)",
        r"(?:account|organization) (?:has been|is) (?:deactivated|disabled|suspended|restricted)|operation not allowed",
        r"plan (?:does |do )?not (?:yet )?(?:include|support)|requires terms acceptance",
        r"illegal header value",
        r"only available for coding agents|user location is not supported|organization must be verified",
        r"no endpoints (?:found|available) matching your|no allowed providers are available",
    ),
    "invalid_request": _phrases(r"no endpoints? found that (?:support|can handle)", r"image input is not supported|roles must alternate"),
    "model_not_found": _phrases(
        r"model[`'\":]? ?[`'\"]?[\w./:@-]*[`'\"]? (?:is |was )?(?:not found|does not exist|not exist|unavailable)",
        r"(?:no such|unknown|invalid) model\b",
        r"model not (?:found|exist)",
        r"requested model .{0,80}\bnot (?:supported|available)",
        r"model [`'\"(]?[\w./:@-]+[`'\")]? (?:is )?not (?:supported|available|enabled|accessible)\b(?! for)",
        r"requested model is not supported|model identifier is invalid|not supported model|too large to be loaded automatically",
        r"on-demand throughput isn|dedicated endpoint .{0,80}is not running|API is not supported for model|does not work with the specified model",
        r"not a chat model|only supported in v1/responses|is not accessible via the|model (?:is )?unloaded",
        r"not found the model|unable to access model|no models? (?:is |are )?loaded|failed to load model(?!.{0,200}operation cancel)",
        r"model(?: .{1,60})? not loaded",
        r"function '[\w-]+': not found for account|模型不存在|未知模型|has not activated the model",
        r"not a valid model(?: id)?",
        r"is not found for api version",
        r"model.{0,80}has been (?:decommissioned|deprecated|removed|retired)",
        r"does not have access to model",
        r"no endpoints found",
        r"unknown provider for model|unable to infer model provider|unsupported provider|unsupported model_provider",
        r"requires the .{1,60} package|please install (?:it )?(?:with|using) .{0,12}pip install",
    ),
    "rate_limit": _phrases(r"rate limit (?:exceeded|reached)|too many requests"),
    "server_error": _phrases(r"DEGRADED function|model has crashed|failed to load model.{0,200}operation cancel"),
}
"""Phrases that say more than a status does: providers send most of these as a plain 400."""

PARAMETERS: Final[Mapping[str, re.Pattern[str]]] = {
    "tool_choice": _phrases(
        r"tool[_ -]?(?:config\.)?choice\b", r"function[_ ]call(?:ing)?[_ ](?:config|mode)", r"forced? (?:tool|function)[ -](?:us|call)"
    ),
    "parallel_tool_calls": _phrases(r"parallel[_ ]?tool[_ ]?(?:calls?|use)"),
    "strict": _phrases(r"\bstrict\b(?! json)"),
    "cache_control": _phrases(r"cache[_ ]?(?:control|point)"),
    "response_format": _phrases(r"response[_ ]?(?:format|schema|mime[_ ]?type)|output_config\.format"),
    "stream_options": _phrases(r"stream_?options"),
    "stream": _phrases(r"only supports? stream|[`'\"]stream[`'\"]"),
    "max_completion_tokens": _phrases(r"max_completion_tokens"),
    "max_tokens": _phrases(r"\bmax_?(?:output_?|new_)?tokens|maximum (?:(?:output|completion) )?tokens you requested"),
    "temperature": _phrases(r"\btemperature\b"),
    "top_p": _phrases(r"\btop_?p\b"),
    "top_k": _phrases(r"\btop_?k\b"),
    "stop": _phrases(r"[`'\"]stop(?:_?sequences)?[`'\"]"),
    "seed": _phrases(r"[`'\"]seed[`'\"]"),
    "reasoning_effort": _phrases(r"reasoning[_. ]?effort|output_config\.effort|\beffort parameter|reasoning is mandatory"),
    "enable_thinking": _phrases(r"enable_thinking"),
    "thinking": _phrases(
        r"thinking[._ ]?(?:type|budget(?:_?tokens)?|config|level)\b",
        r"[`'\"]thinking[`'\"]|\bthink value\b",
        r"\bsupport thinking\b",
        r"(?:adaptive|extended|interleaved) thinking\b|only works in thinking mode",
        r"invalid thinking\b|disabling thinking\b|thinking (?:mode )?(?:cannot|can't|can not) be (?:disabled|turned off)",
    ),
}
"""The request parameters that this package or a rule's `params` set, by OpenAI's name, as errors write them."""

REFUSED: Final = _phrases(
    r"(?:not|n't|un)[ -]?(?:currently )?(?:be )?(?:support|permit|allow|accept|available|enabled|compatible)",
    r"incompatible|unrecognized|unknown|unexpected|deprecated|invalid|illegal|reject|forbidden|extra inputs|missing|required|restricted|mandatory",
    r"(?:must|should|can(?:not| only)?|may(?: not| only)?|has to|need to) (?:either )?be\b|(?:too|at) (?:large|small|high|low|most|least)\b",
    r"support(?:s|ed)? (?:string )?(?:only|values)|only supports?|only (?:the )?(?:default|auto)|maximum|out of range|range of|exceeds?",
    r"cannot|can't|remove |no endpoints found that support",
    r"不支持|仅支持|只支持|不能|无效|必须|有误",
)
"""Words that refuse what stands near them."""

UNKNOWN_PARAMETER: Final = _phrases(
    r"(?:unsupported|unknown|unrecognized)(?: request)? (?:parameter|argument|field|property|name)(?:s|\(s\))?(?: supplied)?:? [`'\"]?"
    r"(?P<a>[\w.\[\]]+)",
    r"(?:parameter|argument|field)s? (?:is |are )?not supported[^:\n]{0,30}: [`'\"]?(?P<e>\w+)|extraneous key \[(?P<f>\w+)\]",
    r"(?P<b>[\w.\[\]]+)[`'\"]?: extra inputs are not permitted",
    r"property [`'\"](?P<c>[\w.]+)[`'\"] is unsupported",
    r"extra inputs are not permitted, field: [`'\"](?P<d>[\w.\[\]]+)",
)
"""Refusals of a parameter by any name."""

UNNAMED_PARAMETER: Final = _phrases(
    r"unsupported value: ", r"API 调用参数有误|invalid API parameter", r"no endpoints? found that can handle the requested param"
)
"""Refusals of a parameter that is not named (Z.ai 1210: most often a forced `tool_choice`)."""

THINKING_BLOCKS: Final = _phrases(r"redacted_thinking|reasoning_content|signature|expected .{0,3}thinking.{0,3} or|thinking.{0,3} blocks?")
"""Errors about thinking in the history, not about the parameter `thinking`."""

THINKING: Final = _phrases(r"think(?:ing|s)?\b(?!\.)", r"reasoning (?:mode|is enabled|enabled)", r"思考")
"""Words that say why a parameter is refused: the model thinks."""

IN_CONTENT: Final = _phrases(r"\b(?:messages|contents|input)[.\[]\d", r"at '(?:request\.)?(?:tools|contents|messages)\b")
"""A place in the history or the tools: what is unknown there is no parameter."""

WEB_PAGE: Final = re.compile(r"<(?:!doctype html|html|head|title)\b", re.IGNORECASE)
"""A page of a gateway or a proxy, whose words say nothing about the model."""

NAMES_MODEL: Final = _phrases(
    r"\bmodels?/|\bmodel\b|\bdeployment\b|模型|requested entity was not found",
    r"endpoint (?:that )?does not exist|endpoint_not_found",
)
"""What a 404 names that is about the model."""

REMEDIES: Final[Mapping[str, re.Pattern[str]]] = {
    "api.kimi.com/coding answers listed agents only, and no agent's name is forged here: use moonshot/… or a listed agent": _phrases(
        r"only available for coding agents"
    ),
}
"""What to do about a refusal whose own words do not say it."""

ENGINE_OVERLOADED: Final = _phrases(r"\boverloaded\b", r"负载|饱和")
"""A 429 of this kind is the server's bad moment, not the account's."""

RATE_LIMITED: Final = _phrases(r"rate limit (?:exceeded|reached)")
"""A 429 of this kind is a limit that resets by itself, even where it offers credits."""

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
