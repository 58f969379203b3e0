import json

import sqlalchemy as sa

from tests.cli.conftest import Run


def test_an_empty_installation_agrees(run: Run, database: str) -> None:
    result = run("status", DATABASE_URL=database)
    assert result.exit_code == 0
    assert result.output.startswith("received           0 = landed 0 + refused 0\n")
    assert result.output.endswith("The sums agree.\n")


def test_figures_are_shown_by_reason_and_gaps_are_named(run: Run, database: str, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO landing.receipts (at, received, landed, duplicates, refused) VALUES (now(), 1500, 0, 0, 3)"
            )
        )
        connection.execute(
            sa.text(
                "INSERT INTO landing.refused_events (received_at, platform, reason) "
                "VALUES (now(), 'custom', 'too_old'), (now(), 'custom', 'wrong_signature'), (now(), 'custom', 'too_old')"
            )
        )
    text = run("status", DATABASE_URL=database).output
    assert "received       1,500 = landed 0 + refused 3" in text
    assert "Refused, by reason\n           2  too_old\n           1  wrong_signature\n" in text
    assert "The sums do NOT agree: received 1500 is" in text
    document = json.loads(run("status", "--json", DATABASE_URL=database).output)
    assert document["agree"] is False
    assert document["sums"]["refused_by_reason"] == {"too_old": 2, "wrong_signature": 1}
