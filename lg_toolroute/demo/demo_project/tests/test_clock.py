import unittest

from timesheet.clock import minutes, spoken, worked


class Clock(unittest.TestCase):
    def test_minutes_since_midnight(self):
        self.assertEqual(minutes('07:45'), 465)

    def test_a_time_that_is_none_is_refused(self):
        for text in ('24:00', '7.45', '', '07:60'):
            with self.subTest(text), self.assertRaises(ValueError):
                minutes(text)

    def test_a_day_shift(self):
        self.assertEqual(worked('08:00', '16:30', pause=30), 8 * 60)

    def test_a_night_shift_ends_on_the_next_day(self):
        self.assertEqual(worked('22:00', '06:00'), 8 * 60)

    def test_a_pause_in_a_night_shift(self):
        self.assertEqual(worked('21:30', '05:30', pause=45), 7 * 60 + 15)

    def test_a_pause_longer_than_the_shift_is_refused(self):
        with self.assertRaises(ValueError):
            worked('08:00', '08:10', pause=11)

    def test_minutes_for_people(self):
        self.assertEqual(spoken(435), '7:15 h')
