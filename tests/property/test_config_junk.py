"""A configuration in which anything stands anywhere is refused with a `ConfigError`, or taken; nothing else ever comes out."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from lg_toolroute import ConfigError, load_config
from lg_toolroute.rulebook.book import compile_config

RULE = {"primary": "x/y", "fallbacks": [], "moments": ["call"], "escalate": {"after": 2, "to": "z/w"}, "params": {"t": 1}, "onIntercept": "cut"}
WHOLE: dict[str, Any] = {
    "agents": {
        "defaults": {
            "model": {"primary": "kimi/a", "fallbacks": ["b/c"], "toolRouting": {"edit": RULE}},
            "models": {"kimi/a": {"params": {"t": 1}}},
            "imageModel": {"primary": "i/m"},
            "heartbeat": {"model": "h/b"},
            "roles": {"r": {"model": "r/m"}},
        },
        "list": [{"id": "a1", "model": "q/w", "tools": {"allow": ["x"]}}],
        "entries": {"e": {"model": {"toolRouting": {"edit": None}}}},
    },
    "tools": {
        "allow": ["a"],
        "deny": ["b"],
        "profile": "coding",
        "byModel": {"o/*": {"deny": ["w"], "allow": ["z"]}},
        "byProvider": {"p": {"deny": ["w"], "alsoAllow": ["c"]}},
        "web": {"search": {"enabled": False}},
        "groups": {"g": ["a"]},
    },
    "models": {
        "providers": {
            "kimi": {
                "baseUrl": "http://127.0.0.1",
                "apiKey": "${K}",
                "headers": {"a": "b"},
                "models": [{"id": "a", "contextWindow": 5, "input": ["text"], "cost": {"input": 1}, "compat": {"supportsTools": True}}],
            }
        }
    },
    "health": {"rateLimitS": 3},
    "timeouts": {"idleS": 3},
    "handoff": {"instruction": "x"},
    "cutWhenNotStreaming": True,
}
JUNK = [5, "", None, [], {}, True, -1, 1.5, "x", "group:", "a/b", ["a", 5], {"a": 5}, {"": {}}, [[]], [{}], float("nan"), "*", "tag:", b"x", {5: 6}]


def paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from paths(value, (*path, key))


def with_junk(path: tuple[Any, ...], junk: Any) -> dict[str, Any]:
    document = copy.deepcopy(WHOLE)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = junk
    return document


def refused(document: dict[str, Any]) -> ConfigError | None:
    try:
        compile_config(load_config(document))
    except ConfigError as error:
        return error
    return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", list(paths(WHOLE)), ids=lambda path: ".".join(map(str, path)))
def test_anything_anywhere_is_taken_or_refused_in_words(path: tuple[Any, ...]):
    for junk in JUNK:
        error = refused(with_junk(path, junk))
        assert error is None or all(problem.message for problem in error.problems)
