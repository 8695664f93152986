"""What reading a document has shown besides its content."""

from __future__ import annotations

from dataclasses import dataclass, field

from lg_toolroute.config.places import Places


@dataclass(frozen=True, slots=True)
class Notes:
    """Never part of what a configuration means: two of them are always equal.

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
