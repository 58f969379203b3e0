"""What is asked of a WooCommerce shop, what is done when it does not answer, and which addresses are never asked."""

import base64
import gzip
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from custom_events.errors import InvalidConfiguration, NeedsAction, Transient
from custom_events.platforms import store_client
from custom_events.platforms.store_client import StoreClient, checked_url
from custom_events.platforms.woocommerce.rest_api import WooCommerceOrders
from sandbox.stores.woocommerce_rest import WooCommerceShop, serve

LOGIN = f"Basic {base64.b64encode(b'ck_1:cs_1').decode()}"
START = datetime(2026, 11, 20, 12, tzinfo=UTC)


def shop_of(count: int, *, step_s: int = 1) -> WooCommerceShop:
    shop = WooCommerceShop("ck_1", "cs_1")
    for number in range(1, count + 1):
        moment = (START + timedelta(seconds=number * step_s)).strftime("%Y-%m-%dT%H:%M:%S")
        shop.put({"id": number, "total": "1", "date_modified_gmt": moment, "date_created_gmt": moment, "refunds": []})
    return shop


@contextmanager
def reader_of(shop: WooCommerceShop, sleep: Callable[[float], None] = lambda _: None) -> Generator[WooCommerceOrders]:
    """The reader of a shop that answers."""
    with serve(shop) as url, StoreClient(url, allow_private=True, auth=("ck_1", "cs_1"), sleep=sleep) as client:
        yield WooCommerceOrders(client)


@pytest.mark.parametrize(("count", "step_s", "requests"), [(0, 1, 1), (99, 1, 1), (250, 1, 3), (250, 0, 3)])
def test_pages_are_cut_by_time_and_every_order_comes(count: int, step_s: int, requests: int) -> None:
    shop = shop_of(count, step_s=step_s)
    with reader_of(shop) as orders:
        read = [order.order_id for order in orders.changed_since(START)]
    assert set(read) == {str(number) for number in range(1, count + 1)}
    assert len(shop.requests) == requests
    assert all("per_page=100" in request and "dates_are_gmt=true" in request for request in shop.requests)


def test_an_order_that_changes_while_pages_are_read_hides_no_other() -> None:
    shop = shop_of(150)
    with reader_of(shop) as orders:
        coming = orders.changed_since(START)
        read = [next(coming).order_id]
        shop.orders[2]["date_modified_gmt"] = "2026-11-21T12:00:00"  # of the first page: all after it move up
        read += [order.order_id for order in coming]
    assert set(read) == {str(number) for number in range(1, 151)}


def test_orders_by_id() -> None:
    shop = shop_of(150)
    with reader_of(shop) as orders:
        read = [order.order_id for order in orders.by_ids([str(number) for number in range(30, 170)])]
    assert read == [str(number) for number in range(30, 151)]


def test_the_moment_of_reading_lies_before_the_answer() -> None:
    with reader_of(shop_of(1)) as orders:
        before = datetime.now(UTC)
        (order,) = orders.changed_since(START)
    assert before - timedelta(seconds=2) <= order.read_at <= datetime.now(UTC)
    assert order.modified_at == START + timedelta(seconds=1)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[1,", b'[{"id": [], "date_modified_gmt": 7}]'])
def test_whatever_comes_in_place_of_orders(body: bytes) -> None:
    shop = shop_of(0)
    shop.answers.append((200, {}, body))
    with reader_of(shop) as orders:
        if body.startswith(b"[{"):
            (order,) = orders.changed_since(START)
            assert (order.order_id, order.modified_at) == (None, None)
        else:
            with pytest.raises(NeedsAction, match="no list of orders"):
                list(orders.changed_since(START))


def test_busy_stores_are_asked_again_after_what_they_say() -> None:
    shop, waits = shop_of(1), list[float]()
    shop.answers += [
        (429, {"retry-after": "30"}, {}),
        (503, {"retry-after": "Fri, 01 Jan 2027 00:00:00 GMT"}, {}),
        (500, {}, {}),
    ]
    with reader_of(shop, waits.append) as orders:
        assert len(list(orders.changed_since(START))) == 1
    assert waits == [30.0, 4.0, 15.0]


def test_a_store_that_stays_busy_or_asks_for_too_long_is_left_for_the_next_run() -> None:
    shop = shop_of(1)
    with reader_of(shop) as orders:
        shop.answers += [(502, {}, {})] * store_client.ATTEMPTS
        with pytest.raises(Transient, match="answers 502"):
            list(orders.changed_since(START))
        shop.answers.append((429, {"retry-after": "3600"}, {}))
        with pytest.raises(Transient, match="answers 429"):
            list(orders.changed_since(START))
        assert not shop.answers


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "refuses the key"),
        (403, "refuses the key"),
        (301, "redirects"),
        (404, "no such API"),
        (400, "no such API"),
    ],
)
def test_what_a_person_must_mend_is_said_at_once(status: int, said: str) -> None:
    shop = shop_of(1)
    shop.answers.append((status, {"location": "http://127.0.0.1:1/"}, {}))
    with reader_of(shop) as orders, pytest.raises(NeedsAction, match=said):
        list(orders.changed_since(START))
    assert len(shop.requests) == 1


def test_a_wrong_key_is_refused() -> None:
    without_key = serve(shop_of(1))
    with without_key as url, StoreClient(url, allow_private=True) as client, pytest.raises(NeedsAction, match="401"):
        list(WooCommerceOrders(client).changed_since(START))


def test_an_answer_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_client, "BODY_LIMIT_BYTES", 10)
    with reader_of(shop_of(1)) as orders, pytest.raises(NeedsAction, match="more than 10 bytes"):
        list(orders.changed_since(START))


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "gzip, gzip", "br"])
def test_a_packed_answer_is_no_bomb(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """A hundred kilobytes that would become a hundred megabytes, in one piece."""
    limit = 1 << 20
    monkeypatch.setattr(store_client, "BODY_LIMIT_BYTES", limit)
    packed = gzip.compress(bytes(100 * limit))

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["accept-encoding"] == "gzip"
        return httpx.Response(200, headers={"content-encoding": encoding}, content=iter([packed]))

    client = StoreClient("https://shop.example", allow_private=False, transport=httpx.MockTransport(answer))
    tracemalloc.start()
    try:
        with client, pytest.raises(NeedsAction, match=r"more than 1048576 bytes|packs its answers by"):
            client.get("/x", {})
        assert tracemalloc.get_traced_memory()[1] < 8 * limit
    finally:
        tracemalloc.stop()


def test_a_packed_answer_is_read_and_a_damaged_one_asked_for_again() -> None:
    packed = gzip.compress(b"[" + b" " * 200_000 + b"]")
    answers = [packed[:50] + b"damaged" + packed[50:], packed]

    def answer(_: httpx.Request) -> httpx.Response:
        whole = answers.pop(0)
        return httpx.Response(200, headers={"content-encoding": "gzip"}, content=iter([whole[:30], whole[30:]]))

    transport = httpx.MockTransport(answer)
    with StoreClient("https://shop.example", allow_private=False, transport=transport, sleep=lambda _: None) as client:
        assert len(client.get("/x", {}).body) == 200_002
    assert not answers


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.1.1",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "100.64.0.1",
        "0.0.0.0",
        "::ffff:10.0.0.1",
    ],
)
def test_private_addresses_are_never_asked(address: str) -> None:
    client = StoreClient(
        "https://shop.example",
        allow_private=False,
        resolve=lambda _host, _port: ["8.8.8.8", address],
        sleep=lambda _: None,
    )
    with client, pytest.raises(NeedsAction, match="private network"):
        client.get("/x", {})


def test_a_name_that_nobody_knows_and_a_store_that_is_away() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError("no such host")

    def unwritable(_host: str, _port: int) -> list[str]:
        raise UnicodeError("label too long")

    for resolve in (unknown, unwritable, lambda _host, _port: ["127.0.0.1"]):
        client = StoreClient("http://shop.example:1", allow_private=True, resolve=resolve, sleep=lambda _: None)
        with client, pytest.raises(Transient, match=r"http://shop\.example:1 did not answer \(ConnectError\)"):
            client.get("/x", {})


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    with serve(shop_of(1)) as url:
        port = url.rpartition(":")[2]
        resolve: Callable[[str, int], list[str]] = lambda host, _port: ["127.0.0.1"] if host == "shop.example" else []  # noqa: E731
        client = StoreClient(f"http://shop.example:{port}", allow_private=True, auth=("ck_1", "cs_1"), resolve=resolve)
        with client:
            assert client.get("/wp-json/wc/v3/orders", {}).body.startswith(b'[{"id":1')
    assert store_client.addresses_of("127.0.0.1", 80) == ["127.0.0.1"]


@pytest.mark.parametrize(
    "date", [None, "yesterday", "Fri, 20 Nov 2026 12:00:00 GMT", "Fri, 20 Nov 2026 12:00:00 -0000"]
)
def test_the_clock_of_a_store(date: str | None) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={} if date is None else {"date": date}, content=iter([b"[]"]))

    with StoreClient("https://shop.example", allow_private=False, transport=httpx.MockTransport(answer)) as client:
        read_at = client.get("/x", {}).read_at
    expected = START if date is not None and date.startswith("Fri") else datetime.now(UTC)
    assert abs(read_at - expected) < timedelta(seconds=30)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://shop.example/", "https://shop.example"),
        (" https://shop.example:8443/shop/ ", "https://shop.example:8443/shop"),
        ("https://[2001:db8::1]/", "https://[2001:db8::1]"),
    ],
)
def test_addresses_in_their_plain_form(url: str, plain: str) -> None:
    assert checked_url(url, allow_private=False) == plain


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example",
        "ftp://x",
        "shop.example",
        "https://",
        "https://a:b@x",
        "https://x?y",
        "https://x#y",
        "https://x:99999",
        "https://x\ny",
        "https://\N{SNOWMAN}.example",
        "",
    ],
)
def test_what_is_no_address_of_a_store(url: str) -> None:
    with pytest.raises(InvalidConfiguration, match="store_url"):
        checked_url(url, allow_private=False)


def test_single_orders_and_refunds_of_the_sandbox() -> None:
    shop = shop_of(1)
    shop.orders[1]["refunds"] = [{"id": 5, "total": "-1.00"}]
    login: Any = "Basic Y2tfMTpjc18x"
    assert shop.answer("/wp-json/wc/v3/orders/1", login)[0] == 200
    assert shop.answer("/wp-json/wc/v3/orders/1/refunds", login)[2] == [{"id": 5, "total": "-1.00", "amount": "1.00"}]
    assert [shop.answer(f"/wp-json/wc/v3/orders/{rest}", login)[0] for rest in ("9", "x", "1/notes")] == [404] * 3
    assert shop.answer("/wp-json/wc/v3/orders?per_page=101", login)[0] == 400
    assert shop.answer("/wp-json/wc/v3/orders?modified_after=2026-11-20T12:00:00", login)[0] == 400
    shop.put({"id": 1})
    assert shop.orders == {}


def test_a_cache_that_gives_the_same_page_whatever_is_asked() -> None:
    shop = shop_of(100, step_s=0)
    page = shop.answer("/wp-json/wc/v3/orders?per_page=100&orderby=modified&order=asc", LOGIN)
    shop.answers.extend([page] * 5)
    with reader_of(shop) as orders, pytest.raises(NeedsAction, match="same orders"):
        list(orders.changed_since(START))
    assert len(shop.answers) == 3


def test_an_answer_that_trickles_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_client, "ANSWER_S", -1.0)
    with reader_of(shop_of(1)) as orders, pytest.raises(Transient, match="takes longer"):
        list(orders.changed_since(START))
