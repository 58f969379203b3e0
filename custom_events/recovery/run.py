"""One reading of a site's orders: what its store changed since the last one, laid beside what landed; what is missing is landed.

It may run at any time, beside deliveries, beside itself (the second one does nothing) and again: what it lands is known by the keys of
deliveries, and what it counts is counted with what it lands.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa
import structlog

from custom_events import secrets
from custom_events.catalog import sites
from custom_events.catalog.sites import Site
from custom_events.errors import CustomEventsError, InvalidConfiguration, NeedsAction, Permanent, Transient
from custom_events.pipeline.configuration import site_of
from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.store_orders import FetchedOrder, OrderReader
from custom_events.queries import recovery as sql
from custom_events.recovery.gaps import StoredOrder, gap, is_up_to_date
from custom_events.recovery.landing import Missing, land
from custom_events.recovery.readers import reader_of
from custom_events.recovery.turns import turn
from custom_events.settings import Settings
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood
from custom_events.values.forgotten import SubjectKind, Subjects
from custom_events.values.platforms import Platform

FIRST_READ: Final = timedelta(days=2)  # how far the first reading of a site looks back at most
FURTHEST: Final = timedelta(days=90)  # Google takes no older click (docs/reference/google-ads.md 2.2)
OVERLAP: Final = timedelta(hours=1)  # read again each time: clocks differ, and stores write slowly
GRACE: Final = timedelta(minutes=15)  # a younger change may still be on its way
REFUNDS_LOOKED_BACK: Final = timedelta(days=30)  # a refund is deleted soon after it was made by mistake, or never
REFUNDS_READ_EVERY: Final = timedelta(days=1)
REFUNDED_AT_MOST: Final = 1_000  # orders with refunds that are read again: ten requests
AT_ONCE: Final = 100  # orders compared and landed together: a page
RUNS_KEPT: Final = timedelta(days=30)

_LOG = structlog.get_logger(__name__)


class Recovery(msgspec.Struct, kw_only=True):
    """What a reading found. `missing`: by what was missing; `landed` is 0 of a dry run; `problem`: why it ended early, None: it did not."""

    site_id: int
    since: datetime
    until: datetime
    read: int = 0
    missing: dict[str, int] = {}
    landed: int = 0
    problem: str | None = None
    sample_orders: list[str] = []  # ids of some orders of which something was missing


class _Progress(msgspec.Struct, frozen=True):
    """A row of app.order_recoveries, as far as it matters here."""

    read_until: datetime | None = None
    refunds_read_at: datetime | None = None


SAMPLES: Final = 5


def recover(
    engine: sa.Engine,
    settings: Settings,
    site_id: int,
    now: datetime,
    *,
    since: datetime | None = None,
    dry_run: bool = False,
    reader: OrderReader | None = None,
) -> Recovery:
    """Read a site's orders and land what is missing. `since`: from then on, instead of where the last reading ended (one that begins later
    than that moves no mark: the next reading begins where this one would have), and with it orders that the store made before the site was
    made here, which nobody but a person asks for; `dry_run`: lands and remembers nothing; `reader`: instead of the platform's own.

    A store that does not answer, or refuses, is a `problem`; what was read before stays landed. Raises NotFound for a site or key that is
    not there, NeedsAction for a platform without a reader, InvalidConfiguration for a `since` that lies too far back, Transient while
    another one reads the same site.
    """
    if since is not None and not timedelta() <= now - since <= FURTHEST:
        raise InvalidConfiguration(f"at most {FURTHEST.days} days back, and not in the future", path="since")
    with turn(engine, site_id):
        return _Reading(engine, settings, site_id, now, dry_run=dry_run).run(since, reader)


def readable_sites(connection: sa.Connection) -> list[int]:
    """Ids of the sites whose orders can be read, the one that has waited longest first."""
    return list(connection.execute(sql.READABLE_SITES).scalars())


class _Reading:
    """One run for one site."""

    def __init__(self, engine: sa.Engine, settings: Settings, site_id: int, now: datetime, *, dry_run: bool) -> None:
        self._engine, self._settings, self._now, self._dry_run = engine, settings, now, dry_run
        with engine.connect() as connection:
            self._site = sites.get(connection, site_id)
            row = connection.execute(sql.PROGRESS, {"site": site_id}).one_or_none()
            self._progress = _Progress() if row is None else _Progress(row.read_until, row.refunds_read_at)
            token = connection.execute(sql.FORGETTING_KEY).scalar_one_or_none()
        self._subjects = (
            None
            if token is None
            else Subjects(secrets.decrypt(bytes(token), secrets.key(settings), secrets.FORGETTING_KEY_ROW), site_id)
        )
        self._context = _context_of(self._site)
        self._made_since = self._site.created_at
        self._started = time.monotonic()
        self._compared: set[tuple[str, datetime | None]] = set()  # what a page brought may come again with the next

    def run(self, since: datetime | None, reader: OrderReader | None) -> Recovery:
        self._made_since = min(self._site.created_at, since or self._now)
        since, until = self._span(since)
        recovery = Recovery(site_id=self._site.id, since=since, until=until)
        refunds_read_at = None
        try:
            if reader is not None:
                refunds_read_at = self._read(reader, recovery)
            else:
                with reader_of(self._engine, self._settings, self._site) as opened:
                    refunds_read_at = self._read(opened, recovery)
        except (Transient, NeedsAction, Permanent) as error:
            if isinstance(error, NeedsAction) and not recovery.read and self._dry_run:
                raise
            recovery.problem = str(error)
            _LOG.warning("orders_not_read", site_id=self._site.id, cause=type(error).__name__)
        if not self._dry_run:
            self._keep(recovery, refunds_read_at)
        return recovery

    def _is_behind(self, recovery: Recovery) -> bool:
        """Whether it began behind what was read before: what lies between is still to be read."""
        begin = self._progress.read_until or self._first()
        return recovery.since > max(begin, self._now - FURTHEST)

    def _first(self) -> datetime:
        """Where the first reading begins: not before the site was made. Who counted its orders until then is not known here."""
        return max(self._site.created_at, self._now - FIRST_READ)

    def _span(self, since: datetime | None) -> tuple[datetime, datetime]:
        """From when and until when orders are compared, by when the store changed them."""
        with self._engine.connect() as connection:
            site = {"site": self._site.id}
            waiting_since = connection.execute(sql.WAITING_SINCE, site).scalar_one()
            read_until = self._progress.read_until
            error_at = connection.execute(sql.ERRORS_SINCE, site | {"after": read_until or self._first()}).scalar_one()
        until = min(moment for moment in (self._now, waiting_since) if moment is not None) - GRACE
        if since is None:
            since = read_until - OVERLAP if read_until is not None else self._first()
            if error_at is not None:
                since = min(since, error_at - OVERLAP)
        return max(since, self._now - FURTHEST), until

    def _read(self, reader: OrderReader, recovery: Recovery) -> datetime | None:
        """Compare all that the reader gives; when the orders with refunds were read, None: they were not."""
        self._compare(reader.changed_since(recovery.since), recovery)
        last = self._progress.refunds_read_at
        if last is not None and self._now - last < REFUNDS_READ_EVERY:
            return None
        with self._engine.connect() as connection:
            values = {"site": self._site.id, "since": self._now - REFUNDS_LOOKED_BACK, "limit": REFUNDED_AT_MOST}
            refunded = [str(order_id) for order_id in connection.execute(sql.REFUNDED, values).scalars()]
        if refunded:
            self._compare(reader.by_ids(refunded), recovery)
        return self._now

    def _compare(self, orders: Iterable[FetchedOrder], recovery: Recovery) -> None:
        for page in _pages(orders):
            recovery.read += len(page)
            due = {
                order.order_id: order  # of one that comes twice the later
                for order in page
                if order.order_id is not None and (order.modified_at is None or order.modified_at <= recovery.until)
            }
            missing = self._missing(
                [order for key, order in due.items() if (key, order.modified_at) not in self._compared]
            )
            self._compared |= {(key, order.modified_at) for key, order in due.items()}
            for entry in missing:
                recovery.missing[entry.kind.value] = recovery.missing.get(entry.kind.value, 0) + 1
            room = SAMPLES - len(recovery.sample_orders)
            recovery.sample_orders += [entry.order.order_id or "" for entry in missing[:room]]
            if missing and not self._dry_run:
                url = self._engine.url.render_as_string(hide_password=False)
                recovery.landed += asyncio.run(land(url, self._site.id, missing, self._now))

    def _missing(self, orders: Sequence[FetchedOrder]) -> list[Missing]:
        ids = [order.order_id for order in orders if order.order_id is not None]
        with self._engine.connect() as connection:
            rows = connection.execute(sql.STORED, {"site": self._site.id, "orders": ids})
            stored = {row.order_id: msgspec.convert(row, StoredOrder, from_attributes=True) for row in rows}
            forgotten = self._forgotten(connection, ids)
        missing: list[Missing] = []
        for order in orders:
            known = stored.get(order.order_id or "")
            if order.order_id in forgotten or is_up_to_date(order, known) or self._is_older(order, known):
                continue
            whole = order.whole()
            by_status = self._site.platform is Platform.WOOCOMMERCE
            if whole is None:
                continue
            understood = self._understood(whole)
            kind = gap(understood, known, made_since=self._made_since, paid_by_status=by_status)
            if kind is not None:
                missing.append(Missing(whole, kind))
        return missing

    def _is_older(self, order: FetchedOrder, known: StoredOrder | None) -> bool:
        """Whether a list already says that an order was made before those that are read, and it never landed."""
        never_landed = known is None or known.state_at is None
        return never_landed and order.created_at is not None and order.created_at < self._made_since

    def _understood(self, order: FetchedOrder) -> Understood:
        delivery = RawDelivery(topic=order.topic, body=order.body, headers=order.headers)
        return PLATFORMS[self._site.platform].understand(delivery, self._context)

    def _forgotten(self, connection: sa.Connection, ids: Sequence[str]) -> set[str]:
        """Orders of people who were forgotten: they are not brought back."""
        if self._subjects is None:
            return set()
        of_site = self._subjects.digest(SubjectKind.SITE, "")
        digests = {self._subjects.digest(SubjectKind.ORDER, order_id): order_id for order_id in ids}
        values = {"site": self._site.id, "digests": [*digests, of_site]}
        rows = {bytes(digest) for digest in connection.execute(sql.FORGOTTEN, values).scalars()}
        return set(ids) if of_site in rows else {digests[digest] for digest in rows}

    def _keep(self, recovery: Recovery, refunds_read_at: datetime | None) -> None:
        """Where the next reading begins. One that ended early begins again where this one did."""
        ended_at = self._now + timedelta(seconds=time.monotonic() - self._started)
        with self._engine.begin() as connection:
            connection.execute(
                sql.KEEP_PROGRESS,
                {
                    "site": self._site.id,
                    "read_until": self._progress.read_until
                    if recovery.problem is not None or self._is_behind(recovery)
                    else recovery.until,
                    "refunds_read_at": refunds_read_at,
                    "problem": recovery.problem,
                    "now": self._now,
                },
            )
            connection.execute(
                sql.KEEP_RUN,
                {
                    "site": self._site.id,
                    "started_at": self._now,
                    "ended_at": ended_at,
                    "since": recovery.since,
                    "until": recovery.until,
                    "orders_read": recovery.read,
                    "orders_missing": sum(recovery.missing.values()),
                    "orders_landed": recovery.landed,
                    "problem": recovery.problem,
                },
            )
            connection.execute(sql.FORGET_RUNS, {"site": self._site.id, "before": self._now - RUNS_KEPT})


def recover_all(engine: sa.Engine, settings: Settings, now: datetime) -> list[Recovery]:
    """A reading of every site that can be read, one after the other. What one site cannot do keeps no other from its own: a fault of ours is
    raised when all have had their turn."""
    with engine.connect() as connection:
        site_ids = readable_sites(connection)
    recoveries: list[Recovery] = []
    faults: list[Exception] = []
    for site_id in site_ids:
        try:
            recoveries.append(recover(engine, settings, site_id, now))
        except CustomEventsError as error:
            _LOG.warning("orders_not_read", site_id=site_id, cause=type(error).__name__)
        except Exception as fault:  # noqa: BLE001  (raised below)
            _LOG.error("orders_not_read", site_id=site_id, cause=type(fault).__name__)
            faults.append(fault)
    if faults:
        raise ExceptionGroup("Orders of some sites were not read", faults)
    return recoveries


def _pages(orders: Iterable[FetchedOrder]) -> Iterator[list[FetchedOrder]]:
    page: list[FetchedOrder] = []
    for order in orders:
        page.append(order)
        if len(page) == AT_ONCE:
            yield page
            page = []
    if page:
        yield page


def _context_of(site: Site) -> SiteContext:
    settings = msgspec.json.encode(site.settings).decode()
    return site_of(
        site.id, site.platform, site.shop_domain, site.currency, site.time_zone, settings, is_active=site.is_active
    )
