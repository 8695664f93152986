"""What errors have in common, however they are worded: a subject, and what is said of it in the same sentence.

Each class has such pairs (something that is paid for × used up: `quota`), and a few idioms that have no subject. Of several sentences the
first that says anything counts, and advice ("Please check your plan") only if no other sentence does. Each family counts only for the
statuses that such an error has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from typing import Final

from lg_toolroute.core.failures.failure import FailureClass
from lg_toolroute.core.failures.spellings import CODE_WORDS, phrases


def _near(subject: str, said: str, *, gap: int = 40, both: bool = True) -> str:
    """A subject, and what is said of it in the same sentence behind it (or, if `both`, before it)."""
    behind = rf"(?:{subject}){_between(gap)}(?:{said})"
    return rf"{behind}|(?:{said}){_between(gap)}(?:{subject})" if both else behind


def _between(gap: int) -> str:
    """So many characters of one sentence; a dot inside a name does not end it."""
    return rf"(?:[^.\n;]|\.(?=\S)){{0,{gap}}}?"


_NOT: Final = r"(?:\bnot|n't|\bun|\bnon|\bin|cannot)[ _-]?(?:currently |yet |be |been )?"
_TOOLS: Final = (
    r"\b(?:tools?(?![ _-]?(?:choice|type|config)|\w)|tool[ _-]?(?:use|usage|calls?|calling)|functions?|function[ _-]?(?:calls?|calling"
    r"|tools?))\b(?![.\[]|['\"]? (?:schema|param|defin|name|id\b|message|result|response|output|input|block))"
)
_TOO_MUCH: Final = (
    r"exceed\w*|too (?:long|large|big|many)|(?:longer|larger|greater|more|bigger|higher) than|overflow\w*|beyond|not fit\b|over the\b|surpass\w*"
    r"|(?:must|should) (?:be (?:less|smaller|fewer|lower|at most|between)|have less)|>=?|\b\d[\d,]{3,12}\b.{0,60}\b\d[\d,]{3,12}\b"
    r"|limit(?:ed)? (?:of|is|to)\b|\bfull\b|超(?:过|出|长|限)|过长"
)
_SPENT: Final = (
    r"exceed\w*|insufficient|exhaust\w*|deplet\w*|used (?:up|all)|r[au]n out|\bout of\b|too low|not enough|no (?:remaining|more|longer)\b|expired"
    r"|overdue|unpaid|past (?:due|invoices?)|requir\w*|reach\w*|inactive|not (?:active|enabled|set up)|negative|\bhit\b|\bover\b|\bno\b|\bneeds?\b"
    r"|limited|below|\badd\b|\bempty\b|\bended\b|n't have|not have|crossed|consumed|disabled|\bzero\b"
    r"|不足|用尽|用完|耗尽|超出|超过|已用|过期|到期|上限|不够|透支|已达|为零"
)
_MONEY: Final = (
    r"\bcredits?\b|\bbalance\b|\bpayments?\b|\bfunds?\b|(?<!window )(?<!token )(?<!tokens )(?<!thinking )\bbudget|\bspend(?:ing)?\b|\btop[- ]?up"
    r"|\brecharge|\bfree (?:\w+ ){0,2}(?:quota|trial|credits?|allocation)|\bextra usage|included (?:usage|credits)"
    r"|余额|欠费|充值|预算|套餐|积分|资源包|额度|点数|账单"
)
_BILLED: Final = (
    rf"{_MONEY}|\bquota|\bbilling|\bsubscription(?! key)|\bpaid (?:plan|tier)|free (?:tier|plan|usage)|\btrial\b|usage limits?|plan limit|配额|订阅"
)
_ACCESS: Final = (
    r"api[ _-]?keys?\b|\bapikey|access[ _-]?(?:key|token)|\bcredentials?\b|bearer|auth(?:orization|entication)?[ _-](?:header|token|key)"
    r"|authorization|\bauth\b|(?:security|session|oauth|refresh|jwt|id) token|\bsignature (?:we|you)|\bsecret\b|_API_KEY\b|\bkey (?=not\b)|\bpassword"
    r"|\btoken(?= (?:is |has |was )?(?:been )?(?:expired|invalid|revoked|disabled))|密钥|令牌|鉴权|认证|身份验证|访问凭证"
)
_BAD: Final = (
    r"invalid|incorrect|wrong|missing|expired|not (?:be )?(?:valid|found|provided|set|present|recogni[sz]ed|authori[sz]ed|match\w*)|n't find"
    r"|could not (?:be )?(?:pars|decod|verif)\w*|unauthori[sz]ed|revoked|disabled|denied|fail\w*|requir\w*|malformed|did not|\bno\b|\bset\b"
    r"|\bsuspended|suspicious|无效|错误|过期|失败|缺失|未提供|不存在|不正确|不合法|不可用|已禁用"
)
_MODEL: Final = (
    r"\b(?:model|deployment|engine|endpoint)s?(?:[ _](?:id|name|identifier|group))?\b(?! (?:does|do|did)(?:n't| not) support)(?!'s? (?:returned"
    r"|response|output|produced|generated)| (?:returned|response|output|produced|generated))|模型|部署|modelcode"
)
_GONE: Final = (
    r"(?:not|n't) (?:be )?(?:found|exist\w*|available|enabled|allowed|accessible|activ\w*|deployed|recogni[sz]ed|registered|configured|loaded"
    r"|installed|running|permitted|included|offered|hosted|served|a valid|valid|a supported|one of|in the|ready|have access|know\w*"
    r"|supported(?! (?:for (?:vision|image|audio|video|tool|function|stream|file|pdf)|by this|input|with (?:this|the))))|\bno longer|unavailable"
    r"|\bunknown|unrecogni[sz]ed|deprecated|disabled|decommissioned|retired|removed|sunset|discontinued|end[- ]of[- ]life|shut ?down|must be one of"
    r"|\bno (?:provider|channel|endpoint)|is invalid|unloaded|not loaded|不存在|未找到|找不到|下线|未开通|无权|不可用|禁用|未启用|停用|未知"
)
_OWNER: Final = r"\b(?:account|organi[sz]ation|project|user|workspace|tenant|team|consumer|customer|caller|ip(?: address)?)\b|账号|账户|用户"
_REFUSED_OWNER: Final = (
    r"suspend\w*|disabled|deactivated|banned|blocked|terminated|not (?:active|authori[sz]ed|permitted|allowed|verified)|restricted|locked|forbidden"
    r"|must be verified|needs? to be (?:verified|approved)|封禁|禁用|冻结|未认证|实名"
)
_WRITTEN: Final = (
    r"\b(?:content|prompts?|inputs?|outputs?|responses?|messages?|text|completions?|conversation|generation|candidate)\b|内容|文本|输入|输出|提示词"
)
_UNFIT: Final = (
    r"\bflagged|\bunsafe|\bharm(?:ful)?\b|inappropriate|prohibited|disallowed|violat\w*|moderat(?:ion|ed)|\bfiltered|\bblocked|safety|sensitive"
    r"|\brisk\b|违规|违法|敏感|不当|不合规|安全|风险|涉嫌"
)

FIRST: Final[Mapping[FailureClass, re.Pattern[str]]] = {
    "invalid_tool_call": phrases(
        r"(?:fail\w*|error|unable|could not)[^.\n]{0,20}(?:pars|generat|decod|validat|call)\w*[^.\n]{0,30}(?:tool|function)[ _-]?(?:calls?"
        r"|use)?\b(?![ _-]?id|s?\[)(?!s\b)",
        r"(?:tool|function)[ _-]?call (?:pars\w+|generation|validation)[^.\n]{0,20}(?:fail|error)",
        r"model(?:'s)? (?:has )?(?:generated|produced|output|returned|called|attempted|wrote)[^.\n]{0,60}(?:invalid|malformed|unknown|unexpected"
        r"|not valid|not be parsed|not exist)",
        r"output[ _]parse[ _]failed|generated output that could not be parsed|attempted to call (?:a )?(?:tool|function)|empty grammar stack",
        r"but model (?:did not call|called) a tool|errors? for list\[function-wrap|XML syntax error on line|malformed_function_call"
        r"|failed to parse input at pos|unexpected tokens? remaining|see '?failed_generation",
    ),
    "truncated": phrases(r"stream ended without|without (?:a )?finish[_ ]reason|could not finish the message because max_tokens"),
    "context_overflow": phrases(
        _near(
            r"\bcontext\b(?! deadline| cancel|_)|context_(?:length|window|size|limit)|上下文|\bn_ctx|max_(?:model|seq)_len|sequence length"
            r"|maximum (?:prompt|model|input) length|input length|\bkv cache",
            rf"{_TOO_MUCH}|is \d|not enough",
        ),
        _near(
            r"\b(?:prompt|inputs?|messages|conversation|history|request)\b|输入|提示词",
            rf"(?:{_TOO_MUCH}){_between(50)}(?:tokens?\b(?! per)|\blength\b|context\b(?! deadline)|window|长度|payload)",
            both=False,
        ),
        r"\btoo many (?:input |prompt |total )?(?:tokens|text bytes)\b(?!,? please wait)",
        r"слишком (?:длинн|больш)|输入.{0,12}超长|超过.{0,12}(?:长度|token)",
        r"\b(?:prompt|input|conversation|messages?|request)(?: token)?(?: size| length| body| payload)? (?:is |are )?(?:\w+ )?too (?:long|large"
        r"|big)\b(?! for field)",
        _near(r"\b(?:input|prompt|total|requested|max_total|number of)[ _]tokens?\b(?! per)(?: (?:count|length))?", rf"{_TOO_MUCH}|only supports"),
        r"\b\d{4,} tokens?\b[^.\n]{0,60}(?:exceed\w*|(?:larger|greater|more) than)[^.\n]{0,40}(?:limit|max\w*|context|window)",
        r"range of input length|reduce (?:the length of|your) (?:the |your )?(?:messages|prompt|input)|max_tokens must be at least 1, got -\d"
        r"|exceeded model token limit|inputs`? (?:tokens \+|must have less)|input_too_long|request_too_large|payload size exceeds"
        r"|contains \d+ tokens.{0,40}too large|keep the first \d+ tokens when|tokens to keep from the initial prompt",
    ),
    "no_tool_support": phrases(
        _near(_TOOLS, rf"{_NOT}(?:support|available|enabled|implemented|allowed|compatible)\w*(?! (?:value|type|schema))", gap=25, both=False),
        rf"{_NOT}support\w*(?: (?:the|use|of|any|for|native|parameters?:?))* ?[\[`'\"]*{_TOOLS}",
        r"(?:tools?|function[ -]call\w*)[^.\n]{0,20}(?:不支持|暂不支持)|不支持(?:使用)?(?:工具|函数|function)",
        r"no (?:tool|function)[ -](?:use|call\w*) support|\bno [^.\n]{0,30}that supports? tool|(?:cannot|can't|n't) (?:use|call|handle) (?:tools"
        r"|functions)\b",
        r"requires? --enable-auto-tool-choice|tools? (?:param )?requires? --jinja",
    ),
    "auth": phrases(
        r"(?:account|organi[sz]ation)[^.\n]{0,20}(?:must|needs? to|has to) be (?:verified|approved)|verify your (?:account|organi[sz]ation|identity)",
        r"only (?:allows?|accepts?|serves?|available for) [^.\n]{0,30}(?:clients?|agents?|apps?|users)\b|can only be used (?:from (?:with)?in"
        r"|with)\b",
        r"no endpoints (?:found|available) matching your|no allowed providers|(?:find|set|provide|missing)[^\n]{0,40}_API_KEY\b",
    ),
    "server_error": phrases(r"DEGRADED function|model has crashed|failed to load model.{0,200}operation cancel"),
    "empty_response": phrases(
        r"no generations? (?:chunks? )?(?:were |was )?(?:returned|found in stream)|(?:empty|no) (?:response|output) (?:from"
        r"|returned by) (?:the )?model",
        r"no data received from",
    ),
    "model_not_found": phrases(
        r"\bno [^.\n]{0,40}supports? (?:the |this )?(?:requested )?model|\bmodel\b[^.\n]{0,80}has no (?:\w+ )?(?:provider|endpoint|channel)s?\b"
    ),
}
"""Families that say more than the name of a parameter beside them; where they stand does not matter."""

RESETS: Final = phrases(
    r"(?:requests?|tokens|queries|calls)(?: limit)? (?:per|/|a) ?(?:second|minute|min|hour|day)\b|\b[RT]P[MSDH]\b",
    r"rate[ _-]?limit|too many (?:concurrent |parallel |api )?(?:requests|connections)|throttl|resource[ _](?:has been )?exhausted|slow down",
    r"concurren\w+ (?:\w+ )?(?:limit|quota|exceed)|\b429 too many|cooling down|cool ?down",
    r"(?:hourly|daily|weekly|minute|\d[ -]?hour|session)[-/ ](?:\w+ )?(?:limit|quota)|limit[^.\n]{0,20}per (?:minute|hour|day|week)",
    r"per[- ](?:minute|hour|day)|#token-limit|resets? (?:at|in)\b|too many (?:requests|tokens)[^.\n]{0,30}wait",
    r"频率|频繁|限流|限速|速率|并发|请求(?:数)?过多|次数(?:已)?(?:超|达)",
)
"""A limit that resets by itself."""

BUSY: Final = phrases(
    r"overload|(?:at|over|no|exceed\w*|insufficient|out of|enough|limited) (?:\w+ )?capacity|server[^.\n]{0,30}too many|no capacity",
    r"capacity[ _](?:is |temporarily )?(?:exceed|exhaust|reached|limit|constrain)\w*",
    r"(?:temporarily|currently|momentarily) (?:unavailable|busy|at capacity|down|overloaded)|\bbusy\b|service (?:is )?(?:temporarily )?unavailable",
    r"(?:high|heavy|peak) (?:\w+ )?(?:demand|load|traffic|volume)",
    r"queue (?:is )?full|(?:pending|queued?) requests? (?:limit|exceed)|maximum pending|out of memory|more system memory",
    r"no (?:\w+ )?(?:instance|worker|replica|server|node|gpu)s? (?:are )?available|no (?:available|healthy) (?:\w+ )?(?:worker|instance|replica"
    r"|server|node|account|upstream)s?|(?:is |currently )loading|loading model|ModelNotReady",
    r"繁忙|过载|负载|访问量过大|拥挤|饱和|资源(?:不足|紧张)",
)
"""The server's bad moment."""

_A_MONTH: Final = phrases(r"(?:per|/) ?month\b|\bmonthly (?:\w+ )?(?:quota|limit|allowance|cap)|billing (?:cycle|period)")
_SPENT_MONEY: Final = phrases(_near(_MONEY, _SPENT), r"欠费|请充值|good standing|draw from your|insufficient[_ ]quota|exceeded your current quota")
_PLAN: Final = r"subscri\w+|\bplans?\b|\btiers?\b|\bpaid\b|\bmembers?\b|\bterms\b|\bverif\w+|\bregion|套餐|会员"
_NOT_IN_PLAN: Final = (
    r"(?:use[- ]case|access|agreement|request) form\b[^.\n]{0,30}\bmodel\b|\bmodel requires a newer version|\bmodels?\b[^.\n]{0,30}(?:requir\w+"
    r"|needs?|(?:only )?available (?:only )?(?:on|to|for|with|in)|(?:limited|restricted) to)"
    rf"[^.\n]{{0,25}}(?:{_PLAN})|(?:plan (?:does |do )?(?:not|n't) (?:yet )?(?:include|support)|n't have a free (?:quota )?tier)"
)
_NOT_TEXT: Final = _near(
    r"\b(?:images?|vision|audio|video|pdf|multi-?modal|documents?)\b|图片|图像|视频",
    rf"{_NOT}(?:support|accept|allow|process)\w*|不支持|that support",
    gap=30,
)
_TEMPLATE: Final = phrases(r"raise_exception\(|jinja exception|template error|chat template|roles must alternate")
_HISTORY: Final = (
    r"\b(?:messages?|contents|tools|functions|input)[.\[]+ ?\d|tool[_ ]call[_ ]id|\btool_use\b|\btool_result|input_schema|function_declarations"
    r"|\broles?\b|json schema|base64|thought_signature|reasoning_content|encrypted_content|tool_calls?\b|function response|no tool call found"
)

FAMILIES: Final[Mapping[FailureClass, re.Pattern[str]]] = {
    "content_policy": phrases(
        _near(_WRITTEN, _UNFIT),
        r"(?:safety|moderation|content|usage|acceptable use) (?:polic\w+|filters?|system|guidelines|checks?|settings|guardrails?)",
        r"(?:rejected|blocked|refused|stopped) (?:by|due to|for) [^.\n]{0,20}(?:moderation|safety|content|usage polic|filter)",
        r"guardrail|jailbreak|content exists risk|content[ _]filter|for safety reasons|considered high risk|内容审核|风控|涉嫌",
    ),
    "model_not_found": phrases(
        _NOT_IN_PLAN,
        r"(?:\bnot|n't|\bno\b|denied|无权|forbidden)[^.\n]{0,30}(?:access|permission|authori[sz]ed|allowed|eligible|entitled|permitted|访问)"
        r"[^.\n]{0,40}(?:\bmodel\b|\bdeployment\b|模型)",
        r"^\W*(?:the |this |requested )*(?:model|deployment)\b[^.\n]{0,60}(?:not (?:allowed|permitted|enabled|available(?! for (?:image|vision|audio"
        r"|video))|accessible|authori[sz]ed)|gated|blocked|restricted|disabled|denied)",
        r"access to [^.\n]{0,40}\b(?:model|deployment)\b[^.\n]{0,30}(?:denied|refused|restricted)|\bmodel (?:access )?(?:is )?denied",
    ),
    "quota": phrases(
        _near(_BILLED, _SPENT),
        r"(?:upgrade|purchase|buy)[^.\n]{0,40}(?:plan|credits?|subscription)",
        r"欠费|请充值|arrear|good standing|specified api usage limits|draw from your|can only afford|key limit exceeded",
    ),
    "auth": phrases(
        _near(_ACCESS, _BAD),
        _near(
            r"\b(?:countr(?:y|ies)|regions?|locations?|territor(?:y|ies))\b|地区|区域",
            r"not (?:be )?(?:supported|available|allowed|permitted)|unsupported|restricted|blocked|不支持",
        ),
        _near(_OWNER, _REFUSED_OWNER),
        _near(r"\bpermissions?\b", r"denied|refused|lack\w*|insufficient|missing", gap=50, both=False),
        r"permission[ _-]?error|access (?:is |was )?denied|not (?:authori[sz]ed|entitled)|unauthori[sz]ed|unauthenticated|\bforbidden\b",
        r"权限|log ?in (?:again|first)|sign in|(?:fail\w*|unable|could not) (?:to )?(?:be )?authenticat|operation not allowed|illegal header value",
        r"authenticat(?:ion|e) (?:fail|error|required|is required|parameter|method)|terms acceptance",
    ),
    "invalid_request": phrases(_NOT_TEXT, _HISTORY),
}
"""Families in the order in which they are asked about one sentence."""

MODEL: Final = phrases(
    _near(_MODEL, _GONE, gap=60, both=False),
    r"\bprovider\b[^.\n]{0,60}not (?:be )?(?:found|exist\w*|configured|registered|enabled)|pip install",
    r"(?:invalid|unknown|unsupported|unrecogni[sz]ed|no such|no available|nonexistent|wrong|not? (?:a )?(?:valid|supported|chat)"
    r"|not found the) (?:\w+ )?(?:model|deployment|engine)\b(?![ _](?:input|output|param|response))",
    r"no (?:available )?(?:endpoints?|channels?|providers?|deployments?)[^.\n]{0,20}\b(?:for|of|serving)\b[^.\n]{0,20}model",
    r"(?:supported|available|allowed|valid|permitted) (?:\w+ )?models?(?: names?| ids?)?(?: are\b| include\b|:)",
    r"(?:could|can|did|un|fail\w*)[ -]?(?:not|n't|able|ed)?(?: to)? (?:find|locate|load|resolve|access)[^.\n]{0,20} (?:model|deployment)\b",
    r"\bno [`'\"]?models?(?:_name)?[`'\"]? (?:with|called|named|loaded|is|are)\b|找不到模型|不支持(?:的|该|此)?模型|无效的模型",
    rf"\bmodel\b[^.\n]{{0,60}}{_NOT}support\w*[^.\n]{{0,30}}(?:\bAPI\b|endpoint|operation|format|completions?|generateContent|converse|responses"
    rf"|plan)",
    r"\bmodel\b[^.\n]{0,60}\bonly (?:for|in|with|on|via|supported|available)\b|does not work with the specified model|embedding model"
    r"|cannot be used for chat|(?:API|operation|endpoint) (?:is )?not supported (?:for|with|by) (?:this |the )?model|only supported in v1/"
    r"|is not accessible via|not found for account|on-demand throughput isn|no endpoints found|requested entity was not found"
    r"|not found for api version|unknown provider for|unsupported (?:model_)?provider|infer model provider|too large to be loaded",
)
"""A model that is not there, or not for this key."""

_ALLOWED: Final[Mapping[int, frozenset[str]]] = {
    401: frozenset({"quota", "model_not_found"}),
    402: frozenset(),
    404: frozenset({"quota", "model_not_found", "invalid_request"}),
}
"""What else an error of this status may be than the status says; other 4xx may be any family."""
_UPSTREAM: Final = frozenset({"content_policy", "quota", "auth", "model_not_found"})
"""What a gateway passes on as a 5xx."""
_UPSTREAM_MODEL: Final = phrases(
    r"unknown provider for|no available (?:channel|account)s?[^.\n]{0,20} (?:for|supporting) model:? \S|(?:unknown|invalid|unsupported"
    r"|no such) model\b|\bmodel [^.\n]{0,40}(?:not found|not exist|not supported)"
)
"""A model that a gateway does not know; that it is unavailable or cannot be loaded is the server's bad moment."""

_QUOTED: Final = re.compile(r"(?:['\"](?:input|failed_generation)['\"]|input_value)\s*[:=][^\n]*")
"""What the request or the model said, as servers quote it."""

_SENTENCE: Final = re.compile(r"[^.!?\n。！？；]*(?:\.(?=\S)[^.!?\n。！？；]*)*[.!?\n。！？；]?")
_ADVICE: Final = re.compile(
    r"\W*(?:please|try|check|see|visit|go to|refer|contact|upgrade|consider|to (?:learn|continue|increase|use|access)|for (?:more|details|further)"
    r"|if you|make sure|you can|need more|learn more|更多|请)",
    re.IGNORECASE,
)
"""How a sentence begins that says what to do."""


def without_quotes(text: str) -> str:
    """The words of the error alone."""
    return _QUOTED.sub("", text)


def first(text: str, parameter: str | None = None) -> FailureClass | None:
    """The class of words that say more than the name of a refused parameter beside them; a choice of tool is no tool."""
    return next((cls for cls, said in FIRST.items() if said.search(text) and (cls, parameter) != ("no_tool_support", "tool_choice")), None)


def limited(text: str) -> FailureClass | None:
    """What the words of a 429 mean: a server that is busy, money that is used up, or a limit that resets by itself."""
    for sentence in sentences(text):
        if BUSY.search(sentence):
            return "overloaded"
        if _A_MONTH.search(sentence) and not RESETS.search(sentence):
            return "quota"
        if RESETS.search(sentence) or "usage limit" in sentence.lower():
            return "rate_limit"
        if re.search(_NOT_IN_PLAN, sentence, re.IGNORECASE):
            return "model_not_found"
        if _SPENT_MONEY.search(sentence):
            # Gemini and Qwen send OpenAI's sentence about money for a limit that resets, and name that limit behind it.
            return "rate_limit" if "your current quota" in sentence and RESETS.search(text) else "quota"
    return None


def by_code(codes: Set[str], status: int) -> FailureClass | None:
    """The class that the words in a code name."""
    spelled = [code for code in codes if len(code) <= 80 and " " not in code]
    for cls, words in CODE_WORDS.items():
        if (cls in {"overloaded", "timeout", "connection"} and status < 429) or (cls == "model_not_found" and status >= 429):
            continue
        if any(words.search(code) for code in spelled):
            return cls
    return None


def by_words(text: str, status: int | None) -> FailureClass | None:
    """The class of the first sentence that errors of this status may consist of."""
    if status in {408, 499, 504, 522, 524, 529}:
        return None
    if _TEMPLATE.search(text):
        return "invalid_request"
    allowed = _ALLOWED.get(status or 400, frozenset(FAMILIES) if status is None or status < 500 else _UPSTREAM)
    return next((cls for sentence in sentences(text) if (cls := _of(sentence, status, allowed)) is not None), None)


def _of(sentence: str, status: int | None, allowed: Set[str]) -> FailureClass | None:
    if allowed is _UPSTREAM and _UPSTREAM_MODEL.search(sentence):
        return "model_not_found"
    if status not in {401, 402}:
        if BUSY.search(sentence):
            return "overloaded"
        if RESETS.search(sentence):
            return "rate_limit"
    if (found := next((cls for cls, said in FAMILIES.items() if cls in allowed and said.search(sentence)), None)) is not None:
        return found
    return "model_not_found" if allowed is not _UPSTREAM and "model_not_found" in allowed and MODEL.search(sentence) else None


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text, those that only give advice last."""
    found = [sentence for sentence in _SENTENCE.findall(text) if sentence.strip()]
    advice = [sentence for sentence in found if _ADVICE.match(sentence)]
    yield from (sentence for sentence in found if sentence not in advice)
    yield from advice
