"""Hours worked, and what they pay."""

from .clock import worked
from .pay import Shift, pay
from .report import report

__all__ = ['Shift', 'pay', 'report', 'worked']
