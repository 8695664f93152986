"""Structured output of the chat model: the `response_format` that is sent, and the parser of the answer."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Literal

from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import JsonOutputKeyToolsParser, PydanticToolsParser
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema
from langchain_core.utils.pydantic import is_basemodel_subclass

from lg_toolroute.core.rules.tools import tool_name
from lg_toolroute.surfaces.chat.bound_tools import bound_tools

Schema = dict[str, Any] | type


def response_format(schema: Schema, method: Literal["json_schema", "json_mode"], *, strict: bool | None) -> dict[str, Any]:
    """The `response_format` in the shape of OpenAI's API, which most clients accept."""
    if method == "json_mode":
        return {"type": "json_object"}
    shape = convert_to_json_schema(schema)
    named: dict[str, Any] = {"name": shape["title"], "schema": shape}
    return {"type": "json_schema", "json_schema": named if strict is None else {**named, "strict": strict}}


def call_parser(schema: Schema) -> Runnable[Any, Any]:
    """A parser that reads the answer from the call of the tool that the schema was bound as."""
    model = _class_of(schema)
    if model is not None:
        return PydanticToolsParser(tools=[model], first_tool_only=True)
    return JsonOutputKeyToolsParser(key_name=tool_name(bound_tools([schema])[0]), first_tool_only=True)


def text_parser(schema: Schema) -> Runnable[Any, Any]:
    """A parser that reads the answer from the text of a message."""
    model = _class_of(schema)
    return JsonOutputParser() if model is None else PydanticOutputParser(pydantic_object=model)


def _class_of(schema: Schema) -> Any:
    return schema if isinstance(schema, type) and is_basemodel_subclass(schema) else None


def with_parser(llm: Runnable[Any, Any], parser: Runnable[Any, Any], *, include_raw: bool) -> Runnable[Any, Any]:
    """The model with its parser behind it.

    Args:
        llm: The model.
        parser: Reads its messages.
        include_raw: Give `{"raw", "parsed", "parsing_error"}`, and raise nothing.
    """
    if not include_raw:
        return llm | parser
    read = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
    nothing = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=llm) | read.with_fallbacks([nothing], exception_key="parsing_error")
