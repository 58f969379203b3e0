"""What lists are asked for is checked before anything is read; rows say what they are about."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from custom_events.browse.commerce_events import CommerceEventFilter, commerce_events
from custom_events.browse.custom_events import CustomEventFilter, custom_events
from custom_events.browse.pages import MOST_ROWS, Place, cursor_of, place_of
from custom_events.browse.raw_events import RawEventFilter, raw_events
from custom_events.browse.uploads import UploadFilter, uploads
from custom_events.errors import InvalidConfiguration
from custom_events.values.numbers import MAX_ID
from tests.browse.conftest import NOW


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, MAX_ID))
def test_a_cursor_names_its_place(at: datetime, number: int) -> None:
    assert place_of(cursor_of(Place(at, number))) == Place(at, number)


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param(cursor, id=name)
        for name, cursor in {
            **{text or "nothing": text for text in ("", "x", "é", "W10", "eyJhIjoxfQ")},
            "without a zone": cursor_of(Place(NOW.replace(tzinfo=None), 1)),
            "a negative id": cursor_of(Place(NOW, -1)),
        }.items()
    ],
)
def test_no_other_text_is_a_place(cursor: str) -> None:
    with pytest.raises(InvalidConfiguration, match="is no cursor: hand back"):
        place_of(cursor)


@pytest.mark.parametrize(
    ("listing", "wanted", "how", "said"),
    [
        (raw_events, RawEventFilter(outcome="eaten"), {}, "outcome: 'eaten' is none of waiting, understood"),
        (custom_events, CustomEventFilter(state="sent"), {}, "state: 'sent' is none of queued"),
        (uploads, UploadFilter(state="gone"), {}, "state: 'gone' is none of new"),
        (uploads, UploadFilter(kind="gift"), {}, "kind: 'gift' is none of conversion"),
        (uploads, UploadFilter(order_id="1"), {}, "order_id: '1' is of one site"),
        (commerce_events, CommerceEventFilter(customer_key="c:1"), {}, "customer_key: 'c:1' is of one site"),
        (commerce_events, CommerceEventFilter(), {"limit": 0}, f"limit: 0 is not from 1 to {MOST_ROWS}"),
        (commerce_events, CommerceEventFilter(), {"cursor": "é"}, "cursor: 'é' is no cursor"),
    ],
)
def test_what_cannot_be_asked_for_is_said(
    engine: sa.Engine, listing: Callable[..., Any], wanted: Any, how: dict[str, Any], said: str
) -> None:
    with engine.connect() as connection, pytest.raises(InvalidConfiguration) as raised:
        listing(connection, wanted, now=NOW, **how)
    assert str(raised.value).startswith(said)


def test_a_place_of_the_first_year_is_looked_for_once(engine: sa.Engine) -> None:
    cursor = cursor_of(Place(datetime(1, 1, 2, tzinfo=UTC), 5))
    with engine.connect() as connection:
        assert commerce_events(connection, CommerceEventFilter(), now=NOW, cursor=cursor).rows == ()


def test_rows_say_what_they_are_about(world: sa.Engine) -> None:
    with world.connect() as connection:
        (newest, *_) = raw_events(connection, RawEventFilter(site_id=2), now=NOW).rows
        assert (newest.id, newest.outcome, newest.topic, newest.is_kept) == (400, "waiting", "orders/edited", True)
        old = raw_events(connection, RawEventFilter(until=NOW.replace(year=NOW.year - 1)), now=NOW).rows
        assert all(not row.is_kept and row.topic is None for row in old)
        (refused, *_) = uploads(connection, UploadFilter(state="rejected"), now=NOW).rows
        assert refused.reason == "ConversionUploadError.EXPIRED_EVENT"
        withheld = custom_events(connection, CustomEventFilter(state="withheld", site_id=2), now=NOW).rows
        assert {(row.reason, row.upload_state, row.upload_reason) for row in withheld} == {
            ("consent_denied", "withheld", "consent_denied")
        }
        unmatched = [
            row
            for row in custom_events(connection, CustomEventFilter(), now=NOW, limit=500).rows
            if row.upload_state == "unmatched"
        ]
        assert unmatched
