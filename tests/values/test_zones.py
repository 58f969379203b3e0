"""One source of time zones: the package that our lock pins, whatever files the machine has."""

import bisect
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st

from custom_events.values import zones

SINCE, UNTIL = datetime(2000, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
MOMENTS = st.datetimes(SINCE.replace(tzinfo=None), UNTIL.replace(tzinfo=None)).map(lambda one: one.replace(tzinfo=UTC))


def offset(name: str, moment: datetime) -> timedelta | None:
    return moment.astimezone(zones.zone(name)).utcoffset()


@pytest.mark.parametrize(
    ("name", "moment", "hours"),
    [
        ("America/Vancouver", datetime(2026, 12, 1, 12, tzinfo=UTC), -7),  # British Columbia keeps summer time
        ("America/Edmonton", datetime(2026, 12, 1, 12, tzinfo=UTC), -6),  # so does Alberta
        (
            "Africa/Casablanca",
            datetime(2026, 10, 1, 12, tzinfo=UTC),
            0,
        ),  # Morocco has no offset since 20 September 2026
        ("America/Vancouver", datetime(2025, 12, 1, 12, tzinfo=UTC), -8),
        ("Europe/Berlin", datetime(2026, 12, 1, 12, tzinfo=UTC), 1),
    ],
)
def test_clocks_of_2026(name: str, moment: datetime, hours: int) -> None:
    assert offset(name, moment) == timedelta(hours=hours)


def test_the_machines_files_decide_nothing(tmp_path: Path) -> None:
    wrong = tmp_path / "America" / "Vancouver"
    wrong.parent.mkdir()
    shutil.copy(str(files(tzdata).joinpath("zoneinfo", "Asia", "Tokyo")), wrong)
    program = (
        "import zoneinfo; from datetime import UTC, datetime; from custom_events.values import zones; "
        "at = datetime(2026, 1, 1, tzinfo=UTC); "
        "print(*(at.astimezone(made('America/Vancouver')).hour for made in (zoneinfo.ZoneInfo, zones.zone)))"
    )
    environment = {**os.environ, "PYTHONTZPATH": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["9", "16"]


@pytest.mark.parametrize(
    "name",
    ["", "localtime", "Factory", "posix/Europe/Berlin", "right/Europe/Berlin", "europe/berlin", "Europe", "../x"],
)
def test_what_is_no_name(name: str) -> None:
    assert name not in zones.names()
    assert zones.zone_or_utc(name) is UTC
    with pytest.raises(KeyError):
        zones.zone(name)
    with pytest.raises(KeyError):
        zones.periods(name, SINCE, UNTIL)


def test_a_zone_is_made_once_and_knows_its_name() -> None:
    assert zones.zone("Asia/Kolkata") is zones.zone("Asia/Kolkata")
    assert str(zones.zone("Asia/Kolkata")) == "Asia/Kolkata"
    assert zones.zone("UTC") is UTC
    assert zones.zone_or_utc(None) is UTC


@given(st.sampled_from(sorted(zones.names())), MOMENTS)
def test_the_periods_say_what_the_zone_says(name: str, moment: datetime) -> None:
    periods = zones.periods(name, SINCE, UNTIL)
    begins = [one.starts_at or SINCE for one in periods]
    assert begins == sorted(set(begins))
    assert periods[0].starts_at is None
    assert periods[bisect.bisect_right(begins, moment) - 1].utc_offset == offset(name, moment)


def test_a_period_begins_in_the_second_in_which_clocks_change() -> None:
    for name in sorted(zones.names()):
        for period in zones.periods(name, SINCE, UNTIL)[1:]:
            assert period.starts_at is not None
            assert offset(name, period.starts_at) == period.utc_offset
            assert offset(name, period.starts_at - timedelta(seconds=1)) != period.utc_offset


def test_no_other_module_makes_zones() -> None:
    """Ruff refuses the import of zoneinfo as well; this also finds libraries that bring zones of their own."""
    own = ("custom_events", "ingest_api", "assets", "console", "orchestration", "cli", "sandbox")
    makes = re.compile(r"\b(zoneinfo|ZoneInfo|pytz|dateutil|pendulum)\b")
    found = {
        str(path.relative_to(ROOT))
        for folder in own
        for path in (ROOT / folder).rglob("*.py")
        if any(
            makes.search(line) for line in path.read_text().splitlines() if line.lstrip().startswith(("import", "from"))
        )
    }
    assert found == {"custom_events/values/zones.py"}


def test_no_sql_asks_the_servers_zones() -> None:
    """`AT TIME ZONE` beside our table takes UTC or an interval, never a name of a zone."""
    asks = re.compile(r"at\s+time\s+zone\s+(?!'utc'|coalesce\(|\(?select)", re.IGNORECASE)
    allowed = {"custom_events/queries/zones.py"}  # the doctor compares
    found = {
        str(path.relative_to(ROOT))
        for pattern in (
            "custom_events/**/*.py",
            "assets/*.py",
            "dbt/models/**/*.sql",
            "dbt/tests/*.sql",
            "dbt/macros/*.sql",
        )
        for path in ROOT.glob(pattern)
        if asks.search(path.read_text().replace("`AT TIME ZONE`", "").replace("`at time zone`", ""))
    }
    assert found == allowed
