"""Where the calls of a routed tool are cut: at the name, or where the first long argument begins; and which calls stand instead.

A rule says it with `cutAt`. Which arguments are long is known of file tools; of other tools their schema has to tell, see `long_arguments`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from lg_toolroute.core.failures.spellings import words
from lg_toolroute.core.rules.decision import RuleOptions
from lg_toolroute.gates.answer import schema_problem
from lg_toolroute.gates.arguments import ArgumentCut
from lg_toolroute.runner.request_parts import NamedTool, RequestParts

SHORT_LENGTH: Final = 200
"""A string whose schema allows no more characters than this is short."""
LONG_NAMES: Final = words(
    """answer article body code comment content contents data description diff document essay explanation html instructions letter markdown message
    new notes old page paragraph patch prompt query replacement report request script snippet source sql summary text"""
)
"""Words in the names of arguments that hold text of any length: `new_text`, `fileContents`, `sqlQuery`."""
_SAYS_LONG = re.compile(r"\b(?:body|code|contents?|markdown|text) (?:of|to)\b", re.IGNORECASE)
_WORDS = re.compile(r"[a-z]+|[A-Z][a-z]*")
_PER_ARGUMENT = frozenset({"type", "properties", "patternProperties", "additionalProperties", "$defs", "definitions"})
"""Keywords at the top of a schema that speak of one argument at a time."""


def cut_in(parts: RequestParts, tools: Sequence[NamedTool]) -> Callable[[str], ArgumentCut | None]:
    """Gives where the calls of a routed tool are cut inside their arguments; `None` for a tool whose calls are cut at the name.

    It is found out when such a tool is named: most turns name none.

    Args:
        parts: What the requests of the turn share.
        tools: What the reasoning model is offered.
    """

    def cut(name: str) -> ArgumentCut | None:
        bound = next((tool for each, tool in tools if each == name), None)
        return None if bound is None else _cut(parts, name, parts.router.models.schema(bound))

    return cut


def _cut(parts: RequestParts, tool: str, schema: Mapping[str, Any] | None) -> ArgumentCut | None:
    decision, chain, _ = parts.inputs.decide(tool, "intercepted")
    options, handoffs = decision.options, parts.handoffs
    if options.cut_at == "name" or options.stream_args == "live" or options.handoff == "draft":
        return None
    if options.cut_at is None and not (chain and handoffs.may_brief(tool, chain[0])):
        return None
    long = _long(options, None if (known := handoffs.file_tool(tool)) is None else known.long, schema or {})
    if not long:
        return None

    def kept(arguments: Mapping[str, Any], whole: bool) -> Collection[str] | None:
        # Behind a boundary the call is handed over in any case: the reasoning model may not write it.
        if not options.boundary and (handoffs.lacks(tool, arguments) or (whole and schema_problem(arguments, schema) is None)):
            return None
        return [name for name, value in arguments.items() if _fits(name, value, schema or {})]

    return ArgumentCut(long, kept)


def _long(options: RuleOptions, of_file_tool: Collection[str] | None, schema: Mapping[str, Any]) -> frozenset[str]:
    properties = _properties(schema)
    if isinstance(options.cut_at, tuple):
        return frozenset(options.cut_at) & properties.keys() if properties else frozenset(options.cut_at)
    return long_arguments(schema) if of_file_tool is None else frozenset(of_file_tool)


def long_arguments(schema: Mapping[str, Any]) -> frozenset[str]:
    """The arguments that hold text of any length, as far as a schema tells it.

    They are strings without a fixed set of values, a format, or a small `maxLength`, whose name holds one of `LONG_NAMES`, or whose description
    speaks of the text, the content or the code *of* or *to* something.

    Args:
        schema: The JSON Schema of a tool's arguments.
    """
    return frozenset(name for name, each in _properties(schema).items() if isinstance(each, Mapping) and _is_long(name, each))


def _is_long(name: str, schema: Mapping[str, Any]) -> bool:
    variants = schema["anyOf"] if isinstance(schema.get("anyOf"), Sequence) else [schema]
    strings = [each for each in variants if isinstance(each, Mapping) and "string" in (each.get("type"), *_listed(each.get("type")))]
    free = [each for each in strings if not each.keys() & {"enum", "const", "format"} and (each.get("maxLength") or SHORT_LENGTH + 1) > SHORT_LENGTH]
    named = {word.lower() for word in _WORDS.findall(name)}
    return bool(free) and (not named.isdisjoint(LONG_NAMES) or _SAYS_LONG.search(str(schema.get("description", ""))) is not None)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = schema.get("properties")
    return properties if isinstance(properties, Mapping) else {}


def _fits(name: str, value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether the schema takes an argument. One that it refuses is left to the writer: if it were fixed, no answer could fit the schema."""
    return schema_problem({name: value}, {key: each for key, each in schema.items() if key in _PER_ARGUMENT}) is None
