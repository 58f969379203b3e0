"""Tallies say what counting says (every test's database is asked so at its end, tests/conftest.py); what is off is found and mended."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from custom_events.postgres import partitions, upkeep
from custom_events.queries import receipts, tallies
from custom_events.settings import Settings
from custom_events.values.conversions import UploadState
from custom_events.watching import sums

NOW = datetime.now(UTC)
ROWS = """
INSERT INTO app.conversion_uploads (created_at, site_id, assignment_id, custom_event_id, ads_account_id, kind, transaction_id, sequence,
  conversion_at, ad_user_data, ad_personalization, state, reason, sentence, not_before, deadline_at)
SELECT now() - interval '1 day' * g, 1, 1, g, 1 + g % 3, 'conversion', g, 0, now(), 'granted', 'granted',
  (ARRAY['queued', 'accepted', 'withheld', 'sent'])[1 + g % 4], CASE WHEN g % 4 = 2 THEN 'why' END, CASE WHEN g % 4 = 2 THEN 'In words' END,
  now(), now()
FROM generate_series(1, 40) g
"""


def run(engine: sa.Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(statement)


def total(engine: sa.Engine, what: str, state: str) -> int:
    with engine.connect() as connection:
        return sum(one.rows for one in tallies.read(connection, what) if one.state == state)


def test_what_statements_do_is_tallied(engine: sa.Engine) -> None:
    run(engine, ROWS)
    assert total(engine, "uploads", "open") == total(engine, "uploads_of_account", "accepted") == 10
    run(engine, "UPDATE app.conversion_uploads SET state = 'claimed' WHERE state = 'queued'")
    assert total(engine, "uploads", "open") == 10
    run(engine, "UPDATE app.conversion_uploads SET state = 'accepted', reason = 'r' WHERE state = 'claimed'")
    run(engine, "DELETE FROM app.conversion_uploads WHERE state = 'sent'")
    assert (total(engine, "uploads", "open"), total(engine, "uploads", "sent")) == (0, 0)
    assert total(engine, "uploads", "accepted") == 20
    with engine.connect() as connection:
        (said,) = {one.sentence for one in tallies.read(connection, "uploads_of_account") if one.reason == "why"}
        assert said == "In words"
        assert connection.execute(tallies.OPEN_SINCE).scalar_one() is None


def test_an_unsent_restatement_that_becomes_a_retraction_is_tallied_as_one(engine: sa.Engine) -> None:
    restatements = ROWS.replace("'conversion', g, 0", "'restatement', g, 1").replace(
        "conversion_at,", "conversion_at, adjusted_at, value,"
    )
    run(engine, restatements.replace("now(), 'granted'", "now(), now(), 1, 'granted'"))
    run(engine, "UPDATE app.conversion_uploads SET kind = 'retraction', value = NULL WHERE state = 'queued'")
    run(engine, "UPDATE app.conversion_uploads SET state = 'claimed' WHERE kind = 'retraction'")
    run(engine, "UPDATE app.conversion_uploads SET state = 'accepted' WHERE kind = 'retraction'")
    with engine.connect() as connection:
        rows = {(one.kind, one.state): one.rows for one in tallies.read(connection, "uploads_of_account") if one.rows}
    assert {key for key, count in rows.items() if count < 0 or key[1] == "open"} == set()
    assert sum(one for (kind, _), one in rows.items() if kind == "retraction") == 3


def test_the_words_of_open_rows_are_those_that_may_be_claimed() -> None:
    """The trigger and a claim's exemption from it rest on this."""
    final = {UploadState.ACCEPTED, UploadState.REJECTED, UploadState.EXPIRED, UploadState.WITHHELD}
    open_ = {UploadState.NEW, UploadState.HELD, UploadState.QUEUED, UploadState.CLAIMED, UploadState.UNKNOWN}
    assert {*final, *open_, UploadState.SENT} == set(UploadState)


def test_folding_changes_nothing_that_is_read(engine: sa.Engine) -> None:
    run(engine, ROWS)
    with engine.begin() as connection:
        before = sorted(tallies.read(connection, "uploads", "uploads_of_account"))
        assert tallies.fold(connection)
    run(engine, "UPDATE app.conversion_uploads SET state = 'accepted' WHERE state = 'sent'")
    with engine.begin() as connection:
        assert tallies.fold(connection)
        assert connection.execute(sa.text("SELECT count(*) FROM app.tally_changes")).scalar_one() == 0
        after = tallies.read(connection, "uploads", "uploads_of_account")
    assert sum(one.rows for one in before) == sum(one.rows for one in after)
    assert {one.state for one in after if one.what == "uploads"} == {"open", "accepted", "withheld"}


def test_two_fold_one_after_the_other(engine: sa.Engine) -> None:
    run(engine, ROWS)
    with engine.begin() as first, engine.begin() as second:
        assert tallies.fold(first)
        assert not tallies.fold(second)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("DELETE FROM app.tally_changes WHERE what = 'uploads' AND state = 'withheld'", "withheld why"),
        (
            "INSERT INTO app.tally_changes VALUES ('raw_outcomes', '2026-11-02', 0, '', 'parked', 'x', 3)",
            "were tallied",
        ),
    ],
)
def test_what_counting_denies_is_said_and_mended(engine: sa.Engine, harm: str, said: str) -> None:
    run(engine, ROWS)
    run(engine, harm)
    with engine.begin() as connection:
        found = {one.name: one.gaps for one in sums.check(connection, NOW)}
        assert said in " ".join(found["tallies"])
        assert tallies.differences(connection) == []
        assert any(gap.startswith("tallies:") for gap in sums.tallied(connection).gaps), "the last check is remembered"
        sums.check(connection, NOW)
        assert not any(gap.startswith("tallies:") for gap in sums.tallied(connection).gaps)


def test_rows_that_retention_drops_leave_the_tallies(engine: sa.Engine) -> None:
    long_ago = NOW - timedelta(days=900)
    with engine.begin() as connection:
        partitions.ensure(connection, long_ago)
        for at in (long_ago, long_ago - timedelta(days=3000)):  # the latter lies in DEFAULT
            connection.execute(
                sa.text(
                    "INSERT INTO app.custom_events (occurred_at, site_id, assignment_id, definition_revision_id, assignment_revision_id,"
                    " commerce_event_id, dedup_key) VALUES (:at, 1, 1, 1, 1, 1, 'k')"
                ),
                {"at": at},
            )
            connection.execute(
                sa.text(
                    "INSERT INTO app.raw_outcomes (landed_week, raw_id, received_at, site_id, outcome, new_events)"
                    " VALUES (date_trunc('week', CAST(:at AS timestamptz), 'UTC')::date, 1, :at, 1, 'ignored', 0)"
                ),
                {"at": at},
            )
    assert (total(engine, "custom_events", "stands"), total(engine, "raw_outcomes", "ignored")) == (2, 2)
    with engine.begin() as connection:
        partitions.drop_expired(connection, Settings(), NOW)
    assert (total(engine, "custom_events", "stands"), total(engine, "raw_outcomes", "ignored")) == (0, 0)


def test_old_pages_of_the_ledger_are_made_dense_once(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        partitions.ensure(connection, NOW - timedelta(days=200))
    run(
        engine,
        ROWS.replace("now() - interval '1 day' * g", "now() - interval '200 days' - interval '1 minute' * g").replace(
            "40)", "2000)"
        ),
    )
    size = "SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree('app.conversion_uploads')"
    with engine.connect() as connection:
        before = connection.execute(sa.text(size)).scalar_one()
    rested = upkeep.rest(engine, NOW)
    assert rested
    assert all(name.startswith("app.conversion_uploads_2") for name in rested)
    with engine.connect() as connection:
        assert connection.execute(sa.text(size)).scalar_one() * 10 < before * 6
    assert upkeep.rest(engine, NOW) == []
    upkeep.analyze(engine)


def test_receipts_of_past_hours_stand_together(engine: sa.Engine) -> None:
    run(
        engine,
        "INSERT INTO landing.receipts SELECT now() - interval '2 days' + interval '1 second' * g, 2, 1, 0, 1 FROM generate_series(1, 50) g;"
        " INSERT INTO landing.receipts SELECT now(), 2, 1, 0, 1 FROM generate_series(1, 5) g",
    )
    with engine.begin() as connection:
        assert receipts.by_hour(connection, NOW) in (1, 2)
        assert receipts.by_hour(connection, NOW) == 0
        rows, received = connection.execute(sa.text("SELECT count(*), sum(received) FROM landing.receipts")).one()
    assert received == 110
    assert rows <= 7
