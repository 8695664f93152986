"""A circuit as a store keeps it: JSON-able, and read with care, because other processes and other versions write there too."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, Final

from lg_toolroute.core.failures.circuit import CLOSED, LONGEST_NAME, MOST_TOOLS, BadAnswers, Circuit, Incapacity
from lg_toolroute.core.failures.cooldowns import INCAPABLE_MAX_S, CooldownLimits
from lg_toolroute.core.failures.failure import BAD_ANSWER, CLASSES, INCAPABLE, LONGEST_TEXT, Refused, Rung
from lg_toolroute.core.failures.rungs import CHOICE, RUNGS, THINKING

_FORMAT: Final = 1
_PLAIN_FIELDS: Final = ("opened", "since", "until", "cls", "why", "failures", "failed_at", "probe_at", "probe_until")


def write_circuit(circuit: Circuit) -> dict[str, Any]:
    """What is stored; `read_circuit` turns it back."""
    refused = [[each.parameter, each.left, each.asked, each.while_thinking, each.why, each.at] for each in circuit.refused]
    return {
        "format": _FORMAT,
        **{name: getattr(circuit, name) for name in _PLAIN_FIELDS},
        "incapable_of": [[entry.cls, entry.why, entry.since, entry.until, entry.times] for entry in circuit.incapable_of],
        "pairs": {tool: [bad.in_a_row, bad.total, bad.cls] for tool, bad in circuit.bad_answers},
        **({"refused": refused} if refused else {}),
    }


def read_circuit(value: object, limits: CooldownLimits) -> tuple[Circuit, str | None]:
    """The circuit that was stored, and what was wrong with the value; a value that cannot be read is a closed circuit.

    Cooldowns and claims longer than these limits allow are cut to them: another process may run with other limits.

    Args:
        value: What `write_circuit` gave, or anything at all.
        limits: This process's limits.
    """
    if not isinstance(value, Mapping):
        return CLOSED, f"not a mapping but {type(value).__name__}"
    if value.get("format") != _FORMAT:
        return CLOSED, f"written in format {value.get('format')!r}, this version reads {_FORMAT}"
    try:
        opened = _count(value["opened"])
        since, until = _window(value["since"], value["until"], limits.longest_s)
        probe_at, probe_until = _window(value["probe_at"], value["probe_until"], limits.probe_timeout_s)
        circuit = Circuit(
            opened=opened,
            since=since,
            until=until,
            cls=_class(value["cls"], CLASSES if opened else None),
            why=str(value["why"])[:LONGEST_TEXT],
            failures=_count(value["failures"]),
            failed_at=_moment(value["failed_at"]),
            probe_at=probe_at,
            probe_until=probe_until,
            incapable_of=tuple(
                Incapacity(_class(cls, INCAPABLE), str(why)[:LONGEST_TEXT], *_window(start, end, INCAPABLE_MAX_S), _count(times))
                for cls, why, start, end, times in value["incapable_of"]
            ),
            bad_answers=tuple(
                (str(tool)[:LONGEST_NAME], BadAnswers(_count(in_a_row), _count(total), _class(cls, BAD_ANSWER)))
                for tool, (in_a_row, total, cls) in list(value["pairs"].items())[-MOST_TOOLS:]
            ),
            refused=tuple(_refused(*entry) for entry in value.get("refused", ())[:MOST_TOOLS]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        return CLOSED, f"unreadable ({type(error).__name__}: {str(error)[:80]})"
    return circuit, None


def _refused(parameter: object, left: object, asked: object, while_thinking: object, why: object, at: object) -> Refused:
    if parameter not in (CHOICE, THINKING) or not isinstance(while_thinking, bool):
        raise ValueError(f"{parameter!r} is not a parameter that is remembered")
    return Refused(str(parameter), _rung(left), _rung(asked), while_thinking, str(why)[:LONGEST_TEXT], _moment(at))


def _rung(value: object) -> Rung:
    found = next((rung for rung in RUNGS if rung == value), None)
    if found is None:
        raise ValueError(f"{value!r} is not a rung")
    return found


def _moment(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a moment")
    return float(value)


def _window(since: object, until: object, longest_s: float) -> tuple[float, float]:
    start, end = _moment(since), _moment(until)
    if end < start:
        raise ValueError("a window ends before it begins")
    return start, min(end, start + max(longest_s, 0.0))


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise ValueError(f"{value!r} is not a count")
    return value


def _class(value: object, known: Collection[str] | None) -> str:
    if not isinstance(value, str) or (known is not None and value not in known):
        raise ValueError(f"{value!r} is not a failure class of this place")
    return value
