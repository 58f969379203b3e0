"""A click id that is none: hashed e-mail or phone go alone, and the row says so."""

from datetime import timedelta

import pytest

from custom_events.values.conversions import Lane

HASH = "a" * 64
BAD = "EAIaIQobChMIxxxxxxxx"  # readable as text, no click id
WORST = "no click id, but a sentence"


@pytest.fixture(params=list(Lane))
def lane(request):
    return request.param


def run(ledger, lanes):
    for _ in range(4):
        ledger.settle(lanes)
        ledger.clock.forward(minutes=35)
    ledger.settle(lanes)


@pytest.mark.parametrize("click_id", [BAD, WORST])
def test_the_hashes_go_alone(ledger, lanes, lane, google, at_google, click_id):
    upload = ledger.order(order_id="A", lane=lane, click_id=click_id, email_sha256=HASH)
    run(ledger, lanes)
    row = ledger.upload(upload)
    assert row.state == "accepted"
    assert "it goes with hashed e-mail or phone alone" in row.click_dropped
    assert row.click_id == click_id
    assert at_google() == {"A": 100.0}
    (conversion,) = google.state.conversions
    assert (conversion.click_id, conversion.user_identifiers, conversion.kind) == (None, 1, "user")


def test_the_deadline_becomes_that_of_user_data(ledger, lanes):
    upload = ledger.order(click_id=BAD, email_sha256=HASH, deadline_at=ledger.clock() + timedelta(days=80))
    run(ledger, lanes)
    row = ledger.upload(upload)
    assert row.deadline_at == row.conversion_at + timedelta(days=63)


@pytest.mark.parametrize(
    "columns", [{}, {"email_sha256": HASH, "ad_user_data": "denied"}], ids=["no hashes", "consent denied"]
)
def test_without_hashes_that_may_go_it_is_refused(ledger, lanes, columns):
    bad, worst = ledger.order(click_id=BAD, **columns), ledger.order(click_id=WORST, **columns)
    run(ledger, lanes)
    assert ledger.upload(bad).reason == "ConversionUploadError.UNPARSEABLE_GCLID"
    assert (ledger.upload(worst).state, ledger.upload(worst).reason) == ("withheld", "click_id_malformed")
    assert ledger.upload(bad).click_dropped is None


def test_a_poison_click_among_many_is_found_and_left_out(ledger, lanes, google):
    """The Data Manager names no row: it is found in parts, and then goes without its click id."""
    uploads = ledger.orders(20, Lane.DATA_MANAGER, email_sha256=HASH)
    ledger.do("UPDATE app.conversion_uploads SET click_id = :c WHERE id = :u", c=BAD, u=uploads[7])
    for _ in range(8):
        ledger.settle(lanes, steps=80)
        ledger.clock.forward(minutes=31)
    assert ledger.states() == {"accepted": 20}
    assert [row.id for row in ledger.rows("SELECT id FROM app.conversion_uploads WHERE click_dropped IS NOT NULL")] == [
        uploads[7]
    ]


def test_a_refund_of_it_is_adjusted_by_its_order_id(ledger, lanes, lane, at_google):
    ledger.order(order_id="A", lane=lane, click_id=BAD, phone_sha256=HASH)
    run(ledger, lanes)
    ledger.refund("A", "30.00")
    run(ledger, lanes)
    assert at_google() == {"A": 70.0}
