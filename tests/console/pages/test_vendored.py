"""What others made: pinned by digests without an address, brought by npm, and said in words where that does not work."""

import json
import re
import sys
from pathlib import Path

import pytest

from console.pages import vendored


def test_the_lock_pins_digests_and_names_no_place() -> None:
    text = (vendored.LOCK / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    own = packages.pop("")
    assert "://" not in text
    assert all(re.fullmatch(r"sha512-\S+", one["integrity"]) for one in packages.values())
    asked = json.loads((vendored.LOCK / "package.json").read_text())
    assert own["dependencies"] == asked["dependencies"]
    for name, version in {**asked["dependencies"], **asked["devDependencies"]}.items():
        assert packages[f"node_modules/{name}"]["version"] == version


def test_what_npm_brings_is_put_beside_the_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendored, "LOCK", tmp_path / "vendor")
    monkeypatch.setattr(vendored, "TAKEN", {"it/it.js": tmp_path / "static" / "it.js"})
    (tmp_path / "vendor").mkdir()
    fake = "import pathlib; p = pathlib.Path('node_modules/it'); p.mkdir(parents=True); (p / 'it.js').write_text('1')"
    assert vendored.install((sys.executable, "-c", fake)) is None
    assert (tmp_path / "static" / "it.js").read_text() == "1"


@pytest.mark.parametrize("npm", [(sys.executable, "-c", "import sys; sys.exit('no registry here')"), ("/nothing/npm",)])
def test_what_does_not_work_is_said_in_words(
    npm: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(vendored, "LOCK", tmp_path)
    said = vendored.install(npm)
    assert said is not None
    assert "make setup" in said
    monkeypatch.setattr(vendored, "install", lambda: said)
    assert vendored.main() == 1
    assert "npm's registry reachable" in capsys.readouterr().err
    monkeypatch.setattr(vendored, "install", lambda: None)
    assert vendored.main() == 0
