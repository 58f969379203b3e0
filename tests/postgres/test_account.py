"""The account that the server runs as when we are root."""

import os
from pathlib import Path

import pytest

from custom_events.errors import NeedsAction
from custom_events.postgres import account

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def test_other_users_run_it_as_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    before = tmp_path.stat()
    account.hand_over(tmp_path)
    account.let_through(tmp_path / "data")
    assert account.run_as() == {}
    assert account.owner_id() == 1000
    assert (tmp_path.stat().st_uid, tmp_path.stat().st_mode) == (before.st_uid, before.st_mode)


@as_root
def test_root_hands_over_and_lets_through_without_making_readable(tmp_path: Path) -> None:
    directory = tmp_path / "closed"
    directory.mkdir(mode=0o700)
    account.let_through(directory / "data")
    assert directory.stat().st_mode & 0o777 == 0o701
    account.hand_over(directory)
    assert directory.stat().st_uid == account.owner_id() != 0
    assert account.run_as()["user"] == account.owner_id()


@as_root
def test_account_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "ACCOUNT", "not:a:name")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # as in a shell of root's without a login
    with pytest.raises(NeedsAction, match=r"could not be made .*name"):
        account.run_as()
    monkeypatch.setattr(account, "SYSTEM_PROGRAMS", "/nowhere")
    with pytest.raises(NeedsAction, match="there is no program useradd"):
        account.run_as()
