"""Times as text: one rule for what is a time, and for what is finer than a microsecond."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.conditions import runtime
from custom_events.conditions.facts import Facts
from custom_events.platforms import parse
from custom_events.platforms.attribution import moment_of
from custom_events.platforms.headers import rfc3339
from custom_events.platforms.registry import PLATFORMS
from custom_events.values import times, zones
from custom_events.values.deliveries import Platform, RawDelivery, SiteContext

LAST = datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
NO_TIMES = [
    *("2026-W05", "2026-W05-1", "2026W05", "2026W051", "20260105", "2026-005", "2026005", "2026-1-5", "26-01-05"),
    *(
        "2026-W05-1T10:00:00Z",
        "20260105T100000Z",
        "2026-01-05T",
        "2026-01-05x10:00",
        "2026-01-05T10",
        "2026-01-05T1000Z",
    ),
    *("2026-02-30", "2026-13-01T10:00Z", "", "now", "²026-01-05", "2026-01-05T10:00:00Z tomorrow"),
]
FINE = st.integers(0, 10**9 - 1)


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_anywhere(text: str) -> None:
    assert times.read_day(text) is None
    assert times.read_moment(text) is None
    assert times.read_day_or_moment(text) is None
    assert moment_of(text) is None or text.isdigit()
    assert runtime.as_time(text, Facts(zone=UTC)) is None
    assert rfc3339(text) is None


def test_days_and_moments() -> None:
    assert times.read_day("2026-01-05") == date(2026, 1, 5)
    assert times.read_moment("2026-01-05T10:00+01:00") == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert times.read_moment("2026-01-05 10:00") == datetime(2026, 1, 5, 10)  # noqa: DTZ001 - naive is the point
    assert times.read_day_or_moment("2026-01-05") == datetime(2026, 1, 5, tzinfo=UTC)
    assert times.read_day_or_moment("2026-01-05T10:00") == datetime(2026, 1, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize("digits", ["9999995", "9999999", "999999999", "99999999999999999999"])
def test_the_last_moment_of_a_year_stays_in_it(digits: str) -> None:
    text = f"2026-12-31T23:59:59.{digits}"
    assert rfc3339(text + "Z") == LAST
    assert rfc3339(text + "+00:00") == LAST
    assert times.read_moment(text + "Z") == LAST
    assert moment_of(text + "Z") == LAST
    assert parse.gmt(text, "$") == LAST
    assert times.from_epoch(LAST.timestamp() // 1 + 0.9999998) < LAST + timedelta(microseconds=1)


@given(FINE, st.integers(7, 9), st.sampled_from(["Z", "+00:00", "-05:30"]))
def test_cutting_leaves_what_microseconds_hold(nanoseconds: int, digits: int, offset: str) -> None:
    fraction = f"{nanoseconds:09}"[:digits]
    text = f"2026-12-31T23:59:59.{fraction}{offset}"
    expected = datetime.fromisoformat(f"2026-12-31T23:59:59.{fraction[:6]}{offset}")
    assert msgspec.convert(times.cut(text), datetime) == expected
    body = json.dumps(
        {"a": text, "price": "19.123456789", "title": "at 10:30.123456789", "b": f'said "{text}"'}
    ).encode()
    read: dict[str, Any] = json.loads(times.cut_in(body))
    assert msgspec.convert(read["a"], datetime) == expected
    assert (read["price"], read["title"]) == ("19.123456789", "at 10:30.123456789")


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.integers(-720, 720), st.booleans())  # noqa: DTZ001
def test_what_is_no_finer_is_not_touched(moment: datetime, minutes: int, is_long: bool) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = aware.isoformat() if is_long else aware.isoformat(timespec="milliseconds")
    assert times.cut(text) == text
    assert times.cut_in(text.encode()) == text.encode()
    assert times.read_moment(text) == datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("seconds", "moment"),
    [
        (1_732_500_000, datetime(2024, 11, 25, 2, tzinfo=UTC)),
        (1_732_500_000.5, datetime(2024, 11, 25, 2, 0, 0, 500_000, tzinfo=UTC)),
        (1_732_500_000.123456, datetime(2024, 11, 25, 2, 0, 0, 123_456, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_seconds_since_1970(seconds: float, moment: datetime) -> None:
    assert times.from_epoch(seconds) == moment


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, -1e300, "nan", 10**400])
def test_no_seconds(value: object) -> None:
    assert moment_of(value) is None


SITE = SiteContext(site_id=1, platform=Platform.SHOPIFY, currency="EUR")
FINE_TIME = "2026-12-31T23:59:59.9999997Z"


def test_a_shopify_body_with_finer_times() -> None:
    order = {
        "id": 1,
        "created_at": FINE_TIME,
        "updated_at": FINE_TIME,
        "processed_at": FINE_TIME,
        "total_price": "1.00",
        "currency": "EUR",
        "financial_status": "paid",
    }
    found = PLATFORMS[Platform.SHOPIFY].understand(
        RawDelivery(topic="orders/paid", body=json.dumps(order).encode()), SITE
    )
    assert [event.occurred_at for event in found.events] == [LAST, LAST]
    assert found.order is not None
    assert (found.order.created_at, found.order.updated_at) == (LAST, LAST)


def test_a_custom_body_with_finer_times() -> None:
    body = {
        "type": "order.paid",
        "occurred_at": FINE_TIME,
        "order": {"id": "1", "paid_at": FINE_TIME, "total": "1.00", "currency": "EUR"},
    }
    delivery = RawDelivery(topic="order.paid", body=json.dumps(body).encode())
    found = PLATFORMS[Platform.CUSTOM].understand(delivery, SITE)
    assert {event.occurred_at for event in found.events} == {LAST}


def test_a_woocommerce_body_with_finer_times() -> None:
    fine = FINE_TIME.removesuffix("Z")
    body = {
        "id": 1,
        "status": "processing",
        "currency": "EUR",
        "total": "1.00",
        "date_created_gmt": fine,
        "date_modified_gmt": fine,
        "date_paid_gmt": fine,
        "line_items": [],
    }
    delivery = RawDelivery(topic="order.updated", body=json.dumps(body).encode())
    found = PLATFORMS[Platform.WOOCOMMERCE].understand(delivery, SITE)
    assert {event.occurred_at for event in found.events} == {LAST}


def test_a_property_without_offset_is_on_the_sites_clock() -> None:
    facts = Facts(zone=zones.zone("America/New_York"))
    assert runtime.as_time("2026-07-01T23:30", facts) == datetime(2026, 7, 2, 3, 30, tzinfo=UTC)
    day = runtime.as_time("2026-07-01", facts)
    assert day is not None
    assert runtime.local_date(day, facts) == date(2026, 7, 1)
    assert runtime.as_time("2026-07-01T23:30Z", facts) == datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
