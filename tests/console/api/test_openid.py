"""Signing in by an OpenID provider, a real one: who is let in, as whom, and what is not believed."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import msgspec
import pytest
import requests
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from console.api.app import create_app
from console.api.routes.openid import FLOW_COOKIE
from custom_events import secrets
from custom_events.access import people
from custom_events.access.openid_provider import CALLBACK, Flow
from custom_events.access.roles import Grant, Role
from custom_events.catalog import audit
from custom_events.settings import Settings
from tests.console.api.asking import asking
from tests.console.api.conftest import problem
from tests.console.api.openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, provider_on_a_port

BEGIN = "/api/v1/sessions/openid"
ANA = "ana@example.org"


@pytest.fixture(scope="module")
def _running() -> Iterator[OpenIdProvider]:
    with provider_on_a_port(f"http://127.0.0.1:8080{CALLBACK}") as provider:
        yield provider


@pytest.fixture
def provider(_running: OpenIdProvider) -> OpenIdProvider:
    """A provider with an account of Ana's."""
    _running.subject, _running.silent, _running.changed = "248289761001", False, {}
    _running.claims.clear()
    _running.claims.update(email="Ana@example.org", email_verified=True, name="Ana")
    _running.keep_back()
    return _running


@pytest.fixture
def settings(settings: Settings, provider: OpenIdProvider) -> Settings:
    found = {"openid_issuer": provider.issuer, "openid_client_id": CLIENT_ID}
    return Settings(**{**settings.model_dump(), **found, "openid_client_secret": CLIENT_SECRET}, _env_file=None)


@pytest.fixture
def ana(engine: sa.Engine) -> people.Person:
    with engine.begin() as connection:
        grants = (Grant(role=Role.ADMINISTRATOR),)
        return people.add(connection, login=ANA, display_name="Ana", grants=grants, actor="me")


def leave(client: httpx.Client) -> dict[str, str]:
    """Begin to sign in, and be at the provider: what it sends back."""
    answer = client.get(BEGIN)
    assert answer.status_code == 302, answer.text
    back = requests.get(answer.headers["location"], allow_redirects=False, timeout=60)
    assert back.status_code == 302, back.text
    assert back.headers["location"].startswith(f"http://127.0.0.1:8080{CALLBACK}?")
    return dict(parse_qsl(urlsplit(back.headers["location"]).query))


def come_back(client: httpx.Client, told: dict[str, str]) -> httpx.Response:
    return client.get(CALLBACK, params=told)


def sign_in(client: httpx.Client) -> httpx.Response:
    return come_back(client, leave(client))


def asking_with(database: str, settings: Settings, **changes: Any) -> Any:
    return asking(create_app(database, settings.model_copy(update=changes)))


def test_an_account_with_a_verified_address_signs_in_as_its_person(
    client: httpx.Client, engine: sa.Engine, ana: people.Person, provider: OpenIdProvider
) -> None:
    begun = client.get(BEGIN)
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid email profile"]
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    flags = begun.headers["set-cookie"]
    assert "HttpOnly" in flags
    assert "SameSite=Lax" in flags
    assert f"Path={CALLBACK}" in flags
    answer = sign_in(client)
    assert (answer.status_code, answer.headers["location"]) == (302, "http://127.0.0.1:8080/")
    me = client.get("/api/v1/me").json()
    assert (me["name"], me["grants"]) == (ANA, [{"role": "administrator", "site_id": None}])
    provider.claims["email"] = "ana.newname@example.org"
    assert sign_in(client).status_code == 302, "from now on the provider's name for her counts"
    assert client.get("/api/v1/me").json()["name"] == ANA
    with engine.connect() as connection:
        trail = [(one.action, one.actor, one.detail) for one in reversed(audit.entries(connection))][1:]
    begin = ("session.begin", ANA, {"by": "openid"})
    assert trail == [("person.link", ANA, {}), begin, begin]


def test_what_is_told_only_when_asked_and_further_parameters_are_taken(
    client: httpx.Client, ana: people.Person, provider: OpenIdProvider
) -> None:
    provider.keep_back("email", "email_verified")
    assert come_back(client, {**leave(client), "session_state": "x", "authuser": "0"}).status_code == 302
    assert "/userinfo" in provider.asked


def test_keys_that_have_changed_are_asked_for(
    client: httpx.Client, ana: people.Person, provider: OpenIdProvider
) -> None:
    assert sign_in(client).status_code == 302
    provider.change_keys()
    assert sign_in(client).status_code == 302


def test_whoever_is_nobody_here_is_told_what_to_do(
    client: httpx.Client, engine: sa.Engine, ana: people.Person, provider: OpenIdProvider
) -> None:
    provider.claims["email"] = "eve@example.org"
    assert "custom-events user add eve@example.org" in problem(sign_in(client), 401)["detail"]
    provider.claims.update(email=ANA, email_verified=False)
    assert "verified" in problem(sign_in(client), 401)["detail"]
    provider.claims["email_verified"] = True
    assert sign_in(client).status_code == 302
    provider.subject = "another account"
    assert f"custom-events user unlink {ANA}" in problem(sign_in(client), 401)["detail"]
    with engine.begin() as connection:
        ben = people.add(connection, login="ben", display_name="Ben", grants=ana.grants, actor="me")
        people.disable(connection, ana.id, actor=ben.login)
    provider.subject = "248289761001"
    assert "any more" in problem(sign_in(client), 401)["detail"]


def test_an_unlinked_person_is_found_by_the_address_again(
    client: httpx.Client, engine: sa.Engine, ana: people.Person, provider: OpenIdProvider
) -> None:
    assert sign_in(client).status_code == 302
    for _ in range(2):  # the second time there is nothing to forget
        ours = {"Origin": "http://127.0.0.1"}
        assert client.post(f"/api/v1/people/{ana.id}/unlink", headers=ours).status_code == 200
    provider.subject = "her new account"
    assert sign_in(client).status_code == 302
    with engine.connect() as connection:
        found = [one for one in audit.entries(connection) if one.action == "person.unlink"]
    assert [one.before for one in found] == [{"links": [{"issuer": provider.issuer, "subject": "248289761001"}]}]


def test_where_the_settings_say_so_whoever_is_new_is_made_with_a_role(
    database: str, settings: Settings, ana: people.Person, provider: OpenIdProvider
) -> None:
    provider.claims["email"] = "new@example.org"
    with asking_with(database, settings, openid_default_role="viewer") as client:
        assert sign_in(client).status_code == 302
        me = client.get("/api/v1/me").json()
    assert (me["name"], me["grants"]) == ("new@example.org", [{"role": "viewer", "site_id": None}])


def test_a_claim_of_roles_decides_at_each_sign_in(
    database: str, settings: Settings, ana: people.Person, provider: OpenIdProvider
) -> None:
    def role_of(*roles: str, email: str = "ben@example.org", subject: str = "ben") -> list[str]:
        provider.claims.update(email=email, roles=list(roles))
        provider.subject = subject
        assert sign_in(client).status_code == 302
        return [grant["role"] for grant in client.get("/api/v1/me").json()["grants"]]

    with asking_with(database, settings, openid_role_claim="roles") as client:
        assert role_of("staff", "viewer", "publisher") == ["publisher"]
        assert role_of("viewer") == ["viewer"]
        assert role_of("staff") == []
        assert role_of("viewer", email=ANA, subject="ana") == ["administrator"], "the last one stays"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "another"}, "another sign-in"),
        ({"state": ""}, "another sign-in"),
        ({"code": "made up"}, "invalid_grant"),
        ({"code": ""}, "did not sign you in"),
        ({"iss": "http://127.0.0.1:1"}, "another provider"),
        ({"error": "access_denied"}, "(access_denied)"),
    ],
)
def test_what_comes_back_must_be_of_this_sign_in(
    client: httpx.Client, ana: people.Person, changes: dict[str, str], words: str
) -> None:
    assert words in problem(come_back(client, {**leave(client), **changes}), 401)["detail"]


def test_a_code_is_good_once_and_in_the_browser_that_asked_for_it(client: httpx.Client, ana: people.Person) -> None:
    told = leave(client)
    assert come_back(client, told).status_code == 302
    problem(come_back(client, told), 401)
    told = leave(client)
    client.cookies.clear()
    assert "begun no sign-in" in problem(come_back(client, told), 401)["detail"]
    assert "begun no sign-in" in problem(client.get(CALLBACK), 401)["detail"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"until_s": 0.0}, "10 minutes"),
        ({"nonce": "x"}, "cannot be believed"),
        ({"verifier": "x" * 43}, "invalid_grant"),
    ],
)
def test_what_this_browser_keeps_must_fit(
    client: httpx.Client, settings: Settings, ana: people.Person, change: dict[str, Any], words: str
) -> None:
    told, key = leave(client), secrets.key(settings)
    kept = client.cookies[FLOW_COOKIE]
    flow = msgspec.json.decode(secrets.decrypt(kept.encode(), key), type=Flow)
    client.cookies.clear()
    other = secrets.encrypt(msgspec.json.encode(msgspec.structs.replace(flow, **change)), key).decode()
    answer = client.get(CALLBACK, params=told, headers={"Cookie": f"{FLOW_COOKIE}={other}"})
    assert words in problem(answer, 401)["detail"]


def test_a_token_that_is_not_the_providers_is_not_believed(
    client: httpx.Client, ana: people.Person, provider: OpenIdProvider, settings: Settings
) -> None:
    now = int(time.time())
    good = {"iss": provider.issuer, "sub": "x", "aud": CLIENT_ID, "iat": now, "exp": now + 600, "email": ANA}
    forged = {
        "another key": jwt.encode({"alg": "RS256"}, good, RSAKey.generate_key(2048)),
        "the client's secret": jwt.encode({"alg": "HS256"}, good, OctKey.import_key(CLIENT_SECRET * 2)),
        "no signature": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
        "no token": "nothing",
        "none at all": None,
    }
    for what, token in forged.items():
        provider.changed = {"id_token": token}
        assert "cannot be believed" in problem(sign_in(client), 401)["detail"], what


def test_a_provider_that_does_not_answer_is_a_matter_of_time(
    client: httpx.Client, ana: people.Person, provider: OpenIdProvider
) -> None:
    provider.silent = True
    answer = client.get(BEGIN)
    assert "does not answer" in problem(answer, 503)["detail"]
    assert answer.headers["retry-after"] == "5"
    provider.silent = False
    told = leave(client)
    provider.silent = True
    problem(come_back(client, told), 503)


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"openid_issuer": None}, 404, "CUSTOM_EVENTS_OPENID_ISSUER"),
        ({"openid_issuer": "http://login.example"}, 422, "https"),
        ({"openid_client_id": None}, 422, "CUSTOM_EVENTS_OPENID_CLIENT_ID"),
        ({"openid_issuer": "{issuer}/"}, 422, "calls itself"),
    ],
)
def test_a_provider_that_cannot_be_used_is_said(
    database: str, settings: Settings, provider: OpenIdProvider, changes: dict[str, Any], status: int, words: str
) -> None:
    changed = {name: value and value.format(issuer=provider.issuer) for name, value in changes.items()}
    with asking_with(database, settings, **changed) as client:
        assert words in str(problem(client.get(BEGIN), status))


def test_signing_out_names_where_the_providers_own_session_ends(
    client: httpx.Client, ana: people.Person, provider: OpenIdProvider
) -> None:
    sign_in(client)
    answer = client.post("/api/v1/sessions/current/end", headers={"Origin": "http://127.0.0.1"})
    place = urlsplit(answer.json()["go_to"])
    assert f"{place.scheme}://{place.netloc}{place.path}" == f"{provider.issuer}/session"
    back = {"client_id": [CLIENT_ID], "post_logout_redirect_uri": ["http://127.0.0.1:8080/"]}
    assert parse_qs(place.query) == back
    assert client.get("/api/v1/me").status_code == 401
