"""What earlier versions accepted and today's refuse stays in nobody's way: plans of other things go on, and say so."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.catalog import assignments, definitions, sites
from custom_events.catalog.files import apply, checks, folder, stored
from custom_events.conditions.problems import Severity
from custom_events.errors import InvalidConfiguration
from custom_events.values.deliveries import Platform
from tests.catalog.conftest import ME
from tests.catalog.files.conftest import NOW, Write, applied, planned

PAID: dict[str, Any] = {"trigger": ["order.paid"]}
BEFORE: dict[str, dict[str, Any]] = {
    "big number": {"conditions": {"field": "order.total", "op": ">", "value": 10**30}},
    "exponent": {"conditions": {"field": "order.total", "op": ">", "value": 1e30}},
    "fixed without source": {"value": {"fixed": "5"}},
    "clamps": {"value": {"at_least": "50", "by_currency": {"EUR": {"at_most": "10"}}}},
    "infinity": {"threshold": {"measure": "sum", "at_least": "Infinity"}},
    "not a number": {"threshold": {"measure": "sum", "at_least": "NaN"}},
    "many digits": {"threshold": {"measure": "sum", "at_least": "1E+30"}},
    "week date": {"conditions": {"field": "order.paid_at", "op": "after", "value": "2026-W05"}},
}


def store(connection: sa.Connection, config: dict[str, Any]) -> int:
    """A published definition `old` with this configuration, assigned to a site: written as it is, without today's checks."""
    definitions.create(connection, key="old", name="Old", config=PAID, author=ME)
    definitions.publish(connection, "old", 1, by=ME)
    site = sites.create(connection, platform=Platform.CUSTOM, name="S", actor=ME, site_key="shop-key-1", currency="EUR")
    made = assignments.assign(connection, site.id, "old", "a", author=ME)
    connection.execute(sa.text("ALTER TABLE app.definition_revisions DISABLE TRIGGER USER"))
    connection.execute(
        sa.text("UPDATE app.definition_revisions r SET config = CAST(:config AS jsonb) FROM app.custom_event_definitions d "
                "WHERE d.id = r.definition_id AND d.key = 'old'"),
        {"config": json.dumps({**PAID, **config})},
    )  # fmt: skip
    connection.execute(sa.text("ALTER TABLE app.definition_revisions ENABLE TRIGGER USER"))
    return made.id


@pytest.mark.parametrize("config", BEFORE.values(), ids=BEFORE)
def test_a_plan_of_something_else_goes_on_and_warns(
    seeded: sa.Connection, rules: Write, config: dict[str, Any]
) -> None:
    store(seeded, config)
    directory = rules(**{"definitions/new": "name: New\ntrigger: [order.paid]\n"})
    made = planned(seeded, directory)
    told = [one for one in made.findings if one.file == "definitions/old.yaml"]
    assert told, made.findings
    assert all(one.severity is Severity.WARNING for one in told)
    assert all(one.wrong.endswith("(as it is stored)") for one in told)
    assert [str(step) for step in applied(seeded, directory)] == ["create definition new", "publish definition new"]
    assert planned(seeded, directory).steps == ()


@pytest.mark.parametrize("config", BEFORE.values(), ids=BEFORE)
def test_it_is_an_error_where_the_folder_names_it(seeded: sa.Connection, rules: Write, config: dict[str, Any]) -> None:
    store(seeded, config)
    texts = folder.texts(stored.exported(stored.read(seeded).catalog))
    directory = rules(**{name.removesuffix(".yaml"): text for name, text in texts.items()})
    made = planned(seeded, directory)
    assert not made.can_be_applied
    assert {one.file for one in made.findings if one.severity is Severity.ERROR} == {"definitions/old.yaml"}
    mended = rules(**{"definitions/old": "name: Old\ntrigger: [order.paid]\n"})
    assert [str(step) for step in applied(seeded, mended)] == ["revise definition old", "publish definition old"]


@pytest.mark.parametrize("config", BEFORE.values(), ids=BEFORE)
def test_what_applies_can_be_read_and_its_assignments_changed(seeded: sa.Connection, config: dict[str, Any]) -> None:
    number = store(seeded, config)
    assert assignments.effective_of(seeded, number).config.trigger == ("order.paid",)
    assert definitions.published_config(seeded, "old") is not None
    assignments.override(seeded, number, {"delay_minutes": 5}, expected=1, author=ME)
    assignments.publish(seeded, number, 2, by=ME)
    definitions.draft(seeded, "old", PAID, expected=1, author=ME)
    definitions.publish(seeded, "old", 2, by=ME)
    with pytest.raises(InvalidConfiguration):
        definitions.rollback(seeded, "old", 1, by=ME)


def test_an_assignment_that_the_sites_file_does_not_name(seeded: sa.Connection, rules: Write) -> None:
    number = store(seeded, {})
    seeded.execute(sa.text("ALTER TABLE app.assignment_revisions DISABLE TRIGGER USER"))
    seeded.execute(
        sa.text(
            'UPDATE app.assignment_revisions SET overrides = \'{"value": {"fixed": "5"}}\' WHERE assignment_id = :id'
        ),
        {"id": number},
    )
    directory = rules(
        **{
            "sites/shop-key-1": "name: S\nplatform: custom\ncurrency: EUR\nassignments:\n- {definition: purchase, label: b}\n"
        }
    )
    made = planned(seeded, directory)
    assert [(one.path, one.severity) for one in made.findings] == [("assignments[1].value.fixed", Severity.WARNING)]
    assert len(applied(seeded, directory)) == 2
    named = rules(
        **{
            "sites/shop-key-1": "name: S\nplatform: custom\ncurrency: EUR\nassignments:\n- {definition: old, label: a, value: {fixed: 5}}\n"
        }
    )
    assert not planned(seeded, named).can_be_applied


def test_what_a_change_breaks_elsewhere_is_an_error_as_ever(seeded: sa.Connection, rules: Write) -> None:
    store(seeded, {"value": {"fixed": "5"}})
    seeded.execute(sa.text("ALTER TABLE app.assignment_revisions DISABLE TRIGGER USER"))
    overrides = json.dumps({"also": {"any": [{"field": "order.number", "op": "exists"}] * 300}})
    seeded.execute(
        sa.text("UPDATE app.assignment_revisions SET overrides = CAST(:overrides AS jsonb)"), {"overrides": overrides}
    )
    half = f"{{any: [{', '.join(['{field: order.number, op: exists}'] * 300)}]}}"
    directory = rules(**{"definitions/old": f"name: Old\ntrigger: [order.paid]\nconditions: {half}\n"})
    (told,) = planned(seeded, directory).findings
    assert (told.file, told.severity) == ("sites/shop-key-1.yaml", Severity.ERROR)
    assert "more than 500 conditions" in told.wrong


def test_a_saved_plan_with_odd_numbers_is_refused_with_a_sentence(seeded: sa.Connection, rules: Write) -> None:
    directory = rules(
        **{"definitions/new": "name: New\ntrigger: [order.paid]\nthreshold: {measure: sum, at_least: 77}\n"}
    )
    saved = apply.save(planned(seeded, directory), author=ME, reason="", now=NOW)
    for number in ("NaN", "Infinity", "1E+30", "-sNaN"):
        changed = saved.replace(b'"77"', f'"{number}"'.encode())
        with pytest.raises(InvalidConfiguration) as caught:
            apply.apply(seeded, apply.load(changed), by=ME)
        assert "threshold.at_least" in str(caught.value) or "at_least" in caught.value.sentence
        assert "number" in caught.value.sentence or "digits" in caught.value.sentence


def test_what_is_stored_can_be_validated(seeded: sa.Connection) -> None:
    store(seeded, {"threshold": {"measure": "sum", "at_least": "NaN"}, "value": {"fixed": "5"}})
    found = [(file, problem.path, problem.severity) for file, problem in checks.check(stored.read(seeded).catalog)]
    assert ("definitions/old.yaml", "threshold.at_least", Severity.ERROR) in found
    assert ("definitions/old.yaml", "value.fixed", Severity.ERROR) in found
