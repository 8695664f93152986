import unittest

from timesheet.pay import Shift, pay


class Pay(unittest.TestCase):
    def test_a_plain_day(self):
        self.assertEqual(pay([Shift('Mon', '08:00', '16:00')], 2000), 16_000)

    def test_overtime_pays_half_as_much_again(self):
        self.assertEqual(pay([Shift('Mon', '08:00', '18:00')], 2000), 22_000)

    def test_two_shifts_of_one_day_make_overtime(self):
        self.assertEqual(pay([Shift('Mon', '06:00', '12:00'), Shift('Mon', '14:00', '18:00')], 2000), 22_000)

    def test_two_days_do_not(self):
        self.assertEqual(pay([Shift('Mon', '06:00', '12:00'), Shift('Tue', '14:00', '18:00')], 2000), 20_000)

    def test_nobody_works_for_nothing(self):
        self.assertEqual(pay([], 2000), 0)
