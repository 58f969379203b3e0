"""The receiver's answers and what it leaves in the database."""

import json
from collections.abc import Callable
from typing import Any

import zstandard

BODY = json.dumps({"id": 1, "note": "ünï\u0000"}, ensure_ascii=False).encode()
SUMS = "SELECT sum(received), sum(landed), sum(duplicates), sum(refused) FROM landing.receipts"
Query = Callable[..., list[Any]]
Receive = Callable[..., None]


def test_lands_the_exact_bytes_once(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        first = await posts.shopify(BODY, "w1", authorization="Bearer hidden", cookie="hidden")
        again = await posts.shopify(BODY, "w1")
        other = await posts.shopify(BODY, "w2", path="/webhooks/shopify")
        assert (first.status_code, first.json()) == (200, {"status": "landed"})
        assert (again.status_code, again.json()) == (200, {"status": "duplicate"})
        assert other.json() == {"status": "landed"}, "the same body under another webhook id is another delivery"

    receive(scenario)
    found = rows("SELECT * FROM landing.raw_events ORDER BY id")
    assert [row.delivery_id for row in found] == ["w1", "w2"]
    row = found[0]
    assert zstandard.decompress(row.body) == BODY
    assert (row.site_id, row.topic, row.body_bytes, row.signature) == (1, "orders/paid", len(BODY), "verified")
    assert row.triggered_at is not None
    assert row.headers["x-shopify-hmac-sha256"], "kept: with it the delivery can be verified again"
    assert "hidden" not in str(row.headers)
    assert rows("SELECT raw_id, site_id FROM landing.raw_queue ORDER BY 1") == [(row.id, 1) for row in found]
    assert rows("SELECT site_id, topic, dedup_key FROM landing.duplicate_deliveries") == [
        (1, "orders/paid", found[0].dedup_key)
    ]
    assert rows(SUMS) == [(3, 2, 1, 0)]
