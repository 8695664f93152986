"""What reading a document has shown besides its content: where its author wrote what, what was left alone, what may surprise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic.alias_generators import to_camel

from lg_toolroute.config.nodes import Location, write_path


@dataclass(frozen=True, slots=True)
class Places:
    """Paths of the document by the paths of the schema.

    Two of them are always equal: a configuration is the same wherever its parts were written.
    """

    written: Mapping[Location, Location] = field(default_factory=dict, compare=False, repr=False)

    def of(self, *loc: str | int) -> str:
        """The author's path as text; what the document does not hold is in camelCase."""
        for end in range(len(loc), -1, -1):
            found = self.written.get(loc[:end])
            if found is not None:
                return write_path((*found, *(_camel(part) for part in loc[end:])))
        return write_path(tuple(_camel(part) for part in loc))

    def nearest(self, *loc: str | int) -> str:
        """The author's path as text; of what the document does not hold, the section that would hold it."""
        return write_path(next((self.written[loc[:end]] for end in range(len(loc), -1, -1) if loc[:end] in self.written), ()))


@dataclass(frozen=True, slots=True)
class Notes:
    """What is no part of the meaning of a configuration: two of them are always equal.

    Attributes:
        places: Where the author wrote what.
        ignored: Sections that are not ours, as paths.
        warnings: What may surprise, one sentence each.
        source: Where the document was read from.
    """

    places: Places = field(default_factory=Places, compare=False)
    ignored: tuple[str, ...] = field(default=(), compare=False)
    warnings: tuple[str, ...] = field(default=(), compare=False)
    source: str = field(default="configuration", compare=False)


SCHEMA_KEYS: set[str] = set()
"""The field names of all sections; each section adds its own when its class is made."""


def _camel(part: str | int) -> str | int:
    # Only names of the schema: names that authors give (tools, models, agents) keep their underscores.
    return to_camel(part) if isinstance(part, str) and part in SCHEMA_KEYS else part
