"""The assets on a real database: what a run writes, what its page shows, and that the checks find a gap."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from assets import commerce_events, conversion_uploads, custom_events, figures, raw_events, sums
from custom_events.errors import Transient
from custom_events.settings import settings
from custom_events.watching.equations import lines
from custom_events.watching.sums import sums as counted

CHECKS = {
    "received": raw_events.received_is_landed_or_refused,
    "landed": commerce_events.landed_is_understood_parked_or_ignored,
    "matched": custom_events.matched_is_queued_or_withheld,
    "queued": conversion_uploads.queued_has_a_standing,
}


@pytest.fixture
def _short_runs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs end as soon as nothing waits."""
    monkeypatch.setenv("CUSTOM_EVENTS_DRAIN_IDLE_S", "0")
    settings.cache_clear()
    yield
    settings.cache_clear()


def run(assets: list[Any], database: str) -> dg.ExecuteInProcessResult:
    return dg.materialize(assets, resources={"database_url": dg.ResourceDefinition.hardcoded_resource(database)})


@pytest.mark.usefixtures("_short_runs")
def test_a_run_with_nothing_to_do_materializes_both_assets_with_their_figures(database: str) -> None:
    result = run([commerce_events.understand_and_match], database)
    assert result.success
    events = result.asset_materializations_for_node("drain_raw_events")
    assert [event.asset_key.to_user_string() for event in events] == ["commerce_events", "custom_events"]
    metadata = events[0].metadata
    assert metadata["this run: deliveries"].value == 0
    assert metadata["this run: deliveries in a second of work"].value == "-"
    assert metadata["landed, as in status"].value == "landed 0 = understood 0 + parked 0 + ignored 0 + waiting 0"


@pytest.mark.usefixtures("_short_runs")
def test_a_run_outlives_a_restart_of_the_database(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on in its own process: a new one would import for seconds, while deliveries wait."""
    drain, failures = commerce_events.drain_sync, [Transient("The database failed", 0.0)] * 2

    def failing_twice(*given: Any, **how: Any) -> Any:
        if failures:
            raise failures.pop()
        return drain(*given, **how)

    monkeypatch.setattr(commerce_events, "drain_sync", failing_twice)
    result = run([commerce_events.understand_and_match], database)
    assert result.success
    assert failures == []
    assert result.asset_materializations_for_node("drain_raw_events")


@pytest.mark.usefixtures("_short_runs")
def test_uploading_with_nothing_due_sends_nothing(database: str) -> None:
    result = run([conversion_uploads.conversion_uploads], database)
    (event,) = result.asset_materializations_for_node("conversion_uploads")
    assert event.metadata["this run: conversions and adjustments sent"].value == 0
    assert event.metadata["this run: requests"].value == 0
    assert event.metadata["this run: seconds of work"].value < settings().drain_limit_s


@pytest.mark.usefixtures("_short_runs")
def test_an_unreadable_body_is_drained_and_shown(engine: sa.Engine, database: str) -> None:
    with engine.begin() as connection:
        land_unreadable(connection)
    result = run([commerce_events.understand_and_match], database)
    metadata = result.asset_materializations_for_node("drain_raw_events")[0].metadata
    assert metadata["this run: deliveries"].value == 1
    assert "unreadable_body" in str(metadata["this run: parked or ignored, by reason"].value)
    with engine.connect() as connection:
        (line,) = (one for one in lines(counted(connection)) if one.name == "landed")
    assert (
        metadata["landed, as in status"].value
        == str(line)
        == "landed 1 = understood 0 + parked 1 + ignored 0 + waiting 0"
    )
    check = sums.check_result(database, "landed")
    assert {name: value.value for name, value in check.metadata.items()} == {"landed": 1, **line.parts}


@pytest.mark.parametrize("left_side", CHECKS)
def test_a_check_passes_where_the_sums_agree(left_side: str, database: str) -> None:
    result = sums.check_result(database, left_side)
    assert result.passed
    assert str(result.description).startswith(f"{left_side} 0 = ")
    assert str(result.description).endswith(" The sum agrees.")


def test_a_gap_fails_its_own_check_and_no_other(engine: sa.Engine, database: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO landing.receipts (at, received, landed, duplicates, refused) VALUES (:now, 3, 1, 0, 1)"
            ),
            {"now": datetime.now(UTC)},
        )
    failed = {name for name in CHECKS if not sums.check_result(database, name).passed}
    assert failed == {"received"}
    assert "received 3" in str(sums.check_result(database, "received").description)


@pytest.mark.parametrize(("left_side", "check"), CHECKS.items())
def test_each_check_looks_at_its_own_sum(left_side: str, check: Any, database: str) -> None:
    result = check(database_url=database)
    assert result.passed
    assert str(result.description).startswith(left_side)


def test_figures_read_well() -> None:
    assert figures.rate(1_000, 2.0) == "500/s"
    assert figures.rate(0, 2.0) == figures.rate(5, 0.0) == "-"
    table = str(figures.table_of("type", {"a": 1, "c": 3_000, "b": 3_000}).value).splitlines()
    assert table == ["| type | rows |", "|---|---:|", "| b | 3,000 |", "| c | 3,000 |", "| a | 1 |"]


def land_unreadable(connection: sa.Connection) -> None:
    """A raw event of a site that exists, with bytes that are no JSON."""
    import zstandard

    site = connection.execute(
        sa.text("INSERT INTO app.sites (site_key, platform, name) VALUES ('k', 'custom', 'Shop') RETURNING id")
    ).scalar_one()
    week = connection.execute(sa.text("SELECT date_trunc('week', now() AT TIME ZONE 'UTC')::date")).scalar_one()
    raw = connection.execute(
        sa.text(
            "INSERT INTO landing.raw_events (landed_week, site_id, topic, dedup_key, signature, headers, body, body_bytes)"
            " VALUES (:week, :site, 'order.paid', :key, 'verified', '{}', :body, 1) RETURNING id"
        ),
        {"week": week, "site": site, "key": b"0" * 16, "body": zstandard.compress(b"{")},
    ).scalar_one()
    connection.execute(
        sa.text("INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) VALUES (:raw, :week, :site)"),
        {"raw": raw, "week": week, "site": site},
    )
