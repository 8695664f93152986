"""What all sections of the schema have in common: two spellings, no surprises, frozen."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic.alias_generators import to_camel

from lg_toolroute.config.places import SCHEMA_KEYS
from lg_toolroute.core.rules.spec import canonical


def _spec(text: str, info: ValidationInfo) -> str:
    aliases: dict[str, str] = (info.context or {}).get("aliases", {})
    return canonical(aliases.get(text.strip(), text))


Spec: TypeAlias = Annotated[
    str, AfterValidator(_spec), Field(description='A model: "provider/model" or "provider:model".', examples=["anthropic/claude-sonnet-5"])
]
"""A model spec in canonical form."""

SHORT_FOR_DEFAULTS = ("model", "image_model", "pdf_model", "heartbeat", "roles", "params")
"""Keys that may stand at the top of the document and mean `agents.defaults.<key>`."""
SHORT_FOR_MODEL = ("tool_routing", "primary", "fallbacks")
"""Keys that may stand at the top of the document and mean `agents.defaults.model.<key>`."""

NO_PREDICTION = "this version does not predict tools; take the key out, and where the next tool is known, set `expected_tool`"

Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class Section(BaseModel):
    """A mapping of the document. Keys are camelCase in the document and snake_case in Python; both are read.

    Attributes:
        foreign: Keys that belong to OpenClaw, are left alone and are listed in `RoutingConfig.ignored_sections`.
        short: Further keys that authors may write, which are rewritten before the section is read; for did-you-mean.
        text_key: The key that is meant where plain text stands in place of the mapping; empty if that is a mistake.
        instead: What to write where neither a mapping nor the text for `text_key` stands; empty if its keys say it.
        without: Keys of ours that this version does not have, each with what to do instead. They are mistakes.
        open_ended: Whether unknown keys are left alone too, unless they look like a misspelt key of ours.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False, use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )
    foreign: ClassVar[frozenset[str]] = frozenset()
    text_key: ClassVar[str] = ""
    instead: ClassVar[str] = ""
    without: ClassVar[dict[str, str]] = {}
    open_ended: ClassVar[bool] = False
    short: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        SCHEMA_KEYS.update(cls.model_fields)

    @classmethod
    def keys(cls) -> dict[str, str]:
        """Field names by the spellings that the document may use."""
        return {spelling: name for name, info in cls.model_fields.items() for spelling in (info.alias or name, name)}


def dumped(section: Section) -> dict[str, Any]:
    """A section as the document would write it: camelCase, only what was set."""
    return section.model_dump(mode="json", by_alias=True, exclude_unset=True)
