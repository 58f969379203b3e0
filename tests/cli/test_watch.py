"""What is wrong, on one page; and a test message."""

import json

import sqlalchemy as sa

from tests.cli.conftest import Run
from tests.watching.conftest import Hook


def parked(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO app.ads_accounts (customer_id, name, lane, parked_reason) "
                "VALUES ('1234567890', 'A', 'google_ads', 'no right')"
            )
        )


def test_nothing_is_wrong(run: Run, database: str) -> None:
    result = run("watch", DATABASE_URL=database)
    assert (result.exit_code, result.output) == (0, "Nothing is wrong.\n")


def test_what_is_wrong_and_what_to_do(run: Run, database: str, engine: sa.Engine) -> None:
    parked(engine)
    result = run("watch", DATABASE_URL=database)
    assert result.exit_code == 1
    assert "AccountParked: Nothing is sent to ads account 1234567890" in result.output
    assert "-> `custom-events uploads list` says why" in result.output
    document = json.loads(run("watch", "--no-tell", "--json", DATABASE_URL=database).output)
    assert document["open"][0]["place"] == {"account": "1234567890"}


def test_a_channel_that_does_not_answer_is_said(run: Run, database: str, engine: sa.Engine) -> None:
    parked(engine)
    address = "http://127.0.0.1:1/very-secret"
    result = run("watch", DATABASE_URL=database, CUSTOM_EVENTS_ALARM_SLACK_URL=address)
    assert result.exit_code == 1
    assert "slack: NOT told, slack did not take the message" in result.output
    assert "very-secret" not in result.output
    result = run("watch", "--test", CUSTOM_EVENTS_ALARM_SLACK_URL=address)
    assert (result.exit_code, "slack: NOT sent, " in result.output) == (1, True)


def test_a_test_needs_a_channel(run: Run) -> None:
    result = run("watch", "--test")
    assert result.exit_code == 1
    assert "no channel is set up: CUSTOM_EVENTS_ALARM_EMAIL_TO" in result.output


def test_a_test_message_arrives_and_an_alarm_is_told(run: Run, database: str, engine: sa.Engine) -> None:
    parked(engine)
    hook = Hook()
    try:
        trial = run("watch", "--test", CUSTOM_EVENTS_ALARM_TEAMS_URL=hook.address)
        told = run("watch", DATABASE_URL=database, CUSTOM_EVENTS_ALARM_TEAMS_URL=hook.address)
    finally:
        hook.stop()
    assert (trial.exit_code, trial.output) == (0, "teams: sent\n")
    assert "This is how an alarm would reach you" in str(hook.bodies[0])
    assert told.output.endswith("teams: told of 1\n")


def test_status_and_watch_agree_before_an_alarm_is_old_enough_to_be_told(
    run: Run, database: str, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO app.value_changes (site_id, order_id, changed_at) VALUES (1, '1', now() - interval '3 h')"
            )
        )
    young = "RefundsStalled (seen; told of when it has lasted 5 minutes)"
    before = json.loads(run("status", "--json", DATABASE_URL=database).output)["alarms"]  # nobody has looked yet
    watched = run("watch", DATABASE_URL=database)
    after = json.loads(run("status", "--json", DATABASE_URL=database).output)["alarms"]
    assert before == after == {young: 1}
    assert watched.exit_code == 0
    assert watched.output.startswith("seen     since ")
    assert "RefundsStalled: Refunds or cancellations have waited for 10,8" in watched.output
    assert "UTC on, if it lasts -> Look whether" in watched.output
    assert "Nothing is wrong." not in watched.output
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.alarms SET opened_at = now() - interval '6 minutes'"))
    assert json.loads(run("status", "--json", DATABASE_URL=database).output)["alarms"] == {"RefundsStalled": 1}
    assert "WARNING  since " in run("watch", DATABASE_URL=database).output
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM app.value_changes"))
        connection.execute(sa.text("UPDATE app.alarms SET seen_at = now() - interval '11 minutes'"))
    assert json.loads(run("status", "--json", DATABASE_URL=database).output)["alarms"] == {}
    assert run("watch", DATABASE_URL=database).output == "Nothing is wrong.\n"
