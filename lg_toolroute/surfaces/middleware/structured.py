"""A structured answer whose text came from several models: parsed when it is whole."""

from __future__ import annotations

from typing import Any

from langchain.agents.structured_output import AutoStrategy, ProviderStrategy, ProviderStrategyBinding, StructuredOutputValidationError
from langchain_core.messages import AIMessage


def parsed(message: AIMessage, response_format: Any) -> Any:
    """The structured response that a message holds as text.

    Args:
        message: The whole message.
        response_format: The agent's: a `ProviderStrategy`, an `AutoStrategy` or a schema.

    Raises:
        StructuredOutputValidationError: The text is not what the schema asks for, as `create_agent` raises it.
    """
    if isinstance(response_format, ProviderStrategy):
        spec = response_format.schema_spec
    else:
        schema = response_format.schema if isinstance(response_format, AutoStrategy) else response_format
        spec = ProviderStrategy(schema=schema).schema_spec
    try:
        return ProviderStrategyBinding.from_schema_spec(spec).parse(message)
    except Exception as error:  # whatever the schema's own validation raises
        raise StructuredOutputValidationError(getattr(spec.schema, "__name__", "response_format"), error, message) from error
