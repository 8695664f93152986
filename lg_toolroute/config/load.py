"""`load_config`: a document in, a validated configuration out, or every mistake at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lg_toolroute.config.check import Checker
from lg_toolroute.config.document import RoutingConfig
from lg_toolroute.config.fit import Fitting, validate
from lg_toolroute.config.nodes import tree
from lg_toolroute.config.places import Notes, Places
from lg_toolroute.config.reading import DocumentFormat, DocumentSource, read
from lg_toolroute.errors import ConfigError, Problem


def load_config(source: DocumentSource | RoutingConfig, format: DocumentFormat | None = None) -> RoutingConfig:
    """Reads and validates a configuration.

    Args:
        source: A path, a text, bytes in UTF-8, a mapping, or a configuration, which is returned as it is.
        format: `json`, `json5`, `yaml` or `toml`. Unset, a file's ending tells, and a text is looked at.

    Returns:
        The configuration. `config.warnings` holds what may surprise, `config.ignored_sections` what was left alone.

    Raises:
        ConfigError: The document cannot be read, or is wrong; `problems` holds every mistake, each with the path at which it stands.

    Example:
        ```python
        config = load_config({
            "model": {"primary": "anthropic/claude-sonnet-5", "fallbacks": ["ollama/gpt-oss:20b"]},
            "toolRouting": {"edit": "deepseek/deepseek-v4-pro"},
        })
        ```
    """
    if isinstance(source, RoutingConfig):
        return source
    data, name = read(source, format)
    root, problems = tree(data)
    if problems:
        # A document with cycles or too many values has no shape that could be checked further.
        raise ConfigError(problems, source=name)
    fitting = Fitting()
    fitted = fitting.section(root, RoutingConfig)
    places = Places(fitting.written)
    checker = Checker(places)
    checker.document(fitted)
    checker.unenforced(fitting.ignored)
    config, mistakes = validate(RoutingConfig, fitted, places, checker.aliases)
    # What is no mapping at all is not told, too, which keys it lacks.
    told = {problem.path for problem in fitting.problems if problem.message.endswith("should be a mapping")}
    mistakes = [problem for problem in mistakes if problem.path not in told]
    problems = list(dict.fromkeys([*fitting.problems, *mistakes, *checker.problems]))
    if problems or config is None:
        raise ConfigError(_in_order(problems, data), source=name)
    return config.annotated(Notes(places=places, ignored=tuple(fitting.ignored), warnings=tuple(dict.fromkeys(checker.warnings)), source=name))


def _in_order(problems: list[Problem], data: Mapping[str, Any]) -> list[Problem]:
    """Mistakes in the order in which they stand in the document."""
    places: dict[str, int] = {}
    waiting = [tree(data)[0]]
    while waiting:
        node = waiting.pop()
        places[node.where] = len(places)
        children = node.value if isinstance(node.value, list) else node.value.values() if isinstance(node.value, dict) else ()
        waiting.extend(reversed(list(children)))
    return sorted(problems, key=lambda problem: places.get(problem.path, len(places)))
