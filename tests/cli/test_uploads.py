"""What a person does with an ads account from the command line."""

import json
import re
from collections import Counter

import pytest
import sqlalchemy as sa

from custom_events.values.conversions import UNMATCHED_REASONS, UploadState
from custom_events.values.reasons import CONSENT_UNKNOWN_IN_EUROPE
from tests.cli.conftest import Run

GROUND = """
INSERT INTO app.ads_accounts (id, customer_id, name, lane) VALUES (1, '1234567890', 'Shop', 'google_ads');
INSERT INTO app.ads_actions (id, ads_account_id, action_id, name) VALUES (1, 1, '7001', 'Purchase');
INSERT INTO app.conversion_uploads (created_at, site_id, assignment_id, custom_event_id, ads_account_id, ads_action_id, kind,
  transaction_id, sequence, order_id, conversion_at, ad_user_data, ad_personalization, state, reason, sentence, not_before,
  deadline_at, settled_at)
SELECT now(), 1, 1, n, 1, 1, 'conversion', '1-' || n, 0, n, now(), 'granted', 'unknown', 'rejected', 'code-' || n, 'Why', now(),
  now() + interval '1 day', now() FROM generate_series(1, 3) n
"""


@pytest.fixture
def ground(engine: sa.Engine) -> sa.Engine:
    with engine.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(GROUND)
    return engine


def test_hold_list_and_release(run: Run, database: str, ground: sa.Engine) -> None:
    held = run("uploads", "hold", "123-456-7890", "prices are wrong", "--author", "anna", DATABASE_URL=database)
    assert (held.exit_code, held.output) == (
        0,
        "123-456-7890 is held. Its conversions wait: custom-events uploads release 123-456-7890\n",
    )
    listed = run("uploads", "list", DATABASE_URL=database).output
    assert "1234567890  Shop  (google_ads)\n  PARKED since " in listed
    assert ": Held by hand: prices are wrong (anna)\n" in listed
    released = run("uploads", "release", "1234567890", "--author", "bert", DATABASE_URL=database)
    assert released.output == "1234567890 goes on.\n"
    assert "PARKED" not in run("uploads", "list", DATABASE_URL=database).output
    with ground.connect() as connection:
        assert connection.execute(sa.text("SELECT actor, action, subject FROM app.audit_entries")).all() == [
            ("anna", "uploads.hold", "ads_account:1"),
            ("bert", "uploads.release", "ads_account:1"),
        ]


def test_retry_by_code_by_order_and_all(run: Run, database: str, ground: sa.Engine) -> None:
    def again(*options: str) -> str:
        return run("uploads", "retry", "1234567890", *options, DATABASE_URL=database).output

    assert again("--reason", "code-1") == "1 rows go once more.\n"
    assert again("--order", "2") == "1 rows go once more.\n"
    assert again() == "1 rows go once more.\n"
    assert again() == "0 rows go once more.\n"
    with ground.connect() as connection:
        rows = connection.execute(sa.text("SELECT DISTINCT state, reason, sentence FROM app.conversion_uploads")).all()
    assert rows == [("queued", None, "Sent again by hand; before: Why")]


def test_hold_and_release_a_part_of_an_account(run: Run, database: str, ground: sa.Engine) -> None:
    def uploads(*words: str) -> str:
        return run("uploads", *words, DATABASE_URL=database).output

    with ground.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO app.sites (id, site_key, platform, name) VALUES (1, 'shop', 'custom', 'S')")
        )
        connection.execute(
            sa.text("UPDATE app.conversion_uploads SET state = 'queued', settled_at = NULL, reason = NULL")
        )
    assert uploads("hold", "1234567890", "a test", "--order", "2", "--author", "anna") == (
        "1 rows are held: custom-events uploads release 1234567890 --order 2\n"
    )
    assert uploads("hold", "1234567890", "wrong one", "--action", "7001", "--author", "anna") == (
        "Action 7001 of 1234567890 is held: custom-events uploads release 1234567890 --action 7001\n"
    )
    listed = uploads("list")
    assert "  action 7001 (Purchase) PARKED since 20" in listed
    assert " UTC: Held by hand: wrong one (anna)\n" in listed
    assert "                       1  held_by_hand: Held by hand: a test (anna)\n" in listed
    assert uploads("release", "1234567890", "--order", "2") == "1 rows go now.\n"
    assert uploads("release", "1234567890", "--action", "7001") == "Action 7001 of 1234567890 goes on.\n"
    assert uploads("hold", "1234567890", "x", "--site", "shop") == (
        "3 rows are held: custom-events uploads release 1234567890 --site shop\n"
    )
    assert 'There is no site "another"' in uploads("hold", "1234567890", "x", "--site", "another")
    assert uploads("release", "1234567890", "--reason", "held_by_hand") == "1234567890 goes on. 3 rows go now.\n"
    assert "the account has no conversion action 9" in uploads("hold", "1234567890", "x", "--action", "9")
    assert "the account has no conversion action 9" in uploads("release", "1234567890", "--action", "9")


def test_what_waits_for_consent_goes_only_by_its_name(run: Run, database: str, ground: sa.Engine) -> None:
    with ground.begin() as connection:
        connection.execute(sa.text("UPDATE app.conversion_uploads SET state = 'queued'"))
        connection.execute(
            sa.text(
                "UPDATE app.conversion_uploads SET state = 'held', settled_at = NULL, not_before = deadline_at, "
                "reason = CASE WHEN order_id = '1' THEN :consent ELSE 'click_too_recent' END"
            ),
            {"consent": CONSENT_UNKNOWN_IN_EUROPE},
        )

    def release(*options: str) -> str:
        return run("uploads", "release", "1234567890", *options, DATABASE_URL=database).output

    assert release("--held") == "1234567890 goes on. 2 rows go now.\n"
    assert release("--order", "1") == "0 rows go now.\n"
    assert release("--reason", CONSENT_UNKNOWN_IN_EUROPE) == "1234567890 goes on. 1 rows go now.\n"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            ["hold", "x", "--order", "9"],
            'no conversion of an order "9" goes to this account: `custom-events explain 9`',
        ),
        (["release", "--order", "9"], 'no conversion of an order "9"'),
        (
            ["retry", "--reason", "code-9"],
            'no row of this account has the reason "code-9": `custom-events uploads list`',
        ),
        (["release", "--site", "9"], 'There is no site "9"'),
        (["reconcile", "--action", "9"], "the account has no conversion action 9: `custom-events uploads probe`"),
    ],
)
def test_what_is_not_there_is_named(run: Run, database: str, ground: sa.Engine, command: list[str], words: str) -> None:
    result = run("uploads", command[0], "1234567890", *command[1:], DATABASE_URL=database)
    assert result.exit_code == 1
    assert words in result.stderr


@pytest.mark.parametrize(
    "command", [["hold", "5", "x"], ["retry", "5"], ["release", "5"], ["reconcile", "5"], ["probe", "5"]]
)
def test_an_unknown_account_is_named(run: Run, database: str, command: list[str]) -> None:
    result = run("uploads", *command, DATABASE_URL=database)
    assert result.exit_code != 0
    assert "there is no ads account 5" in result.output


EVERY_STATE = """
INSERT INTO app.ads_accounts (id, customer_id, name, lane) VALUES (2, '2234567890', 'Other', 'data_manager');
INSERT INTO app.conversion_uploads (created_at, site_id, assignment_id, custom_event_id, ads_account_id, kind, transaction_id, sequence,
  order_id, conversion_at, ad_user_data, ad_personalization, state, reason, sentence, not_before, deadline_at)
SELECT now(), 1, 1, n, CASE WHEN n % 3 = 0 AND state IN ('withheld', 'held') THEN NULL ELSE 1 + n % 2 END, kind, 't' || n, (kind <> 'conversion')::int, n, now(),
  'granted', 'granted', state, reason, 'Why', now(), now() + interval '1 day'
FROM (
  SELECT row_number() OVER () AS n, state, kind, reason FROM unnest(CAST(:states AS text[])) AS state,
    unnest(ARRAY['conversion', 'conversion', 'restatement', 'retraction']) AS kind,
    unnest(ARRAY[NULL, 'code', :unmatched]) AS reason) rows
"""


def test_the_list_adds_up_to_the_status(run: Run, database: str, ground: sa.Engine) -> None:
    with ground.begin() as connection:
        values = {"states": [str(state) for state in UploadState], "unmatched": UNMATCHED_REASONS[0]}
        for statement in EVERY_STATE.split(";\n"):
            connection.execute(sa.text(statement), values if ":states" in statement else {})
    listed: dict[str, Counter[str]] = {"conversions": Counter(), "adjustments": Counter()}
    kind = ""
    for line in run("uploads", "list", DATABASE_URL=database).output.splitlines():
        if total := re.fullmatch(r"  (conversions|adjustments) +([\d,]+)", line):
            kind = total[1]
        elif state := re.fullmatch(r"    (\w+) +([\d,]+)", line):
            listed[kind][state[1]] += int(state[2])
    found = json.loads(run("status", "--json", DATABASE_URL=database).output)
    assert dict(listed["conversions"]) == found["uploads"]
    assert dict(listed["adjustments"]) == found["adjustments"]
    assert set(found["uploads"]) == {*UploadState, "unmatched"}
    assert sum(found["uploads"].values()) == found["sums"]["queued"] + sum(found["sums"]["withheld"].values())


def test_what_is_withheld_is_named_and_how_to_send_it_after_all(run: Run, database: str, ground: sa.Engine) -> None:
    with ground.begin() as connection:
        connection.execute(
            sa.text("UPDATE app.conversion_uploads SET state = 'queued', settled_at = NULL, reason = NULL")
        )
    words = ("uploads", "withhold", "123-456-7890", "a test")
    found = run(*words, "--order", "2", "--author", "anna", DATABASE_URL=database)
    again = "custom-events uploads retry 123-456-7890 --reason withheld_by_hand"
    assert found.output == f"1 rows are withheld. To send them after all: {again}\n"
    with ground.connect() as connection:
        found = connection.execute(sa.text("SELECT sentence FROM app.conversion_uploads WHERE state = 'withheld'"))
        assert found.scalars().all() == ["Withheld by hand: a test (anna)"]
    assert "--order, --action or --site" in run(*words, DATABASE_URL=database).output
