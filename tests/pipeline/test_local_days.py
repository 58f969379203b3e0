"""Days and hours of a site are the same in rules and in reports, where clocks were changed in 2026 and the machine may not know it."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from custom_events.values import zones
from orchestration import dbt_project

InWorld = Callable[[Callable[[Any], Any]], None]

# A zone, its offset (hours) before and since 2026, and a moment at which both give other days, weeks and months.
CHANGED = {
    "America/Vancouver": (-8, -7),
    "America/Edmonton": (-7, -6),
    "America/Havana": (-5, -4),
    "Africa/Casablanca": (1, 0),
}
FIRST_OF_MONTH, MONDAY = date(2026, 12, 1), date(2026, 12, 7)
MODELS = ("fct_conversions_by_definition", "fct_funnel_daily")


def edges(zone: str, first_day: date) -> tuple[datetime, datetime]:
    """Two moments of one period that begins, or of one that ends, with this day; by the old offset they lie in two."""
    old, new = CHANGED[zone]
    midnight = datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC) - timedelta(hours=new)
    if new > old:
        return midnight + timedelta(minutes=30), midnight + timedelta(hours=9)
    return midnight - timedelta(hours=9), midnight - timedelta(minutes=30)


def changed_zones() -> list[str]:
    """Those of which the package knows that they changed (a release can take a change back)."""
    at = datetime(2026, 12, 1, tzinfo=UTC)
    return [
        zone
        for zone, (_, new) in CHANGED.items()
        if at.astimezone(zones.zone(zone)).utcoffset() == timedelta(hours=new)
    ]


@pytest.mark.parametrize("period", ["day", "week", "month"])
@pytest.mark.parametrize("scope", ["site", "customer"])
def test_thresholds_count_by_the_new_days(in_world: InWorld, order: Any, period: str, scope: str) -> None:
    async def test(world: Any) -> None:
        for place, zone in enumerate(changed_zones(), 1):
            site = world.site(f"shop{place}")
            await world.connection.execute("UPDATE app.sites SET time_zone = $1 WHERE id = $2", zone, site)
            threshold = {"at_least": "2", "scope": scope, "period": period}
            world.rule(site, key=f"second_{place}", threshold=threshold)
            for number, at in enumerate(edges(zone, MONDAY if period == "week" else FIRST_OF_MONTH)):
                world.land(site, "orders/paid", at_moment(order, place * 10 + number, at))
        await world.batch()
        fired = await world.rows("SELECT order_id FROM app.custom_events ORDER BY site_id")
        assert fired == [(str(place * 10 + 1),) for place, _ in enumerate(changed_zones(), 1)]

    in_world(test)


@pytest.mark.usefixtures("untraced_processes")
def test_conditions_and_reports_have_the_same_days(in_world: InWorld, order: Any, database: str) -> None:
    assert set(changed_zones()) >= {"America/Vancouver", "America/Edmonton", "Africa/Casablanca"}

    async def test(world: Any) -> None:
        expected: dict[tuple[str, str], date] = {}
        received: dict[str, set[date]] = {}
        for place, zone in enumerate(changed_zones(), 1):
            site = world.site(f"shop{place}")
            await world.connection.execute("UPDATE app.sites SET time_zone = $1 WHERE id = $2", zone, site)
            for number, at in enumerate(edges(zone, FIRST_OF_MONTH)):
                local = at.astimezone(zones.zone(zone))
                rule = f"rule_{place}_{number}"
                same = {
                    "all": [
                        {"field": f"time.{name}", "op": "=", "value": getattr(local, name)}
                        for name in ("hour", "day", "month")
                    ]
                }
                action = world.action(action_id=f"{place}{number}")
                world.rule(site, key=rule, conditions=same, ads_action=action)
                raw = world.land(site, "orders/paid", at_moment(order, place * 10 + number, at))
                await world.connection.execute("UPDATE landing.raw_events SET received_at = $1 WHERE id = $2", at, raw)
                expected[f"shop{place}", rule] = local.date()
                received.setdefault(f"shop{place}", set()).add(local.date())
        await world.batch()
        build(database)
        rows = await world.rows("SELECT site_name, definition_key, day FROM reporting.fct_conversions_by_definition")
        assert {(site, rule): day for site, rule, day in rows} == expected
        rows = await world.rows("SELECT site_name, day FROM reporting.fct_funnel_daily WHERE received > 0")
        found: dict[str, set[date]] = {}
        for site, day in rows:
            found.setdefault(site, set()).add(day)
        assert found == received

    in_world(test)


def at_moment(order: Any, number: int, at: datetime) -> dict[str, Any]:
    when = at.isoformat()
    return order(number, created_at=when, updated_at=when, processed_at=when)


def build(url: str) -> None:
    """The two marts that cut days, with what they read."""
    project = str(dbt_project.PROJECT_DIRECTORY)
    command = [
        "run",
        "--quiet",
        "--project-dir",
        project,
        "--profiles-dir",
        project,
        "--select",
        *(f"+{name}" for name in MODELS),
    ]
    environment = {**os.environ, **dbt_project.environment(url)}
    dbt = str(Path(sys.executable).with_name("dbt"))
    done = subprocess.run([dbt, *command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-1_000:]
