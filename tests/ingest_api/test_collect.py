"""Beacons of browsers: anybody may send them, so answers say nothing and numbers are limited."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
import zstandard

from custom_events.platforms.beacons import read
from ingest_api import collect
from ingest_api.collect import BeaconWriter, Rates, client_of
from ingest_api.metrics import Metrics

Query = Callable[..., list[Any]]
Receive = Callable[..., None]
FIELDS = {
    "site": "shop-key",
    "checkout_token": "a-token-of-a-checkout",
    "clicks": {"gclid": "Cj0KCQ-a-click-of-nobody-1"},
}
SUMS = "SELECT sum(received), sum(landed), sum(duplicates), sum(refused) FROM landing.receipts"


def body_of(**fields: Any) -> bytes:
    return json.dumps({**FIELDS, **fields}).encode()


async def sent(posts: Any, body: bytes, **headers: str) -> Any:
    answer = await posts.client.post("/collect", content=body, headers={"content-type": "text/plain", **headers})
    assert answer.headers["access-control-allow-origin"] == "*"
    return answer.status_code


def test_a_beacon_lands_unsigned_and_once(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        assert await sent(posts, body_of(total="5.00")) == 204
        assert await sent(posts, body_of()) == 204
        assert await sent(posts, body_of(site="acme.myshopify.com", order_id=7)) == 204
        together = [sent(posts, body_of(order_id=number % 3 + 10)) for number in range(9)]
        assert await asyncio.gather(*together) == [204] * 9

    receive(scenario)
    found = rows("SELECT * FROM landing.raw_events ORDER BY id")
    assert len(found) == 5
    row = found[0]
    assert (row.site_id, row.topic, row.signature) == (1, "collect", "unsigned")
    assert row.headers == {"x-custom-events-mechanism": "collect"}
    assert json.loads(zstandard.decompress(row.body)) == {
        "checkout_token": "a-token-of-a-checkout",
        "clicks": [{"kind": "gclid", "id": "Cj0KCQ-a-click-of-nobody-1", "carrier": "pixel"}],
    }
    assert rows("SELECT count(*) FROM landing.raw_queue") == [(5,)]
    assert rows(SUMS) == [(12, 5, 7, 0)]


def test_no_answer_says_whether_a_site_is_there(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        for site in ("shop-key", "nobody-has-this-key", "removed-key", "nobody.example"):
            assert await sent(posts, body_of(site=site)) == 204
        assert await sent(posts, json.dumps({"site": "shop-key", "order_id": "1"}).encode()) == 204  # of no use

    receive(scenario)
    assert rows("SELECT site_id FROM landing.raw_events") == [(1,)]


def test_browsers_ask_before_they_send(receive: Receive) -> None:
    async def scenario(posts: Any) -> None:
        preflight = await posts.client.options(
            "/collect", headers={"origin": "null", "access-control-request-method": "POST"}
        )
        assert (preflight.status_code, preflight.content) == (204, b"")
        assert preflight.headers["access-control-allow-headers"] == "content-type"
        refusal = await posts.client.get("/collect")
        assert (refusal.status_code, refusal.headers["allow"]) == (405, "POST, OPTIONS")

    receive(scenario)


def test_what_is_too_large_or_no_beacon(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        assert await sent(posts, body_of(landing_path="x" * collect.BODY_LIMIT_BYTES)) == 413
        assert await sent(posts, b"gclid=1") == 400

        async def pieces() -> Any:
            yield body_of()[:10]
            yield body_of()[10:]

        assert (await posts.client.post("/collect", content=pieces())).status_code == 204

    receive(scenario)
    assert rows("SELECT count(*) FROM landing.raw_events") == [(1,)]


def test_limits_of_a_client_and_of_a_site(receive: Receive) -> None:
    async def of_client(posts: Any) -> None:
        assert [await sent(posts, body_of(order_id=number)) for number in range(1, 4)] == [204, 204, 429]

    async def of_site(posts: Any) -> None:
        assert [await sent(posts, body_of(order_id=number)) for number in range(1, 4)] == [204, 204, 429]
        assert await sent(posts, body_of(site="custom-key")) == 204

    receive(of_client, collect_per_client=2)
    receive(of_site, collect_per_site=2)


def test_behind_a_proxy_each_visitor_has_a_limit_of_their_own(
    receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def visitors(posts: Any, expected: list[int]) -> None:
        addresses = ("192.0.2.1", "192.0.2.2", "198.51.100.9, 192.0.2.1")  # the last one was written by the visitor
        numbered = list(enumerate(addresses, start=1))
        sending = [await sent(posts, body_of(order_id=n), **{"x-forwarded-for": whose}) for n, whose in numbered]
        assert sending == expected

    receive(lambda posts: visitors(posts, [204, 204, 429]), collect_per_client=1)
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.200")
    receive(lambda posts: visitors(posts, [204, 429, 429]), collect_per_client=1)


def test_a_database_that_is_away(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no(*_: Any, **__: Any) -> Any:
        raise OSError

    async def scenario(posts: Any) -> None:
        assert await sent(posts, body_of()) == 204
        monkeypatch.setattr(BeaconWriter, "_land", no)
        assert await sent(posts, body_of(order_id=1)) == 503
        assert await sent(posts, body_of(order_id=2)) == 503, "at once, while it rests"
        assert await sent(posts, body_of(site="key-that-nobody-asked-for")) == 204

    receive(scenario)


def test_a_site_that_cannot_be_looked_up(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    from custom_events.errors import Transient
    from ingest_api.sites import Sites

    async def find(*_: Any) -> None:
        raise Transient("away")

    async def scenario(posts: Any) -> None:
        monkeypatch.setattr(Sites, "find", find)
        assert await sent(posts, body_of()) == 503

    receive(scenario)


def test_a_browser_that_goes_and_one_that_is_slow(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "BODY_LIMIT_S", 0.01)
    answers: list[Any] = []

    async def scenario(posts: Any) -> None:
        app: Any = posts.client._transport.app
        scope = {"type": "http", "path": "/collect", "method": "POST", "headers": [], "client": None}

        async def gone() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def never() -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: dict[str, Any]) -> None:
            answers.append((message.get("status"), dict(message.get("headers", ()))))

        await app(scope, gone, send)
        assert answers == []
        await app(scope, never, send)
        status, headers = answers[0]
        assert (status, headers[b"access-control-allow-origin"]) == (408, b"*")

    receive(scenario)


def test_what_waits_is_committed_before_the_end_and_nothing_is_taken_after() -> None:
    async def main() -> None:
        writer = BeaconWriter(_refuse, Metrics())
        found = read(body_of())
        assert found is not None
        row = collect._row(1, b"{}")
        running = asyncio.create_task(writer.run())
        waiting = asyncio.create_task(writer.put(row, b"{}"))
        await asyncio.sleep(0)
        writer.close()
        assert await waiting is False  # the database is away: the browser hears so
        await running
        assert await writer.put(row, b"{}") is False

    async def _refuse() -> asyncpg.Connection:
        raise ConnectionRefusedError

    asyncio.run(main())


@pytest.mark.parametrize(
    ("client", "network"),
    [
        (("192.0.2.1", 5), "192.0.2.1"),
        (("2001:db8:1:2:3::4", 5), "2001:db8:1:2::/64"),
        (("::ffff:192.0.2.1", 5), "192.0.2.1"),
        (("testclient", 5), "testclient"),
        (None, ""),
    ],
)
def test_whom_a_client_is_counted_as(client: Any, network: str) -> None:
    assert client_of({"client": client}) == network


def test_counts_end_with_their_window_and_have_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(collect.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(collect, "SITES_COUNTED", 2)
    rates = Rates(1)
    assert [rates.takes("a"), rates.takes("a"), rates.takes("b")] == [True, False, True]
    assert [rates.takes("c"), rates.takes("d")] == [True, False], "what is beyond shares one count"
    assert all("a" not in str(key) or isinstance(key, bytes) for key in rates._counts)
    now[0] = collect.WINDOW_S
    assert rates.takes("a")
