"""A week of deliveries that retention would drop, and an archive in a folder or in storage that speaks S3."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.archive import restoring, writing
from custom_events.archive.restoring import Restored
from custom_events.archive.rows import ArchivedRow
from custom_events.archive.writing import Archived
from custom_events.postgres import partitions
from custom_events.postgres.partitions import Dropped
from custom_events.settings import Settings
from tests.report_delivery.conftest import bucket, closed_port, storage  # noqa: F401  fixtures
from tests.world import NOON, World

LATER = datetime.now(UTC) + timedelta(days=120)  # when the retention of this week is over
ROWS = sa.text("SELECT e.*, e.headers::text AS headers FROM landing.raw_events e ORDER BY e.landed_week, e.id")


class OldWeek:
    """Orders of two sites that landed this week and were understood, `LATER` looked at."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self.engine, self.settings = world, world.engine, settings
        self.sites = [world.site(), world.site(platform="custom")]
        for site in self.sites:
            world.rule(site)
        self.week: date = NOON.date()

    def land(self, orders: int = 6) -> None:
        """Orders of each site, drained."""
        at = NOON.isoformat()
        for number in range(1, orders + 1):
            paid = {"id": number, "created_at": at, "updated_at": at, "total_price": "1.10", "currency": "EUR"}
            paid |= {"financial_status": "paid", "email": f"person{number}@example.org", "line_items": []}
            self.world.land(self.sites[0], "orders/paid", paid)
            message = {"type": "order.paid", "occurred_at": at, "customer": {"email": f"person{number}@example.org"}}
            message["order"] = {"id": f"o{number}", "created_at": at, "currency": "EUR", "total": "2.20", "items": []}
            self.world.land(self.sites[1], "order.paid", message)
        self.world.drain()
        with self.engine.connect() as connection:
            self.week = connection.execute(sa.text("SELECT max(landed_week) FROM landing.raw_events")).scalar_one()

    def rows(self) -> list[tuple[Any, ...]]:
        """Every raw event, whole."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(ROWS)]

    def write(self, at: datetime = LATER, **settings: Any) -> list[Archived]:
        """What is due then, archived."""
        return writing.write_due(self.engine, self.settings.model_copy(update=settings), at, nobody)

    def drop(self, at: datetime = LATER, **settings: Any) -> Dropped:
        """What retention drops then."""
        with self.engine.begin() as connection:
            return partitions.drop_expired(connection, self.settings.model_copy(update=settings), at)

    def restore(self, at: datetime = LATER, days: int = 14) -> Restored:
        """The week, brought back."""
        return restoring.restore(self.engine, self.settings, self.week, at, nobody, days=days)


def nobody(_row: ArchivedRow) -> bool:
    """Nobody was forgotten."""
    return False


def settings_of_folder(tmp_path: Path) -> Settings:
    """An archive in a folder that is not there yet."""
    return Settings(local_directory=tmp_path / "local", archive_url=str(tmp_path / "archive"))


@pytest.fixture
def old_week(database: str, engine: sa.Engine, tmp_path: Path) -> OldWeek:
    """With its archive in a folder."""
    return OldWeek(World(database, engine), settings_of_folder(tmp_path))


@pytest.fixture(params=["folder", "s3"])
def week_of_each(request: pytest.FixtureRequest, old_week: OldWeek, tmp_path: Path) -> OldWeek:
    """With its archive in a folder, and in storage."""
    if request.param == "s3":
        address, own_bucket = request.getfixturevalue("storage"), request.getfixturevalue("bucket")
        place = {
            "archive_url": f"s3://{own_bucket.name}/of/us/",
            "archive_endpoint": address,
            "archive_region": "us-east-1",
        }
        keys = {"archive_access_key_id": "test", "archive_secret_access_key": "a-key-of-the-tests"}
        old_week.settings = Settings.model_validate({"local_directory": tmp_path / "local", **place, **keys})
    return old_week


def only(results: list[Archived]) -> Archived:
    """The one week that was archived or not."""
    (result,) = results
    return result
