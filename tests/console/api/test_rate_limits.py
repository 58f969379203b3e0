"""Above its quota a caller is answered 429, and each answer says what is left; others have theirs."""

import re
from collections.abc import Iterator

import httpx
import pytest

from console.api.app import create_app
from console.api.rate_limits import RateLimits
from custom_events.access.roles import NOBODY, Caller
from custom_events.settings import Settings
from tests.console.api.asking import asking
from tests.console.api.conftest import problem
from tests.console.api.world import PASSWORD, World

DAY_S = 86_400  # no window ends while these tests run
PER_CALLER, PER_ADDRESS = 3, 2


@pytest.fixture
def settings(settings: Settings) -> Settings:
    changed = {
        "api_limit_window_s": DAY_S,
        "api_requests_per_caller": PER_CALLER,
        "api_requests_per_address": PER_ADDRESS,
    }
    return settings.model_copy(update=changed)


@pytest.fixture
def elsewhere(database: str, settings: Settings) -> Iterator[httpx.Client]:
    """A client of another address, which names the console as people elsewhere do."""
    with asking(create_app(database, settings), base_url="http://events.example", address="192.0.2.7") as client:
        yield client


def left(answer: httpx.Response) -> int:
    policy, field = answer.headers["ratelimit-policy"], answer.headers["ratelimit"]
    found = re.fullmatch(r'"(caller|address)";r=(\d+);t=(\d+)', field)
    assert found is not None, field
    assert policy == f'"{found[1]}";q={PER_CALLER if found[1] == "caller" else PER_ADDRESS};w={DAY_S}'
    assert 0 < int(found[3]) <= DAY_S
    return int(found[2])


def test_a_key_has_its_quota_and_others_have_theirs(client: httpx.Client, world: World) -> None:
    viewer, editor = world.headers("viewer"), world.headers("editor")
    assert left(client.get("/api/v1/me", headers=viewer)) == 2
    refused = client.get("/api/v1/people", headers=viewer)
    assert problem(refused, 403)
    assert left(refused) == 1, "what is refused counts as well"
    wrong = client.get("/api/v1/sites?limit=x", headers=viewer)
    assert problem(wrong, 422)
    assert left(wrong) == 0
    answer = client.get("/api/v1/me", headers=viewer)
    document = problem(answer, 429)
    assert document["type"].endswith(":throttled")
    assert "CUSTOM_EVENTS_API_REQUESTS_PER_CALLER" in document["detail"]
    assert 0 < int(answer.headers["retry-after"]) <= DAY_S
    assert left(answer) == 0
    problem(client.get("/api/v1/sites?limit=x", headers=viewer), 429)
    assert left(client.get("/api/v1/me", headers=editor)) == 2


def test_an_address_has_a_quota_for_whoever_is_not_known(elsewhere: httpx.Client, world: World) -> None:
    wrong = {"Authorization": f"Bearer ce_00000000_{'x' * 43}"}
    assert left(elsewhere.get("/api/v1/me", headers=wrong)) == 1
    body = {"login": "ana@example.org", "password": "a wrong one"}
    assert left(elsewhere.post("/api/v1/sessions", json=body)) == 0
    assert "from this address" in problem(elsewhere.get("/api/v1/me"), 429)["detail"]
    assert elsewhere.get("/api/v1/me", headers=world.headers("viewer")).status_code == 200, "a good key goes on"
    assert elsewhere.get("/healthz").status_code == 200
    assert "ratelimit" not in elsewhere.get("/healthz").headers


def test_each_session_has_its_own_quota(client: httpx.Client, world: World) -> None:
    login = {"login": "ana@example.org", "password": PASSWORD}
    for _ in range(PER_ADDRESS):
        assert client.post("/api/v1/sessions", json=login).status_code == 201
        assert left(client.get("/api/v1/me")) == PER_CALLER - 1


def test_an_ipv6_network_counts_as_one_and_unknown_addresses_together(settings: Settings) -> None:
    limits = RateLimits(settings)
    limits.count(NOBODY, "2001:db8::1")
    assert limits.count(NOBODY, "2001:db8::ffff").remaining == 0
    assert limits.count(NOBODY, "2001:db8:0:1::1").remaining == 1
    limits.count(NOBODY, "")
    assert limits.count(NOBODY, "").remaining == 0
    assert limits.count(Caller(kind="api_key", name="x", id=1), "2001:db8::1").remaining == 2
