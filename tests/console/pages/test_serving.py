"""How pages are served: signing in, forms of other sites, what people see where something is wrong, addresses behind a prefix."""

import re

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from console.api.app import create_app
from console.pages.install import all_pages
from console.pages.routes import alarms
from custom_events.settings import Settings
from tests.console.api.asking import asking
from tests.console.api.world import PASSWORD, World
from tests.console.pages.conftest import BROWSER
from tests.console.pages.test_rights import MINE, path_of

INLINE = re.compile(r"<style|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
ELSEWHERE = re.compile(r"""(?:src|href|action)=["'](?:https?:)?//""")


def test_who_signs_in_goes_where_they_wanted_to(app: FastAPI, world: World) -> None:
    with asking(app) as client:
        client.headers.update(BROWSER)
        _goes_on(client)


def _goes_on(client: httpx.Client) -> None:
    led = client.get("/uploads?state=held")
    assert led.headers["location"] == "sign-in?next=uploads%3Fstate%3Dheld"
    form = client.get(f"/{led.headers['location']}").text
    assert 'name="next" value="uploads?state=held"' in form
    given = {"login": "ana@example.org", "password": PASSWORD, "next": "uploads?state=held"}
    answer = client.post("/sign-in", data=given)
    assert (answer.status_code, answer.headers["location"]) == (303, "uploads?state=held")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert client.get("/uploads?state=held").status_code == 200
    assert "ana@example.org" in client.get("/account").text
    assert client.post("/sign-out").headers["location"] == "sign-in"
    assert client.get("/account").status_code == 303


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "../x", "a\\b", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere_by_signing_in(client: httpx.Client, world: World, wanted: str) -> None:
    given = {"login": "ana@example.org", "password": PASSWORD, "next": wanted}
    assert client.post("/sign-in", data=given, headers=BROWSER).headers["location"] == "./"


def test_a_wrong_password_says_so_and_keeps_the_login(client: httpx.Client, world: World) -> None:
    answer = client.post("/sign-in", data={"login": "ana@example.org", "password": "wrong"}, headers=BROWSER)
    assert answer.status_code == 401
    assert "The login or the password is wrong." in answer.text
    assert 'value="ana@example.org"' in answer.text


def test_a_form_of_another_site_does_nothing(browser: httpx.Client, client: httpx.Client, world: World) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        assert browser.post(f"/sites/{world.mine.id}/pause", headers=headers).status_code == 403
    silent = {"Cookie": f"custom_events_session={browser.cookies['custom_events_session']}"}
    assert client.post(f"/sites/{world.mine.id}/pause", headers=silent).status_code == 403
    ours = {**silent, "Origin": "http://127.0.0.1"}
    assert client.post(f"/sites/{world.mine.id}/pause", headers=ours).status_code == 303
    given = {"login": "ana@example.org", "password": PASSWORD}
    assert client.post("/sign-in", data=given, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_every_page_keeps_the_policy_and_leads_nowhere_else(browser: httpx.Client, world: World) -> None:
    for page in all_pages():
        if page.operation.method != "GET":
            continue
        answer = browser.get(path_of(page, world, MINE))
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert not INLINE.search(answer.text), page.path
        assert not ELSEWHERE.search(answer.text), page.path
        # 409: a story without a subject; 400: an install that names no shop; 404: the models, which nobody has made here
        other = {"/help/models": (404,), "/shopify/install": (400,), "/shopify/callback": (400,)}
        assert answer.status_code in other.get(page.path, (200, 409)), page.path


def test_links_of_pages_lead_to_pages(browser: httpx.Client, world: World) -> None:
    seen: set[str] = set()
    for page in all_pages():
        if page.operation.method != "GET" or page.path.startswith("/help/"):
            continue
        path = path_of(page, world, MINE)
        for link in re.findall(r'href="([^"#]+)', browser.get(path).text):
            target = str(httpx.URL(f"http://127.0.0.1{path}").join(link.replace("&amp;", "&")))
            shape = re.sub(r"\d+", "N", target)
            if shape not in seen and "/help/" not in target and "/story" not in target:  # nothing of the order is kept
                seen.add(shape)
                assert browser.get(target).status_code != 404, f"{path}: {link}"
    assert len(seen) > 30


def test_addresses_are_relative_so_a_prefix_changes_nothing(browser: httpx.Client, world: World) -> None:
    text = browser.get(f"/sites/{world.mine.id}").text
    assert re.findall(r'(?:href|action|src)="/', text) == []
    assert re.search(r'href="../static/console/console.css\?v=[0-9a-f]{16}"', text)
    assert browser.post(f"/sites/{world.mine.id}/pause").headers["location"] == f"../../sites/{world.mine.id}"


def test_people_see_a_page_where_nothing_is_and_programs_a_document(client: httpx.Client, database: str) -> None:
    page = client.get("/nothing/here", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "There is no such thing" in page.text
    assert 'href="../static/console/console.css?v=' in page.text
    assert client.get("/nothing/here").headers["content-type"] == "application/problem+json"
    api = client.get("/api/v1/nothing", headers={"Accept": "text/html"})
    assert api.headers["content-type"] == "application/problem+json"
    assert client.request("DELETE", "/sites", headers={"Accept": "text/html"}).status_code == 405


def test_what_is_no_form_is_refused(browser: httpx.Client, world: World, settings: Settings) -> None:
    path = f"/sites/{world.mine.id}/pause"
    assert browser.post(path, json={"reason": "x"}).status_code == 415
    long = browser.post(path, data={"reason": "x" * (settings.console_body_limit_bytes + 1)})
    assert long.status_code == 413
    many = browser.post(
        path,
        content="&".join(f"f{n}=1" for n in range(300)),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert many.status_code == 422
    assert browser.post(path, data={"reason": "a\0b"}).status_code == 422
    assert browser.get("/deliveries", params={f"f{n}": 1 for n in range(300)}).status_code == 422


@pytest.mark.parametrize(
    "path", ["/sites/99999999999999999999", "/sites/x", "/uploads/1", "/definitions/Nothing", "/ads-accounts/7"]
)
def test_what_no_thing_is_called_is_not_there(browser: httpx.Client, path: str) -> None:
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["site_id=x", "outcome=x", "since=x", "since=0001-01-01T00:00", "topic=a%00b", f"topic={'x' * 201}", "after=x"],
)
def test_filters_that_cannot_be_used_say_why(browser: httpx.Client, query: str) -> None:
    answer = browser.get(f"/deliveries?{query}")
    assert answer.status_code == 422
    assert f"<code>{query.partition('=')[0]}</code>" in answer.text


def test_an_error_of_our_own_is_a_page_too(
    app: FastAPI, browser: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr(alarms.operations, "list_alarms", broken)
    answer = browser.get("/alarms")
    assert answer.status_code == 500
    assert "An error of our own" in answer.text
    assert "secret words" not in answer.text


def test_without_a_database_it_says_to_try_again() -> None:
    with asking(create_app("postgresql://127.0.0.1:1/nothing")) as client:
        answer = client.get("/", headers={**BROWSER, "Cookie": "custom_events_session=x"})
        assert answer.status_code == 503
        assert "try again" in answer.text
        assert client.get("/sign-in").status_code == 200


def test_over_https_cookies_are_secure(database: str, world: World) -> None:
    secure = create_app(database, Settings(_env_file=None, console_url="https://events.example"))
    with asking(secure) as client:
        given = {"login": "ana@example.org", "password": PASSWORD}
        answer = client.post("/sign-in", data=given, headers=BROWSER)
        assert answer.headers["set-cookie"].endswith("; Secure")


def test_an_openid_provider_is_offered_where_there_is_one(database: str) -> None:
    for issuer, is_offered in ((None, False), ("https://login.example", True)):
        settings = Settings(_env_file=None, openid_issuer=issuer, openid_client_id="console")
        with asking(create_app(database, settings)) as client:
            assert ('href="api/v1/sessions/openid"' in client.get("/sign-in").text) is is_offered
            assert 'name="password"' in client.get("/sign-in").text
    alone = Settings(_env_file=None, openid_issuer="https://login.example", password_sign_in=False)
    with asking(create_app(database, alone)) as client:
        assert 'href="api/v1/sessions/openid"' in client.get("/sign-in").text
        assert 'name="password"' not in client.get("/sign-in").text


def test_who_has_no_role_yet_has_an_account(app: FastAPI, world: World, engine: sa.Engine) -> None:
    from custom_events.access import people

    with engine.begin() as connection:
        people.set_password(connection, world.ben.id, PASSWORD, actor="test")
    with asking(app) as client:
        client.headers.update(BROWSER)
        client.post("/sign-in", data={"login": "ben@example.org", "password": PASSWORD})
        assert client.get("/").status_code == 403
        assert "ask an administrator" in client.get("/account").text


def test_files_are_served_and_asked_for_anew_only_where_they_changed(client: httpx.Client) -> None:
    for name in ("console.css", "palette.css", "console.js", "icon.svg"):
        file = client.get(f"/static/console/{name}")
        assert file.status_code == 200
        again = client.get(f"/static/console/{name}", headers={"If-None-Match": file.headers["etag"]})
        assert again.status_code == 304
        assert again.headers["cache-control"] == "no-cache"


def test_files_are_kept_for_good_by_what_is_in_them(browser: httpx.Client) -> None:
    addresses = re.findall(r'(?:href|src)="(static/console/[^"]+)"', browser.get("/account").text)
    assert len(addresses) >= 4
    for address in addresses:
        assert browser.get(f"/{address}").headers["cache-control"].endswith("immutable"), address
    assert browser.get("/static/console/console.css?v=0123456789abcdef").headers["cache-control"] == "no-cache"


def test_pages_and_files_are_compressed_but_not_where_a_secret_stands(browser: httpx.Client, world: World) -> None:
    for path in ("/sites", "/static/console/console.css"):
        answer = browser.get(path, headers={"Accept-Encoding": "br;q=1, gzip;q=0.5"})
        assert answer.headers["content-encoding"] == "gzip", path
        assert "Accept-Encoding" in answer.headers["vary"]
        assert int(answer.headers["content-length"]) < len(answer.content) / 2 if path == "/sites" else True
    for accepted in ("identity", "gzip;q=0"):
        assert "content-encoding" not in browser.get("/sites", headers={"Accept-Encoding": accepted}).headers
    for path in ("/sign-in", "/api-keys"):
        assert "content-encoding" not in browser.get(path).headers, path
    made = browser.post(f"/sites/{world.mine.id}/rotate")
    assert made.status_code == 200
    assert "content-encoding" not in made.headers


def test_what_is_searched_for_is_found_and_its_way_is_shown(browser: httpx.Client, world: World) -> None:
    number = world.raw_events[0]
    assert browser.get(f"/orders?search=raw:{number}").headers["location"] == f"deliveries/{number}"
    assert "Nothing is called so" in browser.get("/orders?search=nobody@example.org").text
    story = browser.get(f"/orders/story?site_id={world.mine.id}&subject=raw:{number}")
    assert story.status_code == 200
    assert "customers/redact" in story.text
    assert browser.get(f"/orders/story?site_id={world.mine.id}&subject=none-such").status_code == 404


def test_before_reports_are_built_pages_say_so(browser: httpx.Client) -> None:
    for path in ("/reports", "/"):
        assert "were not built yet" in browser.get(path).text, path
