"""Which half the week of a row belongs to, whatever the week is written as."""

from datetime import date, datetime, timedelta

import polars as pl
import pytest

from clustering.weeks import half, rows_by_half

ODD, EVEN, NONE = 1, 2, 0


def halves(values, dtype):
    frame = pl.DataFrame({"week": pl.Series(values, dtype=dtype)})
    return frame.select(half(frame.schema["week"]))["half"].to_list()


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt32, pl.Int64, pl.Float32, pl.Decimal(9, 2)])
def test_odd_and_even_numbers_of_weeks_are_the_halves_whatever_their_type(dtype):
    assert halves([0, 1, 2, 53, 104, None], dtype) == [EVEN, ODD, EVEN, ODD, EVEN, NONE]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", ODD),
        (" 08 ", EVEN),
        ("202453", ODD),
        ("12.0", EVEN),
        ("-1", ODD),
        # The week of 1970-01-05 is week 0; 2024-01-01, 19,719 days later, begins week 2,817.
        ("2024-01-01", ODD),
        ("2024-01-07", ODD),
        ("2024-01-08", EVEN),
        (" 2024-01-07 23:59:59 ", ODD),
        ("2024-01-08T00:00:00Z", EVEN),
        ("7.5", NONE),
        ("2024-02-30", NONE),
        ("01/08/2024", NONE),
        ("2024-01-08x", NONE),
        ("W7", NONE),
        ("nan", NONE),
        ("inf", NONE),
        ("1e300", NONE),
        ("", NONE),
        (None, NONE),
    ],
)
def test_text_is_a_number_a_date_or_unreadable(text, expected):
    assert halves([text], pl.String) == [expected]


@pytest.mark.parametrize("value", [2.5, float("nan"), float("inf"), 2.0**60])
def test_a_number_that_is_not_whole_or_not_exact_is_no_week(value):
    assert halves([value], pl.Float64) == [NONE]


@pytest.mark.parametrize("dtype", [pl.Boolean, pl.Null, pl.Duration])
def test_a_column_of_another_type_has_no_weeks(dtype):
    assert halves([None], dtype) == [NONE]
    if dtype == pl.Boolean:
        assert halves([True], dtype) == [NONE]


def test_a_file_without_weeks_has_no_halves():
    assert pl.DataFrame({"x": [1]}).select(half(None))["half"].to_list() == [None]


def test_dates_lie_in_weeks_from_monday_to_sunday_that_alternate_through_every_new_year():
    days = [date(1969, 12, 1) + timedelta(days=n) for n in range(25_000)]
    found = dict(zip(days, halves(days, pl.Date), strict=True))
    of_week = {}
    for day in days:
        of_week.setdefault(day.isocalendar()[:2], set()).add(found[day])
    assert all(len(seen) == 1 for seen in of_week.values())
    assert all(found[day] != found[day + timedelta(days=7)] for day in days[:-7])
    assert found[date(1970, 1, 5)] == EVEN


def test_dates_times_and_their_text_are_of_the_same_half():
    times = [datetime(2024, 12, 28) + timedelta(hours=7 * n) for n in range(60)]  # noqa: DTZ001
    expected = halves([time.date() for time in times], pl.Date)
    assert set(expected) == {ODD, EVEN}
    assert halves(times, pl.Datetime) == expected
    assert halves([str(time) for time in times], pl.String) == expected
    assert halves([time.isoformat() for time in times], pl.String) == expected


def test_a_time_with_a_zone_is_of_the_day_on_that_zones_clock():
    sunday_evening = datetime(2024, 1, 7, 23, 30)  # noqa: DTZ001
    frame = pl.DataFrame({"week": [sunday_evening]}).select(
        pl.col("week").dt.replace_time_zone("America/New_York")
    )
    assert frame.select(half(frame.schema["week"]))["half"].to_list() == [ODD]


def test_accepted_rows_are_counted_by_half_and_by_why_they_are_of_none():
    sums = pl.DataFrame(
        {
            "half": [1, 1, 2, 0, None, None],
            "reason": [None, "null_sku", None, None, None, None],
            "rows": [3, 100, 5, 7, 11, 13],
        }
    )
    assert rows_by_half(sums) == {
        "first_half": 3,
        "second_half": 5,
        "unreadable_week": 7,
        "file_without_weeks": 24,
    }
