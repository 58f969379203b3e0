from pathlib import Path

import pytest

from cli import dashboards, reference, rooms

PAGES = Path(__file__).parents[2] / "docs" / "reference"


def test_the_pages_are_those_the_code_gives(tmp_path: Path) -> None:
    reference.write(tmp_path / "new")
    made = sorted((tmp_path / "new").iterdir())
    assert {"settings.md", "cli.md", "schema.md", "conditions.md"} <= {page.name for page in made}
    for page in made:
        assert (PAGES / page.name).read_text() == page.read_text(), (
            f"docs/reference/{page.name} is old: run `make docs`"
        )


def test_the_picture_is_that_of_the_tables(tmp_path: Path) -> None:
    reference.write_picture(tmp_path / "new.svg")
    assert reference.PICTURE.read_text() == (tmp_path / "new.svg").read_text(), "run `make docs`"


def test_the_rules_for_prometheus_are_those_of_the_watcher(tmp_path: Path) -> None:
    reference.write_rules(tmp_path / "new" / "alerts.yml")
    assert reference.RULES.read_text() == (tmp_path / "new" / "alerts.yml").read_text(), "run `make docs`"


def test_the_dashboards_are_those_of_the_figures(tmp_path: Path) -> None:
    dashboards.write(tmp_path / "new")
    for made in (tmp_path / "new").iterdir():
        assert (dashboards.FOLDER / made.name).read_text() == made.read_text(), "run `make docs`"


def test_the_rooms_are_those_of_the_packages(tmp_path: Path) -> None:
    text, copy = rooms.PAGE.read_text(), tmp_path / "page.md"
    copy.write_text(text)
    rooms.write(copy)
    assert copy.read_text() == text, "CONTRIBUTING.md is old: run `make docs`"
    assert all(f"| [{package}/](custom_events/{package}) |" in text for package in ("values", "platforms/shopify"))
    with pytest.raises(ValueError, match="no table of rooms"):
        rooms.page("# A page without one")


def test_every_setting_has_a_row_with_type_and_default() -> None:
    page = reference.settings_page()
    assert "| `CUSTOM_EVENTS_GROUP_LIMIT` | integer, from 1 | `256` |" in page
    assert "| `DATABASE_URL` | secret |  | PostgreSQL 15" in page


def test_every_verb_has_its_help() -> None:
    page = reference.cli_page()
    assert "#### custom-events migrate downgrade\n" in page
    assert "--once" in page
