"""Pages of a list, one after the other, are what reading everything and filtering it gives, in its order."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.browse import raw_events as raw
from custom_events.browse import walk
from custom_events.browse.commerce_events import CommerceEventFilter, commerce_events
from custom_events.browse.custom_events import CustomEventFilter, custom_events
from custom_events.browse.pages import Page
from custom_events.browse.raw_events import RawEventFilter, raw_events
from custom_events.browse.refused_events import RefusedEventFilter, refused_events
from custom_events.browse.uploads import UploadFilter, uploads
from custom_events.values.conversions import UNMATCHED_REASONS
from custom_events.values.time_order import TimeOrder
from tests.browse.conftest import NOW

LIMIT = 23
LONG_AGO, LATELY = NOW - timedelta(days=200), NOW - timedelta(days=3)
RAW = """
SELECT e.id, e.received_at AS at, e.site_id, coalesce(o.outcome, 'waiting') AS outcome, o.reason, r.topic
FROM (SELECT id, received_at, landed_week, site_id FROM landing.raw_events UNION SELECT raw_id, received_at, landed_week, site_id FROM app.raw_outcomes) e
LEFT JOIN app.raw_outcomes o ON o.raw_id = e.id LEFT JOIN landing.raw_events r ON r.id = e.id
"""
CUSTOM = """
SELECT id, occurred_at AS at, site_id, assignment_id, order_id, customer_key, 1 AS definition_id,
  CASE WHEN withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN withheld_reason IS NOT NULL THEN 'withheld' ELSE 'queued' END AS state,
  CASE WHEN withdrawn_at IS NOT NULL THEN withdrawn_reason ELSE withheld_reason END AS reason FROM app.custom_events
"""
UPLOADS = f"""
SELECT id, created_at AS at, site_id, assignment_id, ads_account_id AS account_id, ads_action_id AS action_id, kind, order_id, reason,
  CASE WHEN state IN ('accepted', 'rejected') AND reason = ANY(ARRAY{list(UNMATCHED_REASONS)}) THEN 'unmatched' ELSE state END AS state
FROM app.conversion_uploads
"""
COMMERCE = "SELECT id, occurred_at AS at, site_id, type, order_id, customer_key, is_undone FROM app.commerce_events"
REFUSED = "SELECT id, received_at AS at, site_id, platform, reason, topic FROM landing.refused_events"

CASES: dict[str, tuple[Callable[..., Page[Any]], str, list[Any]]] = {
    "raw events": (
        raw_events,
        RAW,
        [
            RawEventFilter(),
            RawEventFilter(site_id=2),
            RawEventFilter(outcome="waiting"),
            RawEventFilter(outcome="waiting", site_id=2, topic="orders/edited"),
            RawEventFilter(outcome="parked"),
            RawEventFilter(outcome="parked", site_id=1, reason="odd_1"),
            RawEventFilter(outcome="ignored", topic="orders/edited"),
            RawEventFilter(topic="orders/edited", site_id=1),
            RawEventFilter(since=LONG_AGO, until=LATELY),
            RawEventFilter(since=LATELY, site_id=1),
        ],
    ),
    "commerce events": (
        commerce_events,
        COMMERCE,
        [
            CommerceEventFilter(),
            CommerceEventFilter(site_id=2),
            CommerceEventFilter(site_id=2, type="order.refunded", since=LONG_AGO),
            CommerceEventFilter(type="order.refunded"),
            CommerceEventFilter(is_undone=True),
            CommerceEventFilter(is_undone=False, site_id=1, until=LONG_AGO),
            CommerceEventFilter(site_id=2, order_id="7"),
            CommerceEventFilter(site_id=1, customer_key="c:100", since=LATELY),
            CommerceEventFilter(site_id=1, customer_key="c:101"),
        ],
    ),
    "custom events": (
        custom_events,
        CUSTOM,
        [
            CustomEventFilter(),
            CustomEventFilter(state="withdrawn"),
            CustomEventFilter(state="withdrawn", site_id=1, reason="invalidated_by_correction"),
            CustomEventFilter(state="withheld"),
            CustomEventFilter(state="withheld", site_id=2),
            CustomEventFilter(state="queued", site_id=2, until=LATELY),
            CustomEventFilter(assignment_id=99),
            CustomEventFilter(assignment_id=99, state="withdrawn"),
            CustomEventFilter(definition_id=1, since=LONG_AGO),
            CustomEventFilter(definition_id=1, site_id=3),
            CustomEventFilter(site_id=2, order_id="7"),
            CustomEventFilter(site_id=2, order_id="8"),
            CustomEventFilter(site_id=2, customer_key="c:0"),
            CustomEventFilter(reason="consent_denied"),
        ],
    ),
    "uploads": (
        uploads,
        UPLOADS,
        [
            UploadFilter(),
            UploadFilter(state="accepted"),
            UploadFilter(state="accepted", account_id=2, kind="conversion"),
            UploadFilter(state="unmatched"),
            UploadFilter(state="unmatched", site_id=1),
            UploadFilter(state="rejected", account_id=1),
            UploadFilter(state="rejected", reason="ConversionUploadError.EXPIRED_EVENT", site_id=3),
            UploadFilter(state="withheld", account_id=1, site_id=1),
            UploadFilter(state="expired"),
            UploadFilter(state="queued"),
            UploadFilter(state="queued", account_id=3),
            UploadFilter(state="held", site_id=3),
            UploadFilter(state="claimed"),
            UploadFilter(kind="restatement"),
            UploadFilter(site_id=1, action_id=1, assignment_id=1, since=LONG_AGO, until=LATELY),
            UploadFilter(reason="consent_denied"),
            UploadFilter(reason="split", account_id=2),
            UploadFilter(site_id=2, order_id="40"),
            UploadFilter(site_id=2, order_id="40", state="accepted", account_id=2),
            UploadFilter(site_id=2, order_id="40", reason="x"),
        ],
    ),
    "refused events": (
        refused_events,
        REFUSED,
        [
            RefusedEventFilter(),
            RefusedEventFilter(site_id=1),
            RefusedEventFilter(platform="woocommerce"),
            RefusedEventFilter(reason="too_old", topic="t1", since=LATELY),
        ],
    ),
}


def fits(row: Any, wanted: Any) -> bool:
    asked = {name: getattr(wanted, name) for name in wanted.__struct_fields__ if name not in ("since", "until")}
    in_time = (wanted.since is None or row["at"] >= wanted.since) and (wanted.until is None or row["at"] < wanted.until)
    return in_time and all(value is None or row[name] == value for name, value in asked.items())


def paged(connection: sa.Connection, listing: Callable[..., Page[Any]], wanted: Any, order: TimeOrder) -> list[int]:
    """The numbers of all rows, read in small pages."""
    found: list[int] = []
    cursor, previous = None, None
    for _ in range(2_000):
        page = listing(connection, wanted, now=NOW, cursor=cursor, limit=LIMIT, order=order)
        found += [row.id for row in page.rows]
        if page.total is not None:
            previous = page.total
        assert page.searched_until is None or len(page.rows) < LIMIT
        assert page.next_cursor != cursor or cursor is None
        cursor = page.next_cursor
        if cursor is None:
            assert previous in (None, len(found))
            return found
    raise AssertionError("the pages have no end")


@pytest.mark.parametrize(
    ("scanned", "order"),
    [(40, TimeOrder.NEWEST), (10_000, TimeOrder.NEWEST), (40, TimeOrder.OLDEST), (10_000, TimeOrder.OLDEST)],
)
def test_pages_together_are_the_whole(
    world: sa.Engine, scanned: int, order: TimeOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of pages that read so little that they come out short."""
    for module in (walk, raw):
        monkeypatch.setattr(module, "SCANNED", scanned)
    monkeypatch.setattr(raw, "_JITTER", 3)
    empty: list[Any] = []
    with world.connect() as connection:
        for listing, everything, filters in CASES.values():
            rows = connection.execute(sa.text(everything)).mappings().all()
            rows = sorted(rows, key=lambda row: (row["at"], row["id"]), reverse=order is TimeOrder.NEWEST)
            for wanted in filters:
                expected = [row["id"] for row in rows if fits(row, wanted)]
                assert paged(connection, listing, wanted, order) == expected, wanted
                if not expected:
                    empty.append(wanted)
    assert len(empty) <= 5, empty
