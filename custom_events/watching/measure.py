"""The figures of one moment, from a handful of indexed queries: for the scrape, for the watcher and for the checks alike."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Final

import sqlalchemy as sa

from custom_events.ledger import allowance
from custom_events.ledger.codes import RULES, is_not_understood
from custom_events.ledger.reconcile import CATCHES_UP, first_day_of
from custom_events.postgres import replica
from custom_events.queries import archives, odd_leaves, privacy, recovery, report_runs, shopify_app, upload_stops
from custom_events.queries import watching as queries
from custom_events.redaction import retention
from custom_events.settings import Settings
from custom_events.values.conversions import UNMATCHED_REASONS, UploadState, Verdict
from custom_events.watching import contradictions, scheduled, sums, traffic
from custom_events.watching.equations import Sums
from custom_events.watching.metrics import METRICS, Reading, Sample

SUMS_ALARM: Final = "SumsDisagree"
LOOKED_AT: Final = timedelta(days=2)  # custom events made since are laid beside their conversions; all of them nightly
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ENOUGH_ANSWERS: Final = 100  # below, one refused row is more than a per cent, and a rate says nothing
_TAKEN: Final = frozenset({Verdict.ACCEPTED, Verdict.ALREADY_THERE})
_REFUSED: Final = frozenset({Verdict.REJECTED, Verdict.EXPIRED})

Samples = Iterator[Sample]


def measure(
    connection: sa.Connection,
    settings: Settings,
    now: datetime,
    *,
    with_sums: bool = False,
    counted: Sums | None = None,
) -> Reading:
    """Every metric; the sums, for which the last days' custom events are laid beside their conversions, only when asked for, or as they
    were just `counted`: else as the last full look left them."""
    parts: list[Callable[[sa.Connection, datetime], Samples]] = [
        _uploads,
        _answers,
        _stops,
        _overdue,
        _pipeline,
        _google,
        _apps,
        _recovered,
        _quiet,
        _scheduled,
        _reports,
        partial(_quotas, settings),
        partial(_retention, settings),
        partial(_replica, settings),
    ]
    measured = set(METRICS)
    if with_sums or counted is not None:
        parts.append(partial(_gaps, counted))
    else:
        parts.append(_remembered_gaps)
        measured.discard("custom_events_sums_gaps")
    return Reading(tuple(sample for part in parts for sample in part(connection, now)), frozenset(measured))


def _sample(name: str, value: float, *labels: str) -> Sample:
    return Sample(f"custom_events_{name}", labels, float(value))


def _uploads(connection: sa.Connection, now: datetime) -> Samples:
    due, expiring, week, unknown = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    since: dict[str, datetime] = {}
    states: Counter[tuple[str, str]] = Counter()
    for row in connection.execute(queries.WAITING, {"now": now}):
        account = row.customer_id
        states[account, row.state] += row.rows
        due[account] += row.due
        expiring[account] += row.expiring
        week[account] += row.expiring_in_a_week
        if row.due_since is not None:
            since[account] = min(row.due_since, since.get(account, row.due_since))
        if row.state == UploadState.UNKNOWN:
            unknown[account] += row.unknown_for_an_hour
        elif row.reason:
            yield _sample("uploads_held_rows", row.rows, account, row.reason)
            rule = RULES.get(row.reason)
            if row.state == UploadState.HELD and is_not_understood(row.reason):
                yield _sample("uploads_not_understood_rows", row.rows, account, row.reason)
            elif rule is not None and rule.verdict is Verdict.FIX:
                yield _sample("uploads_needing_action_rows", row.rows, account, row.reason)
    for (account, state), rows in states.items():
        yield _sample("uploads_waiting_rows", rows, account, state)
    for account in due:
        yield _sample("uploads_due_rows", due[account], account)
        age_s = (now - since[account]).total_seconds() if account in since else 0.0
        yield _sample("uploads_due_age_seconds", age_s, account)
        yield _sample("uploads_expiring_rows", expiring[account], account, "48")
        yield _sample("uploads_expiring_rows", week[account], account, "168")
        yield _sample("uploads_unknown_rows", unknown[account], account)


def _answers(connection: sa.Connection, now: datetime) -> Samples:
    verdicts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in connection.execute(queries.ANSWERS, {"now": now, "day_ago": now - DAY}):
        if row.code in UNMATCHED_REASONS:
            continue  # no click of Google's: expected of orders that did not come from ads
        verdicts[row.customer_id][row.verdict] += row.rows
        if row.verdict == Verdict.REJECTED:
            yield _sample("uploads_refused_rows", row.rows, row.customer_id, row.code)
    for account, counts in verdicts.items():
        for verdict, rows in counts.items():
            yield _sample("uploads_answered_rows", rows, account, verdict)
        taken, refused = (sum(counts[member] for member in group) for group in (_TAKEN, _REFUSED))
        if taken + refused >= ENOUGH_ANSWERS:
            yield _sample("uploads_success_ratio", taken / (taken + refused), account)


def _stops(connection: sa.Connection, now: datetime) -> Samples:
    for row in connection.execute(queries.STOPPED, {"now": now}):
        if row.action_id:
            yield _sample("uploads_action_parked", 1, row.customer_id, row.action_id)
            continue
        yield _sample("uploads_account_parked", row.parked_reason is not None, row.customer_id)
        paused_s = (row.paused_until - now).total_seconds() if row.paused_until is not None else 0.0
        yield _sample("uploads_paused_seconds", paused_s, row.customer_id)
    for row in connection.execute(upload_stops.PARTS):
        part = f"the lane {row.lane}" if row.concerns == "account" else row.concerns
        yield _sample("uploads_part_stopped", 1, row.customer_id, part)


def _overdue(connection: sa.Connection, now: datetime) -> Samples:
    row = connection.execute(queries.OVERDUE, {"now": now}).one()
    yield _sample("uploads_overdue_verdicts", row.verdicts)
    yield _sample("uploads_undecided_requests", row.undecided)
    yield _sample("uploads_value_changes", row.value_changes)
    yield _sample("uploads_value_change_age_seconds", _age_s(row.value_changes_since, now))


def _pipeline(connection: sa.Connection, now: datetime) -> Samples:
    backlog = connection.execute(queries.BACKLOG).one()
    yield _sample("pipeline_backlog_rows", backlog.rows)
    yield _sample("pipeline_backlog_age_seconds", _age_s(backlog.since, now))
    for row in connection.execute(queries.PARKED, {"day_ago": now - DAY, "week": monday_of(now - DAY)}):
        yield _sample("pipeline_parked_rows", row.rows, row.site_key, row.reason)
    for row in connection.execute(odd_leaves.ODD_LEAVES):
        yield _sample("odd_leaves_total", row.bodies, row.site_key, row.path)
    for row in connection.execute(privacy.OPEN, {"now": now}):
        yield _sample("privacy_requests_open", row.requests, row.kind)
        yield _sample("privacy_request_left_seconds", row.left_s, row.kind)
    for row in connection.execute(queries.REFUSED, {"hour_ago": now - HOUR}):
        yield _sample("receiver_quarantined_rows", row.rows, row.reason)


def _google(connection: sa.Connection, now: datetime) -> Samples:
    days = {"first_day": first_day_of(now), "complete_before": (now - CATCHES_UP).date()}
    for row in connection.execute(queries.RECONCILED, days):
        since = row.read_at
        if since is None and row.wanted_since is not None:
            since = datetime.combine(row.wanted_since, time.max, UTC)
        if since is not None:
            yield _sample("reconciliation_age_seconds", _age_s(since, now), row.customer_id)
        yield _sample("reconciliation_short_days", row.short_days, row.customer_id)


def _apps(connection: sa.Connection, now: datetime) -> Samples:
    for row in connection.execute(shopify_app.STATE_OF_ALL, {"now": now}):
        if row.state == "uninstalled":
            yield _sample("shopify_app_problems", 1, row.shop, "uninstalled")
            continue
        for name in sorted({problem["what"] for problem in row.problems}):
            yield _sample("shopify_app_problems", 1, row.shop, name)
        yield _sample("shopify_app_unwatched_seconds", max(0.0, row.unwatched_s), row.shop)


def _recovered(connection: sa.Connection, now: datetime) -> Samples:
    for row in connection.execute(recovery.MISSING_BY_SITE, {"since": now - DAY}):
        sample = _sample("recovery_missing_orders", row.orders, row.site_key, row.kind)
        yield sample._replace(example=f"raw:{row.sample_raw_id}")
    for row in connection.execute(recovery.UNREAD):
        yield _sample("recovery_unread_seconds", _age_s(row.problem_since, now), row.site_key)


def _quiet(connection: sa.Connection, now: datetime) -> Samples:
    del now
    for part in traffic.quiet_traffic(connection):
        if part.customer_id is not None:
            lane = part.subject.removeprefix("lane:")
            yield _sample("traffic_lane_quiet_hours", part.hours, part.customer_id, lane)
        elif part.site_key is not None:
            sample = _sample("traffic_quiet_hours", part.hours, part.site_key, part.subject)
            yield sample._replace(example=None if part.sample_raw_id is None else f"raw:{part.sample_raw_id}")


def _scheduled(connection: sa.Connection, now: datetime) -> Samples:
    for job, late_s in scheduled.late_s(connection, now).items():
        yield _sample("scheduled_job_late_seconds", late_s, job)


def _reports(connection: sa.Connection, now: datetime) -> Samples:
    for row in connection.execute(report_runs.STANDING):
        yield _sample("reports_failed", row.has_failed, row.report_key, str(row.id))
        yield _sample("reports_late_seconds", _age_s(row.due_since, now), row.report_key, str(row.id))


def _retention(settings: Settings, connection: sa.Connection, now: datetime) -> Samples:
    for oldest in retention.overdue(connection, settings, now):
        yield _sample("retention_overdue_days", oldest.overdue_days, oldest.what)
    yield _sample("archive_problems", connection.execute(archives.FIGURES).one().problems)


def _replica(settings: Settings, connection: sa.Connection, now: datetime) -> Samples:
    del now  # by the servers' clock
    state = replica.look(connection, settings)
    if state is None:
        return
    if state.behind_s is not None:
        yield _sample("replica_behind_seconds", state.behind_s)
    if state.problem is not None:
        yield _sample("replica_not_read", 1, state.problem)


def _quotas(settings: Settings, connection: sa.Connection, now: datetime) -> Samples:
    for left in allowance.remaining(connection, settings, now):
        yield _sample("uploads_tokens", left.now, left.name)
        yield _sample("uploads_calls", left.used_today, left.name)
        if left.per_day:
            yield _sample("uploads_daily_calls_left_ratio", max(0.0, 1 - left.used_today / left.per_day), left.name)


def _gaps(counted: Sums | None, connection: sa.Connection, now: datetime) -> Samples:
    if counted is None:
        said = [*sums.tallied(connection).gaps, *contradictions.contradictions(connection, now - LOOKED_AT)]
    else:
        said = counted.gaps
    for sum_of in dict.fromkeys(gap.partition(" ")[0].rstrip(":") for gap in said):
        yield _sample("sums_gaps", 1, sum_of)


def _remembered_gaps(connection: sa.Connection, now: datetime) -> Samples:
    del now
    for row in connection.execute(queries.OPEN_PLACES, {"name": SUMS_ALARM}):
        yield _sample("sums_gaps", 1, row.place["sum"])


def monday_of(moment: datetime) -> date:
    """The Monday of its week, in UTC."""
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def _age_s(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0
