"""Pictures of a console on a database of the test's own: one page, one width."""

import struct
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from custom_events.errors import NeedsAction
from custom_events.settings import Settings
from sandbox.demo import screenshots
from sandbox.demo.screenshots import HEIGHT, WIDTH, Picture, main, take
from tests.ui.conftest import CHROMIUM

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="There is no Chromium: apt-get install chromium"),
]


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    key = SecretStr(Fernet.generate_key().decode())
    return Settings(_env_file=None, local_directory=tmp_path, secret_key=key, database_url=SecretStr(database))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """One picture, by a link from another page, in one width."""
    monkeypatch.setattr(screenshots, "PICTURES", (Picture(name="draft", address="definitions", follow=("td.main a",)),))
    monkeypatch.setattr(screenshots, "WIDTHS", (500,))


@pytest.mark.usefixtures("few")
def test_a_picture_for_the_manual_and_others_to_look_at(
    settings: Settings, engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs, build = tmp_path / "docs", tmp_path / "build"
    (made,) = take(settings, docs, build)
    content = made.read_bytes()
    width, height, depth, kind = struct.unpack(">IIBB", content[16:26])
    assert (width, height, depth, kind) == (WIDTH, HEIGHT, 8, 3)  # a palette
    assert len(content) < 150_000
    assert {file.name for file in build.iterdir()} == {"draft-500-light.png", "draft-500-dark.png"}
    monkeypatch.setattr(screenshots, "MOST_BYTES", 100)
    monkeypatch.setattr(screenshots, "THEMES", ("light",))
    with pytest.raises(NeedsAction, match=r"draft\.png"):
        take(settings, docs, build)


def test_without_a_browser_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(screenshots, "CHROMIUM", ("no-such-browser",))
    assert main() == 1
    assert "apt-get install chromium" in capsys.readouterr().err


def test_what_was_made_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(b"1234")
    monkeypatch.setattr(screenshots, "take", lambda *_: [tmp_path / "a.png"])
    assert main() == 0
    assert "a.png: 4 bytes" in capsys.readouterr().out
