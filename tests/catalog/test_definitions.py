from collections.abc import Callable

import pytest
import sqlalchemy as sa

from custom_events.catalog import assignments, audit, definitions
from custom_events.catalog.seed import seed_system_definitions
from custom_events.catalog.sites import Site
from custom_events.errors import Conflict, InvalidConfiguration, NeedsAction, NotFound, Permanent
from custom_events.values.events import EventType
from tests.catalog.conftest import ME

CREATED = {"trigger": ["order.created"]}
PAID = {"trigger": ["order.paid"]}
BOB = "bob@example.org"


def test_a_definition_begins_as_a_draft_and_applies_once_published(connection: sa.Connection) -> None:
    made = definitions.create(connection, key="big", name="Big", config=PAID, author=ME, description="d", reason="try")
    assert (made.published_number, made.newest_number, made.is_system) == (None, 1, False)
    assert definitions.published_config(connection, "big") is None
    published = definitions.publish(connection, "big", 1, by=BOB)
    assert (published.state, published.author, published.published_by) == ("published", ME, BOB)
    config = definitions.published_config(connection, "big")
    assert config is not None
    assert config.trigger == (EventType.ORDER_PAID,)
    assert definitions.get(connection, "big").published_number == 1


def test_keys_are_checked_and_unique(connection: sa.Connection) -> None:
    with pytest.raises(InvalidConfiguration, match="lower-case") as caught:
        definitions.create(connection, key="Big Order", name="x", config=PAID, author=ME)
    assert caught.value.path == "key"
    definitions.create(connection, key="big", name="Big", config=PAID, author=ME)
    with pytest.raises(NeedsAction, match='"big" already'):
        definitions.create(connection, key="big", name="Big", config=PAID, author=ME)


def test_an_unknown_key_names_those_there_are(connection: sa.Connection) -> None:
    with pytest.raises(NotFound, match="There are: none"):
        definitions.get(connection, "nope")
    definitions.create(connection, key="big", name="Big", config=PAID, author=ME)
    with pytest.raises(NotFound, match="There are: big"):
        definitions.get(connection, "nope")


def test_publishing_retires_what_was_published_before(connection: sa.Connection, purchase: str) -> None:
    made = definitions.draft(connection, purchase, CREATED, expected=1, author=BOB, reason="earlier is better")
    definitions.publish(connection, purchase, made.number, by=ME)
    first, second = definitions.history(connection, purchase)
    assert (first.state, second.state) == ("retired", "published")
    assert first.retired_at is not None
    assert second.reason == "earlier is better"


def test_the_second_of_two_editors_gets_both_differences_and_nothing_is_written(
    connection: sa.Connection, purchase: str
) -> None:
    definitions.draft(connection, purchase, {**PAID, "priority": 1}, expected=1, author=BOB)
    with pytest.raises(Conflict) as caught:
        definitions.draft(connection, purchase, {**PAID, "group": "g"}, expected=1, author=ME)
    assert caught.value.theirs == ("priority: added 1",)
    assert caught.value.yours == ('group: added "g"',)
    assert "revision 1, the newest is 2 by bob@example.org" in str(caught.value)
    assert "Theirs:\n  priority: added 1\nYours:\n" in str(caught.value)
    assert len(definitions.history(connection, purchase)) == 2


def test_a_draft_made_from_a_revision_that_never_was_is_a_conflict(connection: sa.Connection, purchase: str) -> None:
    with pytest.raises(Conflict, match="you began from revision 9"):
        definitions.draft(connection, purchase, PAID, expected=9, author=ME)


def test_a_draft_older_than_what_is_published_is_a_conflict(connection: sa.Connection, purchase: str) -> None:
    definitions.draft(connection, purchase, {**PAID, "priority": 1}, expected=1, author=BOB)
    definitions.draft(connection, purchase, {**PAID, "priority": 2}, expected=2, author=BOB)
    definitions.publish(connection, purchase, 3, by=BOB)
    with pytest.raises(Conflict, match="published after draft 2") as caught:
        definitions.publish(connection, purchase, 2, by=ME)
    assert caught.value.theirs == ("priority: added 2",)
    assert caught.value.yours == ("priority: added 1",)


@pytest.mark.parametrize(("number", "words"), [(1, "It applies already"), (5, "it has 1 to 1")])
def test_only_drafts_are_published(connection: sa.Connection, purchase: str, number: int, words: str) -> None:
    with pytest.raises(NeedsAction, match=words):
        definitions.publish(connection, purchase, number, by=ME)


def test_a_retired_definition_comes_back_by_rolling_back(connection: sa.Connection, purchase: str) -> None:
    definitions.retire(connection, purchase, by=ME, reason="season is over")
    assert definitions.published_config(connection, purchase) is None
    with pytest.raises(NeedsAction, match="no published revision"):
        definitions.retire(connection, purchase, by=ME)
    with pytest.raises(NeedsAction, match="roll back to it"):
        definitions.publish(connection, purchase, 1, by=ME)
    again = definitions.rollback(connection, purchase, 1, by=BOB, reason="season again")
    assert (again.number, again.state, again.reason) == (2, "published", "rollback to revision 1: season again")
    assert definitions.published_config(connection, purchase) is not None


def test_renaming_changes_no_revision(connection: sa.Connection, purchase: str) -> None:
    renamed = definitions.rename(connection, purchase, name="Sold", author=ME)
    assert (renamed.name, renamed.description, renamed.newest_number) == ("Sold", "", 1)
    assert definitions.rename(connection, purchase, name="Sold", author=ME, description="d").description == "d"


def test_every_change_leaves_an_entry_with_author_and_difference(connection: sa.Connection, purchase: str) -> None:
    definitions.draft(connection, purchase, CREATED, expected=1, author=BOB, reason="why")
    definitions.publish(connection, purchase, 2, by=ME)
    newest, before, *rest = audit.entries(connection, subject="definition:bought")
    assert (newest.actor, newest.action, newest.detail["number"]) == (ME, "definition.publish", 2)
    assert before.detail["changes"] == ['trigger[0]: "order.paid" -> "order.created"']
    assert (before.actor, before.detail["reason"]) == (BOB, "why")
    assert [entry.action for entry in rest] == ["definition.publish", "definition.create"]


def test_only_what_never_applied_is_deleted(connection: sa.Connection, purchase: str, site: Site) -> None:
    definitions.create(connection, key="idea", name="Idea", config=PAID, author=ME)
    assignments.assign(connection, site.id, "idea", "x", author=ME, publish_now=False)
    with pytest.raises(NeedsAction, match="Sites have"):
        definitions.delete(connection, "idea", by=ME)
    with pytest.raises(NeedsAction, match="was in use"):
        definitions.delete(connection, purchase, by=ME)
    definitions.create(connection, key="unused", name="Unused", config=PAID, author=ME)
    definitions.delete(connection, "unused", by=ME)
    assert [one.key for one in definitions.all_of(connection)] == ["bought", "idea"]


def test_system_definitions_stay_whoever_asks(
    connection: sa.Connection, refused_by_database: Callable[[str], str]
) -> None:
    seed_system_definitions(connection)
    with pytest.raises(Permanent, match="cannot be deleted") as caught:
        definitions.delete(connection, "purchase", by=ME)
    assert caught.value.reason == "system_definition"
    table = "app.custom_event_definitions"
    assert "cannot be deleted" in refused_by_database(f"DELETE FROM {table} WHERE key = 'purchase'")
    assert "stays one" in refused_by_database(f"UPDATE {table} SET is_system = false WHERE key = 'purchase'")
    assert "stays one" in refused_by_database(f"UPDATE {table} SET key = 'other' WHERE key = 'purchase'")


@pytest.mark.parametrize("table", ["definition_revisions", "assignment_revisions"])
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE {} SET author = 'somebody else'", "never changes"),
        ("UPDATE {} SET number = 7", "never changes"),
        ("UPDATE {} SET state = 'draft'", "nothing else"),
        ("DELETE FROM {}", "cannot be deleted"),
    ],
)
def test_revisions_never_change_whoever_asks(
    connection: sa.Connection,
    purchase: str,
    site: Site,
    refused_by_database: Callable[[str], str],
    table: str,
    statement: str,
    words: str,
) -> None:
    assignments.assign(connection, site.id, purchase, "x", author=ME)
    assert words in refused_by_database(statement.format(f"app.{table}"))


def test_a_revision_that_breaks_an_assignment_is_not_published(
    connection: sa.Connection, purchase: str, site: Site, action: str
) -> None:
    overrides = {"ads_action": action, "click_window_days": 30, "valid_until": "2026-06-30"}
    made = assignments.assign(connection, site.id, purchase, "until June", author=ME, overrides=overrides)
    late = {**PAID, "valid_from": "2026-07-01"}
    definitions.draft(connection, purchase, late, expected=1, author=ME)
    expected = f"with assignment {made.id} .* is before valid_from"
    with pytest.raises(InvalidConfiguration, match=expected) as caught, connection.begin_nested():
        definitions.publish(connection, purchase, 2, by=ME)
    assert caught.value.path == "valid_until"
    assert definitions.get(connection, purchase).published_number == 1
    assignments.pause(connection, made.id, actor=ME)
    assert definitions.publish(connection, purchase, 2, by=ME).number == 2
