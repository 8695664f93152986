"""What errors have in common, however they are worded: a subject that stands near what is said of it.

`spellings` holds what providers were seen to say, and is asked first. A family recognises words that were never seen: something that is paid for,
near a word for "used up", is `quota`. Each family counts only for the statuses that such an error has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import Final

from lg_toolroute.core.failures.failure import FailureClass


def _near(subject: str, said: str, *, gap: int = 40, both: bool = True) -> str:
    """A subject, and what is said of it in the same sentence behind it (or, if `both`, before it)."""
    behind = rf"(?:{subject}){_between(gap)}(?:{said})"
    return rf"{behind}|(?:{said}){_between(gap)}(?:{subject})" if both else behind


def _between(gap: int) -> str:
    """So many characters of one sentence; a dot inside a name does not end it."""
    return rf"(?:[^.\n;]|\.(?=\S)){{0,{gap}}}?"


def _family(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{alternative})" for alternative in alternatives), re.IGNORECASE)


_NOT: Final = r"(?:\bnot|n't|\bun|cannot)[ _-]?(?:currently |yet |be |been )?"
_TOOLS: Final = (
    r"\b(?:tools?(?![ _-]?choice|[ _-]?type|\w)|tool[ _-]?(?:use|usage|calls?|calling)|functions?"
    r"|function[ _-]?(?:calls?|calling|tools?))\b(?![.\[])"
)
_TOO_MUCH: Final = (
    r"exceed\w*|too (?:long|large|big|many)|(?:longer|larger|greater|more|bigger) than|overflow\w*|beyond|not fit\b|over the\b"
    r"|(?:must|should) be (?:less|smaller|fewer|lower|at most)|超(?:过|出|长|限)|过长"
)
_SPENT: Final = (
    r"exceed\w*|insufficient|exhaust\w*|deplet\w*|used (?:up|all)|r[au]n out|\bout of\b|too low|not enough|no (?:remaining|more|longer)\b|expired"
    r"|overdue|unpaid|past (?:due|invoices?)|requir\w*|reach\w*|inactive|not (?:active|enabled|set up)|negative|\bhit\b|\bover\b|\bno\b|\bneeds?\b"
    r"|limited|below|\badd\b|\bempty\b|\bended\b|不足|用尽|用完|耗尽|超出|超过|已用|过期|到期|上限|不够|透支"
)
_MONEY: Final = (
    r"\bcredits?\b|\bbalance\b|\bpayment|\bfunds?\b|(?<!window )(?<!token )(?<!tokens )(?<!thinking )\bbudget|\bspend(?:ing)?\b|\btop[- ]?up"
    r"|\brecharge|\bfree (?:\w+ )?(?:quota|trial|credits?)|余额|欠费|充值|预算|套餐|积分|资源包"
)
_BILLED: Final = (
    rf"{_MONEY}|\bquota|\bbilling|\bsubscription(?! key)|\bpaid (?:plan|tier)|free (?:tier|trial|plan|usage)|usage limit|plan limit|额度|配额|订阅"
)
_ACCESS: Final = (
    r"api[ _-]?keys?\b|\bapikey|access[ _-]?(?:key|token)|\bcredentials?\b|bearer|auth(?:orization|entication)?[ _-](?:header|token|key)"
    r"|authorization|(?:security|session|oauth|refresh|jwt|id) token"
    r"|\btoken(?= (?:is |has |was )?(?:been )?(?:expired|invalid|revoked|disabled))|密钥|令牌|鉴权|认证|身份验证|访问凭证"
)
_BAD: Final = (
    r"invalid|incorrect|wrong|missing|expired|not (?:valid|found|provided|set|present|recogni[sz]ed|authori[sz]ed|match\w*)|unauthori[sz]ed"
    r"|revoked|disabled|denied|fail\w*|requir\w*|malformed|无效|错误|过期|失败|缺失|未提供|不存在|不正确|不合法"
)
_MODEL: Final = r"\b(?:model|deployment|engine|endpoint)s?(?: id| name| identifier|code)?\b(?! (?:does|do|did)(?:n't| not) support)|模型|部署"
_GONE: Final = (
    r"(?:not|n't) (?:be )?(?:found|exist\w*|available|enabled|allowed|accessible|activ\w*|deployed|recogni[sz]ed|registered|configured|loaded"
    r"|installed|running|permitted|included|offered|hosted|served|a valid|valid|a supported|one of|in the"
    r"|supported(?! (?:for (?:vision|image|audio|video|tool|function|stream|file|pdf)|by this|input|with (?:this|the))))"
    r"|\bno longer|unavailable|\bunknown|unrecogni[sz]ed|deprecated|disabled|decommissioned|retired|removed|sunset|discontinued|end[- ]of[- ]life"
    r"|shut ?down|must be one of|不存在|未找到|找不到|下线|未开通|无权|不可用|禁用|未启用|停用"
)
_OWNER: Final = r"\b(?:account|organi[sz]ation|project|user|workspace|tenant|team|ip(?: address)?)\b|账号|账户|用户"
_REFUSED_OWNER: Final = (
    r"suspend\w*|disabled|deactivated|banned|blocked|terminated|not (?:active|authori[sz]ed|permitted|allowed|verified)|restricted|locked"
    r"|forbidden|封禁|禁用|冻结|未认证|实名"
)
_WRITTEN: Final = r"\b(?:content|prompt|inputs?|outputs?|responses?|messages?|text|completions?|conversation|generation)\b|内容|文本|输入|输出"
_UNFIT: Final = (
    r"\bflagged|\bunsafe|\bharmful|inappropriate|prohibited|disallowed|violat\w*|moderat(?:ion|ed)|\bfiltered|\bblocked|safety|sensitive|\brisk\b"
    r"|违规|违法|敏感|不当|不合规|安全|风险"
)

EARLY: Final[Mapping[FailureClass, re.Pattern[str]]] = {
    "invalid_tool_call": _family(
        r"(?:fail\w*|error|unable|could not)[^.\n]{0,20}(?:pars|generat|decod|validat)\w*[^.\n]{0,30}"
        r"(?:tool|function)[ _-]?(?:calls?|use)\b(?![ _-]?id|s?\[)",
        r"(?:tool|function)[ _-]?call (?:pars\w+|generation|validation)[^.\n]{0,20}(?:fail|error)",
        r"model(?:'s)? (?:has )?(?:generated|produced|output|returned|called|attempted|wrote)[^.\n]{0,60}"
        r"(?:invalid|malformed|unknown|unexpected|not be parsed|not exist)",
        r"output[ _]parse[ _]failed|generated output that could not be parsed|attempted to call (?:a )?(?:tool|function)|empty grammar stack",
    ),
    "context_overflow": _family(
        _near(
            r"\bcontext\b(?! deadline| cancel)|context_(?:length|window|size|limit)|上下文|\bn_ctx|max_(?:model|seq)_len|sequence length", _TOO_MUCH
        ),
        _near(
            r"\b(?:prompt|inputs?|messages|conversation|history)\b|输入|提示词",
            rf"(?:{_TOO_MUCH}){_between(50)}(?:tokens?\b|\blength\b|context\b(?! deadline)|window|长度)",
            both=False,
        ),
        r"\btoo many (?:input |prompt )?tokens\b(?!,? please wait)",
        r"\b(?:prompt|input|conversation|messages) (?:is |are )?(?:\w+ )?too (?:long|large|big)\b(?! for field)",
        _near(r"\b(?:input|prompt|total|requested)[ _]tokens?\b(?! per)", _TOO_MUCH),
        r"\b\d{4,} tokens?\b[^.\n]{0,60}(?:exceed\w*|(?:larger|greater|more) than)[^.\n]{0,40}(?:limit|max\w*|context|window)",
    ),
    "no_tool_support": _family(
        _near(_TOOLS, rf"{_NOT}(?:support|available|enabled|implemented|allowed|compatible)\w*(?! (?:value|type|schema))", gap=25, both=False),
        rf"{_NOT}support\w*(?: (?:the|any|for|native|parameters?:?))* ?[\[`'\"]*{_TOOLS}",
        r"(?:tools?|function[ -]call\w*)[^.\n]{0,20}(?:不支持|暂不支持)|不支持(?:使用)?(?:工具|函数|function)",
        r"no (?:tool|function)[ -](?:use|call\w*) support",
    ),
    "auth": _family(
        r"(?:account|organi[sz]ation)[^.\n]{0,20}(?:must|needs? to|has to) be (?:verified|approved)",
        r"only (?:allows?|accepts?|serves?) [^.\n]{0,30}(?:clients?|agents?|apps?|users)\b|can only be used from (?:with)?in\b",
    ),
    "model_not_found": _family(
        r"\bno [^.\n]{0,40}supports? (?:the |this )?(?:requested )?model|\bmodel\b[^.\n]{0,80}has no (?:\w+ )?(?:provider|endpoint|channel)s?\b"
    ),
}
"""Families that say more than the name of a parameter beside them."""

PER_PERIOD: Final = _family(r"(?:requests?|tokens|queries|calls)(?: limit)? (?:per|/|a) ?(?:second|minute|min|hour|day)\b|\b[RT]P[MSDH]\b")
"""So many requests or tokens in some time."""

RESETS: Final = _family(
    PER_PERIOD.pattern,
    r"rate[ _-]?limit|too many (?:concurrent |parallel )?(?:requests|connections)|throttl",
    r"concurren\w+ (?:\w+ )?(?:limit|quota|exceed)|\b429 too many",
    r"(?:hourly|daily|weekly|minute|\d[ -]?hour|session)[-/ ](?:\w+ )?(?:limit|quota)|limit[^.\n]{0,20}per (?:minute|hour|day|week)",
    r"resets? (?:at|in)\b",
    r"频率|频繁|限流|限速|速率|并发|请求(?:数)?过多|次数(?:已)?(?:超|达)",
)
"""A limit that resets by itself."""

BUSY: Final = _family(
    r"overload|(?:at|over|no|exceed\w*|insufficient|out of|enough|limited) capacity|no capacity",
    r"capacity[ _](?:is )?(?:exceed|exhaust|reached|limit|constrain)\w*",
    r"(?:temporarily|currently|momentarily) (?:unavailable|busy|at capacity|down)|\bbusy\b",
    r"(?:high|heavy|peak) (?:\w+ )?(?:demand|load|traffic|volume)",
    r"queue (?:is )?full|(?:pending|queued?) requests? (?:limit|exceed)|maximum pending|out of memory",
    r"no (?:available|healthy) (?:worker|instance|replica|server|node|account)",
    r"繁忙|过载|负载|访问量过大|拥挤|饱和|资源(?:不足|紧张)",
)
"""The server's bad moment."""

_A_MONTH: Final = _family(r"(?:per|/) ?month\b|\bmonthly (?:\w+ )?(?:quota|limit|allowance|cap)|billing (?:cycle|period)")
_SPENT_MONEY: Final = _family(_near(_MONEY, _SPENT), r"欠费|请充值")
_NOT_IN_PLAN: Final = _family(
    r"\b(?:model|feature|endpoint)s?\b[^.\n]{0,30}(?:requir\w+|needs?|(?:only )?available (?:only )?(?:on|to|for|with|in)|(?:limited|restricted) to)"
    r"[^.\n]{0,25}(?:subscri\w+|\bplans?\b|\btiers?\b|\bpaid\b|\bmembers?\b)"
)
_NOT_TEXT: Final = _family(
    _near(
        r"\b(?:images?|vision|audio|video|pdf|multi-?modal|documents?)\b|图片|图像|视频", rf"{_NOT}(?:support|accept|allow|process)\w*|不支持", gap=30
    )
)
_TEMPLATE: Final = _family(r"raise_exception\(|jinja exception")

FAMILIES: Final[Mapping[FailureClass, re.Pattern[str]]] = {
    "content_policy": _family(
        _near(_WRITTEN, _UNFIT),
        r"(?:safety|moderation|content|usage|acceptable use) (?:polic\w+|filters?|system|guidelines|checks?|settings|guardrails?)",
        r"guardrail|jailbreak|内容审核|风控|涉嫌",
    ),
    "quota": _family(_near(_BILLED, _SPENT), r"(?:upgrade|purchase|buy)[^.\n]{0,40}(?:plan|credits?|subscription)", r"欠费|请充值"),
    "auth": _family(
        _near(_ACCESS, _BAD),
        _near(
            r"\b(?:country|region|location|territory)\b|地区|区域",
            r"not (?:be )?(?:supported|available|allowed|permitted)|unsupported|restricted|blocked|不支持",
        ),
        _near(_OWNER, _REFUSED_OWNER),
        r"permission[ _-]?(?:denied|error)|access (?:is |was )?denied|not (?:authori[sz]ed|entitled)|unauthori[sz]ed|unauthenticated|\bforbidden\b",
        r"权限|log ?in (?:again|first)|sign in|(?:fail\w*|unable|could not) (?:to )?(?:be )?authenticat",
        r"authenticat(?:ion|e) (?:fail|error|required|is required|parameter)",
    ),
    "invalid_request": _NOT_TEXT,
    "model_not_found": _family(
        _near(_MODEL, _GONE, gap=60, both=False),
        r"(?:invalid|unknown|unsupported|unrecogni[sz]ed|no such|no available|nonexistent|wrong|not? (?:a )?(?:valid|supported)) (?:\w+ )?"
        r"(?:model|deployment|engine)\b(?![ _](?:input|output|param|response))",
        r"(?:not|n't|no|without|denied) (?:have |has )?(?:the )?(?:permission |access )(?:to |for )[^.\n]{0,30}(?:model|deployment|模型)",
        r"access to [^.\n]{0,40}\b(?:model|deployment)\b[^.\n]{0,30}(?:denied|refused|restricted)",
        r"no (?:available )?(?:endpoints?|channels?|providers?|deployments?)[^.\n]{0,20}\b(?:for|of|serving)\b[^.\n]{0,20}model",
        r"(?:supported|available|allowed|valid|permitted) (?:\w+ )?models?(?: names?| ids?)?(?: are\b| include\b|:)",
        r"(?:could|can|did|un)[ -]?(?:not|n't|able to)? (?:find|locate|load|resolve)[^.\n]{0,20} (?:model|deployment)\b",
        r"\bno [`'\"]?models?(?:_name)?[`'\"]? (?:with|called|named)\b|找不到模型|不支持(?:的|该|此)?模型|无效的模型",
    ),
}
"""Families of a request that was understood, most telling first."""

_ALLOWED: Final[Mapping[int, frozenset[str]]] = {
    401: frozenset({"quota", "model_not_found"}),
    402: frozenset(),
    404: frozenset({"quota", "model_not_found"}),
}
"""What else an error of this status may be than the status says; other 4xx may be any family."""
_UPSTREAM: Final = frozenset({"content_policy", "quota", "auth"})
"""What a gateway passes on as a 5xx."""

CODES: Final[Mapping[FailureClass, re.Pattern[str]]] = {
    "invalid_tool_call": _family(
        r"(?:tool|function)_?(?:use|calls?)_?(?:failed|parse|generation|invalid)|malformed_?(?:function|tool)|output_?parse_?failed"
    ),
    "content_policy": _family(
        r"content_?(?:filter|policy|moderation|safety)|moderation|safety|sensitive|inspection|responsible_?ai|prohibited|guardrail|blocklist"
        r"|risk_?control"
    ),
    "context_overflow": _family(
        r"context_?(?:length|window|size|limit)|(?:input|prompt|request|payload)_?too_?(?:long|large)|too_?many_?(?:input_?)?tokens|max_?prompt"
    ),
    "no_tool_support": _family(
        r"(?:tool|function)s?_?(?:use|call(?:ing|s)?)?_?(?:is_?)?(?:not_?support|unsupport)|unsupported_?(?:tool|function)_?(?:use|call)?s?$"
    ),
    "rate_limit": _family(
        r"rate_?limit|too_?many_?requests|throttl|(?:requests?|tokens?)_?(?:quota|limit)|concurren|(?:hour|dai|day|week|minute)\w*_?(?:limit|quota)"
    ),
    "quota": _family(
        r"quota|balance|billing|arrear|credit|payment|overdue|budget|insufficient_?fund|spend|usage_?limit"
        r"|(?:subscription|plan|trial)_?(?:expired|required|inactive|limit)"
    ),
    "model_not_found": _family(
        r"(?:model|deployment|engine)_?(?:id_?)?(?:is_?)?(?:not|un(?:available|known|supported)|deprecated|decommissioned|retired|invalid|access)",
        r"(?:invalid|unknown|unsupported|no_?such|deprecated)_?(?:model|deployment|engine)",
    ),
    "auth": _family(
        r"api_?key|auth(?:enticat|oriz|_|$)|credential|(?:invalid|expired|missing)_?(?:access_?|security_?)?token|token_?(?:expired|invalid)",
        r"permission|forbidden|access_?denied|unsupported_?(?:country|region|location)",
        r"(?:account|organi[sz]ation|user|project)_?(?:disabled|deactivated|suspended|restricted|banned|not_?)",
    ),
    "overloaded": _family(r"overload|capacity|busy|service_?unavailable|no_?available"),
    "timeout": _family(r"time_?d?_?out|deadline"),
}
"""Words in the codes and types of a body, as `snake_case` or as one word."""

_QUOTED: Final = re.compile(r"(?:['\"](?:input|failed_generation)['\"]|input_value)\s*[:=][^\n]*")
"""What the request or the model said, as servers quote it."""


def early(text: str, parameter: str | None = None) -> FailureClass | None:
    """The class of words that say more than the name of a refused parameter beside them; a choice of tool is no tool."""
    words = _QUOTED.sub("", text)
    return next((cls for cls, phrases in EARLY.items() if phrases.search(words) and (cls, parameter) != ("no_tool_support", "tool_choice")), None)


def in_spite_of_a_code(coded: FailureClass, text: str) -> FailureClass | None:
    """What the words say more than a code that stands for every refusal of access, or for every limit."""
    if coded == "rate_limit":
        return by_words(text, 429)
    if coded != "auth" or _NOT_IN_PLAN.search(text):
        return coded
    return next((cls for cls in ("quota", "model_not_found") if FAMILIES[cls].search(_QUOTED.sub("", text))), coded)


def by_code(codes: Set[str], status: int) -> FailureClass | None:
    """The class that the words in a code name."""
    spelled = [code for code in codes if len(code) <= 80 and " " not in code]
    for cls, phrases in CODES.items():
        if (cls in {"overloaded", "timeout"} and status < 429) or (cls == "model_not_found" and status >= 429):
            continue
        if any(phrases.search(code) for code in spelled):
            return cls
    return None


def by_words(text: str, status: int) -> FailureClass | None:
    """The class of a family that errors of this status belong to."""
    words = _QUOTED.sub("", text)
    if status == 429:
        if BUSY.search(words):
            return "overloaded"
        return "quota" if not RESETS.search(words) and (_SPENT_MONEY.search(words) or _A_MONTH.search(words)) else "rate_limit"
    if status in {408, 499, 504, 522, 524, 529}:
        return None
    if status not in _ALLOWED:
        if (found := early(text)) is not None:
            return found
        if _NOT_IN_PLAN.search(words):
            return "auth"
    if status not in {401, 402} and (BUSY.search(words) or RESETS.search(words)):
        return "overloaded" if BUSY.search(words) else "rate_limit"
    if _TEMPLATE.search(words):
        return "invalid_request"
    allowed = _ALLOWED.get(status, FAMILIES if status < 500 else _UPSTREAM)
    return next((cls for cls, phrases in FAMILIES.items() if cls in allowed and phrases.search(words)), None)
