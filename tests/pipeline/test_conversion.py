"""Queued, held until when, or withheld and why."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.matching.match import Match
from custom_events.pipeline import conversion
from custom_events.pipeline.conversion import AdsAction, Draft
from custom_events.values.clicks import Click, ClickKind, ConsentStatus
from custom_events.values.conversions import UploadState
from custom_events.values.definitions import Assignment, DefinitionConfig
from custom_events.values.deliveries import Platform, SiteContext, TransactionIds
from custom_events.values.events import CommerceEvent, Customer, EventType, Order, Refund
from custom_events.values.reasons import Reason

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
NOW = AT + timedelta(days=1)
GCLID = Click(kind=ClickKind.GCLID, id="Cj0KCQ")
GBRAID = Click(kind=ClickKind.GBRAID, id="0AAAAA")
ACTION = AdsAction(id=1, ads_account_id=1)


def event(*clicks: Click, email: str | None = None, **fields: Any) -> CommerceEvent:
    return CommerceEvent(
        **{
            "type": EventType.ORDER_PAID,
            "key": "order.paid:1",
            "occurred_at": AT,
            "evidence_at": AT,
            "order": Order(id="1", created_at=AT, updated_at=AT),
            "clicks": clicks,
            "customer": Customer(email_sha256=email) if email else None,
            **fields,
        }
    )


def match(found: CommerceEvent, **fields: Any) -> Match:
    config = DefinitionConfig(trigger=(EventType.ORDER_PAID,), ads_action="1234567890/1")
    assignment = Assignment(
        assignment_id=1,
        site_id=1,
        label="",
        definition_key="purchase",
        definition_revision_id=1,
        assignment_revision_id=1,
        config=config,
        ads_account_id=1,
        ads_action_id=1,
    )
    return Match(
        **{
            "assignment": assignment,
            "event_key": found.key,
            "dedup_key": "o:1",
            "value": Decimal(10),
            "currency": "EUR",
            "occurred_at": found.occurred_at,
            "order_id": found.order_id,
            "customer_key": None,
            "consent": ConsentStatus.GRANTED,
            "click": found.clicks[0] if found.clicks else None,
            "withheld": None,
            "not_before": found.occurred_at,
            **fields,
        }
    )


def drafted(found: CommerceEvent, action: AdsAction | None = ACTION, now: datetime = NOW, **fields: Any) -> Draft:
    return conversion.draft(match(found, **fields), found, action, now)


def test_a_conversion_with_a_click_is_queued_at_once() -> None:
    found = drafted(event(GCLID))
    assert (found.state, found.reason, found.not_before) == (UploadState.QUEUED, None, NOW)
    assert found.deadline_at == AT + timedelta(days=90)
    assert found.transaction_id == "1-1"


@pytest.mark.parametrize(
    ("fields", "action", "reason"),
    [
        ({"withheld": Reason.CONSENT_DENIED}, ACTION, "consent_denied"),
        ({}, None, Reason.UNKNOWN_ADS_ACTION),
        ({"currency": None}, ACTION, Reason.NO_CURRENCY),
    ],
)
def test_withheld_with_the_reason(fields: dict[str, Any], action: AdsAction | None, reason: str) -> None:
    found = drafted(event(GCLID), action, **fields)
    assert (found.state, found.reason) == (UploadState.WITHHELD, reason)
    assert found.sentence


def test_no_value_needs_no_currency() -> None:
    assert drafted(event(GCLID), value=None, currency=None).state is UploadState.QUEUED


def test_one_per_click_action_takes_no_braid() -> None:
    strict = AdsAction(id=1, ads_account_id=1, one_per_click=True)
    assert drafted(event(GBRAID, GCLID), strict).click == GCLID
    assert drafted(event(GBRAID), strict).reason == Reason.CLICK_NOT_TAKEN
    by_mail = drafted(event(GBRAID, email="a" * 64), strict)
    assert (by_mail.state, by_mail.click) == (UploadState.QUEUED, None)
    assert by_mail.deadline_at == AT + timedelta(days=63), "hashed data alone is taken for 63 days"


def test_the_action_s_window_may_be_shorter_than_the_assignment_s() -> None:
    click = Click(kind=ClickKind.GCLID, id="x", clicked_at=AT - timedelta(days=8))
    assert drafted(event(click), AdsAction(id=1, ads_account_id=1, click_window_days=30)).click == click
    assert (
        drafted(event(click), AdsAction(id=1, ads_account_id=1, click_window_days=7)).reason == Reason.CLICK_NOT_TAKEN
    )


def test_too_late_is_withheld_and_the_deadline_counts_from_the_click() -> None:
    click = Click(kind=ClickKind.GCLID, id="x", clicked_at=AT - timedelta(days=10))
    late = drafted(event(click), now=AT + timedelta(days=80))
    assert (late.state, late.reason) == (UploadState.WITHHELD, conversion.TOO_LATE)
    assert drafted(event(GCLID), now=AT + timedelta(days=80)).state is UploadState.QUEUED


@pytest.mark.parametrize(
    ("fields", "click", "made", "reason", "until"),
    [
        ({"not_before": NOW + timedelta(hours=2)}, GCLID, None, conversion.DELAY, NOW + timedelta(hours=2)),
        (
            {},
            Click(kind=ClickKind.GCLID, id="x", clicked_at=AT - timedelta(hours=1)),
            None,
            conversion.CLICK_TOO_RECENT,
            AT + timedelta(hours=5),
        ),
        ({}, GCLID, AT, conversion.ACTION_TOO_RECENT, AT + timedelta(hours=6)),
    ],
)
def test_held_until_the_latest_of_what_it_waits_for(
    fields: dict[str, Any], click: Click, made: datetime | None, reason: str, until: datetime
) -> None:
    now = min(until - timedelta(minutes=1), NOW)
    found = drafted(event(click), msgspec.structs.replace(ACTION, created_at=made), now=now, **fields)
    assert (found.state, found.reason, found.not_before) == (UploadState.HELD, reason, until)
    assert f"{until:%H:%M}" in (found.sentence or "")


def test_a_store_s_clock_that_runs_ahead_is_waited_for() -> None:
    found = drafted(event(GCLID), now=AT - timedelta(hours=1))
    assert (found.state, found.reason, found.not_before) == (UploadState.HELD, conversion.TIME_IN_FUTURE, AT)
    assert drafted(event(GCLID), now=AT - timedelta(minutes=4)).state is UploadState.QUEUED


@pytest.mark.parametrize("order_id", ["x" * 65, "anna@example.org", "+491701234567", "a\nb"])
def test_order_ids_that_google_would_refuse_become_digests(order_id: str) -> None:
    found = event(GCLID, order=Order(id=order_id, created_at=AT, updated_at=AT))
    key = conversion.transaction_id(1, found)
    assert key.startswith("ce-")
    assert len(key) == 27
    assert key == conversion.transaction_id(1, found), "always the same"


@pytest.mark.parametrize(
    ("ids", "number", "key"),
    [
        (TransactionIds.SITE_AND_ID, "#1001", "7-5"),
        (TransactionIds.ORDER_NUMBER, "#1001", "1001"),
        (TransactionIds.ORDER_NUMBER, None, "7-5"),
        (TransactionIds.ORDER_NUMBER, "#", "7-5"),
        (TransactionIds.ORDER_NUMBER, "3-1001", "7-5"),  # as of another site of ours
        (TransactionIds.ORDER_NUMBER, "a@b.example", "7-5"),
        (TransactionIds.BARE_ID, "#1001", "5"),
    ],
)
def test_ids_by_choice_of_the_site(ids: TransactionIds, number: str | None, key: str) -> None:
    sold = event(GCLID, order=Order(id="5", number=number, created_at=AT, updated_at=AT))
    assert conversion.transaction_id(7, sold, ids) == key


def test_a_change_of_the_choice_is_for_orders_made_after_it() -> None:
    site = SiteContext(
        site_id=1,
        platform=Platform.SHOPIFY,
        transaction_ids=TransactionIds.BARE_ID,
        transaction_ids_before=TransactionIds.ORDER_NUMBER,
        transaction_ids_since=AT,
    )
    assert site.transaction_ids_of(AT) is TransactionIds.BARE_ID
    assert site.transaction_ids_of(AT - timedelta(seconds=1)) is TransactionIds.ORDER_NUMBER


def test_events_that_happen_more_than_once_per_order_have_keys_of_their_own() -> None:
    def refund(refund_id: str) -> CommerceEvent:
        told = Refund(id=refund_id, order_id="1", amount=Decimal(1))
        return event(type=EventType.ORDER_REFUNDED, key=f"order.refunded:1:{refund_id}", refund=told)

    keys = {conversion.transaction_id(site, refund(number)) for site in (1, 2) for number in ("1", "2")}
    assert len(keys) == 4
    assert "1" not in keys


def test_what_waits_for_consent_is_held_until_its_deadline() -> None:
    found = drafted(event(GCLID), waits_for_consent=True)
    assert (found.state, found.reason) == (UploadState.HELD, conversion.CONSENT_UNKNOWN_IN_EUROPE)
    assert found.not_before == found.deadline_at == AT + timedelta(days=90)
    assert "held by the assignment's policy" in str(found.sentence)


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.text(min_size=1, max_size=70)), unique=True, min_size=2, max_size=6)
)
def test_no_two_orders_share_a_transaction_whichever_sites_they_are_of(orders: list[tuple[int, str]]) -> None:
    keys = {
        conversion.transaction_id(
            site, event(key=f"order.paid:{number}", order=Order(id=number, created_at=AT, updated_at=AT))
        )
        for site, number in orders
    }
    assert len(keys) == len(orders)
    assert all(1 <= len(key) <= 64 and "@" not in key for key in keys)
