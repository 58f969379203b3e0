"""Deliveries that say again what their order says already end before they are understood (decision 79).

Stores send an order whenever anything of it changes, and most of that is nothing to us. Where an order's row is exactly what its newest body
said, it has a digest of that body without its clock, and of all else that understanding depends on. A delivery of the same digest and no
older clock moves the order's clocks; whatever it could say of events, customers and consent is said. It takes the long way in all other cases:
put back to be understood again, of a site with beacons or forgotten people, with other bodies of its order in the batch, older, unlike.
The digest says that two bodies say the same; what they say is understanding's alone.
"""

import hashlib
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
import zstandard

from custom_events.pipeline import beacons
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.claim import Claimed
from custom_events.pipeline.configuration import Configuration
from custom_events.pipeline.forgetting import Forgetting
from custom_events.pipeline.state import OrderState
from custom_events.pipeline.understanding import BatchState, Delivered, Key, Raw
from custom_events.platforms.base import Gist, RepeatReader
from custom_events.platforms.registry import PLATFORMS
from custom_events.queries import understanding as sql
from custom_events.values import zones
from custom_events.values.beacons import MECHANISM
from custom_events.values.deliveries import Outcome, SiteContext, Understood

_DIGEST_BYTES: Final = 16
_FOLDERS: Final = ("pipeline", "platforms", "values")  # of what understanding is made
_SAID: Final = Understood()
_ENCODER: Final = msgspec.json.Encoder()
# What others than the drain change of an order, and what of it tells rows apart. A digest is of no other row.
_OF_ROW: Final = ("number", "status", "financial_status", "currency", "customer_key", "is_test", "has_undone")


class StoredOrders:
    """The stored state of a batch's orders, each looked up once; of those that have one, the digest of their newest body."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._asked: set[Key] = set()
        self._known: dict[Key, OrderState] = {}
        self.digests: dict[Key, bytes] = {}

    async def of(self, keys: Iterable[Key]) -> dict[Key, OrderState]:
        """Those of these that are stored."""
        keys = list(keys)
        asked = [key for key in dict.fromkeys(keys) if key not in self._asked]
        if asked:
            self._asked.update(asked)
            for site_id, order_id, *values, digest in await self._connection.fetch(sql.KNOWN_ORDERS, *columns_of(asked)):
                self._known[site_id, order_id] = OrderState(*values)
                if digest is not None:
                    self.digests[site_id, order_id] = digest
        return {key: self._known[key] for key in keys if key in self._known}


class _Repeat(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A delivery that says what its order says already, by the row and its own bytes alone."""

    row: Sequence[Any]
    key: Key
    gist: Gist


class Repeats:
    """Of one batch. `sifted` takes deliveries out of its pieces, `settled` gives those back that need the long way after all; then `moved` has
    the orders of the others with their new clocks, and `digest_of` what is to be stored with the merged ones."""

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
        self._readers: dict[int, RepeatReader | None] = {}
        self._bases: dict[int, bytes] = {}
        self._repeats: list[_Repeat] = []
        self._gists: dict[int, tuple[Key, Gist]] = {}
        self._newest: dict[Key, tuple[OrderState, Gist]] = {}
        self.orders = StoredOrders(connection)
        self.moved: dict[Key, OrderState] = {}

    async def sifted(self, rows: Sequence[Sequence[Any]]) -> list[Raw]:
        """The raw events of these rows that are to be understood."""
        raws: list[Raw] = []
        named: list[tuple[Sequence[Any], Raw, RepeatReader, Key]] = []
        for row in rows:
            raw = Raw(*row)
            reader = self._reader_of(raw)
            opened = None if reader is None else _opened(raw)
            order_id = None if reader is None or opened is None else reader.order_named(opened.content or b"")
            if reader is None or opened is None or order_id is None:
                raws.append(raw)
            else:
                named.append((row, opened, reader, (raw.site_id, order_id)))
        known = await self.orders.of(key for _, _, _, key in named)
        for row, raw, reader, key in named:
            order = known.get(key)
            # A new order has no digest to compare with, and gets none: its row is mostly changed by the next body.
            gist = None if order is None else reader.gist(raw.topic or "", raw.headers, raw.content or b"")
            if order is not None and gist is not None:
                self._gists[raw.raw_id] = key, gist
                if self._says_the_same(key, order, gist):
                    self._repeats.append(_Repeat(row, key, gist))
                    continue
            raws.append(raw)
        return raws

    def _reader_of(self, raw: Raw) -> RepeatReader | None:
        """What tells whether the delivery may be a repeat; None: it takes the long way."""
        site_id = raw.site_id
        if site_id not in self._readers:
            self._readers[site_id] = self._reader_of_site(self._configuration.sites.get(site_id))
        reader = self._readers[site_id]
        if reader is None or raw.topic not in reader.topics or raw.raw_id in self._again or MECHANISM in raw.headers:
            return None
        return reader

    def _reader_of_site(self, site: SiteContext | None) -> RepeatReader | None:
        if site is None or not site.is_active or self._forgotten.has_forgotten(site.site_id):
            return None
        reader = PLATFORMS[site.platform].repeats
        if reader is None or any(reader.clock_name in name for name in self._configuration.kept.names):
            return None  # a rule names what digests leave out
        return reader

    def _says_the_same(self, key: Key, order: OrderState, gist: Gist) -> bool:
        """Whether the order is what a body of this gist said, and is not newer."""
        digest = self.orders.digests.get(key)
        return (
            digest is not None
            and _has_one_clock(order)
            and order.state_at is not None
            and gist.clock >= order.state_at
            and digest == self._digest(key, order, gist)
        )

    async def settled(self) -> list[Raw]:
        """After all pieces are merged: those that other bodies of the batch, or what browsers told, keep from being repeats."""
        if not self._repeats:
            return []
        batch = self._batch_state
        site_ids = {key[0] for key in {repeat.key for repeat in self._repeats}}
        with_beacons = await beacons.sites_with_beacons(self._connection, site_ids)
        told_of = {(event.site_id, event.event.order_id or "") for event in batch.events.values()}
        raws: list[Raw] = []
        for row, key, gist in ((repeat.row, repeat.key, repeat.gist) for repeat in self._repeats):
            raw = Raw(*row)
            if key in batch.orders or key in batch.consents or key in told_of or key[0] in with_beacons:
                raws.append(raw)
                continue
            batch.delivered.append(Delivered(raw.landed_week, raw.raw_id, raw.received_at, raw.site_id, _SAID))
            order = self.moved.get(key) or (await self.orders.of([key]))[key]
            if order.state_at is not None and gist.clock > order.state_at:
                self.moved[key] = _with_clock(order, gist)
        return raws

    def learn(self, raw: Raw, delivered: Delivered) -> None:
        """Remember what a body of a known order said, that was understood and had nothing added to it."""
        key, gist = self._gists.get(raw.raw_id, (None, None))
        if key is None or gist is None or delivered.shows is None or not _says_nothing_by_its_clock(delivered, key, gist):
            return
        newest = self._newest.get(key)
        if newest is None or newest[1].clock < gist.clock:
            self._newest[key] = delivered.shows, gist

    def digest_of(self, key: Key, order: OrderState) -> bytes | None:
        """What is stored with an order as it is merged: the digest of its newest body, where the row is what that says and nothing else."""
        state, gist = self._newest.get(key, (None, None))
        if gist is None or state != order or not _has_one_clock(order):
            return None
        return self._digest(key, order, gist)

    def _digest(self, key: Key, order: OrderState, gist: Gist) -> bytes:
        base = self._bases.get(key[0])
        if base is None:
            base = self._bases[key[0]] = _base_of(self._configuration.sites[key[0]], self._configuration.kept.names)
        of_row = repr([getattr(order, name) for name in _OF_ROW])
        return hashlib.sha256(b"".join((base, gist.digest, of_row.encode()))).digest()[:_DIGEST_BYTES]


def _opened(raw: Raw) -> Raw | None:
    """The raw event with its body's bytes; None where they cannot be read, or are gone."""
    if not raw.body_bytes:
        return None
    try:
        return raw._replace(content=raw.decompressed())
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


def _with_clock(order: OrderState, gist: Gist) -> OrderState:
    listed_at = None if order.refunds_listed_at is None else gist.clock
    return order._replace(
        state_at=gist.clock,
        payment_state_at=gist.clock,
        cancellation_state_at=gist.clock,
        refunds_listed_at=listed_at,
    )


def _says_nothing_by_its_clock(delivered: Delivered, key: Key, gist: Gist) -> bool:
    """Whether a body says the same under another clock: it stands for nothing but when the order was shown. Refunds are left out, as
    what was given back is worked out from all bodies."""
    said, order = delivered.understood, delivered.understood.order
    if order is None or said != Understood(events=said.events, order=order):
        return False
    moments = (order.created_at, order.paid_at, order.cancelled_at, order.payment_lost_at)
    return (
        said.outcome is Outcome.UNDERSTOOD
        and order.id == key[1]
        and order.updated_at == gist.clock
        and gist.clock not in moments
        and all(
            event.evidence_at == gist.clock and event.occurred_at != gist.clock and event.refund is None
            for event in said.events
        )
    )


def _base_of(site: SiteContext, names: Iterable[str]) -> bytes:
    """What understanding depends on besides the body."""
    return hashlib.sha256(b"\0".join((_build(), _ENCODER.encode(site), _ENCODER.encode(sorted(names))))).digest()


@lru_cache(maxsize=1)
def _build() -> bytes:
    """Of the code that understands, with what it reads times and JSON by."""
    digest = hashlib.sha256(repr((sys.version, msgspec.__version__, zones.RELEASE)).encode())
    package = Path(__file__).parent.parent
    for folder in _FOLDERS:
        for path in sorted((package / folder).rglob("*.py")):
            digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return digest.digest()


