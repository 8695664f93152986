"""How providers spell their errors: statuses, codes and the names of parameters. What sentences mean is in `families`.

Order matters: the first class that matches is taken, so each table runs from the most to the least specific.
Sources: the providers' API references and the reports of their users.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lg_toolroute.core.failures.failure import FailureClass


def words(text: str) -> frozenset[str]:
    """A set of words written as one text."""
    return frozenset(text.split())


def phrases(*alternatives: str) -> re.Pattern[str]:
    """Any of these, whatever their case."""
    return re.compile("|".join(f"(?:{alternative})" for alternative in alternatives), re.IGNORECASE)


STATUSES: Final[Mapping[FailureClass, frozenset[int]]] = {
    "auth": frozenset({401, 403, 451}),
    "quota": frozenset({402}),
    "timeout": frozenset({408, 410, 499, 504, 522, 524}),
    "server_error": frozenset({404, 409, 424, 425}),
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
        expiredtokenexception access_terminated_error organization_restricted"""
    ),
    "model_not_found": words(
        """model_not_found deploymentnotfound model_decommissioned model_not_available model_not_supported invalid_model
        unsupported_model unsupportedmodel operationnotsupported unsupported_api_for_model dedicated_endpoint_not_running
        invalidendpointormodel.notfound modelnotopen unknown_model model_terms_required 1211 1311"""
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

CODE_WORDS: Final[Mapping[FailureClass, re.Pattern[str]]] = {
    "invalid_tool_call": phrases(
        r"(?:tool|function)_?(?:use|calls?)_?(?:failed|parse|generation|invalid)|malformed_?(?:function|tool)|output_?parse_?failed"
    ),
    "content_policy": phrases(
        r"content_?(?:filter|policy|moderation|safety)|moderation|safety|sensitive|inspection|responsible_?ai|prohibited|guardrail|blocklist"
        r"|risk_?control"
    ),
    "context_overflow": phrases(
        r"context_?(?:length|window|size|limit)|(?:input|prompt|request|payload)_?too_?(?:long|large)|too_?many_?(?:input_?)?tokens|max_?prompt"
    ),
    "no_tool_support": phrases(
        r"(?:tool|function)s?_?(?:use|call(?:ing|s)?)?_?(?:is_?)?(?:not_?support|unsupport)|unsupported_?(?:tool|function)_?(?:use|call)?s?$"
    ),
    "rate_limit": phrases(
        r"rate_?limit|too_?many_?requests|throttl|(?:requests?|tokens?)_?limit|concurren|(?:hour|dai|day|week|minute)\w*_?(?:limit|quota)"
    ),
    "quota": phrases(
        r"quota|balance|billing|arrear|credit|payment|overdue|budget|insufficient_?fund|spend|(?:subscription|plan|trial)_?(?:expired|required"
        r"|inactive|limit)"
    ),
    "model_not_found": phrases(
        r"(?:model|deployment|engine|provider)[_.]?(?:id_?)?(?:is_?)?(?:not|un(?:available|known|supported)|deprecated|decommissioned|retired|invalid"
        r"|access|permission|blocked)",
        r"(?:invalid|unknown|unsupported|no_?such|deprecated)_?(?:model|deployment|engine)",
    ),
    "auth": phrases(
        r"api_?key|auth(?:enticat|oriz|_|$)|credential|(?:invalid|expired|missing)_?(?:access_?|security_?)?token|token_?(?:expired|invalid)",
        r"permission|forbidden|access_?denied|unsupported_?(?:country|region|location)",
        r"(?:account|organi[sz]ation|user|project)_?(?:disabled|deactivated|suspended|restricted|banned|not_?)",
    ),
    "overloaded": phrases(r"overload|capacity|busy|service_?unavailable|no_?available"),
    "timeout": phrases(r"time_?d?_?out|deadline"),
    "connection": phrases(r"connection_?error"),
}
"""Words in the codes and types of a body, as `snake_case` or as one word."""

WITHOUT_STATUS: Final[Mapping[FailureClass, re.Pattern[str]]] = {
    "timeout": phrases(r"timed? ?out\b|deadline exceeded|ETIMEDOUT"),
    "connection": phrases(
        r"ECONN(?:REFUSED|RESET|ABORTED)|ENOTFOUND|EAI_AGAIN|EPIPE|fetch failed|socket hang up|network[ _]error",
        r"connection (?:error|refused|reset|closed|aborted|lost)|peer closed connection|server disconnected|incomplete (?:chunked )?read",
        r"certificate (?:has expired|verify failed)|self[- ]signed certificate|SSL|event loop is closed",
        r"name or service not known|failed to resolve|getaddrinfo",
    ),
    "invalid_request": phrases(r"is not supported|invalid signature|should match pattern|tool_use\.id"),
    "server_error": phrases(
        r"internal (?:server )?error|provider returned error|unknown error|finish_reason:? error|(?:unexpected|invalid) response",
        r"validation errors? for \w*(?:Response|Completion|Chunk|Event|Result)\b",
    ),
}
"""Words of errors that carry neither a status nor a telling class."""

TOKENS_PER_MINUTE: Final = phrases(r"tokens per minute", r"\bTPM\b")
"""A 413 of this kind says that the request is larger than a minute's allowance: no window is too small, the account is."""

_BY_NAME: Final = words(
    """frequency_penalty presence_penalty repetition_penalty logit_bias logprobs top_logprobs min_p service_tier prompt_cache_key
    prompt_cache_retention safety_identifier chat_template_kwargs context_management previous_response_id web_search_options max_tool_calls
    best_of random_seed safe_prompt reasoning_format include_reasoning reasoning_split thinking_budget output_config anthropic.beta"""
)

PARAMETERS: Final[Mapping[str, re.Pattern[str]]] = {
    "tool_choice": phrases(
        r"tool[_ -]?(?:config\.)?choice\b", r"function[_ ]call(?:ing)?[_ ](?:config|mode)", r"forced? (?:tool|function)[ -](?:us|call)"
    ),
    "parallel_tool_calls": phrases(r"parallel[_ ]?tool[_ ]?(?:calls?|use)"),
    "strict": phrases(r"\bstrict\b(?! json)"),
    "cache_control": phrases(r"cache[_ ]?(?:control|point)"),
    "response_format": phrases(r"json mode|structured outputs?\b|response[_ ]?(?:format|schema|mime[_ ]?type)|output_config\.format"),
    "stream_options": phrases(r"stream_?options"),
    "stream": phrases(r"only supports? stream|[`'\"]stream[`'\"]|\bstream must be|\bstreaming is|stream=true"),
    "store": phrases(r"[`'\"]store[`'\"]|\bstore must be"),
    "max_completion_tokens": phrases(r"max_completion_tokens"),
    "max_tokens": phrases(r"\bmax_?(?:output_?|new_)?tokens|maximum (?:(?:output|completion) )?tokens you requested"),
    "temperature": phrases(r"\btemperature\b"),
    "top_p": phrases(r"\btop_?p\b"),
    "top_k": phrases(r"\btop_?k\b"),
    "stop": phrases(r"[`'\"]stop(?:_?sequences)?[`'\"]"),
    "seed": phrases(r"[`'\"]seed[`'\"]"),
    "reasoning_effort": phrases(r"reasoning[_. ]?effort|output_config\.effort|\beffort parameter|reasoning is mandatory"),
    "enable_thinking": phrases(r"enable_thinking"),
    "thinking": phrases(
        r"thinking[._ ]?(?:type|budget(?:_?tokens)?|config|level)\b",
        r"[`'\"]thinking[`'\"]|\bthink value\b",
        r"\bsupport thinking\b|\bthinking is not\b",
        r"(?:adaptive|extended|interleaved) thinking\b|only works in thinking mode",
        r"invalid thinking\b|disabling thinking\b|thinking (?:mode )?(?:cannot|can't|can not) be (?:disabled|turned off)",
    ),
    **{name: phrases(rf"\b{name}\b") for name in sorted(_BY_NAME)},
}
"""The request parameters that this package or a rule's `params` set, by OpenAI's name, as errors write them."""

REFUSED: Final = phrases(
    r"(?:not|n't|un)[ -]?(?:currently )?(?:be )?(?:support|permit|allow|accept|available|enabled|compatible|valid)",
    r"incompatible|unrecognized|unknown|unexpected|deprecated|invalid|illegal|reject|forbidden|extra inputs|missing|required|restricted|mandatory",
    r"(?:must|should|can(?:not| only)?|may(?: not| only)?|has to|need to) (?:either )?be\b|(?:too|at) (?:large|small|high|low|most|least)\b",
    r"support(?:s|ed)? (?:string )?(?:only|values)|only supports?|only (?:the )?(?:default|auto)|maximum|out of range|range (?:of|is)|exceeds?",
    r"cannot|can't|remove |no endpoints found that support",
    r"不支持|仅支持|只支持|不能|无效|必须|有误",
)
"""Words that refuse what stands near them."""

UNKNOWN_PARAMETER: Final = phrases(
    r"(?:unsupported|unknown|unrecognized)(?: request)? (?:parameter|argument|field|property|name)(?:s|\(s\))?(?: supplied)?:? [`'\"]?"
    r"(?P<a>[\w.\[\]]+)",
    r"(?:parameter|argument|field)s? (?:is |are )?not supported[^:\n]{0,30}: [`'\"]?(?P<e>\w+)|extraneous key \[(?P<f>\w+)\]",
    r"(?<![\w.\[\]])(?P<b>[\w.\[\]]{1,90})[`'\"]?: extra inputs are not permitted",
    r"property [`'\"](?P<c>[\w.]+)[`'\"] is unsupported",
    r"extra inputs are not permitted, field: [`'\"](?P<d>[\w.\[\]]+)",
    r"(?:not|n't) support (?:the )?(?:parameter|argument|field|option|request param)s?:? [\[`'\"]*(?P<g>\w+)",
    r"(?:parameter|argument|field|option)s?:? [`'\"]?(?P<h>\w+)[`'\"]? (?:is|are) (?:not|un|in)(?: ?(?:support|allow|permit|recogni|valid))",
    r"(?:kwargs|parameters|arguments|options)`? (?:are|is) not used\b[^:\n]{0,30}: [\[`'\"]*(?P<j>\w+)",
    r"invalid (?:(?:value|type) for|parameter|argument|field):? (?:parameter |argument |field )?[`'\"](?P<k>\w+)[`'\"]",
    r"[`'\"](?P<l>\w+)[`'\"] parameter is (?:only|not)\b",
    r"[`'\"](?P<i>\w+)[`'\"] (?:is not a (?:valid|supported|recognized) (?:parameter|argument|field)|(?:parameter|argument|field|option) is not)",
)
"""Refusals of a parameter by any name."""

UNNAMED_PARAMETER: Final = phrases(
    r"unsupported value: |(?:valid|supported|accepted) (?:levels|efforts|modes)\b",
    r"API 调用参数有误|invalid API parameter|no endpoints? found that can handle the requested param",
)
"""Refusals of a parameter that is not named (Z.ai 1210: most often a forced `tool_choice`)."""

THINKING_BLOCKS: Final = phrases(r"redacted_thinking|reasoning_content|signature|expected .{0,3}thinking.{0,3} or|thinking.{0,3} blocks?")
"""Errors about thinking in the history, not about the parameter `thinking`."""

THINKING: Final = phrases(r"think(?:ing|s)?\b(?!\.)", r"reasoning (?:mode|is enabled|enabled)", r"思考")
"""Words that say why a parameter is refused: the model thinks."""

IN_CONTENT: Final = phrases(r"\b(?:messages|contents|input)[.\[]\d", r"at '[\w.]*\[\d")
"""A place in the history or the tools: what is unknown there is no parameter."""

WEB_PAGE: Final = re.compile(r"<(?:!doctype html|html|head|title)\b", re.IGNORECASE)
"""A page of a gateway or a proxy, whose words say nothing about the model."""

NAMES_MODEL: Final = phrases(
    r"\bmodels?/|\bmodel\b|\bdeployment\b|模型|requested entity was not found",
    r"endpoint (?:that )?does not exist|endpoint_not_found",
)
"""What a 404 names that is about the model."""

TRY_LATER: Final = phrases(
    r"try again (?:later|shortly|soon|in an? )|[;,.] ?(?:please )?(?:try again|retry)[.!]?$|稍后(?:再试|重试)",
    r"(?:fail\w*|unable|could not)[^.\n]{0,20}(?:response|reach|connect|contact)[^.\n]{0,30}(?:provider|upstream|backend|server)\b",
)
"""Words of a 4xx which say that it heals by itself."""

REMEDIES: Final[Mapping[str, re.Pattern[str]]] = {
    "api.kimi.com/coding answers listed agents only, and no agent's name is forged here: use moonshot/… or a listed agent": phrases(
        r"only available for coding agents"
    ),
}
"""What to do about a refusal whose own words do not say it."""

REQUIRED_IS_LEFT: Final = phrases(
    r"\b(?:supported|valid|allowed|accepted|permitted|possible|expected|should be|must be|one of|use)\b[^.;]{0,60}\b(?:required|any)\b",
    r"^(?!.*\b(?:required|any|only|auto)\b).*\b(?:object|dict|dictionary|named?|function|specific(?:ied)?)\b",
)
"""A refused `tool_choice` of which `required` is left: the words list it among what is taken, or they blame a name or an object alone."""
