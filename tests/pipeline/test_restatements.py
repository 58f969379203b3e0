"""A delivery that says what its order says already moves clocks, and nothing is otherwise than if it had been understood."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events import secrets
from custom_events.pipeline import restatements
from custom_events.pipeline.requeue import requeue
from custom_events.platforms.registry import PLATFORMS
from custom_events.queries import redaction, retention
from custom_events.redaction import key
from custom_events.values.beacons import MECHANISM
from custom_events.values.deliveries import Outcome, Platform
from tests.world import NOON, paid_order

InWorld = Callable[[Callable[[Any], Any]], None]
HEADERS = {
    "x-shopify-topic": "orders/updated",
    "x-shopify-triggered-at": NOON.isoformat(),
    "x-shopify-webhook-id": "b1d7f2b0-0000-4000-8000-000000000000",
    "x-shopify-event-id": "b1d7f2b0-0000-4000-8000-000000000001",
}
SAID = "SELECT said_digest IS NOT NULL, state_at FROM app.orders WHERE order_id = $1"


def compact(body: dict[str, Any]) -> bytes:
    """As Shopify writes it."""
    return json.dumps(body, separators=(",", ":")).encode()


def changed(hours: float, number: int = 1, **fields: Any) -> bytes:
    """An order that was changed so long after it was made."""
    return compact({**paid_order(number), "updated_at": (NOON + timedelta(hours=hours)).isoformat(), **fields})


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What was found of each delivery that was compared with its order."""
    verdicts: list[bool] = []
    compare = restatements.Restatements.says_the_same

    def compared(self: Any, *args: Any) -> bool:
        verdicts.append(compare(self, *args))
        return verdicts[-1]

    monkeypatch.setattr(restatements.Restatements, "says_the_same", compared)
    return verdicts


async def batches(world: Any, *deliveries: tuple[int, bytes]) -> None:
    """A batch for each."""
    for site, body in deliveries:
        world.land(site, "orders/updated", body, headers=HEADERS)
        await world.batch()


def test_the_third_body_of_an_order_moves_its_clocks(in_world: InWorld, known: list[bool]) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        await batches(world, (site, changed(1)), (site, changed(2)))
        before = await world.everything()
        assert await world.rows(SAID, "1") == [(True, NOON + timedelta(hours=2))]
        await batches(world, (site, changed(5)), (site, changed(5)), (site, changed(4)))
        assert known == [False, True, True, True], "the last one is older, and understood"
        assert await world.rows(SAID, "1") == [(True, NOON + timedelta(hours=5))]
        after = await world.everything()
        assert {name: rows for name, rows in after.items() if name != "orders"} == {
            name: rows for name, rows in before.items() if name != "orders"
        }
        assert await world.rows("SELECT outcome, reason, new_events FROM app.raw_outcomes ORDER BY raw_id") == [
            ("understood", None, 2),
            *[("understood", None, 0)] * 4,
        ]

    in_world(test)


@pytest.mark.parametrize(
    "fields",
    [
        {"total_price": "80.00"},
        {"tags": "vip"},
        {"customer": {"id": 8, "email": "person8@example.org"}},
        {"financial_status": "voided"},
        {"refunds": [{"id": 5, "created_at": NOON.isoformat(), "transactions": []}]},
    ],
)
def test_a_body_that_says_something_else_is_understood(
    in_world: InWorld, known: list[bool], fields: dict[str, Any]
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        await batches(world, (site, changed(1)), (site, changed(2)), (site, changed(3, **fields)))
        assert known == [False, False]

    in_world(test)


def test_times_of_changes_elsewhere_in_the_body_count_for_nothing(in_world: InWorld, known: list[bool]) -> None:
    def bought(hours: float) -> bytes:
        at = (NOON + timedelta(hours=hours)).isoformat()
        return changed(hours, customer={"id": 7, "email": "person7@example.org", "updated_at": at})

    async def test(world: Any) -> None:
        site = world.site()
        await batches(world, *((site, bought(hours)) for hours in (1, 2, 3)))
        assert known == [False, True]

    in_world(test)


def test_with_another_body_of_its_order_it_is_understood(in_world: InWorld, known: list[bool]) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        await batches(world, (site, changed(1)), (site, changed(2)))
        for body in (changed(5), changed(4, total_price="80.00"), changed(5, number=2)):
            world.land(site, "orders/updated", body, headers=HEADERS)
        await world.batch()
        assert known == [False, True, False]
        assert await world.rows("SELECT order_id, total, state_at FROM app.orders ORDER BY 1") == [
            ("1", 100, NOON + timedelta(hours=5)),
            ("2", 100, NOON + timedelta(hours=5)),
        ]
        assert await world.rows(
            "SELECT outcome, new_events FROM app.raw_outcomes WHERE raw_id > 2 ORDER BY raw_id"
        ) == [
            ("understood", 0),
            ("understood", 0),
            ("understood", 2),
        ]

    in_world(test)


@pytest.mark.parametrize("how", ["put back", "paused", "beacon", "settings", "rule", "another row"])
def test_what_else_counts(in_world: InWorld, known: list[bool], how: str) -> None:
    """Put back to be understood again; whatever understanding knows besides the body; somebody who changed the row."""

    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        await batches(world, (site, changed(1)), (site, changed(2)), (site, changed(3)))
        assert known == [False, True]
        execute = world.connection.execute
        if how == "put back":
            assert await requeue(world.connection, outcome=Outcome.UNDERSTOOD) == 3
            await world.batch()
            assert known == [False, True]
            assert await world.rows(SAID, "1") == [(True, NOON + timedelta(hours=3))]
            return
        if how == "paused":
            await execute("UPDATE app.sites SET is_active = false")
        elif how == "beacon":
            world.land(site, "collect", {"order_id": "77", "clicks": []}, headers={MECHANISM: "collect"})
            await world.batch()
        elif how == "settings":
            await execute('UPDATE app.sites SET settings = \'{"default_country": "FR"}\'')
        elif how == "rule":
            world.rule(site, conditions={"field": "note_attributes.updated_at", "op": "=", "value": "x"})
        else:
            await execute("UPDATE app.orders SET customer_key = NULL, number = NULL")
        await batches(world, (site, changed(4)))
        assert known in ([False, True], [False, True, False], [False, True, True])
        assert (known == [False, True, True]) == (how == "beacon"), "taken back when the whole batch is known"
        assert await world.rows(SAID, "1") == [
            (how in ("settings", "another row", "beacon"), NOON + timedelta(hours=4))
        ]

    in_world(test)


def test_a_site_that_has_forgotten_somebody_understands_everything(in_world: InWorld, known: list[bool]) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        await batches(world, (site, changed(1)), (site, changed(2)))
        with world.engine.begin() as connection:
            key.ensure(connection, secrets.key(world.settings))
            connection.exec_driver_sql(
                "INSERT INTO app.forgotten_subjects (site_id, kind, digest, until, raw_id) VALUES (%s, 'email', decode(repeat('00', 16), 'hex'), now(), 1)",
                (site,),
            )
        await batches(world, (site, changed(3)))
        assert known == [False]

    in_world(test)


def test_who_is_forgotten_leaves_no_digest(in_world: InWorld) -> None:
    """By retention, and by a request."""

    async def test(world: Any) -> None:
        site = world.site()
        await batches(world, *((site, changed(hours, number)) for number in (1, 2) for hours in (1, 2)))
        assert await world.value("SELECT count(said_digest) FROM app.orders") == 2
        with world.engine.begin() as connection:
            renamed = {"site": site, "old": ["1"], "new": ["redacted:1"]}
            connection.execute(redaction.REDACT_ORDERS, renamed)
        assert await world.rows("SELECT order_id FROM app.orders WHERE said_digest IS NOT NULL") == [("2",)]
        with world.engine.begin() as connection:
            later = datetime.now(UTC) + timedelta(days=400)
            connection.execute(retention.FORGET_CUSTOMERS, {"cutoff": later, "rows": 10})
        assert await world.value("SELECT count(said_digest) FROM app.orders") == 0

    in_world(test)


# ---------------------------------------------------------------- the law
NUMBERS = count(1)
ROWS = {
    "keys": "SELECT key, occurred_at, evidence_at, parts FROM app.event_keys WHERE site_id = $1 ORDER BY 1",
    "events": """
SELECT key, occurred_at, evidence_at, order_id, customer_key, amount, currency, is_test, is_undone, packed,
  regexp_replace(facts::text, '"raw_id":[0-9]+', '', 'g') FROM app.commerce_events WHERE site_id = $1 ORDER BY 1""",
    "orders": """
SELECT (to_jsonb(o) - 'site_id' - 'said_digest' - 'updated_at')::text FROM app.orders o WHERE site_id = $1 ORDER BY order_id""",
    "refunds": "SELECT (to_jsonb(r) - 'site_id')::text FROM app.order_refunds r WHERE site_id = $1 ORDER BY 1",
    "customers": "SELECT customer_key, first_seen_at, email_sha256, phone_sha256 FROM app.customers WHERE site_id = $1 ORDER BY 1",
    "clicks": "SELECT (to_jsonb(c) - 'site_id')::text FROM app.clicks c WHERE site_id = $1 ORDER BY 1",
    "consents": """
SELECT order_id, ad_user_data, ad_personalization, said_at, source FROM app.order_consents WHERE site_id = $1 ORDER BY 1""",
    "value changes": "SELECT order_id FROM app.value_changes WHERE site_id = $1 ORDER BY 1",
    "custom events": """
SELECT e.dedup_key, e.order_id, e.value, e.currency, e.withheld_reason, e.withdrawn_reason, u.state, u.reason, u.value, u.click_id, u.email_sha256,
  u.ad_user_data, u.ad_personalization FROM app.custom_events e LEFT JOIN app.conversion_uploads u ON u.custom_event_id = e.id
WHERE e.site_id = $1 ORDER BY 1, 2, e.id""",
    "outcomes": "SELECT outcome, reason, detail, new_events FROM app.raw_outcomes WHERE site_id = $1 ORDER BY raw_id",
}
CONSENTS = [None, None, "granted", "denied"]
STATUSES = ["paid", "paid", "paid", "pending", "voided", "refunded"]


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Topic and fields of an order's body without its clock."""
    topic = draw(
        st.sampled_from(["orders/updated", "orders/updated", "orders/paid", "orders/fulfilled", "orders/cancelled"])
    )
    consent, number = draw(st.sampled_from(CONSENTS)), draw(st.sampled_from([1, 1, 1, 2]))
    attributes = [{"name": "gclid", "value": f"Cj0KCQ-test-{number}"}] if draw(st.booleans()) else []
    if consent is not None:
        attributes.append({"name": "consent_ad_user_data", "value": consent})
    fields: dict[str, Any] = {
        "number": number,
        "financial_status": draw(st.sampled_from(STATUSES)),
        "total_price": draw(st.sampled_from(["100.00", "80.00"])),
        "customer": {"id": draw(st.sampled_from([7, 7, 8])), "email": "person@example.org"},
        "note_attributes": attributes,
    }
    rare = draw(st.integers(0, 11))
    if rare == 0:
        refund = {"id": 5, "transactions": [{"kind": "refund", "status": "success", "amount": "30.00"}]}
        fields["refunds"] = [{**refund, "created_at": (NOON + timedelta(hours=1)).isoformat()}]
    elif rare == 1:
        fields["test"] = True
    elif rare == 2:
        fields["source_name"] = "subscription_contract"
    elif rare == 3:
        fields["total_tax"] = "none"  # an odd leaf
    elif rare == 4:
        fields["cancelled_at"] = (NOON + timedelta(hours=1)).isoformat()
    return topic, fields


@st.composite
def histories(draw: st.DrawFn) -> list[list[tuple[str, bytes]]]:
    """Batches of deliveries, most of which repeat a few bodies under other clocks, and now and then something else about the same orders;
    an empty topic puts everything back to be understood again."""
    pool = draw(st.lists(bodies(), min_size=1, max_size=2))
    others: list[tuple[str, dict[str, Any]]] = [
        ("orders/delete", {"id": 1}),
        ("refunds/create", {"id": 6, "order_id": 1, "created_at": NOON.isoformat(), "transactions": []}),
        (
            "subscription_billing_attempts/success",
            {"subscription_contract_id": 70, "order_id": 1, "idempotency_key": "a"},
        ),
        ("", {}),
    ]

    def body(place: int, hours: int) -> tuple[str, bytes]:
        topic, fields = pool[place]
        return topic, changed(hours, **fields)

    history = [[body(0, 0)], [body(0, 1)]]
    for _ in range(draw(st.integers(2, 5))):
        batch: list[tuple[str, bytes]] = []
        for _ in range(draw(st.integers(1, 3))):
            if draw(st.integers(0, 9)) == 0:
                topic, other = draw(st.sampled_from(others))
                batch.append((topic, compact(other)))
                continue
            batch.append(body(draw(st.integers(0, len(pool) - 1)), draw(st.sampled_from([0, 1, 2, 3, 4]))))
        history.append(batch)
    return history


async def rows_after(world: Any, history: list[list[tuple[str, bytes]]]) -> dict[str, list[tuple[Any, ...]]]:
    """What a new site has when these batches are done."""
    site = world.site(f"law{next(NUMBERS)}")
    for config in ({}, {"consent_needed": "granted"}, {"trigger": ["order.created", "order.refunded"]}):
        world.rule(site, ads_action=world.action(), **config)
    for batch in history:
        for topic, body in batch:
            if topic:
                world.land(
                    site, topic, body, headers={"x-shopify-topic": topic, "x-shopify-triggered-at": NOON.isoformat()}
                )
            else:
                await requeue(world.connection, outcome=Outcome.UNDERSTOOD, site_id=site)
        while (await world.batch()).raw:
            pass
    return {name: await world.rows(query, site) for name, query in ROWS.items()}


def test_any_sequence_of_deliveries_gives_the_same_rows_without_the_digest(in_world: InWorld) -> None:
    compare = restatements.Restatements.says_the_same
    recognised: list[bool] = []

    async def test(world: Any) -> None:
        loop = asyncio.get_running_loop()

        @settings(
            max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
        )
        @given(histories())
        def law(history: list[list[tuple[str, bytes]]]) -> None:
            def compared(self: Any, *args: Any) -> bool:
                verdict = compare(self, *args)
                recognised.append(verdict)
                return verdict

            async def both() -> tuple[Any, Any]:
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(restatements.Restatements, "says_the_same", compared)
                    short = await rows_after(world, history)
                    patch.setattr(restatements.Restatements, "says_the_same", lambda *_: False)
                    return short, await rows_after(world, history)

            short, whole = asyncio.run_coroutine_threadsafe(both(), loop).result()
            assert short == whole

        await asyncio.to_thread(law)

    in_world(test)
    assert any(recognised), "no example had a restatement"


def test_the_clock_of_a_body_is_the_stores_in_utc() -> None:
    at = datetime(2026, 11, 1, 12, tzinfo=UTC)
    reader = PLATFORMS[Platform.SHOPIFY].restatements
    assert reader is not None
    assert reader.clock(compact({"id": 1, "updated_at": "2026-11-01T13:00:00+01:00"})) == at
