"""Every figure from rows that give it; and the cost of asking."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.queries import watching as queries
from custom_events.settings import Settings
from custom_events.watching.measure import DAY, HOUR, measure, monday_of
from custom_events.watching.metrics import METRICS

NOW = datetime.now(UTC).replace(microsecond=0)
A_WHILE_S = 60  # rows made by the database's clock are a little later


@pytest.fixture(autouse=True)
def _now() -> None:
    """Each test has its own moment: on a busy machine minutes pass between them."""
    globals()["NOW"] = datetime.now(UTC).replace(microsecond=0)


GROUND = """
INSERT INTO app.sites (id, site_key, platform, name) VALUES (1, 'shop', 'custom', 'Shop');
INSERT INTO app.ads_accounts (id, customer_id, name, lane, parked_reason, parked_at, paused_until) VALUES
  (1, '1234567890', 'A', 'google_ads', NULL, NULL, now() + interval '90 seconds'),
  (2, '2345678901', 'B', 'data_manager', 'no right', now(), NULL);
INSERT INTO app.ads_actions (id, ads_account_id, action_id, name, parked_reason) VALUES
  (1, 1, '7001', 'P', NULL), (2, 1, '7002', 'S', 'wrong type');
"""
UPLOAD = """
INSERT INTO app.conversion_uploads (created_at, site_id, assignment_id, custom_event_id, ads_account_id, ads_action_id, kind,
  transaction_id, sequence, conversion_at, ad_user_data, ad_personalization, state, reason, not_before, deadline_at, updated_at)
SELECT :now, 1, 1, i, 1, 1, 'conversion', :state || coalesce(:reason, '') || i, 0, :now, 'granted', 'granted', :state, :reason,
  :not_before, :deadline, :updated FROM generate_series(1, :rows) AS i
"""


@pytest.fixture
def ground(engine: sa.Engine) -> sa.Engine:
    with engine.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(GROUND)
    return engine


def uploads(
    engine: sa.Engine,
    rows: int,
    state: str,
    reason: str | None = None,
    *,
    due_h: float = 0.0,
    left_h: float = 500.0,
    changed_h: float = 0.0,
) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text(UPLOAD),
            {
                "now": NOW,
                "rows": rows,
                "state": state,
                "reason": reason,
                "not_before": NOW - timedelta(hours=due_h),
                "deadline": NOW + timedelta(hours=left_h),
                "updated": NOW - timedelta(hours=changed_h),
            },
        )


def figures(engine: sa.Engine, **options: bool) -> tuple[Any, ...]:
    with engine.connect() as connection:
        found = measure(connection, Settings(), NOW, **options)
    named = {name.removeprefix("custom_events_") for name in found.measured}
    return {(one.metric.removeprefix("custom_events_"), *one.labels): one.value for one in found.samples}, named


def test_the_ledger_in_figures(ground: sa.Engine) -> None:
    uploads(ground, 3, "queued", due_h=2, left_h=30)
    uploads(ground, 2, "held", "click_too_recent", due_h=-3, left_h=100)
    uploads(ground, 4, "held", "ConversionUploadError.INVALID_CUSTOMER_FOR_CLICK", due_h=-3)
    uploads(ground, 5, "unknown", "no_answer", changed_h=2)
    uploads(ground, 1, "unknown", "no_answer ")
    uploads(ground, 9, "accepted")
    found, _ = figures(ground)
    account = "1234567890"
    assert found["uploads_waiting_rows", account, "queued"] == 3
    assert found["uploads_waiting_rows", account, "held"] == 6
    assert found["uploads_waiting_rows", account, "unknown"] == 6
    assert found["uploads_held_rows", account, "click_too_recent"] == 2
    assert found["uploads_due_rows", account] == 9
    assert found["uploads_due_age_seconds", account] == 7200
    assert found["uploads_expiring_rows", account, "48"] == 3
    assert found["uploads_expiring_rows", account, "168"] == 5
    assert found["uploads_unknown_rows", account] == 5
    code = "ConversionUploadError.INVALID_CUSTOMER_FOR_CLICK"
    assert found["uploads_needing_action_rows", account, code] == 4
    assert found["uploads_account_parked", account] == 0
    assert found["uploads_account_parked", "2345678901"] == 1
    assert found["uploads_action_parked", account, "7002"] == 1
    assert 0 < found["uploads_paused_seconds", account] <= 90 + A_WHILE_S
    assert found["uploads_paused_seconds", "2345678901"] == 0


def answers(engine: sa.Engine, rows: int, verdict: str, code: str | None = None) -> None:
    with engine.begin() as connection:
        request = connection.execute(
            sa.text(
                "INSERT INTO app.upload_requests (ads_account_id, lane, kind, rows, intent_at) "
                "VALUES (1, 'google_ads', 'conversions', :r, :n) RETURNING id"
            ),
            {"r": rows, "n": NOW},
        ).scalar_one()
        connection.execute(
            sa.text(
                "INSERT INTO app.upload_attempts (at, upload_id, request_id, verdict, code) "
                "SELECT :n, i, :q, :v, :c FROM generate_series(1, :r) AS i"
            ),
            {"n": NOW, "q": request, "v": verdict, "c": code, "r": rows},
        )


def test_the_rate_of_success_needs_enough_answers(ground: sa.Engine) -> None:
    answers(ground, 90, "accepted")
    answers(ground, 3, "retry", "UNAVAILABLE")
    answers(ground, 2, "rejected", "ConversionUploadError.UNPARSEABLE_GCLID")
    found, _ = figures(ground)
    assert found["uploads_refused_rows", "1234567890", "ConversionUploadError.UNPARSEABLE_GCLID"] == 2
    assert found["uploads_answered_rows", "1234567890", "retry"] == 3
    assert ("uploads_success_ratio", "1234567890") not in found
    answers(ground, 106, "already_there")
    answers(ground, 2, "expired")
    found, _ = figures(ground)
    assert found["uploads_success_ratio", "1234567890"] == pytest.approx(196 / 200)


PIPELINE = """
INSERT INTO landing.raw_events (landed_week, id, received_at, site_id, dedup_key, signature, headers, body, body_bytes)
SELECT (date_trunc('week', now() AT TIME ZONE 'UTC'))::date, i, now() - make_interval(mins => 10 - i), 1, decode(md5(i::text), 'hex'),
  'verified', '{}', 'x', 1 FROM generate_series(1, 3) AS i;
INSERT INTO landing.raw_queue SELECT id, landed_week, site_id FROM landing.raw_events WHERE id > 1;
INSERT INTO app.raw_outcomes (landed_week, raw_id, received_at, site_id, outcome, reason, new_events)
SELECT landed_week, id, received_at, 1, 'parked', 'unknown_topic', 0 FROM landing.raw_events WHERE id = 1;
INSERT INTO app.odd_leaves VALUES (1, '$.line_items[].sku', 7, now(), now(), 1, (date_trunc('week', now() AT TIME ZONE 'UTC'))::date);
INSERT INTO landing.refused_events (received_at, reason) VALUES (now(), 'too_old'), (now() - interval '2 hours', 'too_old');
INSERT INTO app.value_changes VALUES (1, 'A', now() - interval '30 minutes');
INSERT INTO app.upload_requests (ads_account_id, lane, kind, rows, intent_at, next_poll_at)
VALUES (2, 'data_manager', 'conversions', 1, now(), now() - interval '2 hours');
INSERT INTO app.reconciliation_days (ads_account_id, action_id, day, events, google_successful, google_failed, google_pending,
  google_read_at, updated_at)
VALUES (1, '7001', current_date - 9, 5, 4, 0, 0, now() - interval '1 hour', now()),
  (1, '7001', current_date, 5, 4, 0, 0, now() - interval '1 hour', now()),
  (2, '8001', current_date - 9, 5, NULL, NULL, NULL, NULL, now())
"""


def test_the_pipeline_the_receiver_and_google_in_figures(ground: sa.Engine) -> None:
    with ground.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(PIPELINE)
    found, _ = figures(ground)
    assert found["pipeline_backlog_rows",] == 2
    assert 480 - A_WHILE_S < found["pipeline_backlog_age_seconds",] <= 480
    assert found["pipeline_parked_rows", "shop", "unknown_topic"] == 1
    assert found["odd_leaves_total", "shop", "$.line_items[].sku"] == 7
    assert found["receiver_quarantined_rows", "too_old"] == 1
    assert found["uploads_value_changes",] == 1
    assert 1800 - A_WHILE_S < found["uploads_value_change_age_seconds",] <= 1800
    assert found["uploads_overdue_verdicts",] == 1
    assert found["uploads_undecided_requests",] == 0
    assert found["reconciliation_short_days", "1234567890"] == 1
    assert found["reconciliation_short_days", "2345678901"] == 0
    assert ("reconciliation_age_seconds", "2345678901") not in found


def test_what_is_left_of_the_quotas(ground: sa.Engine) -> None:
    with ground.begin() as connection:
        hours = f'{{"{int(NOW.timestamp() // 3600)}": 2592}}'
        connection.execute(
            sa.text(
                "INSERT INTO app.quota_buckets (name, tokens, pace, hours, refilled_at) "
                "VALUES ('google_ads', 5, 1, CAST(:h AS jsonb), :n), ('google_ads:1234567890', 7, 1, '{}', :n)"
            ),
            {"h": hours, "n": NOW},
        )
    found, _ = figures(ground)
    assert found["uploads_tokens", "google_ads:1234567890"] == pytest.approx(7, abs=1)
    assert found["uploads_calls", "google_ads"] == 2592
    assert ("uploads_daily_calls_left_ratio", "google_ads:1234567890") not in found
    per_day = Settings().google_ads_operations_per_day
    if per_day is not None:
        assert found["uploads_daily_calls_left_ratio", "google_ads"] == pytest.approx(max(0, 1 - 2592 / per_day))


def test_an_empty_installation_has_nothing_to_say(engine: sa.Engine) -> None:
    found, named = figures(engine)
    assert set(found.values()) == {0.0}
    assert named == {name.removeprefix("custom_events_") for name in METRICS} - {"sums_gaps"}


def test_sums_are_counted_when_asked_and_remembered_else(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO landing.receipts VALUES (now(), 5, 0, 0, 0)"))
    found, named = figures(engine, with_sums=True)
    assert found["sums_gaps", "received"] == 1
    assert "sums_gaps" in named
    assert ("sums_gaps", "received") not in figures(engine)[0]


def test_every_sample_has_its_metric_and_its_labels(ground: sa.Engine) -> None:
    uploads(ground, 1, "held", "x")
    answers(ground, 200, "rejected", "C.D")
    with ground.connect() as connection:
        for sample in measure(connection, Settings(), NOW, with_sums=True).samples:
            assert len(sample.labels) == len(METRICS[sample.metric].labels), sample


@pytest.mark.parametrize("name", ["WAITING", "ANSWERS", "BACKLOG", "PARKED", "REFUSED", "OVERDUE"])
def test_no_statement_reads_history(ground: sa.Engine, name: str) -> None:
    """With sequential scans made dear, none is left on a table that grows: each has an index whose size is that of open work."""
    with ground.connect() as connection:
        connection.execute(sa.text("SET enable_seqscan = off"))
        statement = getattr(queries, name)
        times = {"now": NOW, "day_ago": NOW - DAY, "hour_ago": NOW - HOUR, "week": monday_of(NOW - DAY)}
        values = {name: at for name, at in times.items() if f":{name}" in str(statement)}
        plan = "\n".join(connection.execute(sa.text(f"EXPLAIN {statement}"), values).scalars())
    for table in ("conversion_uploads", "upload_attempts", "raw_events", "raw_outcomes", "refused_events"):
        assert f"Seq Scan on {table}" not in plan, plan
