"""A week on one page."""

from .clock import spoken, worked
from .pay import Shift, pay


def report(shifts: list[Shift], cents_per_hour: int) -> str:
    """One line a shift, and the sum."""
    lines = [f'{shift.day}  {shift.start}-{shift.end}  {spoken(worked(shift.start, shift.end, shift.pause))}' for shift in shifts]
    cents = pay(shifts, cents_per_hour)
    return '\n'.join([*lines, f'pay  {cents // 100}.{cents % 100:02}'])
