"""Where publishing needs a second person: nobody publishes a draft of their own; to stop something needs nobody else."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from custom_events.catalog import assignments, audit, definitions
from custom_events.catalog.sample import seed_sample
from custom_events.catalog.sites import Site
from custom_events.errors import Conflict, NeedsAction
from custom_events.settings import Settings, settings
from tests.catalog.conftest import ME

BEA = "bea@example.org"
PAID = {"trigger": ["order.paid"]}


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CUSTOM_EVENTS_PUBLISH_NEEDS_SECOND_PERSON", "true")
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_one_person_suffices_unless_the_setting_says_otherwise(connection: sa.Connection) -> None:
    definitions.create(connection, key="big", name="Big", config=PAID, author=ME)
    assert definitions.publish(connection, "big", 1, by=ME).state == "published"


@pytest.mark.usefixtures("asked_for")
def test_a_draft_is_published_by_somebody_else_and_both_are_kept(connection: sa.Connection) -> None:
    definitions.create(connection, key="big", name="Big", config=PAID, author=ME)
    for me in (ME, f" {ME.upper()} "):
        with pytest.raises(NeedsAction) as caught:
            definitions.publish(connection, "big", 1, by=me)
        assert caught.value.who == "a second person"
        assert f'Revision 1 of definition "big" was drafted by {ME}: somebody else publishes it' in str(caught.value)
        assert "CUSTOM_EVENTS_PUBLISH_NEEDS_SECOND_PERSON" in str(caught.value)
    made = definitions.publish(connection, "big", 1, by=BEA)
    assert (made.author, made.published_by) == (ME, BEA)
    entry = audit.entries(connection, subject="definition:big")[0]
    assert (entry.action, entry.actor, entry.detail["draft_by"]) == ("definition.publish", BEA, ME)
    definitions.retire(connection, "big", by=ME)


@pytest.mark.usefixtures("asked_for")
def test_rolling_back_makes_a_draft_that_waits(connection: sa.Connection, site: Site) -> None:
    definitions.create(connection, key="big", name="Big", config=PAID, author=ME)
    definitions.publish(connection, "big", 1, by=BEA)
    definitions.draft(connection, "big", {**PAID, "priority": 1}, expected=1, author=ME)
    definitions.publish(connection, "big", 2, by=BEA)
    back = definitions.rollback(connection, "big", 1, by=BEA, reason="worse")
    assert (back.number, back.state, back.reason) == (3, "draft", "rollback to revision 1: worse")
    entry = audit.entries(connection, subject="definition:big")[0]
    assert (entry.action, entry.detail["state"], entry.detail["changes"]) == (
        "definition.rollback",
        "draft",
        ["priority: removed 1"],
    )
    with pytest.raises(NeedsAction, match="somebody else publishes it"):
        definitions.publish(connection, "big", 3, by=BEA)
    assert definitions.publish(connection, "big", 3, by=ME).payload == PAID
    definitions.retire(connection, "big", by=ME)
    again = definitions.rollback(connection, "big", 2, by=ME)
    assert definitions.publish(connection, "big", again.number, by=BEA).payload["priority"] == 1


@pytest.mark.usefixtures("asked_for")
def test_an_assignment_waits_too(connection: sa.Connection, site: Site) -> None:
    definitions.create(connection, key="big", name="Big", config=PAID, author=ME)
    definitions.publish(connection, "big", 1, by=BEA)
    made = assignments.assign(connection, site.id, "big", "x", author=ME)
    assert made.published_number is None
    with pytest.raises(NeedsAction, match="somebody else"):
        assignments.publish(connection, made.id, 1, by=ME)
    assert assignments.publish(connection, made.id, 1, by=BEA).published_by == BEA
    assert assignments.rollback(connection, made.id, 1, by=BEA).state == "draft"
    assignments.retire(connection, made.id, by=ME, reason="stop")
    assert assignments.get(connection, made.id).published_number is None


@pytest.mark.usefixtures("asked_for")
def test_what_ships_with_the_product_was_approved_by_installing_it(
    connection: sa.Connection, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = seed_sample(connection, Settings(_env_file=None, local_directory=tmp_path_factory.mktemp("local")))
    assert definitions.get(connection, "purchase").published_number == 1
    for site in made.sites:
        assert all(one.published_number == 1 for one in assignments.of_site(connection, site.site_id))


def test_a_draft_older_than_what_was_published_last_is_not_published_even_when_that_is_retired(
    connection: sa.Connection,
) -> None:
    definitions.create(connection, key="big", name="Big", config=PAID, author=ME)
    definitions.draft(connection, "big", {**PAID, "priority": 1}, expected=1, author=BEA)
    definitions.publish(connection, "big", 2, by=ME)
    definitions.retire(connection, "big", by=ME)
    with pytest.raises(Conflict, match=r"Revision 2 of .* was published after draft 1 was made") as caught:
        definitions.publish(connection, "big", 1, by=ME)
    assert caught.value.theirs == ('trigger: added ["order.paid"]', "priority: added 1")
    back = definitions.rollback(connection, "big", 1, by=ME)
    assert (back.number, back.state) == (3, "published")
