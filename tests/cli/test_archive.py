"""`custom-events archive`: written, listed, verified, restored."""

from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from tests.cli.conftest import Run
from tests.world import World

WEEKS_AGO = 30


def test_a_week_from_the_first_word_to_the_last(run: Run, database: str, engine: sa.Engine, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    variables = {"DATABASE_URL": database, "CUSTOM_EVENTS_ARCHIVE_URL": str(folder)}
    assert run("archive", "list", **variables).output == "Nothing is archived yet.\n"
    assert run("archive", "verify", **variables).output == "Nothing is archived yet.\n"
    assert run("archive", "write", **variables).output.startswith("Everything that ended on or before ")
    world = World(database, engine)
    world.land(world.site(), "orders/paid", {"id": 1})
    world.drain()
    with engine.begin() as connection:
        for name in ("landing.raw_events", "app.raw_outcomes"):
            connection.execute(sa.text(f"UPDATE {name} SET landed_week = landed_week - {7 * WEEKS_AGO}"))
        week = connection.execute(sa.text("SELECT landed_week FROM landing.raw_events")).scalar_one()

    written = run("archive", "write", **variables)
    assert written.exit_code == 0
    assert written.output.startswith(f"{week}  1 rows, ")
    assert run("archive", "list", **variables).output.startswith(f"{week}  1 rows, ")
    assert f'"landed_week": "{week}"' in run("archive", "list", "--json", **variables).output
    assert run("archive", "verify", **variables).output == f"{week}  sound  1 rows in 1 files\n"

    (file,) = folder.rglob("*.parquet")
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    wrong = run("archive", "verify", str(week + timedelta(days=3)), **variables)
    assert wrong.exit_code == 1
    assert f"{week}  WRONG  0 rows in 0 files" in wrong.output
    assert "has another SHA-256" in wrong.output
    file.write_bytes(whole)

    assert run("retention", "--run", **variables).exit_code == 0
    restored = run("archive", "restore", str(week), "--days", "3", "--author", "ana", **variables)
    assert f"{week}  1 of 1 rows came back; 0 wait to be understood; they stay until " in restored.output
    with engine.connect() as connection:
        entry = connection.execute(sa.text("SELECT actor, action, subject, detail FROM app.audit_entries")).one()
    assert entry[:3] == ("ana", "archive.restore", f"week:{week}")
    assert (entry.detail["rows"], entry.detail["waiting"]) == (1, 0)
    assert "restored until" in run("archive", "list", **variables).output
    assert run("archive", "restore", **variables).exit_code == 2
    missing = run("archive", "restore", "2020-01-06", **variables)
    assert missing.exit_code == 1
    assert "The week 2020-01-06 is not in the archive" in missing.output


def test_what_could_not_be_archived(run: Run, database: str, engine: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("a file where the folder should be")
    variables = {"DATABASE_URL": database, "CUSTOM_EVENTS_ARCHIVE_URL": str(tmp_path / "archive" / "of" / "us")}
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO landing.raw_events (landed_week, received_at, site_id, dedup_key, signature, headers, body, body_bytes) "
                "VALUES ('2026-01-05', '2026-01-05', 1, 'x', 'verified', '{}', 'x', 1)"
            )
        )
    written = run("archive", "write", **variables)
    assert written.exit_code == 1
    assert "2026-01-05  NOT ARCHIVED  The archive " in written.output
    expired = run("retention", "--run", **variables)
    assert expired.exit_code == 1
    assert "landing.raw_events_default: not in the archive: The archive " in expired.output
    (tmp_path / "archive").unlink()
    listed = run("archive", "list", **variables)
    assert listed.exit_code == 1
    assert "(since " in listed.output
