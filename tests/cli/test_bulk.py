"""Many assignments changed at once, beside the database and from afar: the same words, and the same is stored."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cli.afar import operations
from console.api.routes import bulk_changes as routes
from custom_events.operations import bulk_changes
from tests.backtest.conftest import PastWorld
from tests.cli.conftest import Ask

SHOPS = 3


@pytest.fixture
def world(database: str, engine: sa.Engine) -> PastWorld:
    """Three sites, two definitions, one assignment on the first site."""
    made = PastWorld(database, engine)
    sites = [made.site() for _ in range(SHOPS)]
    made.define("bought")
    made.assign(sites[0], made.define("vip"), "all orders", priority=1)
    return made


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "LOOK_S", 0.02)


def applies(world: PastWorld) -> list[tuple[Any, ...]]:
    """Every assignment: site, label, whether it matches, and what is overridden of what applies."""
    return [
        tuple(row)
        for row in world.rows(
            "SELECT a.site_id, a.label, a.is_active, r.overrides FROM app.site_custom_events a"
            " LEFT JOIN app.assignment_revisions r ON r.assignment_id = a.id AND r.state = 'published' ORDER BY a.site_id, a.label"
        )
    ]


ONE = [(1, "all orders", True, {"priority": 1})]


def test_a_definition_is_assigned_after_a_dry_run_and_undone(ask: Ask, world: PastWorld, tmp_path: Path) -> None:
    assert applies(world) == ONE
    (tmp_path / "first.yaml").write_text("priority: 7\n")
    words = (
        "bulk",
        "assign",
        "bought",
        "--label",
        "b",
        "--platform",
        "shopify",
        "--overrides",
        "first.yaml",
        "--publish",
    )
    tried = ask(*words, "--dry-run")
    assert "made       site 2, bought (b)\n             is_active: added true\n" in tried
    assert tried.endswith("Tried: 3 made, 0 changed, 0 unchanged, 0 failed. Nothing was changed.\n")
    assert applies(world) == ONE
    assert ask("bulk", "list") == "No bulk changes in the last 30 days.\n"
    assert "nothing to undo" in ask("bulk", "undo", "7", code=1) or "no bulk change 7" in ask(
        "bulk", "undo", "7", code=1
    )
    assert "no bulk change of the last 30 days" in ask("bulk", "undo", code=1)
    done = ask(*words, "--reason", "the new campaign")
    assert done.endswith("Done: 3 made, 0 changed, 0 unchanged, 0 failed. Undo: custom-events bulk undo 1\n")
    assert [row[1:] for row in applies(world) if row[1] == "b"] == [("b", True, {"priority": 7})] * SHOPS
    assert ": the new campaign; 3 rows\n" in ask("bulk", "list")
    (kept,) = json.loads(ask("bulk", "list", "--json"))["bulk_changes"]
    assert (kept["sites"], kept["all_or_nothing"], kept["undone_by"]) == (SHOPS, True, None)
    assert ask("bulk", "show", "1").count("made       site ") == SHOPS
    assert json.loads(ask("bulk", "show", "1", "--json"))["rows"][2]["site_id"] == 3
    assert "3 changed" in ask("bulk", "undo", "--dry-run")
    assert "Undo: custom-events bulk undo 2" in ask("bulk", "undo")
    assert [row for row in applies(world) if row[3] is not None] == ONE
    assert "; undone by 2" in ask("bulk", "list")
    assert "3 rows; undoes 1\n" in ask("bulk", "list")


def test_assignments_are_changed_moved_and_copied(ask: Ask, world: PastWorld, tmp_path: Path) -> None:
    (tmp_path / "days.yaml").write_text("click_window_days: 5\n")
    said = ask("bulk", "change", "--id", "1", "--overrides", "days.yaml", "--inherit", "priority", "--publish")
    assert "changed    site 1, assignment 1, vip (all orders)\n" in said
    assert applies(world) == [(1, "all orders", True, {"click_window_days": 5})]
    assert "1 changed" in ask("bulk", "disable", "--definition", "vip", "--enabled", "--overridden")
    assert [row[2] for row in applies(world)] == [False]
    assert "1 changed" in ask("bulk", "enable", "--site", "1", "--search", "all", "--disabled")
    assert "1 unchanged" in ask("bulk", "enable", "--all")
    copied = json.loads(ask("bulk", "copy", "1", "--site", "2", "--site", "3", "--publish", "--json"))
    assert (copied["counts"]["made"], copied["rows"][0]["action"]) == (2, "copy")
    assert [row[0] for row in applies(world)] == [1, 2, 3]
    moved = ask("bulk", "move", "--to", "3", "--label", "all orders", "--site", "2", code=1)
    assert "has" in moved  # it is there already
    world.assign(2, "bought", "more")
    assert "1 changed" in ask("bulk", "move", "--to", "3", "--label", "more")
    assert (3, "more", True, {}) in applies(world)


def test_assignments_go_out_and_come_in_as_csv(ask: Ask, world: PastWorld, tmp_path: Path) -> None:
    text = ask("bulk", "export")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["definition_key"], row["overrides"]) == ("vip", '{"priority":1}')
    assert ask("bulk", "export", "--definition", "bought").count("\n") == 1
    assert (
        ask("bulk", "export", "--site", "1", "--label", "all orders", "--search", "vip", "--enabled", "--out", "a.csv")
        == ""
    )
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 2
    (tmp_path / "b.csv").write_text("site_id,definition_key,label,is_published\n2,bought,b,true\n9,bought,b,true\n")
    tried = ask("bulk", "import", "b.csv", "--dry-run", code=1)
    assert "failed     site 9, bought (b)\n             lines[3]: There is no site 9\n" in tried
    assert "lines[3]" in ask("bulk", "import", "b.csv", code=1)
    assert applies(world) == ONE
    assert "Done: 1 made, 0 changed, 0 unchanged, 1 failed." in ask("bulk", "import", "b.csv", "--row-by-row", code=1)
    assert (2, "b", True, {}) in applies(world)
    again = ask("bulk", "import", "-", given=text)
    assert "1 unchanged" in again
    (tmp_path / "latin").write_bytes(b"\xe9")
    assert "it is no UTF-8 (byte 0)" in ask("bulk", "import", "latin", code=2)
    assert "lines[1]" in ask("bulk", "import", "-", given="a,b\n1,2\n", code=1)


def test_what_cannot_be_asked_is_named(ask: Ask, world: PastWorld, tmp_path: Path) -> None:
    assert "in one way" in ask("bulk", "enable", code=2)
    assert "in one way" in ask("bulk", "enable", "--id", "1", "--all", code=2)
    assert "in one way" in ask("bulk", "assign", "bought", "--label", "b", "--site", "1", "--search", "x", code=2)
    assert 'no site "nobody"' in ask("bulk", "copy", "nobody", "--all", code=1)
    (tmp_path / "wrong.yaml").write_text("click_window_days: 900\n")
    words = ("bulk", "assign", "bought", "--label", "b", "--site", "1", "--site", "2", "--overrides", "wrong.yaml")
    said = ask(*words, code=1)
    assert "  actions[0].overrides.click_window_days: on site 1: " in said
    assert "  actions[0].overrides.click_window_days: on site 2: " in said
    assert "nothing was found" in ask("bulk", "enable", "--label", "nobody's", code=1)
    assert applies(world) == ONE


def test_many_rows_are_followed_to_their_end(ask: Ask, world: PastWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "AT_ONCE", 1)
    monkeypatch.setattr(bulk_changes, "COMMITTED_AT_ONCE", 2)
    assert "Tried: 3 made" in ask("bulk", "assign", "bought", "--label", "b", "--all", "--dry-run")
    assert "3 made" in ask(
        "bulk", "assign", "bought", "--label", "b", "--all", "--row-by-row", "--reason", "all of them"
    )
    again = ask("bulk", "assign", "bought", "--label", "b", "--site", "1", "--site", "2", code=1)
    assert "actions[0].site_ids[1]" in again
    assert "3 changed" in ask("bulk", "undo", "1")
    rows = world.rows("SELECT reason, rows, ended_at IS NULL FROM app.bulk_changes ORDER BY id")
    assert rows == [("all of them", 3, False), ("undo of bulk change 1", 3, False)]
