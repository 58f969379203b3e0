"""What is released: the same bytes whoever builds, whole, with the licences of what runs with it, and of one version."""

import csv
import io
import os
import re
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from cli import distribution
from cli.distribution import ROOT
from console.api.app import create_app

EPOCH = "1790000000"
FREE = re.compile(
    r"MIT|BSD|Apache|MPL|Mozilla|ISC|PSF|Python Software|LGPL|Lesser|Zlib|Unlicense|Public Domain|CC0|0BSD|PostgreSQL|Artistic"
)


def test_two_builds_have_equal_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").mkdir()
    first = distribution.wheel(tmp_path / "one", EPOCH)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "two").mkdir()
    before = os.umask(0o077)
    try:
        second = distribution.wheel(tmp_path / "two", EPOCH)
    finally:
        os.umask(before)
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    for part in (
        "console/pages/templates/layout.html",
        "console/pages/manual_pages/tutorial/first-conversion.md",
        "console/pages/manual_pages/pictures/overview.png",
        "api_client/client.py",
        "supervisor/container.py",
        "orchestration/dbt_files/dbt_project.yml",
        "orchestration/dbt_files/models/marts/fct_orders.sql",
        "migrations/env.py",
    ):
        assert part in names
    if (ROOT / "console/pages/static/vendor/htmx.min.js").is_file():
        assert "console/pages/static/vendor/htmx.min.js" in names
    assert not [name for name in names if name.startswith(("tests/", "docs/", "benchmarks/", "dbt/"))]


def test_everything_is_there_with_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(target: Path, _at: str) -> None:
        (target / "custom_events.whl").write_bytes(b"wheel")

    monkeypatch.setattr(distribution, "wheel", made)
    target = tmp_path / "dist"
    distribution.main(target)
    names = {file.name for file in target.iterdir()}
    assert {"licences.csv", "SHA256SUMS", "custom_events.whl", "requirements.txt", "custom-events.service"} <= names
    assert len(names) == 6  # and the plugin's zip
    listed = dict(line.split("  ")[::-1] for line in (target / "SHA256SUMS").read_text().splitlines())
    assert listed.keys() == names - {"SHA256SUMS"}


def test_every_part_names_a_licence_that_lets_us_use_it() -> None:
    parts = list(csv.DictReader(io.StringIO(distribution.licences())))
    names = {part["name"].lower() for part in parts}
    assert {"fastapi", "dagster", "sqlalchemy", "google-ads", "htmx.org"} <= names
    assert not names & {"pytest", "ruff", "hypothesis"}
    assert [part for part in parts if not FREE.search(part["licence"])] == []


def test_the_time_is_the_variables_or_the_newest_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(distribution.EPOCH, EPOCH)
    assert distribution.epoch() == EPOCH
    monkeypatch.delenv(distribution.EPOCH)
    assert distribution.epoch().isdecimal()


def test_one_version_for_all() -> None:
    """That of pyproject.toml, which the command, the API's document and the client have; and what stands elsewhere agrees with it."""
    version = distribution.version()
    assert create_app("postgresql://").version == metadata.version("custom-events")
    chart = yaml.safe_load((ROOT / "deploy/helm/custom-events/Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)
    for file in (
        "deploy/compose/compose.yaml",
        "deploy/compose/example.env",
        "deploy/images/Dockerfile",
        "docs/how-to/deploy.md",
    ):
        assert set(re.findall(r"custom-events:(\d[\w.]*)", (ROOT / file).read_text())) == {version}, file
    plugin = ROOT / "plugins/woocommerce/custom-events"
    named = {
        "custom-events.php": r"^ \* Version: +(\S+)$|^define\( 'CUSTOM_EVENTS_VERSION', '(\S+)' \);$",
        "readme.txt": r"^Stable tag: (\S+)$",
    }
    for name, pattern in named.items():
        matches = re.finditer(pattern, (plugin / name).read_text(), re.MULTILINE)
        assert {match[match.lastindex or 0] for match in matches} == {version}, name
    assert f"= {version} =" in (plugin / "readme.txt").read_text()


def test_the_changelog_begins_with_this_version_or_what_comes_after_it() -> None:
    released = re.findall(r"^## \[(\d[^\]]*)\] - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[0][0] == distribution.version()
