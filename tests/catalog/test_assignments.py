from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.catalog import assignments, audit, definitions
from custom_events.catalog.sites import Site
from custom_events.errors import Conflict, InvalidConfiguration, NeedsAction, NotFound
from custom_events.matching.effective import Origin
from tests.catalog.conftest import ME

BIG: dict[str, Any] = {"field": "order.total", "op": ">=", "value": "100", "currency": "EUR"}


@pytest.fixture
def assigned(connection: sa.Connection, site: Site, purchase: str) -> int:
    return assignments.assign(connection, site.id, purchase, "all", author=ME).id


def test_one_definition_is_assigned_many_times_under_labels(
    connection: sa.Connection, site: Site, purchase: str, assigned: int
) -> None:
    other = assignments.assign(connection, site.id, purchase, "big ones", author=ME, overrides={"also": BIG})
    assert [one.label for one in assignments.of_site(connection, site.id)] == ["all", "big ones"]
    assert {assigned, other.id} == {one.id for one in assignments.of_site(connection, site.id)}
    assert (other.definition_key, other.published_number, other.is_active) == (purchase, 1, True)
    with pytest.raises(NeedsAction, match='labelled "all" already'):
        assignments.assign(connection, site.id, purchase, "all", author=ME)
    with pytest.raises(InvalidConfiguration, match="label"):
        assignments.assign(connection, site.id, purchase, " ", author=ME)


def test_the_effective_configuration_says_where_each_setting_comes_from(
    connection: sa.Connection, site: Site, purchase: str, action: str
) -> None:
    overrides = {"also": BIG, "ads_action": action, "click_window_days": 30}
    made = assignments.assign(connection, site.id, purchase, "x", author=ME, overrides=overrides)
    found = assignments.effective_of(connection, made.id)
    assert found.config.conditions == BIG
    assert found.config.ads_action == action
    assert found.origins["trigger"] is Origin.DEFINITION
    assert found.origins["ads_action"] is Origin.ASSIGNMENT
    assert found.origins["priority"] is Origin.DEFAULT
    assert (found.definition_revision.number, found.assignment_revision.number) == (1, 1)


def test_overrides_that_make_no_whole_with_the_definition_are_refused_at_once(
    connection: sa.Connection, site: Site, purchase: str, action: str
) -> None:
    def refuse(overrides: dict[str, Any]) -> str:
        with pytest.raises((InvalidConfiguration, NotFound)) as caught:
            assignments.assign(connection, site.id, purchase, "x", author=ME, overrides=overrides)
        connection.execute(sa.text("DELETE FROM app.site_custom_events"))
        return str(caught.value)

    assert "no conversion action 1234567890/99" in refuse({"ads_action": "1234567890/99"})
    assert "longer than the 30 days" in refuse({"ads_action": action})
    assert "trigger" in refuse({"trigger": []})


def test_an_unpublished_assignment_has_no_effect_yet(connection: sa.Connection, site: Site, purchase: str) -> None:
    made = assignments.assign(connection, site.id, purchase, "later", author=ME, publish_now=False)
    with pytest.raises(NeedsAction, match='"later" on site'):
        assignments.effective_of(connection, made.id)
    assignments.publish(connection, made.id, 1, by=ME)
    assert assignments.effective_of(connection, made.id).config.priority == 0
    definitions.retire(connection, purchase, by=ME)
    with pytest.raises(NeedsAction, match='definition "bought"'):
        assignments.effective_of(connection, made.id)
    # Without a published revision the newest draft is what overrides must fit.
    assignments.override(connection, made.id, {"priority": 1}, expected=1, author=ME)


def test_overrides_are_revised_like_definitions(connection: sa.Connection, assigned: int) -> None:
    assignments.override(connection, assigned, {"priority": 5}, expected=1, author=ME, reason="first")
    with pytest.raises(Conflict) as caught:
        assignments.override(connection, assigned, {"group": "g"}, expected=1, author=ME)
    assert caught.value.theirs == ("priority: added 5",)
    assignments.publish(connection, assigned, 2, by=ME)
    assert assignments.effective_of(connection, assigned).config.priority == 5
    back = assignments.rollback(connection, assigned, 1, by=ME)
    assert (back.number, back.reason) == (3, "rollback to revision 1")
    assert assignments.effective_of(connection, assigned).config.priority == 0
    assert [one.state for one in assignments.history(connection, assigned)] == ["retired", "retired", "published"]
    entry = audit.entries(connection, subject=f"assignment:{assigned}")[0]
    assert (entry.action, entry.detail["to"]) == ("assignment.rollback", 1)


def test_pausing_and_resuming(connection: sa.Connection, assigned: int) -> None:
    assert not assignments.pause(connection, assigned, actor=ME).is_active
    assert not assignments.pause(connection, assigned, actor=ME).is_active
    assert assignments.resume(connection, assigned, actor=ME, reason="back").is_active


def test_what_can_hardly_be_meant_is_a_warning(connection: sa.Connection, site: Site, purchase: str) -> None:
    dollars = {**BIG, "currency": "USD"}
    made = assignments.assign(connection, site.id, purchase, "usd", author=ME, overrides={"also": dollars})
    (warning,) = assignments.warnings(connection, made.id)
    assert "USD" in str(warning)


def test_an_assignment_that_is_not_there(connection: sa.Connection) -> None:
    with pytest.raises(NotFound, match="no assignment 999999"):
        assignments.get(connection, 999999)
