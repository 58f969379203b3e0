"""A small file brought to each target of a schedule at once, so that whoever sets one sees whether it works."""

import secrets as tokens
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from custom_events.errors import CustomEventsError
from custom_events.report_delivery.delivering import deliver
from custom_events.report_delivery.targets import DeliveryMessage, DeliverySecrets, DeliveryTarget
from custom_events.report_files.table import ReportColumn, ReportTable, WrittenFile
from custom_events.report_files.writing import write
from custom_events.reports import targets
from custom_events.reports.schedules import Schedule
from custom_events.settings import Settings

_KEY_BYTES: Final = 16
Deliver = Callable[..., Any]


class TriedTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A target in words; `where` the file went, or the `problem`."""

    target: str
    where: str | None
    problem: str | None


def run(
    schedule: Schedule,
    target_secrets: Sequence[DeliverySecrets | None],
    settings: Settings,
    now: datetime,
    *,
    deliver: Deliver = deliver,
) -> tuple[TriedTarget, ...]:
    """Bring it to each target; one that fails keeps no other from its own."""
    message = DeliveryMessage(
        report=schedule.name,
        period="test delivery",
        key=f"test-{tokens.token_hex(_KEY_BYTES)}",
        zone=schedule.rule.time_zone,
        title=f"Test: {schedule.name}",
    )
    with tempfile.TemporaryDirectory(prefix="custom-events-") as folder:
        file = _written(Path(folder) / f"test_{schedule.report_key}.csv", now)
        return tuple(
            _tried(target, secrets, file, message, settings, deliver)
            for target, secrets in zip(schedule.targets, target_secrets, strict=True)
        )


def _written(path: Path, now: datetime) -> WrittenFile:
    columns = (ReportColumn("sentence", "Sentence", "text"), ReportColumn("sent_at", "Sent at", "time"))
    rows = [("This is a test delivery of Custom Events: reports will arrive here.", now)]
    return write(ReportTable(title="Test delivery", columns=columns, batches=iter([rows])), "csv", path)


def _tried(
    target: DeliveryTarget,
    secrets: DeliverySecrets | None,
    file: WrittenFile,
    message: DeliveryMessage,
    settings: Settings,
    deliver: Deliver,
) -> TriedTarget:
    name = targets.in_words(target)
    try:
        receipt = deliver(target, file, message, secrets or DeliverySecrets(), settings)
    except CustomEventsError as error:
        return TriedTarget(target=name, where=None, problem=str(error))
    return TriedTarget(target=name, where=receipt.where, problem=None)
