"""The table of all assignments: filters, sorting, views that people keep, settings changed in place, each with who came in between."""

import re

import httpx
import pytest
import sqlalchemy as sa

from custom_events.catalog import assignments, definitions, sites
from custom_events.values.deliveries import Platform
from tests.console.api.ledger_rows import ACTION_ID, CUSTOMER_ID
from tests.console.api.world import World
from tests.console.pages.test_changes import hidden, moved

ANYTHING = {"Accept": "*/*"}
ACTION = f"{CUSTOMER_ID}/{ACTION_ID}"


@pytest.fixture(scope="module")
def listed(engine: sa.Engine, world: World) -> dict[str, int]:
    """Assignments by label: a draft, one that overrides, one that sends, one that is disabled."""
    with engine.begin() as connection:
        site = sites.create(connection, platform=Platform.CUSTOM, name="Listed", actor="test")
        definitions.create(
            connection, key="sent", name="Sent", config={"trigger": ["order.paid"], "ads_action": ACTION}, author="test"
        )
        definitions.publish(connection, "sent", 1, by="test")

        def assign(label: str, key: str = "big_order", *, publish: bool = True, **overrides: object) -> int:
            made = assignments.assign(
                connection, site.id, key, label, author="test", overrides=overrides, publish_now=publish
            )
            return made.id

        found = {
            "a draft": assign("a draft", publish=False),
            "overrides": assign("overrides", priority=3),
            "sends": assign("sends", key="sent"),
            "sends otherwise": assign("sends otherwise", ads_action=ACTION),
            "recorded": assign("recorded", key="sent", ads_action=None),
            "off": assign("off"),
        }
        assignments.pause(connection, found["off"], actor="test")
    return {**found, "site": site.id}


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("state=draft", {"a draft"}),
        ("state=disabled", {"off"}),
        ("state=enabled", {"overrides", "sends", "sends otherwise", "recorded"}),
        ("overridden=priority", {"overrides"}),
        ("overridden=any", {"overrides", "sends otherwise", "recorded"}),
        ("overridden=nothing&state=enabled", {"sends"}),
        (f"ads_account={CUSTOMER_ID}", {"sends", "sends otherwise"}),
        (f"ads_account={CUSTOMER_ID[:3]}-{CUSTOMER_ID[3:6]}-{CUSTOMER_ID[6:]}&definition=sent", {"sends"}),
        ("search=other", {"sends otherwise"}),
    ],
)
def test_it_is_filtered(browser: httpx.Client, listed: dict[str, int], query: str, labels: set[str]) -> None:
    page = browser.get(f"/assignments?site_id={listed['site']}&{query}").text
    shown = set(re.findall(r'data-label="Assignment"><a href="assignments/\d+">([^<]+)<', page))
    assert shown == labels
    file = re.search(r'href="(api/v1/assignments.csv\?[^"]+)"', page)
    assert file is not None
    lines = browser.get(f"/{file[1].replace('&amp;', '&')}", headers=ANYTHING).text.splitlines()[1:]
    assert len(lines) == len(labels)  # what is shown is what the file has


def test_it_is_sorted_and_what_it_is_not_sorted_by_is_said(browser: httpx.Client, listed: dict[str, int]) -> None:
    page = browser.get(f"/assignments?site_id={listed['site']}&sort=-label").text
    shown = re.findall(r'data-label="Assignment"><a href="assignments/\d+">([^<]+)<', page)
    assert shown == sorted(shown, reverse=True)
    assert 'aria-sort="descending"' in page
    assert browser.get("/assignments?sort=price").status_code == 422
    assert browser.get("/assignments?ads_account=x").status_code == 422


def test_filters_are_kept_as_a_view_of_ones_own(browser: httpx.Client, client: httpx.Client, world: World) -> None:
    page = browser.get("/assignments?state=draft&sort=label&search=a+b").text
    kept = {"name": "My drafts", "query": hidden(page, "query").replace("&amp;", "&")}
    shown = moved(browser, browser.post("/assignments/views", data=kept))
    assert "My drafts is kept" in shown
    assert 'href="assignments?search=a+b&amp;state=draft&amp;sort=label" aria-current="page">My drafts<' in shown
    assert browser.post("/assignments/views", data=kept).status_code == 409
    assert browser.post("/assignments/views", data={**kept, "name": " "}).status_code == 422
    assert browser.post("/assignments/views", data={"name": "x", "query": "<b>"}).status_code == 422
    other = client.get("/assignments", headers={"Accept": "text/html", **world.headers("viewer")}).text
    assert "My drafts" not in other
    found = re.search(r'action="(assignments/views/\d+/remove)"', shown)
    assert found is not None
    assert "My drafts" not in moved(browser, browser.post(f"/{found[1]}")).partition("Filter")[0]
    assert browser.post(f"/{found[1]}").status_code == 404


def test_settings_are_changed_in_place(browser: httpx.Client, engine: sa.Engine, listed: dict[str, int]) -> None:
    number = listed["overrides"]
    query = f"?site_id={listed['site']}&overridden=priority"
    page = browser.get(f"/assignments{query}").text
    address = re.search(rf'hx-get="(assignments/{number}/quick\?[^"]+)"', page)
    assert address is not None
    form = browser.get(f"/{address[1]}").text
    assert 'name="overrides.priority" autocomplete="off" value="3"' in form
    assert hidden(form, "back").replace("&amp;", "&") == query
    given = {"expected": "1", "back": query, "overrides.priority": "5", "overrides.ads_action": "none"}
    answer = browser.post(f"/assignments/{number}/quick", data={**given, "publish": "on"})
    assert answer.headers["location"] == f"../../assignments{query}"
    assert "Revision 2 applies" in moved(browser, answer)
    with engine.connect() as connection:
        assert assignments.revision(connection, number, 2).payload == {"priority": 5, "ads_action": None}
    again = browser.post(f"/assignments/{number}/quick", data={**given, "overrides.priority": "6"})
    assert again.status_code == 409
    assert "came in between" in again.text
    assert 'value="6"' in again.text
    wrong = browser.post(f"/assignments/{number}/quick", data={**given, "expected": "2", "overrides.priority": "high"})
    assert wrong.status_code == 422
    assert 'value="high"' in wrong.text
    inherited = {"expected": "2", "back": "//evil.example"}
    drafted = browser.post(f"/assignments/{number}/quick", data=inherited)
    assert drafted.headers["location"] == "../../assignments"
    with engine.connect() as connection:
        assert assignments.revision(connection, number, 3).payload == {}


def test_who_may_only_draft_does_not_let_it_apply(client: httpx.Client, world: World, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        made = assignments.assign(connection, world.mine.id, "big_order", "theirs to draft", author="test")
    headers = {"Accept": "text/html", **world.headers("editor of mine")}
    given = {"expected": "1", "overrides.priority": "5"}
    refused = client.post(f"/assignments/{made.id}/quick", data={**given, "publish": "on"}, headers=headers)
    assert refused.status_code == 403
    drafted = client.post(f"/assignments/{made.id}/quick", data=given, headers=headers)
    assert drafted.status_code == 303


def test_it_is_switched_in_place_and_leads_back(browser: httpx.Client, listed: dict[str, int]) -> None:
    number, query = listed["off"], f"?site_id={listed['site']}&sort=label"
    answer = browser.post(f"/assignments/{number}/enable", data={"back": query})
    assert answer.headers["location"] == f"../../assignments{query}"
    assert f"assignments/{number}" in moved(browser, answer)
