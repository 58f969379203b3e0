"""The client that is generated from the document: typed answers, also where something is refused."""

import json
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from api_client import AuthenticatedClient
from api_client.api.definitions import create_definition
from api_client.api.sites import change_site, create_site, list_sites, read_site
from api_client.models import NewDefinition, NewSite, PageSite, Problem, Site, SiteChanges
from console.api import client as generated
from tests.console.api.world import World


@pytest.fixture
def typed(admin: httpx.Client) -> AuthenticatedClient:
    """The generated client, on the app of the test."""
    made = AuthenticatedClient(base_url="http://127.0.0.1", token="in the headers")
    return made.set_httpx_client(admin)


def test_it_is_made_of_the_document_as_it_is() -> None:
    assert generated.is_made(generated.text()), "the API's document has changed: make client"


def test_what_is_made_and_read_has_a_type(typed: AuthenticatedClient, world: World) -> None:
    made = create_site.sync(client=typed, body=NewSite(platform="custom", name="Typed", currency="EUR"))
    assert isinstance(made, Site)
    read = read_site.sync_detailed(made.id, client=typed)
    assert (read.status_code, read.parsed) == (HTTPStatus.OK, made)
    page = list_sites.sync(client=typed, search="Typed")
    assert isinstance(page, PageSite)
    assert [one.id for one in page.items] == [made.id]


def test_a_change_on_top_of_another_is_a_problem_with_both_sides(typed: AuthenticatedClient, world: World) -> None:
    tag = read_site.sync_detailed(world.mine.id, client=typed).headers["ETag"]
    first = change_site.sync(world.mine.id, client=typed, body=SiteChanges(name="One"), if_match=tag)
    assert isinstance(first, Site)
    second = change_site.sync_detailed(world.mine.id, client=typed, body=SiteChanges(name="Two"), if_match=tag)
    assert second.status_code == HTTPStatus.PRECONDITION_FAILED
    assert isinstance(second.parsed, Problem)
    assert (second.parsed.theirs["name"], second.parsed.yours["name"]) == ("One", "Two")


def test_conflicts_and_values_that_cannot_be_used_are_problems(typed: AuthenticatedClient, world: World) -> None:
    taken = NewSite(platform="custom", name="Twice", site_key=world.mine.site_key)
    conflict = create_site.sync(client=typed, body=taken)
    assert isinstance(conflict, Problem)
    assert (conflict.status, conflict.type_) == (409, "urn:custom-events:problem:conflict")
    config = {"trigger": ["order.paid"], "click_window_days": 91}
    invalid = create_definition.sync(
        client=typed, body=NewDefinition.from_dict({"key": "wrong", "name": "Wrong", "config": config})
    )
    assert isinstance(invalid, Problem)
    assert [error.field for error in invalid.errors or []] == ["config.click_window_days"]


TINY = {
    "openapi": "3.1.0",
    "info": {"title": "Tiny", "version": "1"},
    "paths": {"/x": {"get": {"operationId": "read_x", "responses": {"204": {"description": "Done."}}}}},
}


def test_it_is_made_where_the_document_changed_and_only_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "PLACE", tmp_path / "api_client")
    monkeypatch.setattr(generated, "text", lambda: json.dumps(TINY))
    assert generated.main() == 0
    made = tmp_path / "api_client" / "api" / "default" / "read_x.py"
    assert made.is_file()
    made.write_text("# kept")
    assert generated.main() == 0
    assert made.read_text() == "# kept"
    changed = {**TINY, "paths": {"/y": {"get": {"responses": {"200": {"$ref": "#/nowhere"}}}}}}
    monkeypatch.setattr(generated, "text", lambda: json.dumps(changed))
    assert generated.main() == 1  # what cannot be generated whole takes nothing away
    assert made.read_text() == "# kept"
    assert list(tmp_path.iterdir()) == [tmp_path / "api_client"]
