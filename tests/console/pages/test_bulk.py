"""Many assignments at once by forms: previewed row by row, applied, left and found again, undone; from CSV with errors by line."""

import re

import httpx
import pytest
import sqlalchemy as sa

from console.api.routes import bulk_changes
from custom_events.catalog import assignments, sites
from custom_events.catalog.assignments import SiteAssignment
from custom_events.operations.runner import Runner
from custom_events.values.deliveries import Platform
from tests.console.api.world import World
from tests.console.pages.test_changes import hidden, moved

ANYTHING = {"Accept": "*/*"}
PREVIEW = "/bulk-changes/preview"


@pytest.fixture(scope="module")
def shops(engine: sa.Engine, world: World) -> list[int]:
    """Three sites, each with an assignment of the definition `big_order` that applies."""
    made = []
    with engine.begin() as connection:
        for number in range(3):
            site = sites.create(connection, platform=Platform.CUSTOM, name=f"Branch {number}", actor="test")
            assignments.assign(connection, site.id, "big_order", "all", author="test", publish_now=True)
            made.append(site.id)
    return made


def of_site(engine: sa.Engine, site_id: int) -> list[SiteAssignment]:
    with engine.connect() as connection:
        return assignments.of_site(connection, site_id)


def kept(page: str) -> dict[str, str]:
    """What the preview's form sends."""
    return {name: hidden(page, name).replace("&amp;", "&") for name in ("request", "mode")}


def previewed(browser: httpx.Client, form: dict[str, object], status: int = 200) -> str:
    answer = browser.post(PREVIEW, data=form)
    assert answer.status_code == status, answer.text
    return answer.text


def test_a_definition_is_assigned_to_many_sites_after_a_preview_and_undone(
    browser: httpx.Client, engine: sa.Engine, shops: list[int]
) -> None:
    form = browser.get("/bulk-changes/new?action=assign").text
    assert f'name="site_ids" value="{shops[0]}"' in form
    given = {"action": "assign", "definition_key": "big_order", "label": "VIP", "site_ids": shops, "publish": "on"}
    page = previewed(browser, {**given, "how-priority": "override", "overrides.priority": "7", "reason": "spring"})
    assert page.count("Branch ") == 3
    assert "Apply 3 rows" in page
    assert all(len(of_site(engine, site_id)) == 1 for site_id in shops)
    done = moved(browser, browser.post("/bulk-changes", data=kept(page)))
    assert "3 rows are done" in done
    assert "3 rows on 3 sites, by ana@example.org" in done
    assert all(len(of_site(engine, site_id)) == 2 for site_id in shops)
    newest = browser.get("/bulk-changes").text
    assert browser.get("/bulk-changes?search=SPRIN").text.count("spring") == 1
    assert "No bulk change is called so" in browser.get("/bulk-changes?search=autumn").text
    tried = re.search(r'action="(bulk-changes/\d+/undo/preview)"', newest)
    assert tried is not None
    page = browser.post(f"/{tried[1]}").text
    assert "nothing is undone yet" in page
    assert page.count("Branch ") == 3
    assert "Undo 3 rows" in page
    assert all(len(of_site(engine, site_id)) == 2 for site_id in shops)
    undo = re.search(r'action="[./]*(bulk-changes/\d+/undo)"', page)
    assert undo is not None
    undone = moved(browser, browser.post(f"/{undo[1]}", data={"reason": "too early"}))
    assert "3 rows are undone" in undone
    assert "It is an undo" in undone
    assert "undone" in browser.get("/bulk-changes").text
    assert "There is nothing to apply" in browser.post(f"/{tried[1]}").text
    again = browser.post(f"/{undo[1]}")
    assert again.status_code == 422
    assert "was changed since" in again.text
    nothing = previewed(browser, {**given, "how-priority": "override", "overrides.priority": '"x"'}, 422)
    assert 'id="e-overrides.priority"' in nothing
    assert 'value="VIP"' in nothing  # what was typed is still there


def test_those_that_match_a_filter_are_disabled_and_enabled(
    browser: httpx.Client, engine: sa.Engine, shops: list[int]
) -> None:
    form = browser.get(f"/bulk-changes/new?action=disable&all=yes&site_id={shops[0]}&state=enabled").text
    assert "All assignments that match" in form
    everything = {"action": "disable", "all": "yes", "site_id": str(shops[0]), "state": "enabled", "search": "all"}
    page = previewed(browser, everything)
    assert "1 would change" in page
    assert "Back to the form" in page
    assert "1 row is done" in moved(browser, browser.post("/bulk-changes", data=kept(page)))
    assert [one.is_active for one in of_site(engine, shops[0]) if one.label == "all"] == [False]
    nobody = previewed(browser, everything, 422)  # none is enabled any more
    assert "nothing was found" in nobody
    chosen = [one.id for one in of_site(engine, shops[0]) if one.label == "all"]
    assert "1 assignment is chosen" in browser.get(f"/bulk-changes/new?action=enable&assignment_ids={chosen[0]}").text
    page = previewed(browser, {"action": "enable", "assignment_ids": chosen})
    moved(browser, browser.post("/bulk-changes", data=kept(page)))
    same = previewed(browser, {"action": "enable", "assignment_ids": chosen})
    assert "There is nothing to apply" in same


def test_settings_are_overridden_and_inherited_again_moved_and_copied(
    browser: httpx.Client, engine: sa.Engine, shops: list[int]
) -> None:
    (one,) = [one for one in of_site(engine, shops[1]) if one.label == "all"]
    change = {"action": "change", "assignment_ids": [one.id], "publish": "on"}
    given = {
        **change,
        "how-click_window_days": "override",
        "overrides.click_window_days": "30",
        "how-group": "override",
    }
    page = previewed(browser, {**given, "overrides.group": "worth"})
    assert "revision 2 applies, in place of 1" in page
    moved(browser, browser.post("/bulk-changes", data=kept(page)))
    page = previewed(browser, {**change, "how-click_window_days": "inherit"})
    moved(browser, browser.post("/bulk-changes", data=kept(page)))
    with engine.connect() as connection:
        assert assignments.revision(connection, one.id, 3).payload == {"group": "worth"}
    page = previewed(browser, {"action": "move", "assignment_ids": [one.id], "to_site_id": str(shops[2])})
    assert "would fail" in page  # the site has one of this label
    copied = previewed(browser, {"action": "copy", "from_site_id": str(shops[1]), "site_ids": [shops[0], shops[2]]})
    assert copied.count('data-label="Outcome"') == 2 * len(of_site(engine, shops[1]))
    every = previewed(
        browser, {"action": "copy", "from_site_id": str(shops[1]), "every_site": "yes", "sites_search": "Branch"}
    )
    assert every.count("Branch ") >= 2


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "it is missing"),
        ({"action": "burn"}, "it is missing"),
        ({"action": "enable"}, "none is chosen"),
        ({"action": "enable", "assignment_ids": "x"}, "is no number of ours"),
        ({"action": "change", "assignment_ids": "1"}, "nothing is to change"),
        ({"action": "change", "assignment_ids": "1", "how-value": "override", "overrides.value": "{"}, "it is no JSON"),
        ({"action": "move", "assignment_ids": "1"}, "it is missing; choose a site"),
        ({"action": "assign", "definition_key": "big_order", "label": "x"}, "no site is chosen"),
        ({"action": "import", "csv": "site,label\n1,x\n"}, "the column site_id is missing"),
        ({"action": "enable", "all": "yes", "ads_account": "12"}, "is no customer id"),
    ],
)
def test_what_cannot_be_used_is_said_on_the_form(
    browser: httpx.Client, shops: list[int], form: dict[str, str], said: str
) -> None:
    assert said in previewed(browser, form, 422)


def test_what_a_form_has_kept_must_be_a_bulk_change(browser: httpx.Client, shops: list[int]) -> None:
    answer = browser.post("/bulk-changes", data={"request": '{"x": 1}'})
    assert answer.status_code == 422
    assert "preview it again" in answer.text


def test_a_file_goes_out_is_mended_line_by_line_and_comes_in(
    browser: httpx.Client, engine: sa.Engine, shops: list[int]
) -> None:
    out = browser.get(f"/api/v1/assignments.csv?site_id={shops[2]}", headers=ANYTHING).text.splitlines()
    line = f'{shops[2]},big_order,from the file,true,true,"{{""priority"": 4}}"'
    wrong = "\n".join([*out, line.replace(" 4}", ' ""high""}'), f"{shops[2]},none_such,x,true,true,"])
    refused = previewed(browser, {"action": "import", "csv": wrong}, 422)
    assert f"lines[{len(out) + 1}].overrides.priority" in refused
    assert "from the file" in refused
    half = "\n".join([*out, line, f"{shops[2]},none_such,x,true,true,"])
    page = previewed(browser, {"action": "import", "csv": half})
    assert f"line {len(out) + 2}" in page
    assert "1 would fail" in page
    assert "is left out" in page
    done = moved(browser, browser.post("/bulk-changes", data=kept(page)))
    assert "1 failed: see why." in done
    assert {one.label for one in of_site(engine, shops[2])} >= {"from the file"}


def test_a_large_one_is_tried_as_an_operation_left_found_and_applied(
    browser: httpx.Client, shops: list[int], runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 1)
    given = {"action": "assign", "definition_key": "big_order", "label": "many", "site_ids": shops}
    tried = browser.post(PREVIEW, data=given)
    going = moved(browser, tried)
    assert "Each row is tried" in going
    assert 'data-follow="../api/v1/operations/' in going
    assert "0 of 3 rows" in browser.get("/operations?kind=bulk_change&state=waiting").text
    assert runner.run_next()
    path = str(tried.url.join(tried.headers["location"]))
    ended = browser.get(path).text
    assert "Apply 3 rows" in ended
    applying = browser.post(f"{path}/apply", data={"mode": "all_or_nothing"})
    assert "found among the operations" in moved(browser, applying)
    assert "See how far it is" in browser.get("/bulk-changes/" + _newest(browser)).text
    assert runner.run_next()
    done = browser.get(str(applying.url.join(applying.headers["location"]))).text
    assert "It is done" in done
    again = browser.post(f"{path}/apply", data={"mode": "all_or_nothing"})  # they are there already: all rows fail
    assert runner.run_next()
    assert "Nothing was changed" in browser.get(str(again.url.join(again.headers["location"]))).text
    assert browser.post(f"{path[: path.rindex('/')]}/999999/apply").status_code == 404


def test_one_that_waits_is_cancelled_and_is_not_applied(
    browser: httpx.Client, shops: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 1)
    tried = browser.post(PREVIEW, data={"action": "disable", "all": "yes", "search": "all"})
    path = str(tried.url.join(tried.headers["location"]))
    assert "cancelled" in moved(browser, browser.post(f"{path}/cancel"))
    refused = browser.post(f"{path}/apply")
    assert refused.status_code == 409
    assert "not a dry run" in refused.text


def test_the_result_of_another_kind_is_read_by_the_api(browser: httpx.Client, world: World) -> None:
    page = browser.get(f"/operations/{world.operations[0]}").text
    assert f'href="../api/v1/operations/{world.operations[0]}/result"' in page


def _newest(browser: httpx.Client) -> str:
    found = re.search(r'href="bulk-changes/(\d+)"', browser.get("/bulk-changes").text)
    assert found is not None
    return found[1]
