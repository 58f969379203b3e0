from pathlib import Path

from cli import reference

PAGES = Path(__file__).parents[2] / "docs" / "reference"


def test_the_pages_are_those_the_code_gives(tmp_path: Path) -> None:
    reference.write(tmp_path / "new")
    made = sorted((tmp_path / "new").iterdir())
    assert {"settings.md", "cli.md", "schema.md", "conditions.md"} <= {page.name for page in made}
    for page in made:
        assert (PAGES / page.name).read_text() == page.read_text(), (
            f"docs/reference/{page.name} is old: run `make docs`"
        )


def test_the_rules_for_prometheus_are_those_of_the_watcher(tmp_path: Path) -> None:
    reference.write_rules(tmp_path / "new" / "alerts.yml")
    assert reference.RULES.read_text() == (tmp_path / "new" / "alerts.yml").read_text(), "run `make docs`"


def test_every_setting_has_a_row_with_type_and_default() -> None:
    page = reference.settings_page()
    assert "| `CUSTOM_EVENTS_GROUP_LIMIT` | integer, from 1 | `256` |" in page
    assert "| `DATABASE_URL` | secret |  | PostgreSQL 15" in page


def test_every_verb_has_its_help() -> None:
    page = reference.cli_page()
    assert "#### custom-events migrate downgrade\n" in page
    assert "--once" in page
