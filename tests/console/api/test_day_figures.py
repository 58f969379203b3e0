"""Today beside last week, who went quiet, how the ledger goes: counted as they stand, of the sites that whoever asks may see."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from custom_events.ledger import progress
from custom_events.queries import tallies
from custom_events.watching import day_figures
from tests.console.api.conftest import problem
from tests.console.api.ledger_rows import upload
from tests.console.api.raw_rows import parked_delivery
from tests.console.api.shared_world import admin, app, client, database, engine, settings, world
from tests.console.api.world import World

__all__ = ["admin", "app", "client", "database", "engine", "settings", "world"]  # fixtures

NOON = datetime(2024, 11, 27, 12, tzinfo=UTC)  # a Wednesday, long before what the world has
WEEK = timedelta(days=7)
_EVENT = sa.text(
    "INSERT INTO app.commerce_events (occurred_at, site_id, type, key, evidence_at, order_id, is_test, facts)"
    " VALUES (:at, :site, 'order.paid', :key, :at, 'o', false, '{}')"
)
_ACCOUNT = sa.text("INSERT INTO app.ads_accounts (customer_id, name, lane) VALUES (:customer_id, 'A', 'google_ads')")
_CALL = sa.text(
    "INSERT INTO app.upload_requests (ads_account_id, lane, kind, rows, intent_at)"
    " SELECT id, 'google_ads', 'conversions', 1, :at FROM app.ads_accounts WHERE customer_id = :customer_id"
)


def ask(client: httpx.Client, path: str, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/api/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_today_is_counted_as_far_as_now_and_so_is_the_day_a_week_ago(world: World) -> None:
    with world.engine.begin() as connection:
        for at, state in (
            (NOON - timedelta(hours=1), "accepted"),
            (NOON - timedelta(hours=2), "accepted"),
            (NOON + timedelta(hours=1), "accepted"),  # it is not later than now
            (NOON - WEEK - timedelta(hours=1), "rejected"),
            (NOON - WEEK + timedelta(hours=1), "rejected"),  # nor is this
            (NOON - timedelta(hours=13), "expired"),  # yesterday
        ):
            upload(connection, world.mine.id, "t", created_at=at, state=state, reason=None)
        found = day_figures.today(connection, now=NOON, site_id=world.mine.id)
        elsewhere = day_figures.today(connection, now=NOON, site_id=world.theirs.id)
        everywhere = day_figures.today(connection, now=NOON)
    counts = {one.name: (one.today, one.week_ago) for one in found.conversions}
    assert counts == {"accepted": (2, 0), "rejected": (0, 1)}
    assert elsewhere.conversions == ()
    assert everywhere.conversions == found.conversions
    assert found.week_ago_until == NOON - WEEK


def test_a_day_begins_at_the_sites_own_midnight_also_where_clocks_change(world: World) -> None:
    now = datetime(2026, 10, 28, 12, tzinfo=UTC)  # clocks went back on the 25th
    with world.engine.connect() as connection:
        found = day_figures.today(connection, now=now, site_id=world.mine.id, time_zone="Europe/Berlin")
    assert found.since == datetime(2026, 10, 27, 23, tzinfo=UTC)
    assert found.week_ago_since == datetime(2026, 10, 20, 22, tzinfo=UTC)
    assert found.week_ago_until == datetime(2026, 10, 21, 11, tzinfo=UTC)


def test_the_api_counts_what_landed_and_what_was_made(admin: httpx.Client, world: World) -> None:
    with world.engine.begin() as connection:
        parked_delivery(connection, world.mine.id, b'{"id": 9}', "malformed")
    found = ask(admin, "figures/today", site_id=world.mine.id)
    assert {one["name"] for one in found["deliveries"]} == {"parked"}
    assert ask(admin, "figures/today")["site_id"] is None
    problem(admin.get("/api/v1/figures/today?site_id=0"), 422)


def test_who_went_quiet_is_named_with_the_last_sign_of_life(world: World) -> None:
    with world.engine.begin() as connection:
        for site, at in (
            (world.mine.id, NOON - timedelta(days=3)),
            (world.mine.id, NOON - timedelta(days=2)),
            (world.theirs.id, NOON - timedelta(hours=1)),
        ):
            connection.execute(_EVENT, {"site": site, "at": at, "key": f"order.paid:{at}"})
        connection.execute(_ACCOUNT, {"customer_id": "3333333333"})
        connection.execute(_CALL, {"at": NOON - timedelta(days=2), "customer_id": "3333333333"})
        found = day_figures.quiet(connection, now=NOON, after=timedelta(days=1))
        later = day_figures.quiet(connection, now=NOON, after=timedelta(days=2, hours=1))
        long_ago = day_figures.quiet(
            connection, now=NOON + day_figures.NO_NEWS - timedelta(hours=2), after=timedelta(days=1)
        )
        connection.execute(_CALL, {"at": NOON, "customer_id": "3333333333"})
        again = day_figures.quiet(connection, now=NOON, after=timedelta(days=1), with_accounts=True)
    assert [(site.name, site.last_at) for site in found.sites] == [("Mine", NOON - timedelta(days=2))]
    assert [(account.lane, account.last_at) for account in found.accounts] == [("google_ads", NOON - timedelta(days=2))]
    assert (later.sites, later.accounts) == ((), ())
    assert [site.site_id for site in long_ago.sites] == [world.theirs.id]
    assert again.accounts == ()


def test_accounts_are_told_to_whoever_sees_all_sites(client: httpx.Client, world: World) -> None:
    with world.engine.begin() as connection:
        connection.execute(_ACCOUNT, {"customer_id": "4444444444"})
        connection.execute(_CALL, {"at": datetime.now(UTC) - timedelta(days=3), "customer_id": "4444444444"})
    client.headers.update(world.headers("viewer of mine"))
    assert ask(client, "figures/quiet")["accounts"] == []
    client.headers.update(world.headers("viewer"))
    assert len(ask(client, "figures/quiet", hours=48)["accounts"]) == 1
    problem(client.get("/api/v1/figures/quiet?hours=0"), 422)


def test_what_waits_is_counted_and_what_of_it_is_nearly_too_late(admin: httpx.Client, world: World) -> None:
    soon = datetime.now(UTC) + timedelta(hours=20)
    with world.engine.begin() as connection:
        late = upload(connection, world.mine.id, "a", state="held", reason="delay", deadline_at=soon)
        upload(connection, world.mine.id, "b", state="held", reason="delay")
        upload(connection, world.theirs.id, "c", state="unknown", reason="no_answer", deadline_at=soon)
        upload(connection, world.mine.id, "d", state="accepted", deadline_at=soon)
    mine = ask(admin, "figures/uploads", site_id=world.mine.id)
    assert (mine["waiting"], mine["expiring"], mine["weeks"]) == ({"held": 2, "queued": 1}, 1, [])
    everywhere = ask(admin, "figures/uploads")
    assert (everywhere["waiting"]["unknown"], everywhere["expiring"]) == (1, 2)
    before = (soon + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    listed = ask(admin, "uploads", deadline_before=before, site_id=world.mine.id)["items"]
    assert [row["reference"] for row in listed] == [late]
    assert ask(admin, "uploads", deadline_before=before, state="accepted")["items"] == []
    assert len(ask(admin, "uploads", deadline_before=before)["items"]) == 2


def test_weeks_say_what_became_of_conversions(engine: sa.Engine, world: World) -> None:
    monday = datetime(2024, 6, 10, 12, tzinfo=UTC)
    with engine.begin() as connection:
        for at, state, reason in (
            (monday, "accepted", None),
            (monday, "accepted", "ConversionUploadError.CLICK_NOT_FOUND"),
            (monday, "rejected", "EXPIRED_EVENT"),
            (monday + WEEK * 2, "withheld", "consent_denied"),
            (monday + WEEK * 2, "sent", None),
            (monday - WEEK * 40, "accepted", None),  # too long ago to be shown
        ):
            upload(connection, world.mine.id, "w", created_at=at, state=state, reason=reason)
    with engine.begin() as connection:
        tallies.fold(connection)
        found = progress.weeks(connection, monday + WEEK * 2)
        assert progress.weeks(connection, monday + WEEK * 60) == (
            progress.UploadWeek(week=(monday + WEEK * 60).date()),
        )
    counts = {week.week: (week.accepted, week.unmatched, week.rejected, week.withheld, week.waiting) for week in found}
    first = monday.date()
    assert counts[first] == (1, 1, 1, 0, 0)
    assert counts[first + WEEK] == (0, 0, 0, 0, 0)
    assert counts[first + WEEK * 2][3:] == (1, 1)
    by_week = {week.week: week.success for week in found}
    assert by_week[first] == pytest.approx(1 / 3)
    assert by_week[first + WEEK] is None
