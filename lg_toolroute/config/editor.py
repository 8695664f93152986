"""The JSON Schema for editors: pydantic's, with the shapes that authors may write besides the one we keep."""

from __future__ import annotations

from typing import Any

from pydantic.alias_generators import to_camel

from lg_toolroute.config.section import SHORT_FOR_DEFAULTS, SHORT_FOR_MODEL, Section

_CHAINS = ("ChainConfig", "ModelConfig", "RuleConfig")
_HANDOFF = {"type": "string", "description": 'Short for {"mode": …}.'}
_TEXT = {"type": "string", "description": 'Short for {"primary": …}.'}


def document_schema(document: type[Section]) -> dict[str, Any]:
    """A JSON Schema of the document, in camelCase."""
    schema = document.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = schema["$defs"]
    for name, section in _sections(Section):
        target = schema if name == document.__name__ else definitions.get(name)
        if target is None:
            continue
        target["additionalProperties"] = section.open_ended
        # An editor should not underline what OpenClaw reads.
        target.setdefault("properties", {}).update({key: {"description": "Left alone."} for key in sorted(section.foreign)})
    agent, model, rule = (definitions[name]["properties"] for name in ("AgentConfig", "ModelConfig", "RuleConfig"))
    model["toolRouting"] = {
        "description": model["toolRouting"]["description"],
        "anyOf": [
            {"type": "object", "additionalProperties": {"anyOf": [{"$ref": "#/$defs/RuleConfig"}, {"type": "null"}]}},
            {"type": "array", "items": {"$ref": "#/$defs/RuleConfig"}},
        ],
    }
    rule["tools"] = {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
        "description": "Tool patterns, in the list form only: a name, `mcp__*`, a glob, `group:fs`, `tag:mcp`.",
    }
    rule["model"] = {"anyOf": [{"$ref": "#/$defs/ChainConfig"}, {"type": "null"}], "description": "Another name for `primary`."}
    listed = {"allOf": [{"$ref": "#/$defs/AgentConfig"}], "properties": {"id": {"type": "string"}}, "required": ["id"]}
    definitions["AgentsConfig"]["properties"]["list"] = {"type": "array", "items": listed, "description": "The older form of `entries`."}
    for short, properties, home in (
        *((name, agent, "agents.defaults") for name in SHORT_FOR_DEFAULTS),
        *((name, model, "agents.defaults.model") for name in SHORT_FOR_MODEL),
    ):
        key = to_camel(short)
        shape = {name: part for name, part in properties[key].items() if name not in {"description", "default", "title"}}
        schema["properties"][key] = {"description": f"Short for {home}.{key}.", **shape}
    for name in _CHAINS:
        definitions[name] = {"anyOf": [_TEXT, definitions[name]], "description": definitions[name].pop("description")}
    handoff = definitions["RuleHandoffConfig"]
    definitions["RuleHandoffConfig"] = {"anyOf": [{**handoff["properties"]["mode"]["anyOf"][0], **_HANDOFF}, handoff]}
    rest = {key: part for key, part in schema.items() if key != "title"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "lg_toolroute", **rest}


def _sections(section: type[Section]) -> list[tuple[str, type[Section]]]:
    return [pair for kind in section.__subclasses__() for pair in ((kind.__name__, kind), *_sections(kind))]
