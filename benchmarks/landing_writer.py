"""Deliveries through a build's own writer, by `python FILE URL FIRST COUNT plain|around|calm`: the receiver without HTTP and signatures.

Run with PYTHONPATH at the build's folder. Lands COUNT deliveries with numbers from FIRST and prints what that took of
this process. `around`: as in the 48 hours after a change of week, when the week before is looked at.
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import uvloop
from cryptography.fernet import Fernet

from benchmarks.bodies import shopify_order_bodies
from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.shopify.delivery import EVENT_ID, WEBHOOK_ID, signed_headers
from custom_events.settings import Settings
from ingest_api.database import Database
from ingest_api.groups import Verified, Waiting
from ingest_api.metrics import Metrics
from ingest_api.writer import Pause, Writer

IN_FLIGHT: Final = 256  # deliveries that wait at a time, as from as many connections: groups of up to 64
CALM_IN_FLIGHT: Final = 16
BODIES, SITES = 2_000, 1_000
_PLATFORM: Final = next(platform for name, platform in PLATFORMS.items() if name.value == "shopify")


def deliveries(first: int, count: int) -> list[tuple[int, dict[str, str], bytes]]:
    """(site, headers, body) of each; every one with an id of its own, and sites in turn."""
    bodies = list(shopify_order_bodies(min(BODIES, count), sites=SITES))
    headers = [_headers(body, number % SITES) for number, body in enumerate(bodies)]
    shop_posts: list[tuple[int, dict[str, str], bytes]] = []
    for number in range(first, first + count):
        place = number % len(bodies)
        ids = {WEBHOOK_ID: str(UUID(int=number << 64)), EVENT_ID: str(UUID(int=(number << 64) + 1))}
        shop_posts.append((place % SITES + 1, {**headers[place], **ids}, bodies[place]))
    return shop_posts


def _headers(body: bytes, site: int) -> dict[str, str]:
    names = signed_headers(
        body,
        b"secret",
        topic="orders/paid",
        shop_domain=f"benchmark-{site}.myshopify.com",
        webhook_id="",
        triggered_at=datetime.now(UTC),
    )
    return {**names, "host": "receiver.example.com", "accept": "*/*", "content-length": str(len(body))}


async def land(url: str, shop_posts: list[tuple[int, dict[str, str], bytes]], in_flight: int) -> None:
    """Keep `in_flight` waiting until all have landed. Raises RuntimeError where some have not."""
    results: list[bool | None] = []
    waiting = iter(shop_posts)

    key = Fernet.generate_key().decode()
    settings = Settings.model_validate({"database_url": url, "secret_key": key, "receiver_figures_port": None})
    writer = Writer(settings, Metrics(), Database(settings).connect)

    def put_next() -> None:
        for site, headers, body in waiting:
            writer.put(Waiting("shopify", Verified(site, _PLATFORM, headers), body, answered))
            return
        if len(results) == len(shop_posts):
            writer.close()

    def answered(is_new: bool | None) -> None:
        results.append(is_new)
        put_next()

    for _ in range(in_flight):
        put_next()
    await writer.run()
    if results != [True] * len(shop_posts):
        raise RuntimeError(f"{results.count(True)} of {len(shop_posts)} deliveries landed as new ones")


def _look_around(is_after_change: bool) -> None:
    """What day of the week it is for the writer."""
    # By the build's own name for it: a module that this build lacks would be taken from the folder that is installed.
    module: Any = sys.modules[Pause.__module__]
    module.REPEATS = timedelta(days=7 if is_after_change else 0)


def main() -> None:
    """From the command line."""
    url, first, count, way = sys.argv[1:]
    _look_around(way == "around")
    shop_posts = deliveries(int(first), int(count))
    began = time.process_time()
    uvloop.run(land(url, shop_posts, CALM_IN_FLIGHT if way == "calm" else IN_FLIGHT))
    print(json.dumps({"cpu_s": time.process_time() - began}))


if __name__ == "__main__":
    main()
