"""What all bodies of an order say of consent together decides, in whatever order and batches they come."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.pipeline.rematch.run import Rules, Scope, rematch
from custom_events.pipeline.rematch.stored import Cause
from custom_events.queries import understanding
from custom_events.values.definitions import ConsentNeeded
from custom_events.values.reasons import Reason

InWorld = Callable[[Callable[[Any], Any]], None]
WORDS = ("granted", "denied", None)
LEDGER = """
SELECT state, reason, ad_user_data, ad_personalization, email_sha256 IS NOT NULL FROM app.conversion_uploads WHERE site_id = $1
"""
KEPT = "SELECT ad_user_data, ad_personalization FROM app.order_consents WHERE site_id = $1"
SITES = count()


class Said(NamedTuple):
    """What one body says of ad_user_data and of ad_personalization."""

    data: str | None
    ads: str | None


class Story(NamedTuple):
    """Bodies of one order, the first of which shows it paid; where it goes, and whether it has a click."""

    words: list[Said]
    country: str
    click: bool


stories = st.builds(
    Story,
    st.lists(st.builds(Said, st.sampled_from(WORDS), st.sampled_from(WORDS)), min_size=1, max_size=4),
    st.sampled_from(["DE", "US"]),
    st.booleans(),
)


def body(order: Any, noon: datetime, story: Story, place: int) -> dict[str, Any]:
    """The order as it is `place` hours after it was paid."""
    said = story.words[place]
    answers = {"ad_user_data": said.data, "ad_personalization": said.ads}
    stated = ", ".join(f'"{name}": "{word}"' for name, word in answers.items() if word)
    attributes = [{"name": "_ce_consent", "value": f"{{{stated}}}"}] if stated else []
    if story.click:
        attributes.append({"name": "gclid", "value": "Cj0KCQ-test-1"})
    return order(
        1,
        note_attributes=attributes,
        shipping_address={"country_code": story.country},
        updated_at=(noon + timedelta(hours=place)).isoformat(),
    )


def counts(words: list[str | None]) -> str:
    """Of several answers the one that counts."""
    return "denied" if "denied" in words else "granted" if "granted" in words else "unknown"


def expected(needed: ConsentNeeded, story: Story) -> tuple[Any, ...]:
    """State, reason, both answers, and whether hashes are there to be sent. Of what is withheld nothing goes, so only why matters."""
    data, ads = counts([said.data for said in story.words]), counts([said.ads for said in story.words])
    if data == "denied":
        return "withheld", "consent_denied", data, None, None
    if data == "granted" or needed is ConsentNeeded.NOT_DENIED:
        return "queued", None, data, ads, True
    if needed is ConsentNeeded.GRANTED:
        return "withheld", "consent_unknown", data, None, None
    if story.country == "US":
        return "queued", None, data, ads, True
    if needed is ConsentNeeded.GRANTED_IN_EUROPE or not story.click:
        return "held", "consent_unknown_in_europe", data, ads, True
    return "queued", None, data, ads, False


async def site_of(world: Any, needed: ConsentNeeded) -> int:
    number = next(SITES)
    site = world.site(f"shop{number}")
    world.rule(site, f"purchase{number}", ads_action=world.action(str(1_000 + number)), consent_needed=needed)
    return site


async def ledger(world: Any, site: int) -> tuple[Any, ...]:
    ((state, reason, data, ads, hashes),) = await world.rows(LEDGER, site)
    return (state, reason, data, None, None) if state == "withheld" else (state, reason, data, ads, hashes)


def test_any_order_and_any_batching_ends_the_same(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        loop = asyncio.get_running_loop()

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        @given(stories, st.sampled_from(ConsentNeeded), st.data())
        def law(story: Story, needed: ConsentNeeded, data: st.DataObject) -> None:
            bodies = data.draw(st.permutations([body(order, noon, story, place) for place in range(len(story.words))]))
            ends = {*data.draw(st.sets(st.integers(1, len(bodies)))), len(bodies)}
            again = data.draw(st.sampled_from([None, *Rules]))

            async def run() -> None:
                site = await site_of(world, needed)
                for place, one in enumerate(bodies, start=1):
                    world.land(site, "orders/updated", one)
                    if place in ends:
                        await world.batch()
                assert await ledger(world, site) == expected(needed, story)
                if again is not None:
                    scope = Scope(site, Cause(Reason.INVALIDATED_BY_REPLAY, "replay:1"), order_id="1")
                    configuration = await world.cache.current(world.connection)
                    await rematch(world.connection, configuration, [scope], datetime.now(UTC), rules=again)
                    assert await ledger(world, site) == expected(needed, story)

            asyncio.run_coroutine_threadsafe(run(), loop).result()

        await asyncio.to_thread(law)

    in_world(test)


@pytest.mark.parametrize("word", [*WORDS])
def test_an_order_whose_bodies_agree_has_no_row_of_its_own(
    in_world: InWorld, order: Any, noon: datetime, word: str | None
) -> None:
    async def test(world: Any) -> None:
        site = await site_of(world, ConsentNeeded.CLICK_ONLY_IN_EUROPE)
        story = Story([Said(word, word)] * 3, "DE", click=True)
        for place in range(3):
            world.land(site, "orders/updated", body(order, noon, story, place))
            if place:
                await world.batch()
        assert await world.rows(KEPT, site) == []
        assert await world.rows("SELECT ad_user_data, ad_personalization FROM app.orders") == [(word, word)]

    in_world(test)


def test_what_is_kept_says_when_and_by_whom(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = await site_of(world, ConsentNeeded.CLICK_ONLY_IN_EUROPE)
        story = Story([Said("granted", None), Said(None, None), Said("denied", None)], "DE", click=True)
        for place in range(3):
            world.land(site, "orders/updated", body(order, noon, story, place))
            await world.batch()
        rows = await world.rows(
            "SELECT site_id, order_id, ad_user_data, ad_personalization, said_at FROM app.order_consents"
        )
        assert rows == [(site, "1", "denied", "unknown", noon + timedelta(hours=2))]
        assert (
            await world.value("SELECT written_by = pg_current_xact_id()::text::bigint FROM app.order_consents") is False
        )

    in_world(test)


def test_an_event_of_the_order_that_says_nothing_goes_by_the_order_s_consent(in_world: InWorld, noon: datetime) -> None:
    """A sender who names the customer with a refund, and not what the customer said."""

    async def test(world: Any) -> None:
        site = world.site("own", "custom")
        world.rule(site, "refund", trigger=["order.refunded"], ads_action=world.action(), value={"source": "none"})
        at = noon.isoformat()
        paid = {"type": "order.paid", "id": "1", "occurred_at": at, "consent": {"ad_user_data": "denied"}}
        paid |= {"order": {"id": "A", "created_at": at, "paid_at": at, "currency": "EUR", "total": "10.00"}}
        refund = {
            "type": "order.refunded",
            "id": "2",
            "occurred_at": at,
            "customer": {"id": "7", "email": "x@example.org"},
        }
        refund |= {"refund": {"id": "R", "order_id": "A", "amount": "10.00", "currency": "EUR"}}
        for one in (paid, refund):
            world.land(site, one["type"], one)
            await world.batch()
        assert await ledger(world, site) == ("withheld", "consent_denied", "denied", None, None)
        assert await world.rows(KEPT, site) == [("denied", "unknown")]

    in_world(test)


def test_the_billing_that_named_the_order_before_it_came_hears_of_its_consent(
    in_world: InWorld, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site("own", "custom")
        world.rule(site, "renewal", trigger=["subscription.renewed"], ads_action=world.action())
        at = noon.isoformat()
        renewed = {
            "type": "subscription.renewed",
            "occurred_at": at,
            "customer": {"id": "7", "email": "x@example.org"},
            "subscription": {"id": "S", "order_id": "A", "amount": "10.00", "currency": "EUR"},
        }
        order = {"id": "A", "created_at": at, "updated_at": at, "paid_at": at, "currency": "EUR", "total": "10.00"}
        with_order = renewed | {"id": "2", "order": order, "consent": {"ad_user_data": "denied"}}
        for one in (renewed | {"id": "1"}, with_order):
            world.land(site, one["type"], one)
            await world.batch()
        assert await ledger(world, site) == ("withheld", "consent_denied", "denied", None, None)

    in_world(test)


STARTED = {"trigger": ["subscription.started"], "value": {"source": "fixed", "fixed": "5", "currency": "EUR"}}


def start_of(noon: datetime) -> dict[str, Any]:
    """A WooCommerce subscription, whose body says nothing of consent."""
    return {
        "id": 12,
        "parent_id": 11,
        "status": "active",
        "currency": "EUR",
        "start_date_gmt": f"{noon:%Y-%m-%dT%H:%M:%S}",
        "date_modified_gmt": f"{noon:%Y-%m-%dT%H:%M:%S}",
        "total": "32.00",
        "customer_id": 5,
        "billing": {"email": "person5@example.org", "country": "DE"},
        "billing_period": "month",
        "billing_interval": "1",
    }


def first_order_of(noon: datetime, word: str | None) -> dict[str, Any]:
    """The order by which it was bought, whose body does."""
    at = f"{noon:%Y-%m-%dT%H:%M:%S}"
    answer = [{"id": 1, "key": "consent_ad_user_data", "value": word}] if word else []
    return {
        "id": 11,
        "number": "11",
        "status": "processing",
        "total": "32.00",
        "currency": "EUR",
        "date_created_gmt": at,
        "date_modified_gmt": at,
        "date_paid_gmt": at,
        "payment_method": "card",
        "customer_id": 5,
        "billing": {"email": "person5@example.org", "country": "DE"},
        "meta_data": answer,
        "line_items": [{"id": 1, "product_id": 9, "quantity": 1, "subtotal": "32.00", "total": "32.00"}],
        "refunds": [],
    }


@pytest.mark.parametrize("needed", ConsentNeeded)
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("is_first", [True, False], ids=["subscription first", "order first"])
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one by one"])
def test_a_subscription_goes_by_the_consent_of_the_order_that_began_it(
    in_world: InWorld, noon: datetime, needed: ConsentNeeded, word: str | None, is_first: bool, at_once: bool
) -> None:
    async def test(world: Any) -> None:
        site = world.site(platform="woocommerce")
        world.rule(site, "started", **STARTED, consent_needed=needed, ads_action=world.action())
        bodies = [("subscription.created", start_of(noon)), ("order.created", first_order_of(noon, word))]
        for topic, one in bodies if is_first else reversed(bodies):
            world.land(site, topic, one)
            if not at_once:
                await world.batch()
        if at_once:
            await world.batch()
        assert await ledger(world, site) == expected(needed, Story([Said(word, None)], "DE", click=False))

    in_world(test)


@pytest.mark.parametrize("is_first", [True, False], ids=["subscription first", "order first"])
def test_a_rule_that_is_new_goes_by_what_the_order_said_before(
    in_world: InWorld, noon: datetime, is_first: bool
) -> None:
    """Nothing waited for the answer when it came, so that only the order has kept it."""

    async def test(world: Any) -> None:
        site = world.site(platform="woocommerce")
        world.rule(site, "churn", trigger=["subscription.cancelled"])
        bodies = [("subscription.created", start_of(noon)), ("order.created", first_order_of(noon, "denied"))]
        for topic, one in bodies if is_first else reversed(bodies):
            world.land(site, topic, one)
            await world.batch()
        world.rule(site, "started", **STARTED, consent_needed=ConsentNeeded.NOT_DENIED, ads_action=world.action())
        scope = Scope(site, Cause(Reason.INVALIDATED_BY_REPLAY, "replay:1"), order_id="11")
        configuration = await world.cache.current(world.connection)
        await rematch(world.connection, configuration, [scope], datetime.now(UTC), rules=Rules.PUBLISHED)
        assert await ledger(world, site) == ("withheld", "consent_denied", "denied", None, None)

    in_world(test)


def test_a_conversion_that_somebody_held_meanwhile_learns_of_a_refusal_and_stays_held(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    """Who holds it decides when it goes on; the claim withholds it then."""

    async def test(world: Any) -> None:
        site = await site_of(world, ConsentNeeded.NOT_DENIED)
        world.land(site, "orders/updated", body(order, noon, Story([Said("granted", None)], "DE", click=True), 0))
        await world.batch()
        (read,) = await world.rows("SELECT created_at, id, state, reason FROM app.conversion_uploads")
        await world.connection.execute("UPDATE app.conversion_uploads SET state = 'held', reason = 'held_by_hand'")
        now = datetime.now(UTC)
        answer = ("denied", "denied", None, None, "withheld", "consent_denied", "Refused", now, now, now)
        await world.connection.execute(understanding.ANSWER_CONSENT, *read, *answer)
        assert await ledger(world, site) == ("held", "held_by_hand", "denied", "denied", False)

    in_world(test)
