import unittest

from timesheet import Shift, report


class Report(unittest.TestCase):
    def test_a_week(self):
        week = [Shift('Mon', '08:00', '16:30', pause=30), Shift('Tue', '22:00', '06:30', pause=30)]
        self.assertEqual(report(week, 2000), 'Mon  08:00-16:30  8:00 h\nTue  22:00-06:30  8:00 h\npay  320.00')
