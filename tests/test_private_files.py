"""What we make for ourselves is nobody else's to read, and what others made keeps its mode."""

import os
from pathlib import Path

from custom_events import private_files


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_every_directory_that_is_made_is_for_this_account_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_files.make_directory(tmp_path / "local" / "postgres")
    assert [_mode(tmp_path / "local"), _mode(tmp_path / "local" / "postgres"), _mode(tmp_path)] == [0o700, 0o700, 0o755]


def test_a_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    private_files.make_directory(shared)
    assert _mode(shared) == 0o755


def test_a_log_is_made_for_this_account_alone_and_is_added_to(tmp_path: Path) -> None:
    for line in (b"first\n", b"second\n"):
        with os.fdopen(private_files.open_for_appending(tmp_path / "receiver.log"), "ab") as log:
            log.write(line)
    assert (tmp_path / "receiver.log").read_bytes() == b"first\nsecond\n"
    assert _mode(tmp_path / "receiver.log") == 0o600


def test_passing_through_opens_nothing(tmp_path: Path) -> None:
    assert not private_files.is_open_to_others(tmp_path / "missing")
    for mode, is_open in ((0o700, False), (0o711, False), (0o750, True), (0o604, True), (0o720, True)):
        tmp_path.chmod(mode)
        assert private_files.is_open_to_others(tmp_path) is is_open, oct(mode)
