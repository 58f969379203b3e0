"""Old weeks go to the archive, out of the database and back, and are as they were."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.archive import reading, rows, writing
from custom_events.archive import storage as storage_module
from custom_events.backtest.replay import replay_sync
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound
from custom_events.redaction import retention
from custom_events.settings import Settings
from custom_events.watching.alarms import raised
from custom_events.watching.measure import measure
from custom_events.watching.sums import sums
from tests.archive.conftest import LATER, OldWeek, nobody, only
from tests.world import NOON

PARTITION = "landing.raw_events_"


def test_a_week_leaves_the_database_and_comes_back_as_it_was(
    week_of_each: OldWeek, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_week = week_of_each
    monkeypatch.setattr(rows, "GROUP_ROWS", 2)
    monkeypatch.setattr(writing, "FILE_BYTES", 1_000)
    old_week.land()
    before = old_week.rows()

    manifest = only(old_week.write()).manifest
    assert manifest is not None
    assert (manifest.landed_week, manifest.rows, manifest.schema_version) == (old_week.week, len(before), 1)
    assert len(manifest.files) > 2
    assert [file.first_id for file in manifest.files] == sorted(file.first_id for file in manifest.files)
    assert sum(file.rows for file in manifest.files) == manifest.rows
    assert old_week.write() == [], "what is in the archive is not written again"
    verified = reading.verify(old_week.settings, old_week.week)
    assert (verified.rows, verified.files, verified.problems) == (len(before), len(manifest.files), ())

    assert any(name.startswith(PARTITION) for name in old_week.drop().names)
    assert old_week.rows() == []
    restored = old_week.restore()
    assert (restored.rows, restored.landed, restored.waiting, restored.blanked) == (len(before), len(before), 0, 0)
    assert old_week.rows() == before
    again = old_week.restore()
    assert (again.landed, again.waiting) == (0, 0), "what is there stays as it is"
    with old_week.engine.connect() as connection:
        assert [week.restored_until for week in reading.weeks(connection, old_week.settings)] == [again.until]


def test_what_was_restored_is_replayed_and_goes_again(old_week: OldWeek) -> None:
    old_week.land()
    old_week.write()
    old_week.drop()
    restored = old_week.restore(days=14)
    replayed = replay_sync(
        old_week.world.url, old_week.world.settings, since=NOON - timedelta(days=9), until=NOON + timedelta(days=9)
    )
    assert replayed.reread is not None
    assert (replayed.reread.raw_events, replayed.reread.would_change) == (restored.rows, 0)
    assert replayed.counts.would_add == 0

    with old_week.engine.connect() as connection:
        bodies = next(
            entry for entry in retention.overdue(connection, old_week.settings, LATER) if entry.what == "bodies"
        )
        assert bodies.overdue_days == 0, "restored weeks have a time of their own"
        assert [gap for gap in sums(connection).gaps if not gap.startswith("received")] == []
    kept = old_week.drop().kept
    assert list(kept.values()) == [f"restored from the archive until {restored.until:%Y-%m-%d}"]
    after = restored.until + timedelta(days=1)
    assert not old_week.drop(after).kept
    assert old_week.rows() == []
    with old_week.engine.connect() as connection:
        assert [week.restored_until for week in reading.weeks(connection, old_week.settings)] == [None]


def test_what_nothing_is_known_of_waits_as_if_it_had_just_landed(old_week: OldWeek) -> None:
    """A database that was lost, but for its configuration."""
    old_week.land()
    with old_week.engine.begin() as connection:
        before = connection.execute(sa.text("SELECT key, facts::text FROM app.commerce_events ORDER BY key")).all()
    old_week.write()
    with old_week.engine.begin() as connection:
        for name in ("app.raw_outcomes", "app.commerce_events", "app.event_keys", "app.raw_archives"):
            connection.execute(sa.text(f"DELETE FROM {name}"))
        connection.execute(sa.text("DELETE FROM app.tallies WHERE what = 'raw_outcomes'"))
        connection.execute(sa.text("DELETE FROM app.tally_changes WHERE what = 'raw_outcomes'"))
        connection.execute(sa.text("DELETE FROM landing.raw_events"))
    restored = old_week.restore()
    assert restored.waiting == restored.landed == restored.rows
    old_week.world.drain()
    with old_week.engine.begin() as connection:
        after = connection.execute(sa.text("SELECT key, facts::text FROM app.commerce_events ORDER BY key")).all()
    assert after == before
    assert old_week.write() == [], "the database knows again that the week is in the archive"


def test_nothing_is_dropped_that_is_not_in_the_archive(old_week: OldWeek, tmp_path: Path) -> None:
    old_week.land()
    before = old_week.rows()
    assert set(old_week.drop().kept.values()) == {"not in the archive: it was not written yet"}
    (tmp_path / "archive").write_text("a file where the folder should be")
    problem = only(old_week.write()).problem
    assert problem is not None
    assert problem.startswith(f"The archive {tmp_path}/archive")
    assert set(old_week.drop().kept.values()) == {f"not in the archive: {problem}"}
    assert old_week.rows() == before
    with old_week.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT problem FROM app.raw_archives")).scalars().all() == [problem]
        assert "ArchiveFailing" in {alarm.name for alarm in raised(measure(connection, old_week.settings, LATER))}

    (tmp_path / "archive").unlink()
    assert only(old_week.write()).problem is None
    with old_week.engine.connect() as connection:
        assert [week.problem for week in reading.weeks(connection, old_week.settings)] == [None]
    assert not old_week.drop().kept


def test_rows_outside_of_any_partition_of_their_own_are_kept_likewise(old_week: OldWeek) -> None:
    """Of a week whose partition was never made."""
    old_week.land(1)
    with old_week.engine.begin() as connection:
        connection.execute(sa.text("UPDATE landing.raw_events SET landed_week = landed_week - 700"))
    assert old_week.drop().kept == {f"{PARTITION}default": "not in the archive: it was not written yet"}
    assert len(old_week.write()) == 1
    assert old_week.drop().deleted == {f"{PARTITION}default": 2}


def test_without_an_archive_nothing_is_written_and_all_is_dropped(old_week: OldWeek) -> None:
    old_week.land(1)
    assert old_week.write(archive_url=None) == []
    assert not old_week.drop(archive_url=None).kept
    with pytest.raises(InvalidConfiguration, match="no archive is set"):
        reading.verify(old_week.settings.model_copy(update={"archive_url": None}), old_week.week)


def test_storage_that_is_away_is_for_later_and_a_wrong_bucket_for_a_person(
    old_week: OldWeek, closed_port: int, storage: Any
) -> None:
    old_week.land(1)
    place = {"archive_url": "s3://no-such-bucket", "archive_region": "us-east-1", "archive_access_key_id": "test"}
    away = Settings.model_validate(
        {
            "local_directory": old_week.settings.local_directory,
            **place,
            "archive_secret_access_key": "a-key-of-the-tests",
            "archive_endpoint": f"http://127.0.0.1:{closed_port}",
        }
    )
    old_week.settings = away
    problem = only(old_week.write()).problem
    assert problem is not None
    assert "did not answer as it should" in problem
    assert "a-key-of" not in problem
    old_week.settings = away.model_copy(update={"archive_endpoint": storage})
    problem = only(old_week.write()).problem
    assert problem is not None
    assert "see that the folder or bucket is there" in problem


def test_a_week_whose_rows_wait_is_understood_first(old_week: OldWeek, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "STUCK_ROWS", 1)
    old_week.land(1)
    for number in (7, 8):
        old_week.world.land(old_week.sites[0], "orders/paid", {"id": number})
    assert only(old_week.write()).problem == "2 rows wait in landing.raw_queue: they are understood first."
    old_week.world.drain()
    assert only(old_week.write()).problem is None


def test_a_writing_that_was_killed_begins_again(old_week: OldWeek, monkeypatch: pytest.MonkeyPatch) -> None:
    old_week.land()
    monkeypatch.setattr(writing, "FILE_BYTES", 500)
    monkeypatch.setattr(rows, "GROUP_ROWS", 2)
    put, count = writing.files.put_checked, 0

    def killed(*arguments: Any) -> None:
        nonlocal count
        count += 1
        put(*arguments)
        if count == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(writing.files, "put_checked", killed)
    with pytest.raises(KeyboardInterrupt):
        old_week.write()
    with pytest.raises(NotFound, match="not in the archive"):
        reading.verify(old_week.settings, old_week.week)
    assert set(old_week.drop().kept.values()) == {"not in the archive: it was not written yet"}
    assert only(old_week.write()).problem is None
    assert reading.verify(old_week.settings, old_week.week).problems == ()


def test_what_has_changed_in_the_archive_is_found_and_not_restored(old_week: OldWeek, tmp_path: Path) -> None:
    old_week.land(2)
    manifest = only(old_week.write()).manifest
    assert manifest is not None
    folder = tmp_path / "archive" / "raw_events" / str(old_week.week)
    file = folder / manifest.files[0].name
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (folder / "stranger.parquet").write_text("x")
    problems = reading.verify(old_week.settings, old_week.week).problems
    assert problems == (
        "stranger.parquet is named by no manifest",
        f"{file.name} has another SHA-256 than its manifest says",
    )
    old_week.drop()
    with pytest.raises(NeedsAction, match="is not the file that was archived"):
        old_week.restore()
    file.unlink()
    assert f"{file.name} is missing" in reading.verify(old_week.settings, old_week.week).problems
    with pytest.raises(NeedsAction, match="does not give or take a file"):
        old_week.restore()
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(NeedsAction, match="is no manifest"):
        old_week.restore()
    (folder / "manifest.json").unlink()
    with old_week.engine.connect() as connection:
        (week,) = reading.weeks(connection, old_week.settings)
    assert week.problem == "it was archived and is not there any more: restore its files from a copy"


def test_a_program_without_the_libraries_says_so(old_week: OldWeek, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "find_spec", lambda _name: None)
    assert old_week.write() == [], "nothing is due"
    with pytest.raises(NeedsAction, match="pip install"):
        writing.write(old_week.engine, old_week.settings, LATER, nobody, until=LATER.date())
    old_week.land(1)
    problem = only(old_week.write()).problem
    assert problem is not None
    assert "pip install" in problem


def test_what_is_in_the_archive_stays_when_the_database_has_nothing_of_it(old_week: OldWeek) -> None:
    """A program that was told of no archive has dropped the week, and its row is gone."""
    old_week.land(1)
    assert only(old_week.write()).problem is None
    with old_week.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM landing.raw_events"))
        connection.execute(sa.text("DELETE FROM app.raw_archives"))
    assert old_week.write() == []
    assert reading.verify(old_week.settings, old_week.week).rows == 2


def test_only_weeks_that_have_ended(old_week: OldWeek) -> None:
    with pytest.raises(InvalidConfiguration, match="in the future"):
        writing.write(old_week.engine, old_week.settings, LATER, nobody, until=LATER.date() + timedelta(days=1))


@pytest.mark.parametrize("url", ["archive", "http://archive.example", "s3://"])
def test_what_is_no_place_for_an_archive(url: str) -> None:
    with pytest.raises(ValueError, match="archive_url"):
        Settings(archive_url=url)
