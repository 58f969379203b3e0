"""Deliveries that say again what their order says already end before they are understood (decision 79).

Stores send an order whenever anything of it changes, and most of that is nothing to us. Where an order's row is exactly what its newest body
said, it has a digest of that body without its clock, and of all else that understanding depends on. A delivery of the same digest and no
older clock moves the order's clocks; whatever it could say of events, customers and consent is said. It takes the long way in all other cases:
put back to be understood again, of a site with beacons or forgotten people, with other bodies of its order in the batch, older, unlike.
The digest says that two bodies say the same; what they say is understanding's alone.
"""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.metadata import version
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import zstandard

from custom_events.pipeline import beacons
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.claim import Claimed
from custom_events.pipeline.configuration import Configuration
from custom_events.pipeline.forgetting import Forgetting
from custom_events.pipeline.state import NO_TIME, OrderState
from custom_events.pipeline.understanding import BatchState, Delivered, Key, Raw
from custom_events.platforms.base import RestatementReader
from custom_events.platforms.registry import PLATFORMS
from custom_events.queries import understanding as sql
from custom_events.values import zones
from custom_events.values.beacons import MECHANISM
from custom_events.values.deliveries import SiteContext, Understood
from custom_events.values.events import Order

_DIGEST_BYTES: Final = 16
_FOLDERS: Final = ("pipeline", "platforms", "values")  # of what understanding is made
_OF_BROWSER: Final = f'"{MECHANISM}"'  # as a header stands in JSON
_NOTHING_NEW: Final = Understood()
_ENCODER: Final = msgspec.json.Encoder()
# What others than the drain change of an order, and what of it tells rows apart. A digest is of no other row.
_OF_ROW: Final = ("number", "status", "financial_status", "currency", "customer_key", "is_test", "has_undone")
_of_row: Final = itemgetter(*map(OrderState._fields.index, _OF_ROW))


def _build_digest() -> bytes:
    """Of the code that understands, and of what it reads JSON, times and numbers by."""
    digest = hashlib.sha256(repr((sys.version, msgspec.__version__, zones.RELEASE, version("phonenumbers"))).encode())
    package = Path(__file__).parent.parent
    for folder in _FOLDERS:
        for path in sorted((package / folder).rglob("*.py")):
            digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return digest.digest()


_BUILD: Final = _build_digest()  # read when the code is (8 ms): files may be another build's later


class StoredOrders:
    """The stored state of a batch's orders, each looked up once; of those that have one, the digest of their newest body."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._looked_up: set[Key] = set()
        self.known: dict[Key, OrderState] = {}
        self.digests: dict[Key, bytes] = {}

    async def of(self, keys: Iterable[Key]) -> dict[Key, OrderState]:
        """Those of these that are stored."""
        keys = list(keys)
        missing = [key for key in dict.fromkeys(keys) if key not in self._looked_up]
        if missing:
            self._looked_up.update(missing)
            for site_id, order_id, *values, digest in await self._connection.fetch(
                sql.KNOWN_ORDERS, *columns_of(missing)
            ):
                self.known[site_id, order_id] = OrderState(*values)
                if digest is not None:
                    self.digests[site_id, order_id] = digest
        return {key: self.known[key] for key in keys if key in self.known}


class _Restatement(NamedTuple):
    """A delivery that says what its order says already, by the row and its own bytes alone."""

    raw: Raw
    key: Key
    clock: datetime


class Restatements:
    """Of one batch. `sifted` takes deliveries out of its pieces, `settled` gives those back that need the long way after all; then `moved` has
    the clocks to which the others move their orders, and `digest_of` what is to be stored with the merged ones."""

    def __init__(
        self,
        connection: Connection,
        batch_state: BatchState,
        configuration: Configuration,
        forgotten: Forgetting,
        claimed: Iterable[Claimed],
    ) -> None:
        self._connection, self._batch_state, self._forgotten = connection, batch_state, forgotten
        self._configuration = configuration
        self._again = {row.raw_id for row in claimed if row.is_again}
        self._readers: dict[int, RestatementReader | None] = {}
        self._bases: dict[int, bytes] = {}
        self._restatements: list[_Restatement] = []
        self._digests: dict[int, bytes] = {}  # of bodies of known orders, by raw event
        self._newest: dict[Key, tuple[OrderState, bytes]] = {}
        self.orders = StoredOrders(connection)
        self.moved: dict[Key, datetime] = {}

    async def sifted(self, rows: Iterable[Any]) -> list[Raw]:
        """The raw events of these rows that are to be understood."""
        raws: list[Raw] = []
        named: list[tuple[Raw, bytes, RestatementReader, Key]] = []
        for row in rows:
            raw = Raw(*row)
            reader = self._reader_of(raw)
            content = None if reader is None else _content_of(raw)
            order_id = None if reader is None or content is None else reader.order_named(content)
            if reader is None or content is None or order_id is None:
                raws.append(raw)
            else:
                named.append((raw, content, reader, (raw.site_id, order_id)))
        known = await self.orders.of([key for _, _, _, key in named])
        for raw, content, reader, key in named:
            order = known.get(key)
            # A new order has no digest to compare with, and gets none: mostly the next body says something else.
            digest = None if order is None else reader.digest(raw.topic or "", raw.headers, content)
            if order is not None and digest is not None:
                self._digests[raw.raw_id] = digest
                clock = reader.clock(content) if self.says_the_same(key, order, digest) else None
                if clock is not None and order.state_at is not None and clock >= order.state_at:
                    self._restatements.append(_Restatement(raw, key, clock))
                    continue
            raws.append(Raw(*raw[:-1], content))
        return raws

    def _reader_of(self, raw: Raw) -> RestatementReader | None:
        """What tells whether the delivery may be a restatement; None: it takes the long way."""
        site_id = raw.site_id
        if site_id not in self._readers:
            self._readers[site_id] = self._reader_of_site(self._configuration.sites.get(site_id))
        reader = self._readers[site_id]
        if reader is None or raw.topic not in reader.topics or raw.raw_id in self._again or _OF_BROWSER in raw.headers:
            return None
        return reader

    def _reader_of_site(self, site: SiteContext | None) -> RestatementReader | None:
        if site is None or not site.is_active or self._forgotten.has_forgotten(site.site_id):
            return None
        reader = PLATFORMS[site.platform].restatements
        if reader is None or any(reader.clock_name in name for name in self._configuration.kept.names):
            return None  # a rule names what digests leave out
        return reader

    def says_the_same(self, key: Key, order: OrderState, digest: bytes) -> bool:
        """Whether the order is what a body of this digest said."""
        stored = self.orders.digests.get(key)
        return stored is not None and _has_one_clock(order) and stored == self._stored_digest(key, order, digest)

    async def settled(self) -> list[Raw]:
        """After all pieces are merged: those that other bodies of the batch, or beacons, keep from being restatements."""
        if not self._restatements:
            return []
        batch = self._batch_state
        site_ids = {key[0] for key in {restatement.key for restatement in self._restatements}}
        with_beacons = await beacons.sites_with_beacons(self._connection, site_ids)
        orders_of_events = {(event.site_id, event.event.order_id or "") for event in batch.events.values()}
        raws: list[Raw] = []
        for raw, key, clock in self._restatements:
            if key in batch.orders or key in batch.consents or key in orders_of_events or key[0] in with_beacons:
                raws.append(raw)
                continue
            batch.delivered.append(Delivered(raw.landed_week, raw.raw_id, raw.received_at, raw.site_id, _NOTHING_NEW))
            if clock > (self.moved.get(key) or self.orders.known[key].state_at or NO_TIME):
                self.moved[key] = clock
        return raws

    def learn(self, raw: Raw, delivered: Delivered) -> None:
        """Remember what a body of a known order said, that was understood and had nothing added to it."""
        digest, state, order = self._digests.get(raw.raw_id), delivered.shows, delivered.understood.order
        if (
            digest is None
            or state is None
            or order is None
            or not _says_nothing_by_its_clock(delivered.understood, order)
        ):
            return
        key = raw.site_id, order.id
        newest = self._newest.get(key)
        if newest is None or (newest[0].state_at or NO_TIME) < order.updated_at:
            self._newest[key] = state, digest

    def digest_of(self, key: Key, order: OrderState) -> bytes | None:
        """What is stored with an order as it is merged: the digest of its newest body, where the row is what that says and nothing else."""
        state, digest = self._newest.get(key, (None, None))
        if digest is None or state != order or not _has_one_clock(order):
            return None
        return self._stored_digest(key, order, digest)

    def moved_clocks(self) -> Iterator[tuple[Key, tuple[datetime | None, ...], bytes]]:
        """Of each order that moves, its new clocks (`state.CLOCKS`) and its digest, which stays."""
        for key, clock in self.moved.items():
            listed_at = None if self.orders.known[key].refunds_listed_at is None else clock
            yield key, (clock, clock, clock, listed_at, None), self.orders.digests[key]

    def _stored_digest(self, key: Key, order: OrderState, digest: bytes) -> bytes:
        base = self._bases.get(key[0])
        if base is None:
            base = self._bases[key[0]] = _base_of(self._configuration.sites[key[0]], self._configuration.kept.names)
        return hashlib.sha256(b"".join((base, digest, repr(_of_row(order)).encode()))).digest()[:_DIGEST_BYTES]


def _content_of(raw: Raw) -> bytes | None:
    """The body's bytes; None where they cannot be read, or are gone."""
    try:
        return raw.decompressed() if raw.body_bytes else None
    except zstandard.ZstdError:
        return None


def _has_one_clock(order: OrderState) -> bool:
    """Whether one body gave all of the row: it spoke of payment and cancellation, too, and was not built as it was sent."""
    return (
        order.state_at is not None
        and order.payment_state_at == order.state_at
        and order.cancellation_state_at == order.state_at
        and order.refunds_listed_at in (None, order.state_at)
        and order.shown_at is None
    )


def _says_nothing_by_its_clock(understood: Understood, order: Order) -> bool:
    """Whether a body says the same under another clock, which stands for nothing but when the order was shown. Refunds are left out, as
    what was given back is worked out from all bodies."""
    clock = order.updated_at
    return (
        understood == Understood(events=understood.events, order=order)
        and clock not in (order.created_at, order.paid_at, order.cancelled_at, order.payment_lost_at)
        and all(
            event.evidence_at == clock and event.occurred_at != clock and event.refund is None
            for event in understood.events
        )
    )


def _base_of(site: SiteContext, names: Iterable[str]) -> bytes:
    """What understanding depends on besides the body."""
    return hashlib.sha256(b"\0".join((_BUILD, _ENCODER.encode(site), _ENCODER.encode(sorted(names))))).digest()
