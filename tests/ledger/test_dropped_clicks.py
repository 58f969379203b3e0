"""A click id that is none: hashed e-mail or phone go alone, and the row says so."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from custom_events.values.clicks import Click, ClickKind, to_json
from custom_events.values.conversions import Lane
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import ADS_CUSTOMER, DM_CUSTOMER, Ledger

HASH = "a" * 64
BAD = "EAIaIQobChMIxxxxxxxx"  # readable as text, no click id
WORST = "no click id, but a sentence"


@pytest.fixture(params=list(Lane))
def lane(request: Any) -> Lane:
    return request.param


def run(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    for _ in range(4):
        ledger.settle(lanes)
        ledger.clock.forward(minutes=35)
    ledger.settle(lanes)


@pytest.mark.parametrize("click_id", [BAD, WORST])
def test_the_hashes_go_alone(
    ledger: Ledger,
    lanes: dict[Lane, Any],
    lane: Lane,
    google: SandboxGoogle,
    at_google: Callable[..., Any],
    click_id: str,
) -> None:
    upload = ledger.order(order_id="A", lane=lane, click_id=click_id, email_sha256=HASH)
    run(ledger, lanes)
    row = ledger.upload(upload)
    assert row.state == "accepted"
    assert "it goes with hashed e-mail or phone alone" in row.click_dropped
    assert row.click_id == click_id
    assert at_google() == {"A": 100.0}
    (conversion,) = google.state.conversions
    assert (conversion.click_id, conversion.user_identifiers, conversion.kind) == (None, 1, "user")


def test_the_deadline_becomes_that_of_user_data(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    upload = ledger.order(click_id=BAD, email_sha256=HASH, deadline_at=ledger.clock() + timedelta(days=80))
    run(ledger, lanes)
    row = ledger.upload(upload)
    assert row.deadline_at == row.conversion_at + timedelta(days=63)


def test_without_hashes_it_is_refused(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    bad, worst = ledger.order(click_id=BAD), ledger.order(click_id=WORST)
    run(ledger, lanes)
    assert ledger.upload(bad).reason == "ConversionUploadError.UNPARSEABLE_GCLID"
    assert (ledger.upload(worst).state, ledger.upload(worst).reason) == ("withheld", "click_id_malformed")
    assert ledger.upload(bad).click_dropped is None


def test_a_poison_click_among_many_is_found_and_left_out(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    """The Data Manager names no row: it is found in parts, and then goes without its click id."""
    uploads = ledger.orders(20, Lane.DATA_MANAGER, email_sha256=HASH)
    ledger.do("UPDATE app.conversion_uploads SET click_id = :c WHERE id = :u", c=BAD, u=uploads[7])
    for _ in range(8):
        ledger.settle(lanes)
        ledger.clock.forward(minutes=31)
    assert ledger.states() == {"accepted": 20}
    assert [row.id for row in ledger.rows("SELECT id FROM app.conversion_uploads WHERE click_dropped IS NOT NULL")] == [
        uploads[7]
    ]


def test_a_refund_of_it_is_adjusted_by_its_order_id(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, lane: Lane, at_google: Callable[..., Any]
) -> None:
    google.state.matched_users.add(HASH)
    ledger.order(order_id="A", lane=lane, click_id=BAD, phone_sha256=HASH)
    run(ledger, lanes)
    ledger.refund("A", "30.00")
    run(ledger, lanes)
    assert at_google() == {"A": 70.0}


# -- Several click ids --------------------------------------------------------------------------------------------------


def others(*clicks: tuple[Any, ...]) -> str:
    """What `other_clicks` of a row holds."""
    return to_json([Click(kind=ClickKind(kind), id=click_id, clicked_at=at) for kind, click_id, at in clicks])


def customer_of(lane: Lane) -> str:
    return ADS_CUSTOMER if lane is Lane.GOOGLE_ADS else DM_CUSTOMER


def foreign(ledger: Ledger, lane: Lane) -> str:
    """A click of an account that is not ours."""
    return ledger.gclid(DM_CUSTOMER if lane is Lane.GOOGLE_ADS else ADS_CUSTOMER)


@pytest.mark.parametrize("fault", ["unparseable", "malformed", "of another account"])
def test_the_next_click_id_is_tried_before_the_hashes(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, google: SandboxGoogle, fault: str
) -> None:
    bad = {"unparseable": BAD, "malformed": WORST, "of another account": foreign(ledger, lane)}[fault]
    good, at = ledger.gclid(customer_of(lane)), ledger.clock() - timedelta(hours=30)
    upload = ledger.order(
        order_id="A", lane=lane, click_id=bad, clicked_at=None, email_sha256=HASH, other_clicks=others(("gclid", good, at))
    )  # fmt: skip
    run(ledger, lanes)
    row = ledger.upload(upload)
    assert (row.state, row.click_id, row.clicked_at, row.other_clicks, row.click_dropped) == (
        "accepted",
        good,
        at,
        None,
        None,
    )
    assert row.deadline_at == at + timedelta(days=90)
    (conversion,) = google.state.conversions
    assert conversion.click_id == good
    if fault != "malformed":  # our own check is no attempt
        said = [one.sentence for one in ledger.rows("SELECT sentence FROM app.upload_attempts ORDER BY at")]
        assert any("the next of its click ids is tried" in (sentence or "") for sentence in said)


def test_after_the_last_click_id_the_hashes_go_alone(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, google: SandboxGoogle
) -> None:
    upload = ledger.order(
        lane=lane, click_id=BAD, clicked_at=None, email_sha256=HASH,
        other_clicks=others(("gclid", BAD + "a", None), ("gclid", BAD + "b", None)),
    )  # fmt: skip
    for _ in range(3):
        run(ledger, lanes)
    row = ledger.upload(upload)
    assert (row.state, row.click_id, row.other_clicks) == ("accepted", BAD + "b", None)
    assert "hashed e-mail or phone alone" in row.click_dropped
    (conversion,) = google.state.conversions
    assert (conversion.click_id, conversion.kind) == (None, "user")


def test_a_conversion_without_hashes_tries_its_click_ids_too(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane
) -> None:
    good = ledger.gclid(customer_of(lane))
    upload = ledger.order(lane=lane, click_id=BAD, clicked_at=None, other_clicks=others(("gclid", good, None)))
    bad = ledger.order(lane=lane, click_id=BAD, clicked_at=None, other_clicks=others(("gclid", BAD + "a", None)))
    for _ in range(3):
        run(ledger, lanes)
    assert (ledger.upload(upload).state, ledger.upload(upload).click_id) == ("accepted", good)
    assert (ledger.upload(bad).state, ledger.upload(bad).click_id) == ("rejected", BAD + "a")


def test_another_kind_of_click_id_takes_its_place(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    braid = ledger.gclid(kind="gbraid")
    upload = ledger.order(click_id=BAD, clicked_at=None, other_clicks=others(("gbraid", braid, None)))
    run(ledger, lanes)
    assert (ledger.upload(upload).state, ledger.upload(upload).click_kind) == ("accepted", "gbraid")
    assert [one.click_id for one in google.state.conversions] == [braid]


def test_click_ids_that_are_too_old_by_now_are_left_out(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    old, good = ledger.clock() - timedelta(days=91), ledger.gclid()
    kept = ledger.order(
        click_id=BAD, clicked_at=None, other_clicks=others(("gclid", BAD + "a", old), ("gclid", good, None))
    )  # fmt: skip
    alone = ledger.order(
        click_id=BAD, clicked_at=None, email_sha256=HASH, other_clicks=others(("gclid", BAD + "a", old))
    )
    run(ledger, lanes)
    assert (ledger.upload(kept).state, ledger.upload(kept).click_id) == ("accepted", good)
    assert ledger.upload(alone).click_dropped.endswith("it goes with hashed e-mail or phone alone")
    assert ledger.upload(alone).state == "accepted"


def test_a_click_that_our_own_checks_find_too_old_gives_way(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    old, good = ledger.clock() - timedelta(days=85), ledger.gclid()
    ledger.do("UPDATE app.ads_actions SET click_window_days = 30")
    upload = ledger.order(click_id=ledger.gclid(), clicked_at=old, other_clicks=others(("gclid", good, None)))
    run(ledger, lanes)
    assert (ledger.upload(upload).state, ledger.upload(upload).click_id) == ("accepted", good)


def test_a_refund_goes_with_the_click_id_that_was_taken(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, at_google: Callable[..., Any]
) -> None:
    good = ledger.gclid(customer_of(lane))
    ledger.order(order_id="A", lane=lane, click_id=BAD, clicked_at=None, other_clicks=others(("gclid", good, None)))
    run(ledger, lanes)
    ledger.refund("A", "30.00")
    run(ledger, lanes)
    assert at_google() == {"A": 70.0}
    assert [row.click_id for row in ledger.of_order("A")] == [good, good]


def test_a_request_that_is_refused_as_a_whole_drops_nobodys_click(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    """One poison among many: the others keep the click ids they have, though they have more."""
    uploads = ledger.orders(
        6, Lane.DATA_MANAGER, email_sha256=HASH, other_clicks=others(("gclid", ledger.gclid(DM_CUSTOMER), None))
    )
    first = {row.id: row.click_id for row in ledger.rows("SELECT id, click_id FROM app.conversion_uploads")}
    ledger.do("UPDATE app.conversion_uploads SET click_id = :c WHERE id = :u", c=BAD, u=uploads[4])
    for _ in range(7):
        ledger.settle(lanes)
        ledger.clock.forward(minutes=31)
    rows = {row.id: row for row in ledger.rows("SELECT * FROM app.conversion_uploads")}
    assert {row.state for row in rows.values()} == {"accepted"}
    assert all(rows[one].click_id == first[one] for one in uploads if one != uploads[4])
