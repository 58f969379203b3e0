"""The receiver's answers and what it leaves in the database."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import zstandard
from prometheus_client import generate_latest

from ingest_api.app import REFUSED_BY_SHOP_S
from ingest_api.metrics import scraped

BODY = json.dumps({"id": 1, "note": "ünï\u0000"}, ensure_ascii=False).encode()
SUMS = "SELECT sum(received), sum(landed), sum(duplicates), sum(refused) FROM landing.receipts"
Query = Callable[..., list[Any]]
Receive = Callable[..., None]


def test_lands_the_exact_bytes_once(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        first = await posts.shopify(BODY, "w1", authorization="Bearer hidden", cookie="hidden")
        again = await posts.shopify(BODY, "w1")
        other = await posts.shopify(BODY, "w2", path="/webhooks/shopify")
        assert (first.status_code, first.headers["delivery"]) == (200, "landed")
        assert (again.status_code, again.headers["delivery"]) == (200, "duplicate")
        assert other.headers["delivery"] == "landed", "the same body under another webhook id is another delivery"

    receive(scenario)
    found = rows("SELECT * FROM landing.raw_events ORDER BY id")
    assert [row.delivery_id for row in found] == ["w1", "w2"]
    row = found[0]
    assert zstandard.decompress(row.body) == BODY
    assert (row.site_id, row.topic, row.body_bytes, row.signature) == (1, "orders/paid", len(BODY), "verified")
    assert row.triggered_at is not None
    assert set(row.headers) == {
        *("content-type", "user-agent", "x-shopify-topic", "x-shopify-webhook-id", "x-shopify-event-id"),
        *("x-shopify-triggered-at", "x-shopify-api-version", "x-shopify-shop-domain"),
    }, "neither the signature nor what a proxy adds"
    assert rows("SELECT raw_id, site_id FROM landing.raw_queue ORDER BY 1") == [(row.id, 1) for row in found]
    assert rows("SELECT site_id, topic, dedup_key FROM landing.duplicate_deliveries") == [
        (1, "orders/paid", found[0].dedup_key)
    ]
    assert rows(SUMS) == [(3, 2, 1, 0)]


def test_takes_every_scheme(receive: Receive, rows: Query, old_secret: bytes) -> None:
    async def scenario(posts: Any) -> None:
        answers = [
            await posts.shopify(BODY, "w1", secret=old_secret),
            await posts.woocommerce(BODY, "d1"),
            await posts.woocommerce(b"{}", "d1"),
            await posts.custom(BODY, "e1"),
        ]
        assert [answer.headers["delivery"] for answer in answers] == ["landed"] * 4
        assert (await posts.woocommerce(BODY, "another id")).headers["delivery"] == "duplicate", "the body decides"
        assert (await posts.custom(BODY, "e1")).headers["delivery"] == "duplicate", "event id and body decide"
        assert (await posts.custom(b"another body", "e1")).headers["delivery"] == "landed", "never lost"

    receive(scenario)
    assert rows("SELECT site_id, topic FROM landing.raw_events ORDER BY id") == [
        (1, "orders/paid"),
        (2, "order.updated"),
        (2, "order.updated"),
        (3, "order.paid"),
        (3, "order.paid"),
    ]


def test_unknown_topics_and_missing_ids_land(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        for topic in ("unheard/of", None, None):
            answer = await posts.shopify(BODY, "w", x_shopify_topic=topic, x_shopify_webhook_id=None)
            assert answer.status_code == 200

    receive(scenario)
    assert rows("SELECT topic FROM landing.raw_events ORDER BY id") == [("unheard/of",), (None,)]


REFUSED: list[tuple[str, int, str, dict[str, Any]]] = [
    ("no_such_site", 401, "/webhooks/shopify/nobody", {}),
    ("no_such_site", 401, "/webhooks/woocommerce/shop-key", {}),
    ("no_such_site", 401, "/webhooks/shopify/" + "k" * 256, {}),
    ("no_signature", 401, "/webhooks/shopify/shop-key", {"x_shopify_hmac_sha256": None}),
    ("malformed_signature", 401, "/webhooks/shopify/shop-key", {"x_shopify_hmac_sha256": "not base64!"}),
    ("wrong_signature", 401, "/webhooks/shopify/shop-key", {"secret": b"wrong"}),
    ("site_removed", 410, "/webhooks/shopify/removed-key", {}),
]


def test_refuses_with_the_cause(receive: Receive, rows: Query, log: list[dict[str, Any]]) -> None:
    async def scenario(posts: Any) -> None:
        for reason, status, path, changed in REFUSED:
            answer = await posts.shopify(BODY, "w1", path=path, cookie="hidden", **changed)
            assert (answer.status_code, answer.json()["error"]) == (status, reason), path
            assert answer.json()["message"]
            assert answer.json()["remedy"]
        figures = generate_latest(scraped()).decode()
        assert 'refused_total{platform="shopify",reason="no_such_site"} 2.0' in figures
        assert 'refused_total{platform="woocommerce",reason="no_such_site"} 1.0' in figures
        assert 'refused_total{platform="shopify",reason="wrong_signature"} 1.0' in figures

    receive(scenario)
    found = rows("SELECT reason, platform, headers, body FROM landing.refused_events ORDER BY id")
    assert [(row.reason, row.platform) for row in found] == [
        (reason, path.split("/")[2]) for reason, _, path, _ in REFUSED
    ]
    assert {zstandard.decompress(row.body) for row in found} == {BODY}
    assert "hidden" not in str(found)
    assert rows("SELECT count(*) FROM landing.raw_events") == [(0,)]
    assert rows(SUMS) == [(len(REFUSED), 0, 0, len(REFUSED))]
    assert [line["reason"] for line in log if line["event"] == "delivery_refused"] == [reason for reason, *_ in REFUSED]


def test_shops_that_are_here_and_others_are_answered_alike(receive: Receive, rows: Query) -> None:
    """Whoever asks by a shop's domain learns nothing from it; what is kept says the truth."""
    ways: list[dict[str, Any]] = [
        {"secret": b"wrong"},
        {"x_shopify_hmac_sha256": None},
        {"x_shopify_hmac_sha256": "not base64!"},
    ]

    async def scenario(posts: Any) -> None:
        for way in ways:
            answers = [
                await posts.shopify(BODY, "w1", path="/webhooks/shopify", x_shopify_shop_domain=shop, **way)
                for shop in ("acme.myshopify.com", "nobody.myshopify.com", None)
            ]
            assert len({(answer.status_code, answer.content, str(answer.headers)) for answer in answers}) == 1
        rightly = await posts.shopify(
            BODY, "w2", path="/webhooks/shopify", x_shopify_shop_domain="nobody.myshopify.com"
        )
        assert (rightly.status_code, rightly.json()["error"]) == (401, "wrong_signature")

    receive(scenario)
    found = rows("SELECT reason, count(*) FROM landing.refused_events GROUP BY 1 ORDER BY 2 DESC LIMIT 1")
    assert found == [("no_such_site", 7)]


def test_shops_that_are_in_memory_are_refused_no_sooner_than_others(receive: Receive) -> None:
    async def seconds(posts: Any, **changed: Any) -> float:
        began = asyncio.get_running_loop().time()
        assert (await posts.shopify(BODY, "w1", secret=b"wrong", **changed)).status_code == 401
        return asyncio.get_running_loop().time() - began

    async def scenario(posts: Any) -> None:
        for shop in ("acme.myshopify.com", "acme.myshopify.com", "nobody.myshopify.com", "nobody.myshopify.com"):
            assert await seconds(posts, path="/webhooks/shopify", x_shopify_shop_domain=shop) >= REFUSED_BY_SHOP_S
        landed = await posts.shopify(BODY, "w2", path="/webhooks/shopify")
        assert landed.status_code == 200

    receive(scenario)


def test_of_nobodys_address_no_more_is_read_than_came_with_the_head(receive: Receive, rows: Query) -> None:
    asked: list[str] = []

    async def pieces() -> Any:
        for number in range(3):
            asked.append(str(number))
            yield b"x" * 8

    async def scenario(posts: Any) -> None:
        answer = await posts.client.post("/webhooks/shopify/nobody", content=pieces())
        assert (answer.status_code, answer.json()["error"]) == (401, "no_such_site")
        assert len(asked) < 3

    receive(scenario)
    assert rows("SELECT reason, body FROM landing.refused_events") == [("no_such_site", None)]


def test_quarantine_counts_headers_of_all_workers(
    receive: Receive, rows: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest_api.writer.QUARANTINE_LIMIT_BYTES", 4_000)

    async def scenario(posts: Any) -> None:
        for number in range(3):
            long = {"user_agent": "x" * 1_500, "secret": b"wrong"}
            assert (await posts.shopify(b"{}", f"w{number}", **long)).status_code == 401

    receive(scenario, receiver_workers=2)
    assert rows("SELECT count(*) FROM landing.refused_events") == [(1,)]
    assert rows(SUMS) == [(3, 0, 0, 3)]


def test_figures_are_not_on_the_public_port(receive: Receive) -> None:
    async def scenario(posts: Any) -> None:
        assert (await posts.client.get("/metrics")).status_code == 404

    receive(scenario)


def test_refuses_replays_of_the_timestamped_scheme(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        answer = await posts.custom(BODY, "e1", datetime.now(UTC) - timedelta(seconds=301))
        assert (answer.status_code, answer.json()["error"]) == (401, "too_old")
        assert "300 seconds" in answer.json()["message"]

    receive(scenario)
    assert rows("SELECT site_id, reason FROM landing.refused_events") == [(3, "too_old")]


def test_answers_the_unsigned_ping_and_stores_nothing(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        ping = {"content-type": "application/x-www-form-urlencoded"}
        answer = await posts.client.post("/webhooks/woocommerce/woo-key", content=b"webhook_id=12", headers=ping)
        assert answer.status_code == 200
        answer = await posts.client.post("/webhooks/woocommerce/nobody", content=b"webhook_id=12", headers=ping)
        assert answer.status_code == 401, "a wrong address is better noticed when the webhook is saved"

    receive(scenario)
    assert rows(SUMS) == [(1, 0, 0, 1)]
    assert rows("SELECT count(*) FROM landing.raw_events") == [(0,)]


def test_only_webhook_addresses_and_post(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        for path in ("/webhooks/", "/webhooks/ebay/k", "/webhooks/woocommerce", "/webhooks/shopify/a/b", "/", "/docs"):
            assert (await posts.client.post(path, content=BODY)).status_code == 404, path
        for method in ("GET", "PUT", "DELETE", "HEAD"):
            answer = await posts.client.request(method, "/webhooks/shopify/shop-key")
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST")

    receive(scenario)
    assert rows("SELECT count(*) FROM landing.receipts") == [(0,)]


@pytest.mark.parametrize("announced", [True, False])
def test_refuses_large_bodies(receive: Receive, rows: Query, announced: bool) -> None:
    async def pieces() -> Any:
        for _ in range(3):
            yield b"x" * 500

    async def scenario(posts: Any) -> None:
        content = b"x" * 1_001 if announced else pieces()
        answer = await posts.client.post("/webhooks/shopify/shop-key", content=content)
        assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
        answer = await posts.client.post(
            "/webhooks/shopify/shop-key", content=b"", headers={"content-length": "²".encode("latin-1")}
        )
        assert answer.status_code == 401, "a length that is no number is not believed"
        assert (await posts.shopify(b"x" * 1_000, "w1")).headers["delivery"] == "landed"

    receive(scenario, body_limit_bytes=1_000)
    assert rows("SELECT site_id, reason, body, body_bytes FROM landing.refused_events ORDER BY id")[0] == (
        1,
        "too_large",
        None,
        None,
    )


def test_one_mebibyte_in_pieces_lands(receive: Receive, rows: Query) -> None:
    body = b'{"note": "' + b"x" * (1 << 20) + b'"}'

    async def scenario(posts: Any) -> None:
        assert (await posts.shopify(body, "w1")).headers["delivery"] == "landed"

    receive(scenario)
    assert [zstandard.decompress(row.body) == body for row in rows("SELECT body FROM landing.raw_events")] == [True]


def test_200_at_once_with_duplicates(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        wrong = {"secret": b"wrong"}
        answers = await asyncio.gather(
            *(posts.shopify(b"%d" % (n % 120), f"w{n % 120}") for n in range(180)),
            *(posts.shopify(BODY, f"x{n}", **wrong) for n in range(20)),
        )
        said = [answer.headers.get("delivery") or answer.json()["error"] for answer in answers]
        assert {word: said.count(word) for word in set(said)} == {
            "landed": 120,
            "duplicate": 60,
            "wrong_signature": 20,
        }
        figures = generate_latest(scraped()).decode()
        for line in ("received_total", "landed_total", "duplicate_total"):
            assert f'{line}{{platform="shopify"}}' in figures
        assert 'landed_total{platform="shopify"} 120.0' in figures

    receive(scenario, group_limit=32)
    assert rows("SELECT count(*), count(DISTINCT dedup_key) FROM landing.raw_events") == [(120, 120)]
    assert rows("SELECT count(*) FROM landing.raw_queue") == [(120,)]
    assert rows("SELECT count(*) FROM landing.duplicate_deliveries") == [(60,)]
    assert rows("SELECT count(*) FROM landing.refused_events") == [(20,)]
    assert rows(SUMS) == [(200, 120, 60, 20)]
    assert rows("SELECT count(*) FROM landing.receipts")[0][0] < 60, "most waited together"


def test_quarantine_is_bounded_and_the_rest_is_counted(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        for number in range(5):
            assert (await posts.shopify(BODY, f"w{number}", secret=b"wrong")).status_code == 401

    receive(scenario, quarantine_bodies_per_day=2)
    assert rows("SELECT count(*) FROM landing.refused_events") == [(2,)]
    assert rows(SUMS) == [(5, 0, 0, 5)]


def test_health(receive: Receive) -> None:
    async def scenario(posts: Any) -> None:
        assert (await posts.client.get("/healthz")).json() == {"status": "alive"}
        ready = await posts.client.get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready"})

    receive(scenario)


def test_not_ready_without_this_weeks_partition(receive: Receive, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        names = connection.execute(
            sa.text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'landing.raw_events'::regclass")
        ).scalars()
        for name in names:
            connection.execute(sa.text(f"DROP TABLE {name}"))

    async def scenario(posts: Any) -> None:
        ready = await posts.client.get("/readyz")
        assert ready.status_code == 503
        assert "custom-events migrate" in ready.json()["lacking"][0]
        answer = await posts.shopify(BODY, "w1")
        assert (answer.status_code, answer.json()["error"], answer.headers["retry-after"]) == (503, "busy", "5")

    receive(scenario)


def test_the_log_says_nothing_more_after_a_flood(receive: Receive, log: list[dict[str, Any]], monkeypatch: Any) -> None:
    monkeypatch.setattr("ingest_api.app.LOG_LINES_PER_S", 0)

    async def scenario(posts: Any) -> None:
        assert (await posts.shopify(BODY, "w1", secret=b"wrong")).status_code == 401

    receive(scenario)
    assert not [line for line in log if line["event"] == "delivery_refused"]


def test_a_client_that_goes_away_is_not_answered(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        app = posts.client._transport.app
        scope = {"type": "http", "path": "/webhooks/shopify/shop-key", "method": "POST", "headers": []}
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        for messages in (
            [{"type": "http.disconnect"}],
            [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}],
        ):
            given = iter(messages)

            async def receive_next(given: Any = given) -> Any:
                return next(given)

            await app(scope, receive_next, send)
        assert sent == []

    receive(scenario)
    assert rows("SELECT count(*) FROM landing.receipts") == [(0,)]


def test_a_body_that_never_ends_is_given_up(receive: Receive, monkeypatch: Any) -> None:
    monkeypatch.setattr("ingest_api.app.BODY_LIMIT_S", 0.05)

    async def endless() -> Any:
        yield b"x"
        await asyncio.sleep(60)

    async def scenario(posts: Any) -> None:
        answer = await posts.client.post("/webhooks/shopify/shop-key", content=endless())
        assert (answer.status_code, answer.json()["error"]) == (408, "too_slow")

    receive(scenario)
