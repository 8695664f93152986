"""Values for JSON Schemas: always the same, and valid."""

from enum import Enum
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Le, Len
from jsonschema import Draft202012Validator
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, Field

from lg_toolroute.testing.sample_values import sample


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Line(BaseModel):
    number: int = Field(ge=10, le=20)
    text: str = Field(min_length=8, max_length=9)


class Tree(BaseModel):
    name: str
    children: list["Tree"]
    parent: "Tree | None"


class edit(BaseModel):  # the name of a tool
    """Edit a file."""

    path: str
    lines: list[Line]
    color: Color
    mode: Literal["fast", "slow"]
    maybe: int | None
    either: int | str
    ratio: float = Field(gt=0, lt=1)
    few: Annotated[list[int], Len(2, 3)]
    step: int = Field(multiple_of=5, ge=7)
    bounded: Annotated[int, Ge(-5), Le(-1)]
    optional: str = "x"
    options: dict[str, int]
    tree: Tree


SCHEMAS = [
    convert_to_openai_tool(edit)["function"]["parameters"],
    edit.model_json_schema(),
    {"type": ["null", "integer"]},
    {"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"b": {}}, "required": ["b"]}]},
    {"properties": {"a": {"const": 3}}, "required": ["a"]},
    {"type": "string", "format": "date-time"},
    {"type": "boolean"},
    {"type": "array", "items": {"type": "number", "exclusiveMaximum": -2}},
    {},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_value_satisfies_the_schema(schema):
    value = sample(schema)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)
    assert sample(schema) == value


def test_what_is_no_schema_gives_a_string():
    assert sample(True) == sample(None) == "sample"


def test_schema_without_a_floor_ends():
    """A required recursion cannot be satisfied; it must not run for ever either."""
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]}}}
    assert "a" in sample(schema)
