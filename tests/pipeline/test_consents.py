"""Consent that nobody gave in Europe: held by the policy, and let go, or kept for good, when somebody says."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_events.ledger.adjustments import adjust
from custom_events.pipeline.rematch.run import Rules, Scope, rematch
from custom_events.pipeline.rematch.stored import Cause
from custom_events.postgres import connect
from custom_events.settings import Settings
from custom_events.values.reasons import Reason

InWorld = Callable[[Callable[[Any], Any]], None]
PROMPT = Settings(retract_cancelled_after_h=0, retract_payment_lost_after_h=0)
UPLOADS = "SELECT state, reason, ad_user_data FROM app.conversion_uploads ORDER BY sequence"
RETIRE = "UPDATE app.assignment_revisions SET state = 'retired', retired_at = now() WHERE assignment_id = $1"
REVISE = """
INSERT INTO app.assignment_revisions (assignment_id, number, state, overrides, author)
VALUES ($1, 2, 'published', '{"delay_minutes": 0}', 'test')
"""
GERMAN = {"shipping_address": {"country_code": "DE", "zip": "10115"}}


def said(word: str | None, minutes: int = 1) -> dict[str, Any]:
    """What a later body of the order says."""
    attributes = [{"name": "gclid", "value": "Cj0KCQ-test-1"}]
    if word is not None:
        attributes.append({"name": "_ce_consent", "value": f'{{"ad_user_data": "{word}"}}'})
    return {"note_attributes": attributes}


@pytest.mark.parametrize(
    ("word", "after"),
    [
        ("granted", ("queued", None, "granted")),
        ("denied", ("withheld", "consent_denied", "denied")),
        (None, ("held", "consent_unknown_in_europe", "unknown")),
    ],
)
@pytest.mark.parametrize("rules", Rules)
def test_what_was_said_stays_said_when_the_order_is_matched_again(
    in_world: InWorld, order: Any, word: Any, after: Any, rules: Rules
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action(), consent_needed="granted_in_europe")
        world.land(site, "orders/paid", order(1, **GERMAN))
        await world.batch()
        later = order(1, **GERMAN, **said(word)) | {"updated_at": "2030-01-01T00:00:00Z"}
        world.land(site, "orders/updated", later)
        await world.batch()
        assert await world.rows(UPLOADS) == [after]
        configuration = await world.cache.current(world.connection)
        scope = Scope(site, Cause(Reason.INVALIDATED_BY_REPLAY, "replay:1"), order_id="1")
        changes = await rematch(world.connection, configuration, [scope], datetime.now(UTC), rules=rules)
        assert (changes.judged, changes.any) == (1, False)
        assert await world.rows(UPLOADS) == [after]

    in_world(test)


@pytest.mark.parametrize(
    ("word", "after"),
    [
        ("granted", ("queued", None, "granted")),
        ("denied", ("withheld", "consent_denied", "denied")),
        (None, ("held", "consent_unknown_in_europe", "unknown")),
    ],
)
@pytest.mark.parametrize("at_once", [False, True], ids=["later", "in one batch"])
def test_what_comes_later_decides(in_world: InWorld, order: Any, word: Any, after: Any, at_once: bool) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action(), consent_needed="granted_in_europe")
        world.land(site, "orders/paid", order(1, **GERMAN))
        if not at_once:
            await world.batch()
            assert await world.rows(UPLOADS) == [("held", "consent_unknown_in_europe", "unknown")]
        later = order(1, **GERMAN, **said(word)) | {"updated_at": "2030-01-01T00:00:00Z"}
        world.land(site, "orders/updated", later)
        await world.batch()
        assert await world.rows(UPLOADS) == [after]

    in_world(test)


@pytest.mark.parametrize(
    ("word", "after"),
    [
        ("granted", ("queued", None, "granted")),
        ("denied", ("withheld", "consent_denied", "denied")),
        (None, ("held", "consent_unknown_in_europe", "unknown")),
    ],
)
@pytest.mark.parametrize("is_late", [False, True], ids=["said then", "said before"])
def test_what_is_said_while_the_order_is_cancelled_decides_when_it_is_taken_up_again(
    in_world: InWorld, order: Any, noon: datetime, word: Any, after: Any, is_late: bool
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action(), consent_needed="granted_in_europe")
        cancelled = {"cancelled_at": (noon + timedelta(hours=1)).isoformat(), "financial_status": "voided"}
        bodies = {0: said(None), 1: said(None) | cancelled, 2: said(word) | cancelled, 3: said(None)}
        if is_late:  # it was said before the order was cancelled, and comes later
            bodies = {0: said(None), 2: said(None) | cancelled, 1: said(word), 3: said(None)}
        for place, (hours, changes) in enumerate(bodies.items()):
            body = order(1, **GERMAN, **changes) | {"updated_at": (noon + timedelta(hours=hours)).isoformat()}
            world.land(site, "orders/updated", body | changes)
            await world.batch()
            await asyncio.to_thread(adjusted, world.url)
            if place == 1:
                assert (await world.rows(UPLOADS))[0][:2] == ("withheld", "fully_refunded_before_sending")
        assert (await world.rows(UPLOADS))[0] == after

    in_world(test)


def adjusted(url: str) -> None:
    """Bring changed values to the ledger."""
    engine = connect.engine(url)
    try:
        with engine.begin() as connection:
            while adjust(connection, datetime.now(UTC), PROMPT):
                pass
    finally:
        engine.dispose()


def test_a_yes_leaves_the_assignment_s_delay(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site, action, days = world.site(), world.action(), 20
        world.rule(site, "slow", ads_action=action, consent_needed="granted_in_europe", delay_minutes=days * 1_440)
        world.rule(site, "quick", ads_action=world.action("2"), consent_needed="granted_in_europe")
        now = await world.connection.fetchval("SELECT now()")
        world.land(site, "orders/paid", order(1, created_at=now.isoformat(), processed_at=now.isoformat(), **GERMAN))
        await world.batch()
        later = order(1, created_at=now.isoformat(), processed_at=now.isoformat(), **GERMAN, **said("granted"))
        world.land(site, "orders/updated", later | {"updated_at": "2030-01-01T00:00:00Z"})
        await world.batch()
        rows = await world.rows(
            "SELECT d.key, u.state, u.reason, u.sentence, u.not_before - u.conversion_at >= interval '20 days'"
            " FROM app.conversion_uploads u JOIN app.site_custom_events a ON a.id = u.assignment_id"
            " JOIN app.custom_event_definitions d ON d.id = a.definition_id ORDER BY 1 DESC"
        )
        ends = f"The assignment's delay ends: {now + timedelta(days=days):%Y-%m-%d %H:%M} UTC"
        assert rows == [("slow", "held", "delay", ends, True), ("quick", "queued", None, None, False)]

    in_world(test)


@pytest.mark.parametrize("what", ["paused", "revised", "retired"])
def test_the_delay_is_that_of_the_rule_that_decided(in_world: InWorld, order: Any, what: str) -> None:
    """Also where nobody uses the rule any more, or it says something else."""

    async def test(world: Any) -> None:
        site, days = world.site(), 20
        policy = {"consent_needed": "granted_in_europe", "delay_minutes": days * 1_440}
        assignment = world.rule(site, ads_action=world.action(), **policy)
        now = await world.connection.fetchval("SELECT now()")
        at = now.isoformat()
        world.land(site, "orders/paid", order(1, created_at=at, processed_at=at, **GERMAN))
        await world.batch()
        statements = {
            "paused": ["UPDATE app.site_custom_events SET is_active = false WHERE id = $1"],
            "retired": [RETIRE],
            "revised": [RETIRE, REVISE],
        }
        for statement in statements[what]:
            await world.connection.execute(statement, assignment)
        later = order(1, created_at=at, processed_at=at, **GERMAN, **said("granted"))
        world.land(site, "orders/updated", later | {"updated_at": "2030-01-01T00:00:00Z"})
        await world.batch()
        rows = await world.rows("SELECT state, reason, not_before - conversion_at FROM app.conversion_uploads")
        assert rows == [("held", "delay", timedelta(days=days))]

    in_world(test)


@pytest.mark.parametrize("clicked", ["click", "action"])
def test_a_yes_leaves_the_time_that_google_asks_for(in_world: InWorld, order: Any, clicked: str) -> None:
    """Six hours after a click, and after an action was made."""

    async def test(world: Any) -> None:
        site = world.site()
        now = await world.connection.fetchval("SELECT now()")
        hour = now - timedelta(hours=1)
        columns = {"action_created_at": hour} if clicked == "action" else {}
        action = world.action(**columns)
        world.rule(site, ads_action=action, consent_needed="granted_in_europe")
        clicks = [{"name": "gclid", "value": "Cj0KCQ-test-1"}]
        if clicked == "click":
            clicks.append({"name": "_ce_clicked_at", "value": hour.isoformat()})
        fields = {"created_at": now.isoformat(), "processed_at": now.isoformat(), **GERMAN}
        world.land(site, "orders/paid", order(1, **fields, note_attributes=clicks))
        await world.batch()
        assert [state for state, *_ in await world.rows(UPLOADS)] == ["held"]
        attributes = [*clicks, {"name": "_ce_consent", "value": '{"ad_user_data": "granted"}'}]
        later = order(1, **fields, note_attributes=attributes)
        world.land(site, "orders/updated", later | {"updated_at": "2030-01-01T00:00:00Z"})
        await world.batch()
        ((state, reason, until),) = await world.rows("SELECT state, reason, not_before FROM app.conversion_uploads")
        assert (state, reason) == ("held", f"{clicked}_too_recent")
        assert abs(until - hour - timedelta(hours=6)) < timedelta(seconds=1)

    in_world(test)


def test_a_yes_brings_the_hashes_that_the_policy_kept_back(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        world.land(site, "orders/paid", order(1, **GERMAN))
        await world.batch()
        hashes = "SELECT state, ad_user_data, email_sha256 IS NOT NULL FROM app.conversion_uploads"
        assert await world.rows(hashes) == [("queued", "unknown", False)]
        later = order(1, **GERMAN, **said("granted")) | {"updated_at": "2030-01-01T00:00:00Z"}
        world.land(site, "orders/updated", later)
        await world.batch()
        assert await world.rows(hashes) == [("queued", "granted", True)]

    in_world(test)


@pytest.mark.parametrize("first", ["granted", None], ids=["after a yes", "after silence"])
@pytest.mark.parametrize("rules", Rules)
def test_what_is_refused_before_it_was_sent_is_never_sent(
    in_world: InWorld, order: Any, first: str | None, rules: Rules
) -> None:
    """Whatever it waits for, and whatever comes after: another yes, another batch, or matching again."""

    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        world.land(site, "orders/paid", order(1, **said(first)))
        await world.batch()
        assert [state for state, *_ in await world.rows(UPLOADS)] == ["queued"]
        for number, word in enumerate(("denied", "granted"), start=1):
            later = order(1, **said(word)) | {"updated_at": f"2030-01-0{number}T00:00:00Z"}
            world.land(site, "orders/updated", later)
            await world.batch()
            assert await world.rows(UPLOADS) == [("withheld", "consent_denied", "denied")]
        configuration = await world.cache.current(world.connection)
        scope = Scope(site, Cause(Reason.INVALIDATED_BY_REPLAY, "replay:1"), order_id="1")
        changes = await rematch(world.connection, configuration, [scope], datetime.now(UTC), rules=rules)
        assert (changes.judged, changes.any) == (1, False)

    in_world(test)


@pytest.mark.parametrize("words", [("denied", "granted"), ("granted", "denied")])
def test_a_refusal_counts_in_whatever_order_a_batch_has_it(in_world: InWorld, order: Any, words: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        world.land(site, "orders/paid", order(1))
        for number, word in enumerate(words, start=1):
            later = order(1, **said(word)) | {"updated_at": f"2030-01-0{number}T00:00:00Z"}
            world.land(site, "orders/updated", later)
        await world.batch()
        assert await world.rows(UPLOADS) == [("withheld", "consent_denied", "denied")]

    in_world(test)


def test_what_is_at_google_is_not_taken_back_for_it(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        world.land(site, "orders/paid", order(1))
        await world.batch()
        await world.connection.execute("UPDATE app.conversion_uploads SET state = 'claimed', attempts = 1")
        world.land(site, "orders/updated", order(1, **said("denied")) | {"updated_at": "2030-01-01T00:00:00Z"})
        await world.batch()
        assert await world.rows(UPLOADS) == [("claimed", None, "unknown")]

    in_world(test)


def test_without_such_a_policy_nobody_is_asked(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        world.land(site, "orders/paid", order(1, **GERMAN, **said("granted")))
        await world.batch()
        assert await world.rows(UPLOADS) == [("queued", None, "granted")]

    in_world(test)


def test_the_click_goes_alone_and_the_rest_is_told(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        extra_data = {"customer_type": True, "app_sources": ["mobile"], "cart": {"merchant_id": "55"}}
        world.rule(site, ads_action=world.action(), consent_needed="click_only_in_europe", extra_data=extra_data)
        world.land(site, "orders/paid", order(1, **GERMAN, source_name="mobile"))
        await world.batch()
        (row,) = await world.rows(
            "SELECT state, click_id, email_sha256, new_customer, environment, cart::text FROM app.conversion_uploads"
        )
        assert row[:5] == ("queued", "Cj0KCQ-test-1", None, True, "app")
        assert '"id":"A-1","quantity":1,"unit_price":"100.00"' in row[5]

    in_world(test)
