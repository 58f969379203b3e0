"""A store under way: signed orders, one after the other, each sent again until it is acknowledged."""

import json
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Final, NamedTuple

import sqlalchemy as sa

from custom_events import secrets
from custom_events.catalog import assignments, signing, sites
from custom_events.platforms import timestamped
from custom_events.settings import Settings
from custom_events.values.deliveries import Platform

PAUSE_S: Final = 0.05  # between two orders, and before one is sent again
ANSWER_LIMIT_S: Final = 5.0  # as Shopify waits
AUTHOR: Final = "test"


class Store(NamedTuple):
    """Where it posts and how it signs."""

    address: str
    secret: bytes


def connect_a_store(engine: sa.Engine, settings: Settings, receiver: str) -> Store:
    """A site of a sender of one's own, whose every paid order is a purchase."""
    secret = signing.make()
    with engine.begin() as connection:
        site = sites.create(connection, platform=Platform.CUSTOM, name="Shop", actor=AUTHOR, currency="EUR")
        signing.add(connection, site.id, secret, key=secrets.key(settings), actor=AUTHOR)
        assignments.assign(connection, site.id, "purchase", "all orders", author=AUTHOR)
    return Store(f"{receiver}/webhooks/custom/{site.site_key}", secret.encode())


class Load(threading.Thread):
    """Sends until it is stopped. `acknowledged`: ids of orders that were answered 200. `refused`: other answers than 200 and 503."""

    def __init__(self, store: Store) -> None:
        super().__init__(name="load", daemon=True)
        self._store = store
        self._stop_asked = threading.Event()
        self.acknowledged: list[str] = []
        self.sent_again = 0
        self.refused: list[str] = []

    def run(self) -> None:
        number = 0
        while not self._stop_asked.wait(PAUSE_S):
            number += 1
            self._deliver(f"L-{number}")

    def _deliver(self, order: str) -> None:
        at = datetime.now(UTC).isoformat()
        facts = {"id": order, "created_at": at, "paid_at": at, "currency": "EUR", "total": "10.00"}
        body = json.dumps({"type": "order.paid", "occurred_at": at, "order": facts}).encode()
        while not self._post(order, body):
            self.sent_again += 1
            if self._stop_asked.wait(PAUSE_S):
                return
        self.acknowledged.append(order)

    def _post(self, order: str, body: bytes) -> bool:
        headers = timestamped.signed_headers(
            body, self._store.secret, now=datetime.now(UTC), event_id=order, topic="order.paid"
        )
        try:
            request = urllib.request.Request(self._store.address, body, headers)
            with urllib.request.urlopen(request, timeout=ANSWER_LIMIT_S) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            if error.code != 503:
                self.refused.append(f"{order}: {error.code}")
            return False
        except OSError:  # nobody listens, or the connection broke: whether it landed is not known
            return False

    def acknowledged_since_now(self) -> str | None:
        """An order that was first sent after this call began, and is acknowledged; None when none is within a second."""
        before = len(self.acknowledged)
        deadline = time.monotonic() + 1
        while len(self.acknowledged) < before + 2:  # the next one may have been under way
            if time.monotonic() > deadline:
                return None
            time.sleep(PAUSE_S)
        return self.acknowledged[before + 1]

    def end(self) -> None:
        """No order is sent any more; the one under way is finished or given up."""
        self._stop_asked.set()
        self.join()
