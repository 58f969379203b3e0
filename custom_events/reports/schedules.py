"""Schedules of reports: made, changed, paused, removed; their targets, whose secrets are encrypted."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events import secrets as encryption
from custom_events.catalog import audit
from custom_events.catalog.configurations import refuse
from custom_events.conditions.problems import Problem
from custom_events.errors import Fault, InvalidConfiguration, NotFound
from custom_events.queries import report_schedules as queries
from custom_events.report_delivery.checking import check
from custom_events.report_delivery.targets import DeliverySecrets, DeliveryTarget
from custom_events.report_files.table import FileFormat
from custom_events.reports import rules, specifications
from custom_events.reports.report import Report
from custom_events.reports.rules import ScheduleRule
from custom_events.settings import Settings
from custom_events.values import zones

MOST_TARGETS: Final = 10
MOST_RETRIES: Final = 20
LONGEST_RETENTION_DAYS: Final = 3_650
_JUST_AFTER: Final = timedelta(microseconds=1)
Sites = Collection[int] | None


class CatchUp(StrEnum):
    """Which runs are made up for that were missed while nobody looked: the newest of them, all, or none."""

    NEWEST = "newest"
    ALL = "all"
    NONE = "none"


class ScheduleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What people set of a schedule. `site_ids` None: all of the report's; `format` None: the report's; `retention_days` None: as the
    settings say."""

    report_key: str
    name: str
    rule: ScheduleRule
    targets: tuple[DeliveryTarget, ...] = ()
    site_ids: tuple[int, ...] | None = None
    format: FileFormat | None = None
    catch_up: CatchUp = CatchUp.NEWEST
    retries: int = 5
    retention_days: int | None = None
    is_active: bool = True


class Schedule(ScheduleSettings, frozen=True, kw_only=True):
    """A schedule. `next_due_at`: the first moment of which nothing was made yet."""

    id: int
    next_due_at: datetime
    owner: str
    created_at: datetime
    updated_at: datetime


# Of each target, in their order; None: it has none.
Secrets = Sequence[DeliverySecrets | None]


def get(connection: sa.Connection, schedule_id: int, *, only: Sites = None, lock: bool = False) -> Schedule:
    """A schedule. `only`: the sites that may be seen. Raises NotFound."""
    row = queries.by_id(connection, schedule_id, lock=lock)
    if row is None or not specifications.is_within(row.site_ids, only):
        raise NotFound(f"There is no report schedule {schedule_id}.", what="report schedule")
    return schedule_of(row)


def search(
    connection: sa.Connection, *, only: Sites = None, report_key: str | None = None, after: int = 0, limit: int
) -> list[Schedule]:
    """Schedules by id whose sites may all be seen."""
    rows = queries.page(connection, only=only, report_key=report_key, after=after, limit=limit)
    return [schedule_of(row) for row in rows]


def create(
    connection: sa.Connection,
    chosen: ScheduleSettings,
    target_secrets: Secrets,
    *,
    settings: Settings,
    actor: str,
    now: datetime,
    allowed: Sites = None,
) -> Schedule:
    """A new schedule; its first run is due from now on. Raises InvalidConfiguration with all that cannot be used, and NotFound for a report
    that is not there. `allowed`: sites that may be named."""
    report = specifications.get(connection, chosen.report_key, lock=True)  # it cannot be removed meanwhile
    _check(connection, chosen, report, target_secrets, settings, allowed)
    values = {
        **_values(chosen, report),
        "secrets_encrypted": _encrypted(target_secrets, chosen.report_key, settings),
        "next_due_at": _next_due(chosen.rule, now),
        "owner": actor,
    }
    stored = schedule_of(queries.add(connection, values))
    _record(connection, "create", stored, actor)
    return stored


def replace(
    connection: sa.Connection,
    schedule_id: int,
    chosen: ScheduleSettings,
    target_secrets: Secrets,
    *,
    settings: Settings,
    actor: str,
    now: datetime,
    allowed: Sites = None,
) -> Schedule:
    """Other settings. Where a target has no secrets given, those that are kept for the same target stay. What was missed by another rule, or while
    it was paused, is not made up for. Raises as `create`."""
    before = get(connection, schedule_id, lock=True)
    report = specifications.get(connection, chosen.report_key, lock=True)
    merged = _merged(chosen.targets, target_secrets, before, secrets_of(connection, before, settings))
    if not _only_pauses(chosen, before):  # what cannot be delivered any more can be paused
        _check(connection, chosen, report, merged, settings, allowed)
    values = {**_values(chosen, report), "secrets_encrypted": _encrypted(merged, chosen.report_key, settings)}
    if chosen.rule != before.rule or (chosen.is_active and not before.is_active):
        values["next_due_at"] = _next_due(chosen.rule, now)
    stored = schedule_of(queries.change(connection, schedule_id, values))
    _record(connection, "change", stored, actor, before)
    return stored


def remove(connection: sa.Connection, schedule_id: int, *, actor: str) -> None:
    """Remove a schedule. Runs that have not ended are skipped; the log stays. Raises NotFound."""
    before = get(connection, schedule_id, lock=True)
    queries.remove(connection, schedule_id)
    _record(connection, "remove", before, actor, before)


def secrets_of(connection: sa.Connection, schedule: Schedule, settings: Settings) -> tuple[DeliverySecrets | None, ...]:
    """What the targets of a schedule need, target by target. Raises NeedsAction where the installation's key is another one."""
    token = queries.secrets(connection, schedule.id)
    if token is None:
        return (None,) * len(schedule.targets)
    content = encryption.decrypt(token, encryption.key(settings), encryption.row_of_report(schedule.report_key))
    return msgspec.json.decode(content, type=tuple[DeliverySecrets | None, ...])


def schedule_of(row: queries.Row) -> Schedule:
    """A row of the table."""
    shown = {name: getattr(row, name) for name in Schedule.__struct_fields__}
    return msgspec.convert(shown, Schedule)


def recompute(connection: sa.Connection, now: datetime) -> int:
    """Compute the next moments to come again: zones may have changed their clocks since. How many changed. One whose zone is known no more
    stays as it is: planning it says so when it is due."""
    changed = 0
    for row in queries.to_come(connection, now):
        schedule = schedule_of(row)
        if schedule.rule.time_zone not in zones.names():
            continue
        if (due_at := _next_due(schedule.rule, now)) != schedule.next_due_at:
            queries.move(connection, schedule.id, due_at)
            changed += 1
    return changed


def _check(
    connection: sa.Connection,
    chosen: ScheduleSettings,
    report: Report,
    target_secrets: Secrets,
    settings: Settings,
    allowed: Sites,
) -> None:
    sites = chosen.site_ids if chosen.site_ids is not None else report.site_ids
    refuse(
        [
            *specifications.name_checks(chosen.name),
            *rules.problems(chosen.rule, report.content.period),
            *_problems(chosen, report),
            *specifications.site_problems(connection, sites, allowed),
            *specifications.mart_problems(report.content, sites),
        ]
    )
    if len(target_secrets) != len(chosen.targets):
        raise InvalidConfiguration("there must be one entry for each target", path="secrets")
    for place, (target, secrets) in enumerate(zip(chosen.targets, target_secrets, strict=True)):
        check_target(target, secrets, settings, f"targets[{place}]")


def check_target(target: DeliveryTarget, secrets: DeliverySecrets | None, settings: Settings, path: str) -> None:
    """Raise InvalidConfiguration where files cannot be brought there, with fields below `path`."""
    try:
        check(target, settings, secrets or DeliverySecrets())
    except InvalidConfiguration as error:
        faults = error.faults or (Fault(error.path, *_halves(error.sentence)),)
        below = tuple(
            Fault(".".join(part for part in (path, fault.path) if part), fault.wrong, fault.right) for fault in faults
        )
        raise InvalidConfiguration(error.sentence, path=below[0].path, faults=below) from None


def _halves(sentence: str) -> tuple[str, str]:
    wrong, _, right = sentence.partition("; ")
    return wrong, right or "another value"


def _problems(chosen: ScheduleSettings, report: Report) -> Iterator[Problem]:
    if len(chosen.targets) > MOST_TARGETS:
        yield Problem(path="targets", wrong=f"there are {len(chosen.targets)}", right=f"at most {MOST_TARGETS}")
    if len(set(map(target_key, chosen.targets))) < len(chosen.targets):
        yield Problem(path="targets", wrong="one of them stands there twice", right="each target once")
    if not 0 <= chosen.retries <= MOST_RETRIES:
        yield Problem(path="retries", wrong=f"{chosen.retries} cannot be used", right=f"0 to {MOST_RETRIES}")
    if chosen.retention_days is not None and not 1 <= chosen.retention_days <= LONGEST_RETENTION_DAYS:
        right = f"1 to {LONGEST_RETENTION_DAYS} days, or null for what the settings say"
        yield Problem(path="retention_days", wrong=f"{chosen.retention_days} cannot be used", right=right)
    if chosen.site_ids is not None and not specifications.is_within(chosen.site_ids, report.site_ids):
        yield Problem(
            path="site_ids", wrong="the report does not read all of these sites", right="some of the report's"
        )


def target_key(target: DeliveryTarget) -> str:
    """What tells a target from others, the same as long as it is set so."""
    return hashlib.sha256(msgspec.json.encode(target)).hexdigest()[:16]


def _merged(
    targets: Sequence[DeliveryTarget], new_secrets: Secrets, before: Schedule, stored: Secrets
) -> tuple[DeliverySecrets | None, ...]:
    by_key = {target_key(target): secrets for target, secrets in zip(before.targets, stored, strict=True)}
    listed = [*new_secrets, *(None for _ in targets[len(new_secrets) :])]
    return tuple(new or by_key.get(target_key(target)) for target, new in zip(targets, listed, strict=True))


def _only_pauses(chosen: ScheduleSettings, before: Schedule) -> bool:
    """Whether nothing changes but that it makes no more runs."""
    return not chosen.is_active and all(
        getattr(chosen, name) == getattr(before, name)
        for name in ScheduleSettings.__struct_fields__
        if name != "is_active"
    )


def _values(chosen: ScheduleSettings, report: Report) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(
        {name: getattr(chosen, name) for name in ScheduleSettings.__struct_fields__}
    )
    sites = chosen.site_ids if chosen.site_ids is not None else report.site_ids
    return {**plain, "name": chosen.name.strip(), "site_ids": None if sites is None else sorted(set(sites))}


def _encrypted(target_secrets: Secrets, report_key: str, settings: Settings) -> bytes | None:
    if not any(target_secrets):
        return None
    content = msgspec.json.encode(tuple(target_secrets))
    return encryption.encrypt(content, encryption.key(settings), encryption.row_of_report(report_key))


def _next_due(rule: ScheduleRule, now: datetime) -> datetime:
    return rules.next_times(rule, now + _JUST_AFTER, 1)[0]


def _record(
    connection: sa.Connection, verb: str, schedule: Schedule, actor: str, before: Schedule | None = None
) -> None:
    audit.record(
        connection,
        actor=actor,
        action=f"report_schedule.{verb}",
        subject=f"report_schedule:{schedule.id}",
        site_id=specifications.only_site(schedule.site_ids),
        before=None if before is None else msgspec.to_builtins(before),
        after=None if verb == "remove" else msgspec.to_builtins(schedule),
    )
