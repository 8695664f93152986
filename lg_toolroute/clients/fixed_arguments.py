"""A tool without the arguments that are decided already: what is bound for the model that writes the others.

They are left out of the schema, not made constants of it: Gemini knows no `const` (zed#44875) and an `enum` of strings alone (9router#359), and with
a constant the tools of the request, which stand before all else, would be others for each value, so that no prompt cache could hit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from lg_toolroute.clients.bindings import arguments_schema

_SPEAKS_OF_SEVERAL = frozenset(
    {"allOf", "anyOf", "oneOf", "not", "if", "$ref", "dependentRequired", "dependentSchemas", "dependencies", "minProperties", "propertyNames"}
)
"""Keywords at the top of a schema that may speak of an argument outside its property."""


def without_arguments(tool: Any, names: Collection[str]) -> Any:
    """The tool without some arguments; the tool itself where that cannot be told apart from the rest of its schema.

    Args:
        tool: A `BaseTool`, a function or a tool dict.
        names: The arguments.
    """
    schema = arguments_schema(tool)
    if schema is None or not _SPEAKS_OF_SEVERAL.isdisjoint(schema) or not schema.get("properties", {}).keys() & set(names):
        return tool
    properties = {name: each for name, each in schema["properties"].items() if name not in names}
    fewer = {**schema, "properties": properties, "required": [name for name in schema.get("required", ()) if name not in names]}
    if isinstance(tool, BaseTool):
        return tool.model_copy(update={"args_schema": fewer})
    if isinstance(tool, Mapping) and isinstance(tool.get("input_schema"), Mapping):
        return {**tool, "input_schema": fewer}
    asked = convert_to_openai_tool(tool)
    return {**asked, "function": {**asked["function"], "parameters": fewer}}
