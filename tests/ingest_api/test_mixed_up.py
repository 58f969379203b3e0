"""What is signed is for one site, one body and, where the scheme says so, one time: replayed, swapped and packed deliveries."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import zstandard

from custom_events import secrets
from custom_events.platforms import timestamped
from custom_events.platforms.registry import PLATFORMS
from custom_events.values.deliveries import Outcome, RawDelivery, SiteContext
from custom_events.values.platforms import Platform
from fuzzing.signatures import SIGNERS
from tests.ingest_api.conftest import KEY, add_secret

Query = Callable[..., list[Any]]
Receive = Callable[..., None]
SITES = {(platform, shop): f"{platform}-{shop}-key" for platform in Platform for shop in ("one", "two")}
COVERS_NO_BODY = {Platform.BIGCOMMERCE}  # a header of the hook: nothing of the body is believed but the order's number
COVERS_TIME = {Platform.CUSTOM, Platform.STRIPE}
MEBIBYTE = 1 << 20


@pytest.fixture(autouse=True)
def two_of_each(engine: sa.Engine, sites: None) -> None:
    """Two sites of each platform, each with a secret of its own: its key."""
    make = (
        "INSERT INTO app.sites (id, site_key, platform, name, shop_domain) OVERRIDING SYSTEM VALUE "
        "VALUES (:id, :key, :platform, 'Test', :shop)"
    )
    with engine.begin() as connection:
        for site, ((platform, shop), key) in enumerate(SITES.items(), 100):
            domain = f"{shop}.myshopify.com" if platform is Platform.SHOPIFY else None
            connection.execute(sa.text(make), {"id": site, "key": key, "platform": platform, "shop": domain})
            add_secret(connection, site, secrets.encrypt(key.encode(), KEY))


async def deliver(
    posts: Any,
    signed_by: tuple[Platform, str],
    to: str,
    body: bytes = b"{}",
    *,
    signed: bytes | None = None,
    **more: Any,
) -> Any:
    """Post a body that this site has signed (`signed`: another one in its place) to an address; `more`: headers, and `at`."""
    at = more.pop("at", None) or datetime.now(UTC)
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    headers = SIGNERS[signed_by[0]](headers, body if signed is None else signed, SITES[signed_by].encode(), at)
    return await posts.client.post(f"/webhooks/{to}", content=body, headers=headers)


def address(site: tuple[Platform, str]) -> str:
    return f"{site[0]}/{SITES[site]}"


def test_what_a_site_signs_is_taken_for_no_other(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        for signed_by in SITES:
            for to in SITES:
                answer = await deliver(posts, signed_by, address(to))
                assert answer.status_code == (200 if signed_by == to else 401), (signed_by, to)
            crossed = await deliver(posts, signed_by, f"{Platform.SHOPIFY}", x_shopify_shop_domain="two.myshopify.com")
            assert crossed.status_code == (200 if signed_by == (Platform.SHOPIFY, "two") else 401)

    receive(scenario)
    landed = rows("SELECT s.site_key FROM landing.raw_events r JOIN app.sites s ON s.id = r.site_id ORDER BY 1")
    assert [row.site_key for row in landed] == sorted(SITES.values())


def test_a_signature_is_for_one_body_and_a_replay_lands_once(receive: Receive, rows: Query) -> None:
    async def scenario(posts: Any) -> None:
        for platform in Platform:
            site = (platform, "one")
            swapped = await deliver(posts, site, address(site), b'{"id":2}', signed=b'{"id":1}')
            assert swapped.status_code == (200 if platform in COVERS_NO_BODY else 401)
            answers = [await deliver(posts, site, address(site), b'{"id":1}') for _ in range(3)]
            assert [answer.headers["delivery"] for answer in answers] == ["landed", "duplicate", "duplicate"]
            old = await deliver(posts, site, address(site), b'{"id":1}', at=datetime.now(UTC) - timedelta(hours=1))
            assert old.status_code == (401 if platform in COVERS_TIME else 200)

    receive(scenario)
    assert rows("SELECT count(*) FROM landing.raw_events") == [(len(Platform) + len(COVERS_NO_BODY),)]


def test_another_body_under_an_id_that_is_known(receive: Receive, rows: Query) -> None:
    """Our own scheme's id is the sender's word, so that another body is kept; a platform's is its own."""

    async def scenario(posts: Any) -> None:
        for body, expected in ((b'{"id":1}', "landed"), (b'{"id":2}', "landed"), (b'{"id":1}', "duplicate")):
            site = (Platform.CUSTOM, "one")
            answer = await deliver(posts, site, address(site), body, **{timestamped.EVENT_ID: "e1"})
            assert answer.headers["delivery"] == expected
        for body, expected in ((b'{"id":1}', "landed"), (b'{"id":2}', "duplicate")):
            site = (Platform.SHOPIFY, "one")
            answer = await deliver(posts, site, address(site), body, x_shopify_webhook_id="w1")
            assert answer.headers["delivery"] == expected

    receive(scenario)


def test_a_packed_body_is_taken_as_it_came_and_never_unpacked(receive: Receive, rows: Query) -> None:
    """The signature covers what came; sixteen megabytes of zeros stay the sixteen kilobytes that they were sent as."""
    bomb = gzip.compress(bytes(16 * MEBIBYTE))
    site = (Platform.SHOPIFY, "one")

    async def scenario(posts: Any) -> None:
        assert (await deliver(posts, site, address(site), bomb, content_encoding="gzip")).status_code == 200
        sized = await deliver(posts, site, address(site), bytes(2 * MEBIBYTE), content_encoding="gzip")
        assert sized.status_code == 413

    receive(scenario, body_limit_bytes=MEBIBYTE)
    ((body, size, headers),) = rows("SELECT body, body_bytes, headers FROM landing.raw_events")
    assert zstandard.decompress(body) == bomb
    assert size == len(bomb)
    context = SiteContext(site_id=1, platform=Platform.SHOPIFY)
    verdict = PLATFORMS[Platform.SHOPIFY].understand(
        RawDelivery(topic="orders/paid", body=bomb, headers=headers), context
    )
    assert (verdict.outcome, verdict.reason) == (Outcome.PARKED, "unreadable_body")
