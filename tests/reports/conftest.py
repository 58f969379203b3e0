"""A mart with rows, and a clock that a test moves."""

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from custom_events.report_delivery.targets import (
    DeliveryMessage,
    DeliveryReceipt,
    DeliverySecrets,
    EmailTarget,
    FolderTarget,
)
from custom_events.report_files.table import WrittenFile
from custom_events.reports import planning, runs, schedules
from custom_events.reports.content import ReportContent
from custom_events.reports.rules import Every, ScheduleRule
from custom_events.reports.running import Exporter
from custom_events.reports.runs import Run
from custom_events.reports.schedules import Schedule, ScheduleSettings
from custom_events.settings import Settings
from custom_events.values.deliveries import Platform
from tests import marts

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 29)
CONTENT = ReportContent(mart="fct_accuracy_daily", columns=("day", "site_id", "orders", "accuracy"))
DAILY = ScheduleRule(every=Every.DAY, at="06:00", time_zone="Europe/Berlin")


class Clock:
    """Now, as a test has it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **step: float) -> None:
        self.now += timedelta(**step)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    key = SecretStr(Fernet.generate_key().decode())
    (tmp_path / "out").mkdir()
    return Settings(
        _env_file=None,
        local_directory=tmp_path / "local",
        report_folder=tmp_path / "out",
        report_smtp_url=SecretStr("smtp://127.0.0.1:1"),
        report_email_from="reports@example.org",
        secret_key=key,
    )


@pytest.fixture
def site_id(engine: sa.Engine) -> int:
    """A site with one day of accuracy."""
    from custom_events.catalog import sites

    with engine.begin() as connection:
        marts.make(connection)
        made = sites.create(
            connection, platform=Platform.CUSTOM, name="Mine", actor="test", time_zone="Europe/Berlin", currency="EUR"
        )
        add_day(connection, made.id, DAY, orders=4, sent=2, withheld=1)
    return made.id


def add_day(connection: sa.Connection, site_id: int, day: date, **counts: int) -> None:
    marts.add(connection, "fct_accuracy_daily", site_id=site_id, site_name="Mine", day=day, **counts)


Make = Callable[..., Schedule]


@pytest.fixture
def make(engine: sa.Engine, settings: Settings, clock: Clock) -> Make:
    """A schedule, with these settings in the place of the usual ones."""

    def _make(**changes: Any) -> Schedule:
        target_secrets = changes.pop("secrets", None)
        chosen: dict[str, Any] = {
            "report_key": "daily_accuracy",
            "name": "Accuracy",
            "rule": DAILY,
            "format": "csv",
            **changes,
        }
        with engine.begin() as connection:
            return schedules.create(
                connection,
                ScheduleSettings(**chosen),
                target_secrets or (None,) * len(chosen.get("targets", ())),
                settings=settings,
                actor="ana",
                now=clock.now,
            )

    return _make


FOLDER, MAIL = FolderTarget(folder="a"), EmailTarget(to=("ana@example.org",))


class KilledError(BaseException):
    """The process ends here: nothing is handled."""


class Outside:
    """Targets that remember what came under which key, and do as they are told: raise, before or after they have it."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.before: list[BaseException] = []
        self.after: list[BaseException] = []

    def deliver(
        self, target: Any, file: WrittenFile, message: DeliveryMessage, secrets: DeliverySecrets, settings: Settings
    ) -> DeliveryReceipt:
        if self.before and isinstance(target, FolderTarget):
            raise self.before.pop()
        assert hashlib.sha256(file.path.read_bytes()).hexdigest() == file.sha256
        self.got.append((message.key, file.sha256))
        if self.after:
            raise self.after.pop()
        return DeliveryReceipt(where=f"{type(target).__name__}:{file.path.name}", digest=file.sha256)


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def exporter(engine: sa.Engine, settings: Settings, clock: Clock, outside: Outside) -> Exporter:
    return Exporter(engine, settings, clock=clock, deliver=outside.deliver)


def only_run(engine: sa.Engine) -> Run:
    with engine.connect() as connection:
        (run,) = runs.search(connection, limit=2)
    return run


@pytest.fixture
def due(site_id: int, make: Make, clock: Clock, engine: sa.Engine) -> Run:
    """A run that waits, of yesterday, with two targets."""
    clock.now = make(targets=(FOLDER, MAIL), retries=2).next_due_at
    with engine.begin() as connection:
        add_day(connection, site_id, DAY + timedelta(days=1), orders=10, sent=5, withheld=2)
    planning.plan(engine, clock.now)
    return only_run(engine)
