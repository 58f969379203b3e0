"""A law: whatever arrives, the answer is one that the receiver knows, and what was answered adds up."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ingest_api.app import create_app

KNOWN = {200, 401, 404, 405, 410, 413}  # nothing is wrong with this database: not even 503

names = st.sampled_from(
    [
        b"x-shopify-hmac-sha256",
        b"x-shopify-topic",
        b"x-shopify-webhook-id",
        b"x-shopify-triggered-at",
        b"x-shopify-shop-domain",
        b"x-wc-webhook-signature",
        b"x-wc-webhook-topic",
        b"x-wc-webhook-source",
        b"x-custom-events-signature",
        b"x-custom-events-timestamp",
        b"x-custom-events-key-id",
        b"content-length",
        b"content-type",
        b"authorization",
    ]
)
values = st.one_of(
    st.binary(max_size=60), st.sampled_from([b"acme.myshopify.com", b"v1=" + b"0" * 64, b"9" * 30, b"7"])
)
paths = st.one_of(
    st.sampled_from(["shopify", "shopify/shop-key", "woocommerce/woo-key", "custom/custom-key", "shopify/nobody"]),
    st.text(max_size=20),
)


def test_every_request_gets_a_known_answer(
    receiver_settings: Callable[..., Any], sites: None, alive: Any, rows: Callable[..., list[Any]]
) -> None:
    app = create_app(receiver_settings(body_limit_bytes=40))
    counted = 0

    async def post(path: str, headers: list[tuple[bytes, bytes]], pieces: list[bytes], method: str) -> int:
        scope = {"type": "http", "path": f"/webhooks/{path}", "method": method, "headers": headers}
        given_pieces = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        incoming = iter([*given_pieces, {"type": "http.request", "body": b"", "more_body": False}])
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return next(incoming)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await asyncio.wait_for(app(scope, receive, send), 20)
        start, body = sent
        assert int(dict(start["headers"])[b"content-length"]) == len(body["body"])
        return start["status"]

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        runner.run(stack.enter_async_context(alive(app)))

        @examples(max_examples=60, deadline=None)
        @given(
            paths,
            st.lists(st.tuples(names, values), max_size=5),
            st.lists(st.binary(max_size=50), max_size=2),
            st.sampled_from(["POST", "POST", "POST", "GET", "HEAD", "BREW"]),
        )
        def every(path: str, headers: list[tuple[bytes, bytes]], pieces: list[bytes], method: str) -> None:
            nonlocal counted
            status = runner.run(post(path, headers, pieces, method))
            assert status in KNOWN
            counted += status in {401, 410, 413}

        every()
        runner.run(stack.aclose())
    assert rows("SELECT coalesce(sum(received), 0), coalesce(sum(landed), 0) FROM landing.receipts") == [(counted, 0)]
