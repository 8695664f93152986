"""Where the author wrote what: from our names to the document's own spelling."""

from __future__ import annotations

from pydantic.alias_generators import to_camel

from lg_toolroute.config.nodes import Path, write_path


class Places:
    """Paths of the document by the paths of the schema.

    Two of them are always equal: a configuration is the same wherever its parts were written.
    """

    __slots__ = ("_written",)

    def __init__(self, written: dict[Path, Path] | None = None) -> None:
        self._written: dict[Path, Path] = written if written is not None else {}

    def path(self, *loc: str | int) -> Path:
        """The author's path; what he did not write himself is in camelCase."""
        for end in range(len(loc), 0, -1):
            found = self._written.get(loc[:end])
            if found is not None:
                return (*found, *(_camel(part) for part in loc[end:]))
        return tuple(_camel(part) for part in loc)

    def of(self, *loc: str | int) -> str:
        """The author's path as text."""
        return write_path(self.path(*loc))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Places)

    def __hash__(self) -> int:
        return hash(Places)

    def __getstate__(self) -> dict[Path, Path]:
        return self._written

    def __setstate__(self, state: dict[Path, Path]) -> None:
        self._written = state


_OURS = frozenset({
    "tool_routing", "by_model", "by_provider", "also_allow", "image_model", "pdf_model", "api_key", "base_url", "supports_tools",
    "refusal_falls_back", "on_intercept", "stream_args", "cut_when_not_streaming", "context_window", "max_tokens",
})  # fmt: skip


def _camel(part: str | int) -> str | int:
    # Only names of the schema: what authors name themselves (tools, models, agents) keeps its underscores.
    return to_camel(part) if isinstance(part, str) and part in _OURS else part
