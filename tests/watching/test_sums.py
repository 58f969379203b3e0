"""received = landed + refused, and on to Google's answer: the sums agree, or say where they do not."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from custom_events.ledger.adjustments import adjust
from custom_events.watching.equations import Sums, gaps
from custom_events.watching.sums import reasons, sums

InWorld = Callable[[Callable[[Any], Awaitable[None]]], None]


def filled(in_world: InWorld, order: Any) -> int:
    """A site with two orders understood, one parked and one waiting; two repeats, three refusals."""
    sites: list[int] = []

    async def fill(world: Any) -> None:
        site = world.site()
        sites.append(site)
        world.rule(site, ads_action=world.action())
        world.rule(site, "recorded")
        for number in (1, 2):
            world.land(site, "orders/paid", order(number))
        world.land(site, "orders/paid", b"{")
        await world.batch()
        world.land(site, "orders/paid", order(3))
        await world.connection.execute(
            "INSERT INTO landing.duplicate_deliveries (received_at, site_id, topic, dedup_key)"
            f" SELECT now(), {site}, 'orders/paid', '\\x00' FROM generate_series(1, 2);"
            "INSERT INTO landing.refused_events (received_at, site_id, reason)"
            f" SELECT now(), {site}, 'wrong_signature' FROM generate_series(1, 3);"
            "INSERT INTO landing.receipts (at, received, landed, duplicates, refused) VALUES (now(), 9, 4, 2, 3)"
        )

    in_world(fill)
    return sites[0]


def test_the_sums_of_a_world_agree(in_world: InWorld, order: Any, engine: sa.Engine) -> None:
    site = filled(in_world, order)
    with engine.connect() as connection:
        found = sums(connection)
        of_site = sums(connection, site_id=site)
        later = sums(connection, since=datetime.now(UTC) + timedelta(hours=1))
        by_reason = reasons(connection)
    assert found.agree, found.gaps
    assert (found.received, found.landed, found.refused) == (9, 6, 3)
    assert (found.understood, found.parked, found.to_understand) == (2, {"unreadable_body": 1}, 1)
    assert found.ignored == {"duplicate_delivery": 2}
    assert (found.matched, found.queued, found.withheld) == (4, 2, {"no_ads_action": 2})
    assert (by_reason.parked, by_reason.withheld) == (found.parked, found.withheld)
    assert (found.waiting, found.accepted, found.rejected, found.expired, found.unknown) == (2, 0, 0, 0, 0)
    assert of_site.agree
    assert (of_site.received, of_site.refused_by_reason) == (9, {"wrong_signature": 3})
    assert later.agree
    assert later.landed == 0


@pytest.mark.parametrize(
    ("loss", "word"),
    [
        ("DELETE FROM landing.raw_events WHERE id = (SELECT min(id) FROM landing.raw_events)", "received"),
        ("DELETE FROM app.raw_outcomes WHERE outcome = 'parked'", "landed"),
        ("DELETE FROM app.conversion_uploads WHERE state = 'queued'", "matched"),
    ],
)
def test_a_lost_row_shows_as_a_gap(in_world: InWorld, order: Any, engine: sa.Engine, loss: str, word: str) -> None:
    filled(in_world, order)
    with engine.begin() as connection:
        connection.execute(sa.text(loss))
        found = sums(connection)
    assert not found.agree
    assert found.gaps[0].startswith(word)


@pytest.mark.parametrize(
    ("lie", "what", "words"),
    [
        (
            "UPDATE app.custom_events SET withheld_reason = 'value_unknown' WHERE order_id = '1'",
            "withheld",
            "are withheld",
        ),
        (
            "UPDATE app.custom_events SET withheld_reason = NULL WHERE order_id = '1' AND withheld_reason IS NOT NULL",
            "queued",
            "were queued",
        ),
        ("UPDATE app.custom_events SET currency = 'USD' WHERE order_id = '1'", "currency", "another currency"),
        ("UPDATE app.custom_events SET value = value + 1 WHERE order_id = '1'", "value", "another value"),
        ("UPDATE app.custom_events SET value = NULL WHERE order_id = '1'", "value", "another value"),
    ],
)
def test_a_custom_event_that_contradicts_its_conversion_is_a_gap(
    in_world: InWorld, order: Any, engine: sa.Engine, lie: str, what: str, words: str
) -> None:
    site = filled(in_world, order)
    with engine.begin() as connection:
        connection.execute(sa.text(lie))
        found, of_site = sums(connection), sums(connection, site_id=site)
        elsewhere, later = sums(connection, site_id=site + 1), sums(connection, datetime.now(UTC) + timedelta(hours=1))
    assert found.contradictions == of_site.contradictions == {what: 1}
    (gap,) = found.gaps
    assert gap.startswith("matched: 1 custom events")
    assert words in gap
    assert elsewhere.contradictions == later.contradictions == {}


def test_what_became_of_an_order_explains_another_value(in_world: InWorld, order: Any, engine: sa.Engine) -> None:
    """Refunds lower a conversion before it is sent, in full they withhold it; the custom event keeps what its rule said."""

    async def fill(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        for number, amount in ((1, "30.00"), (2, "100.00"), (3, None)):
            given = {
                "id": number,
                "created_at": None,
                "transactions": [{"kind": "refund", "status": "success", "amount": amount}],
            }
            world.land(site, "orders/paid", order(number))
            await world.batch()
            if amount is not None:
                world.land(
                    site, "orders/updated", order(number, refunds=[given], financial_status="partially_refunded")
                )
                await world.batch()

    in_world(fill)
    with engine.begin() as connection:
        adjust(connection, datetime.now(UTC))
        rows = connection.execute(
            sa.text(
                "SELECT m.withheld_reason, m.value::float, u.state, u.value::float FROM app.custom_events m"
                " JOIN app.conversion_uploads u ON u.id = m.upload_id ORDER BY m.order_id"
            )
        ).all()
        found = sums(connection)
    assert [tuple(row) for row in rows] == [
        (None, 100, "queued", 70),
        (None, 100, "withheld", 100),
        (None, 100, "queued", 100),
    ]
    assert found.contradictions == {}


def test_each_sum_has_its_sentence() -> None:
    off = Sums(received=1, landed=3, matched=4, queued=7, accepted=2)
    assert [gap.split()[0] for gap in gaps(off)] == ["received", "landed", "matched", "queued"]
    assert gaps(off)[3] == (
        "queued 7 is +5 away from accepted 2 + unmatched 0 + rejected 0 + expired 0 + unknown 0 + waiting 0"
    )
    assert gaps(msgspec.structs.replace(off, received=3, landed=3, understood=3, matched=7, unknown=5)) == []


def test_without_since_only_weeks_whose_bodies_are_kept_count(in_world: InWorld, order: Any, engine: sa.Engine) -> None:
    filled(in_world, order)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO landing.receipts (at, received, landed, duplicates, refused) VALUES (now() - interval '200 days', 5, 5, 0, 0)"
            )
        )
        found = sums(connection)
    assert found.agree, found.gaps
    assert found.since is not None
    assert found.since.weekday() == 0
