import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from custom_events.catalog import definitions
from custom_events.catalog.sample import seed_sample
from custom_events.settings import Settings
from tests.cli.conftest import Run

VIP = "name: VIP\ntrigger: [order.paid]\nconditions: {field: order.total, op: '>=', value: 100}\n"
ENTRY = "- {definition: vip, label: vips, ads_action: 1234567890/17001}\n"


@pytest.fixture
def sample(engine: sa.Engine, database: str, tmp_path: Path) -> str:
    """URL of a database with the sample."""
    with engine.begin() as connection:
        seed_sample(connection, Settings(local_directory=tmp_path / ".local"))
    return database


def test_the_sample_round_trips_and_is_short(run: Run, sample: str, tmp_path: Path) -> None:
    first = run("config", "export", "rules", DATABASE_URL=sample)
    assert first.output == "5 files in rules, 5 written.\n"
    assert run("config", "export", "rules", DATABASE_URL=sample).output == "5 files in rules, 0 written.\n"
    validated = run("config", "validate", "rules").output.splitlines()  # without a database
    assert validated[0].startswith("consent  ")
    assert validated[-1] == "Nothing is wrong."
    assert run("config", "plan", "rules", DATABASE_URL=sample).output == "Nothing would change.\n"
    applied = run("config", "apply", "rules", DATABASE_URL=sample)
    assert applied.output.endswith("Nothing to apply: it is so already.\n")
    text = (tmp_path / "rules/sites/sample-shopify.yaml").read_text()
    assert "secret" not in text
    assert "  conditions: {field: order.total, op: '>=', value: '200.00', currency: EUR}\n" in text
    (tmp_path / "rules/definitions/old.yaml").write_text(VIP)
    assert "definitions/old.yaml: not in the database" in run("config", "export", "rules", DATABASE_URL=sample).output
    assert "old.yaml: removed" in run("config", "export", "rules", "--prune", DATABASE_URL=sample).output


def test_a_change_is_planned_saved_and_applied_by_somebody_else(
    run: Run, sample: str, engine: sa.Engine, tmp_path: Path
) -> None:
    run("config", "export", "rules", DATABASE_URL=sample)
    (tmp_path / "rules/definitions/vip.yaml").write_text(VIP)
    with (tmp_path / "rules/sites/sample-shopify.yaml").open("a") as file:
        file.write(ENTRY)
    variables = {"DATABASE_URL": sample, "CUSTOM_EVENTS_PUBLISH_NEEDS_SECOND_PERSON": "true"}
    plan = run(
        "config", "plan", "rules", "--out", "plan.json", "--reason", "try", CUSTOM_EVENTS_AUTHOR="ana", **variables
    )
    assert plan.exit_code == 0, plan.output
    assert 'create definition vip\n    name: added "VIP"\n' in plan.output
    assert 'sample-shopify: "vip" labelled "vips": 0 more, 0 fewer, 0 of another value, 0 as they are' in plan.output
    assert 'conflict sample-shopify: "purchase" labelled "all orders", "vip" labelled "vips"' in plan.output
    assert "Saved. Apply it with: custom-events config apply --plan plan.json" in plan.output

    own = run("config", "apply", "--plan", "plan.json", "--author", "Ana", **variables)
    assert own.exit_code == 1
    assert "ana made the plan, somebody else applies it" in own.output
    other = run("config", "apply", "--plan", "plan.json", "--author", "bea", **variables)
    assert other.output.endswith("Applied: 4 steps.\n")
    again = run("config", "apply", "--plan", "plan.json", "--author", "bea", **variables)
    assert again.exit_code == 1
    assert "The configuration has changed since the plan" in again.output
    assert "definitions/vip.yaml: added" in again.output
    with engine.connect() as connection:
        (revision,) = definitions.history(connection, "vip")
    assert (revision.author, revision.published_by, revision.reason) == ("ana", "bea", "try")


def test_a_folder_is_applied_after_a_question(run: Run, sample: str, tmp_path: Path) -> None:
    run("config", "export", "rules", DATABASE_URL=sample)
    (tmp_path / "rules/definitions/vip.yaml").write_text(VIP)
    no = run("config", "apply", "rules", DATABASE_URL=sample, given="n\n")
    assert no.exit_code == 1
    assert "Apply this?" in no.output
    assert run("config", "apply", "rules", DATABASE_URL=sample, given="y\n").output.endswith("Applied: 2 steps.\n")
    (tmp_path / "rules/definitions/vip.yaml").write_text(VIP + "priority: 2\n")
    assert run("config", "apply", "rules", "--yes", DATABASE_URL=sample).output.endswith("Applied: 2 steps.\n")
    (tmp_path / "rules/definitions/vip.yaml").write_text(VIP + "prioritty: 2\n")
    wrong = run("config", "apply", "rules", "--yes", DATABASE_URL=sample)
    assert wrong.exit_code == 1
    assert "did you mean priority?" in wrong.output
    assert "mend the files first" in wrong.output


def test_exactly_one_of_folder_and_plan(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "plan.json").write_text("{}")
    assert run("config", "apply").exit_code == 2
    assert run("config", "apply", "rules", "--plan", "plan.json").exit_code == 2


def test_validate_says_everything_at_once_for_people_and_programs(run: Run, tmp_path: Path) -> None:
    for name, text in (
        ("definitions/vip", VIP + "delay_minutes: -1\n"),
        ("sites/shop-key-1", "name: S\nplatform: custom\ncurrency: X\n"),
    ):
        path = tmp_path / f"rules/{name}.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    found = run("config", "validate", "rules")
    assert found.exit_code == 1
    assert found.output.splitlines() == [
        "error    definitions/vip.yaml:4: delay_minutes: -1 minutes; 0 to 43200",
        'error    sites/shop-key-1.yaml:3: currency: "X" is not an ISO 4217 code; three capitals, EUR for example',
        "2 errors, 0 warnings.",
    ]
    document = json.loads(run("config", "validate", "rules", "--json").output)
    assert document["findings"][0]["path"] == "delay_minutes"
    assert document["conflicts"] == []


def test_what_is_stored_can_be_validated_with_its_conflicts(run: Run, sample: str, tmp_path: Path) -> None:
    run("config", "export", "rules", DATABASE_URL=sample)
    with (tmp_path / "rules/sites/sample-shopify.yaml").open("a") as file:
        file.write("- {definition: first_purchase, label: too, ads_action: 1234567890/17001}\n")
    plan = run("config", "plan", "rules", "--json", "--out", "plan.json", DATABASE_URL=sample)
    document = json.loads(plan.stdout)
    assert [step["verb"] for step in document["steps"]] == ["create", "publish"]
    assert document["outlook"]["conflicts"][0]["conflict"]["ads_action"] == "1234567890/17001"
    assert (
        json.loads(run("config", "plan", "rules", "--json", "--days", "0", DATABASE_URL=sample).stdout)["outlook"]
        is None
    )
    run("config", "apply", "--plan", "plan.json", DATABASE_URL=sample)
    found = run("config", "validate", DATABASE_URL=sample)
    assert found.exit_code == 0
    assert 'conflict sample-shopify: "first_purchase" labelled "too"' in found.output
    assert len(json.loads(run("config", "validate", "--json", DATABASE_URL=sample).output)["conflicts"]) == 1


def test_a_plan_tells_what_it_leaves_alone(run: Run, sample: str, tmp_path: Path) -> None:
    run("config", "export", "rules", DATABASE_URL=sample)
    (tmp_path / "rules/sites/sample-custom.yaml").unlink()
    found = run("config", "plan", "rules", DATABASE_URL=sample)
    assert "Not in the files, left as they are:\n    sites/sample-custom.yaml\n" in found.output


def _rules(tmp_path: Path, **files: str) -> None:
    for name, text in files.items():
        path = tmp_path / f"rules/{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


PRIORITY = (
    "definitions/vip.yaml:4: priority: a priority of 2 has no effect without a group; name the group, or remove it"
)
STRAY = "site/: it is not read; did you mean sites/? read are ads/<key>.yaml, definitions/<key>.yaml, sites/<key>.yaml"


def test_warnings_are_shown_and_are_errors_only_when_asked(run: Run, tmp_path: Path) -> None:
    _rules(tmp_path, **{"definitions/vip.yaml": VIP + "priority: 2\n", "site/shop.yaml": "x"})
    found = run("config", "validate", "rules")
    assert found.exit_code == 0
    assert found.output.splitlines() == [f"warning  {STRAY}", f"warning  {PRIORITY}", "0 errors, 2 warnings."]
    strict = run("config", "validate", "rules", "--strict")
    assert strict.exit_code == 1
    assert strict.output.splitlines() == [f"error    {STRAY}", f"error    {PRIORITY}", "2 errors, 0 warnings."]
    document = json.loads(run("config", "validate", "rules", "--json").output)
    assert (document["errors"], document["warnings"]) == (0, 2)
    assert document["findings"][1] == {
        "severity": "warning",
        "file": "definitions/vip.yaml",
        "line": 4,
        "path": "priority",
        "wrong": "a priority of 2 has no effect without a group",
        "right": "name the group, or remove it",
    }
    strictly = json.loads(run("config", "validate", "rules", "--json", "--strict").output)
    assert [one["severity"] for one in strictly["findings"]] == ["error", "error"]


def test_plan_and_apply_show_warnings(run: Run, sample: str, tmp_path: Path) -> None:
    _rules(tmp_path, **{"definitions/vip.yaml": VIP + "priority: 2\n", "site/shop.yaml": "x"})
    plan = run("config", "plan", "rules", "--out", "plan.json", "--days", "0", DATABASE_URL=sample)
    assert plan.exit_code == 0
    assert plan.output.splitlines()[:2] == [f"warning  {STRAY}", f"warning  {PRIORITY}"]
    document = json.loads(run("config", "plan", "rules", "--json", "--days", "0", DATABASE_URL=sample).stdout)
    assert [one["severity"] for one in document["findings"]] == ["warning", "warning"]
    assert document["warnings"] == 2
    applied = run("config", "apply", "--plan", "plan.json", DATABASE_URL=sample)
    assert applied.output.splitlines()[:2] == [f"warning  {STRAY}", f"warning  {PRIORITY}"]
    assert applied.output.endswith("Applied: 2 steps.\n")
    again = run("config", "apply", "rules", "--yes", DATABASE_URL=sample)
    assert again.output.splitlines()[:2] == [f"warning  {STRAY}", f"warning  {PRIORITY}"]
    assert again.output.endswith("Nothing to apply: it is so already.\n")


def test_a_draft_with_odd_numbers_is_refused_with_its_path(run: Run, sample: str, tmp_path: Path) -> None:
    for threshold in (
        "{measure: sum, at_least: NaN}",
        '{"measure": "sum", "at_least": "Infinity"}',
        "{at_least: 1E+30}",
    ):
        (tmp_path / "draft.yaml").write_text(f"trigger: [order.paid]\nthreshold: {threshold}\n")
        refused = run("backtest", "--config", "draft.yaml", DATABASE_URL=sample)
        assert refused.exit_code == 1
        assert "threshold.at_least: " in refused.output
        assert "is no number" in refused.output or "digits before the point" in refused.output


def test_a_folder_or_a_file_that_cannot_be_written_is_named(run: Run, sample: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("config", "export", "file/rules", DATABASE_URL=sample)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: file/rules")
    assert "cannot be written (Not a directory): choose another place" in result.stderr
    run("config", "export", "rules", DATABASE_URL=sample)
    result = run("config", "plan", "rules", "--out", "nowhere/plan.json", DATABASE_URL=sample)
    assert result.exit_code == 1
    assert result.stderr.endswith(
        "nowhere/plan.json cannot be written (No such file or directory): choose another place, or mend its permissions.\n"
    )
