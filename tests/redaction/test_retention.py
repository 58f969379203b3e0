"""What is kept for its time and no longer, row by row: ids of conversions, customers, quarantine; and who says that something is too old."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from click.testing import Result

from custom_events.redaction import retention
from custom_events.redaction.retention import Expired
from custom_events.settings import Settings
from custom_events.watching.alarms import raised
from custom_events.watching.measure import measure
from tests.cli.conftest import run as run  # noqa: PLC0414  (a fixture)
from tests.redaction.bodies import at_shopify, everywhere
from tests.redaction.conftest import ANN, BEN, Planted

IDENTIFIERS = sa.text(
    "SELECT count(*) FROM app.conversion_uploads WHERE click_id IS NOT NULL OR email_sha256 IS NOT NULL OR other_clicks IS NOT NULL"
)
STATES = sa.text("SELECT state, reason, value, transaction_id FROM app.conversion_uploads ORDER BY created_at, id")
OLD_BODY = sa.text("""
INSERT INTO landing.raw_events (landed_week, site_id, dedup_key, signature, headers, body, body_bytes)
VALUES (date_trunc('week', now() AT TIME ZONE 'UTC')::date - :days, 1, 'a-key', 'verified', '{}', 'x', 1)
""")


def test_ids_of_settled_conversions_go_when_google_takes_nothing_any_more(planted: Planted) -> None:
    assert set(planted.post(everywhere(planted, ANN))) == {200}
    planted.drain()
    planted.send()
    now = datetime.now(UTC)
    with planted.engine.connect() as connection:
        before, rows = connection.execute(IDENTIFIERS).scalar_one(), connection.execute(STATES).all()
    assert before
    assert retention.expire(planted.engine, planted.settings, now + timedelta(days=110)) == Expired()
    expired = retention.expire(planted.engine, planted.settings, now + timedelta(days=135))
    assert expired.identifiers >= before
    with planted.engine.connect() as connection:
        waiting = "SELECT count(*) FROM app.conversion_uploads WHERE settled_at IS NULL AND click_id IS NOT NULL"
        assert connection.execute(IDENTIFIERS).scalar_one() == connection.execute(sa.text(waiting)).scalar_one()
        assert connection.execute(STATES).all() == rows
    assert retention.expire(planted.engine, planted.settings, now + timedelta(days=135)).identifiers == 0
    assert planted.gaps() == []


def test_customers_who_were_not_seen_for_long_are_forgotten(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CUSTOMERS_AT_ONCE", 1)
    assert set(planted.post(everywhere(planted, ANN) + everywhere(planted, BEN))) == {200}
    planted.drain()
    now = datetime.now(UTC)
    settings = planted.settings.model_copy(update={"customer_retention_days": 100})
    with planted.engine.begin() as connection:
        count = connection.execute(sa.text("SELECT count(*) FROM app.customers")).scalar_one()
        last = sa.text("UPDATE app.orders SET ordered_at = :at WHERE customer_key = :key")
        connection.execute(last, {"at": now + timedelta(days=90), "key": f"c:{BEN.number}"})
    assert retention.expire(planted.engine, settings, now + timedelta(days=50)).customers == 0
    assert retention.expire(planted.engine, settings, now + timedelta(days=140)).customers >= count - 2
    with planted.engine.connect() as connection:
        left = set(connection.execute(sa.text("SELECT DISTINCT customer_key FROM app.customers")).scalars())
        named = sa.text(
            "SELECT count(*) FROM app.orders WHERE customer_key = :key OR number IS NOT NULL AND customer_key IS NULL"
        )
        assert connection.execute(named, {"key": f"c:{ANN.number}"}).scalar_one() == 0
        subscribers = set(connection.execute(sa.text("SELECT customer_key FROM app.subscriptions")).scalars())
    assert None in subscribers  # a subscription stays, and says no longer whose it is
    assert subscribers <= {None, f"c:{BEN.number}"}
    assert left == {f"c:{BEN.number}"}


def test_quarantine_is_kept_for_two_weeks(planted: Planted) -> None:
    assert set(planted.post(at_shopify(planted, ANN)[:2], secret=b"another")) == {401}
    now = datetime.now(UTC)
    assert retention.expire(planted.engine, planted.settings, now + timedelta(days=13)).quarantine == 0
    assert retention.expire(planted.engine, planted.settings, now + timedelta(days=15)).quarantine == 2


def test_bodies_older_than_allowed_are_an_alarm(engine: sa.Engine) -> None:
    now = datetime.now(UTC)
    with engine.begin() as connection:
        assert [kept.overdue_days for kept in retention.overdue(connection, Settings(), now)] == [0, 0]
        connection.execute(OLD_BODY, {"days": 91 + 14})
        reading = measure(connection, Settings(), now)
        (alarm,) = [alarm for alarm in raised(reading) if alarm.name == "BodiesOlderThanAllowed"]
        assert alarm.where == {"what": "bodies"}


def test_the_verb_says_what_is_too_old_and_does_what_is_due(
    run: Callable[..., Result],
    engine: sa.Engine,
    database: str,
) -> None:
    with engine.begin() as connection:
        connection.execute(OLD_BODY, {"days": 91 + 14})
        connection.execute(
            sa.text(
                "INSERT INTO landing.refused_events (received_at, reason) VALUES (now() - interval '20 days', 'too_old')"
            )
        )
    shown = run("retention", DATABASE_URL=database)
    assert shown.exit_code == 1
    assert "bodies: since" in shown.stdout
    assert "days too old" in shown.stdout
    done = run("retention", "--run", DATABASE_URL=database)
    assert done.exit_code == 0, done.output
    assert "refused deliveries deleted: 1" in done.stdout or "Partitions dropped: " in done.stdout
    assert "bodies: none, kept for 90 days" in done.stdout
