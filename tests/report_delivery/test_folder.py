"""Files in folders: whole, private, once under one key, and nowhere but below the folder that is allowed."""

import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from custom_events.errors import InvalidConfiguration, NeedsAction, Transient
from custom_events.report_delivery import folder as folders
from custom_events.report_delivery.checking import check
from custom_events.report_delivery.delivering import deliver
from custom_events.report_delivery.targets import DeliverySecrets, FolderTarget
from custom_events.report_files.table import WrittenFile
from custom_events.settings import Settings
from tests.report_delivery.conftest import MESSAGE, NAME

TARGET = FolderTarget(folder="sales/daily")
NONE = DeliverySecrets()


def test_it_is_whole_private_and_once_under_one_key(file: WrittenFile, settings: Settings) -> None:
    first = deliver(TARGET, file, MESSAGE, NONE, settings)
    again = deliver(TARGET, file, MESSAGE, NONE, settings)
    other = deliver(TARGET, file, msgspec.structs.replace(MESSAGE, key="another"), NONE, settings)
    place = settings.local_directory / "delivered-reports" / "sales" / "daily"
    assert first == again != other
    assert Path(first.where) == place / NAME
    assert sorted(place.iterdir()) == sorted([place / NAME, Path(other.where)])
    assert hashlib.sha256((place / NAME).read_bytes()).hexdigest() == first.digest == file.sha256
    assert (place / NAME).stat().st_mode & 0o777 == 0o600
    assert place.stat().st_mode & 0o777 == 0o700


def test_what_a_killed_attempt_left_is_no_obstacle(file: WrittenFile, settings: Settings, tmp_path: Path) -> None:
    allowed = settings.model_copy(update={"report_folder": tmp_path / "allowed"})
    left = tmp_path / "allowed" / f".{NAME}.part"
    left.parent.mkdir()
    left.write_bytes(b"half")
    deliver(FolderTarget(), file, MESSAGE, NONE, allowed)
    assert [path.name for path in left.parent.iterdir()] == [NAME]


@pytest.mark.parametrize("folder", ["/etc", "..", "a/../../b", "a//b", "a/", ".hidden", "a\\b", "a\nb", "~root", "é"])
def test_a_path_that_could_lead_elsewhere_is_refused(settings: Settings, folder: str) -> None:
    with pytest.raises(InvalidConfiguration, match="report_folder") as refused:
        check(FolderTarget(folder=folder), settings)
    assert [fault.path for fault in refused.value.faults] == ["folder"]


def test_a_link_that_leads_elsewhere_is_refused(file: WrittenFile, settings: Settings, tmp_path: Path) -> None:
    top = settings.local_directory / "delivered-reports"
    top.mkdir(parents=True)
    (top / "sales").symlink_to(tmp_path)
    with pytest.raises(InvalidConfiguration, match="a link leads out"):
        deliver(TARGET, file, MESSAGE, NONE, settings)
    (top / "sales").unlink()
    check(TARGET, settings)


@pytest.mark.parametrize(("code", "kind"), [(errno.ENOSPC, NeedsAction), (errno.EIO, Transient)])
def test_faults_of_the_disk_are_sorted(
    file: WrittenFile, settings: Settings, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[Exception]
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(folders.shutil, "copyfileobj", fail)
    with pytest.raises(kind, match=os.strerror(code)):
        deliver(TARGET, file, MESSAGE, NONE, settings)
    assert list((settings.local_directory / "delivered-reports" / "sales" / "daily").iterdir()) == []


def test_a_file_that_was_changed_is_not_delivered(file: WrittenFile, settings: Settings) -> None:
    file.path.write_bytes(b"something else")
    with pytest.raises(Transient, match="not the one that was written"):
        deliver(TARGET, file, MESSAGE, NONE, settings)


@pytest.mark.parametrize(
    ("report", "period", "name"),
    [
        ("Verkäufe: täglich", "", "Verkaufe-taglich_e5e4e241.csv"),
        ("日本", "2026-11", "report_2026-11_e5e4e241.csv"),
        ("../../etc/passwd", "\x00", "etc-passwd_e5e4e241.csv"),
        ("a" * 300, "b" * 300, f"{'a' * 60}_{'b' * 60}_e5e4e241.csv"),
    ],
)
def test_names_hold_nothing_odd(file: WrittenFile, settings: Settings, report: str, period: str, name: str) -> None:
    message = msgspec.structs.replace(MESSAGE, report=report, period=period)
    assert Path(deliver(FolderTarget(), file, message, NONE, settings).where).name == name
