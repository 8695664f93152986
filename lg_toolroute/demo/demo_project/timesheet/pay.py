"""What hours pay."""

from dataclasses import dataclass

from .clock import worked

FULL_DAY = 8 * 60       # minutes that pay the plain rate
OVERTIME = 1.5          # what every further minute pays, in plain minutes


@dataclass(frozen=True)
class Shift:
    """One shift; it belongs to the day on which it begins."""

    day: str
    start: str
    end: str
    pause: int = 0


def pay(shifts: list[Shift], cents_per_hour: int) -> int:
    """Cents for all shifts.

    What goes beyond eight hours of one *day* is overtime, in however many shifts it was worked.
    """
    plain  = 0
    extra  = 0
    for shift in shifts:
        spent   = worked(shift.start, shift.end, shift.pause)
        plain  += min(spent, FULL_DAY)
        extra  += max(spent - FULL_DAY, 0)     # beyond 'FULL_DAY'
    return round((plain + OVERTIME * extra) * cents_per_hour / 60)
