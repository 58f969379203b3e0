"""Somebody who asked to be forgotten is found in no archive afterwards, and comes back from none."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import zstandard

from custom_events.archive import restoring, rewriting, writing
from custom_events.archive.rows import ArchivedRow, rows_of
from custom_events.archive.storage import ArchiveStorage
from custom_events.postgres import partitions
from custom_events.redaction import export, requests
from custom_events.redaction.archives import forgotten_check
from custom_events.redaction.person import person
from custom_events.values.deliveries import PrivacyRequest
from tests.redaction.bodies import at_shopify, everywhere, redact_customer, shopify_order
from tests.redaction.conftest import ANN, BEN, KEY, Planted, Somebody

LATER = datetime.now(UTC) + timedelta(days=120)  # when the retention of this week is over


@pytest.fixture
def archive(planted: Planted, tmp_path: Path) -> Path:
    """The folder of the archive, with a week in which Ann and Ben are at three stores."""
    folder = tmp_path / "archive"
    planted.settings = planted.settings.model_copy(update={"archive_url": str(folder)})
    assert set(planted.post(everywhere(planted, ANN) + everywhere(planted, BEN))) == {200}
    planted.drain()
    write(planted)
    return folder


def write(planted: Planted) -> None:
    is_forgotten = forgotten_check(planted.engine, planted.settings)
    assert [week.problem for week in writing.write_due(planted.engine, planted.settings, LATER, is_forgotten)] == [None]


def drop(planted: Planted) -> None:
    with planted.engine.begin() as connection:
        assert not partitions.drop_expired(connection, planted.settings, LATER).kept


def restore(planted: Planted, archive: Path) -> restoring.Restored:
    (folder,) = archive.glob("raw_events/*")
    week = datetime.strptime(folder.name, "%Y-%m-%d").replace(tzinfo=UTC).date()
    is_forgotten = forgotten_check(planted.engine, planted.settings)
    return restoring.restore(planted.engine, planted.settings, week, LATER, is_forgotten, days=14)


def texts(archive: Path) -> Iterator[str]:
    """Every row of every file of the archive, its body readable."""
    for path in sorted(archive.rglob("*.parquet*")):
        for rows in rows_of(path):
            for row in rows:
                body = zstandard.ZstdDecompressor().decompress(row.body, max_output_size=1 << 22)
                yield f"{row} {body.decode('utf-8', 'replace')}"


def rows_about(planted: Planted, archive: Path, who: Somebody) -> list[str]:
    values = [value.lower() for value in who.traces(planted.clicks).values()]
    return [text for text in texts(archive) if any(value in text.lower() for value in values)]


def ask_everywhere(planted: Planted) -> None:
    assert planted.post(redact_customer(ANN)) == [200]
    planted.drain()
    who = person(emails=(ANN.email,), phones=(ANN.phone,), customer_ids=(f"u{ANN.number}", str(ANN.number)))
    with planted.engine.begin() as connection:
        for platform in ("woocommerce", "custom"):
            site, kind = planted.sites[platform], PrivacyRequest.REDACT_CUSTOMER
            requests.ask(connection, KEY, site, kind, who, actor="test", now=datetime.now(UTC))


def test_nothing_of_a_forgotten_person_is_left_in_files_or_comes_back(planted: Planted, archive: Path) -> None:
    others, count = rows_about(planted, archive, BEN), len(list(texts(archive)))
    assert rows_about(planted, archive, ANN)
    copy = archive.with_name("copy")
    shutil.copytree(archive, copy)
    drop(planted)
    ask_everywhere(planted)
    carried = planted.carry_out()
    assert [(request.is_done, request.problem) for request in carried] == [(True, None)] * 3
    assert sum(request.counts["archived_raw_events"] for request in carried) >= 15
    assert rows_about(planted, archive, ANN) == []
    assert rows_about(planted, archive, BEN) == others
    assert len(list(texts(archive))) == count, "rows stay, without what they said"
    assert planted.carry_out() == []

    restored = restore(planted, archive)
    assert (restored.rows, restored.blanked) == (count, 0)
    assert planted.found(ANN) == {}
    with planted.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM landing.raw_events"))
    shutil.rmtree(archive)
    shutil.copytree(copy, archive)  # as somebody who restores storage from a backup
    assert restore(planted, archive).blanked >= 15
    planted.drain()
    assert planted.found(ANN) == {}


def test_what_is_asked_for_is_exported_from_the_archive_too(planted: Planted, archive: Path) -> None:
    drop(planted)
    who = person(emails=(ANN.email,), order_ids=(str(ANN.order(1)),))
    with planted.engine.begin() as connection:
        request = requests.ask(
            connection,
            KEY,
            planted.sites["shopify"],
            PrivacyRequest.DATA_REQUEST,
            who,
            actor="test",
            now=datetime.now(UTC),
        )
        exported = export.export(connection, planted.settings, request.raw_id, actor="test")
    topics = {delivery["topic"] for delivery in exported.deliveries}
    assert {"orders/paid", "orders/updated", "refunds/create"} <= topics
    assert all(ANN.first in delivery["body"] or str(ANN.number) in delivery["body"] for delivery in exported.deliveries)


def test_a_store_that_leaves_is_blanked_whole(planted: Planted, archive: Path) -> None:
    shop = {"shop_id": 1, "shop_domain": "x"}
    assert planted.post([("shopify", "shop/redact", shop)]) == [200]
    planted.drain()
    (carried,) = planted.carry_out()
    assert carried.is_done
    assert carried.counts["archived_raw_events"] == 2 * len(at_shopify(planted, ANN))
    assert not [text for text in rows_about(planted, archive, BEN) if f"site_id={planted.sites['shopify']}," in text]
    assert rows_about(planted, archive, BEN)


def test_killed_in_between_nothing_is_left_after_the_next_run(
    planted: Planted, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_everywhere(planted)
    remove = ArchiveStorage.remove

    def killed(storage: ArchiveStorage, week: Any, names: set[str]) -> None:
        if names:
            raise KeyboardInterrupt
        remove(storage, week, names)

    monkeypatch.setattr(ArchiveStorage, "remove", killed)
    with pytest.raises(KeyboardInterrupt):
        planted.carry_out()
    assert rows_about(planted, archive, ANN), "the old file is still there"
    monkeypatch.setattr(ArchiveStorage, "remove", remove)
    assert all(request.is_done for request in planted.carry_out())
    assert rows_about(planted, archive, ANN) == []


def test_a_request_stays_open_until_the_archive_was_reached(planted: Planted, archive: Path) -> None:
    ask_everywhere(planted)
    with_archive = planted.settings
    planted.settings = with_archive.model_copy(update={"archive_url": None})
    carried = planted.carry_out()
    assert not any(request.is_done for request in carried)
    assert all("CUSTOM_EVENTS_ARCHIVE_URL" in (request.problem or "") for request in carried)
    planted.settings = with_archive
    assert all(request.is_done for request in planted.carry_out())
    assert rows_about(planted, archive, ANN) == []


def test_what_nobody_understood_is_looked_at_when_it_is_archived(planted: Planted, archive: Path) -> None:
    ask_everywhere(planted)
    assert all(request.is_done for request in planted.carry_out())
    assert set(planted.post([("shopify", "orders/paid", shopify_order(planted, who, 7)) for who in (ANN, BEN)])) == {
        200
    }
    with planted.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM app.raw_archives"))
    write(planted)
    assert rows_about(planted, archive, ANN) == []
    assert [text for text in rows_about(planted, archive, BEN) if str(BEN.order(7)) in text]


def test_nobody_was_forgotten(planted: Planted) -> None:
    row = ArchivedRow(
        landed_week=LATER.date(),
        id=1,
        received_at=LATER,
        site_id=1,
        topic=None,
        dedup_key=b"",
        delivery_id=None,
        event_id=None,
        triggered_at=None,
        api_version=None,
        signature="verified",
        headers="{}",
        body=b"",
        body_bytes=0,
    )
    assert not forgotten_check(planted.engine, planted.settings)(row)
    settings = planted.settings.model_copy(update={"archive_url": None})
    assert rewriting.blank(planted.engine, settings, 1, LATER, lambda _row: True) == 0
