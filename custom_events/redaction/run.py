"""One run of one request to forget somebody: batch after batch, each in a transaction of its own.

First the person's identifiers are remembered as hashes, under the site's shard: from then on the drain takes in nothing of them. Then
come the stored rows, whole orders at a time; what leads from a person to their orders goes last. So whatever is interrupted finds, when
it is run again, exactly what is left, and ends the same.
"""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from custom_events import secrets
from custom_events.pipeline.claim import LOCK_CLASS
from custom_events.queries import redaction as sql
from custom_events.queries import shopify_app
from custom_events.redaction import bodies, events, key
from custom_events.redaction.archives import blank_archived
from custom_events.redaction.person import Found, Person, find
from custom_events.settings import Settings
from custom_events.values.deliveries import PrivacyRequest, SiteContext
from custom_events.values.forgotten import SubjectKind, Subjects

ROWS: Final = 200  # events, orders or customers of one transaction, which holds the site's shard: well under a second
# Until when orders, carts and subscriptions are forgotten: whatever is delivered of them.
FOREVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
_BEGINNING: Final = datetime(1, 1, 2, tzinfo=UTC)
_WEEK: Final = timedelta(days=7)

Place = tuple[datetime, int]
Step = TypeVar("Step")


class Run:
    """Make it, and call `everything`. `on_batch` is called after each commit."""

    def __init__(
        self,
        engine: sa.Engine,
        settings: Settings,
        request: Any,
        who: Person,
        site: SiteContext,
        on_batch: Callable[[], None],
    ) -> None:
        self._engine, self._settings, self._request, self._site = engine, settings, request, site
        self._on_batch = on_batch
        self._everybody = request.kind == PrivacyRequest.REDACT_SHOP
        self._until: datetime = request.received_at
        self._found, self._subjects = self._remember(who)

    def everything(self) -> int:
        """All of it, in the order that finds what is left when it is run again. How many events wait for Google's answer."""
        waiting = self._events()
        if not waiting:
            for work in (self._orders, self._subscriptions, self._customers):
                while self._batch(work):
                    pass
        self._deliveries()
        self._refused()
        if not waiting:  # files are read whole: once, when nothing else is left
            self._archived()
        if self._everybody:
            self._batch(self._app)
        return waiting

    def _remember(self, who: Person) -> tuple[Found, Subjects]:
        """Find who it is, and remember them, so that nothing of them is taken in from now on."""
        with self._engine.begin() as connection:
            self._lock(connection)
            subjects = Subjects(key.ensure(connection, secrets.key(self._settings)), self._site.site_id)
            if self._everybody:
                identity = Found(keys=(), emails=(), phones=(), orders=())
                mentioned = [(SubjectKind.SITE, "", self._until)]
            else:
                identity = find(connection, self._site.site_id, who, self._until)
                customers = [
                    customer_key.removeprefix("c:") for customer_key in identity.keys if customer_key.startswith("c:")
                ]
                mentioned = [
                    *((SubjectKind.ORDER, order_id, FOREVER) for order_id in identity.orders),
                    *((SubjectKind.CUSTOMER, customer_id, self._until) for customer_id in customers),
                    *((SubjectKind.EMAIL, email, self._until) for email in identity.emails),
                    *((SubjectKind.PHONE, phone, self._until) for phone in identity.phones),
                ]
            self._keep(connection, subjects, mentioned)
            connection.execute(sql.BEGIN, {"raw_id": self._request.raw_id})
        self._on_batch()
        return identity, subjects

    def _keep(
        self, connection: sa.Connection, subjects: Subjects, mentioned: Collection[tuple[SubjectKind, str, datetime]]
    ) -> None:
        values = {
            "site": self._site.site_id,
            "raw_id": self._request.raw_id,
            "kinds": [kind.value for kind, _, _ in mentioned],
            "digests": [subjects.digest(kind, value) for kind, value, _ in mentioned],
            "untils": [until for _, _, until in mentioned],
        }
        connection.execute(sql.REMEMBER, values)

    def _lock(self, connection: sa.Connection) -> None:
        values = {"lock": LOCK_CLASS, "site": self._site.site_id, "shards": self._settings.shards}
        connection.execute(sql.LOCK_SHARD, values)

    def _batch(self, work: Callable[[sa.Connection], tuple[Counter[str], Step]]) -> Step:
        """A transaction of its own, with its counts. What the work says beside them."""
        with self._engine.begin() as connection:
            self._lock(connection)
            counts, step = work(connection)
            counted = +counts
            if counted:
                values = {"raw_id": self._request.raw_id, "names": list(counted), "rows": list(counted.values())}
                connection.execute(sql.COUNT, values)
        self._on_batch()
        return step

    def _app(self, connection: sa.Connection) -> tuple[Counter[str], None]:
        """Our app in the shop, with its tokens, unless the shop has installed it again since it asked."""
        values = {"site": self._site.site_id, "until": self._until}
        gone = connection.execute(shopify_app.FORGET, values).rowcount
        return Counter({"app.shopify_installations": gone}), None

    def _who(self) -> dict[str, Any]:
        return {
            "site": self._site.site_id,
            "until": self._until,
            "everybody": self._everybody,
            "keys": list(self._found.keys),
            "orders": list(self._found.orders),
            "phones": list(self._found.phones),
            "rows": ROWS,
        }

    def _events(self) -> int:
        """Page after page of events. How many wait."""
        waiting = 0
        place: Place | None = (_BEGINNING, 0)
        while place is not None:
            more, place = self._batch(self._events_after(place))
            waiting += more
        return waiting

    def _events_after(self, after: Place) -> Callable[[sa.Connection], tuple[Counter[str], tuple[int, Place | None]]]:
        statement = sql.EVENTS_OF_SITE if self._everybody else sql.EVENTS_OF_PERSON
        values = self._who() | {"at": after[0], "id": after[1], "redacted": sql.REDACTED_KEY}

        def work(connection: sa.Connection) -> tuple[Counter[str], tuple[int, Place | None]]:
            rows = connection.execute(statement, values).all()
            page = events.page(connection, self._site.site_id, rows)
            if not self._everybody:
                mentioned = [(kind, value, FOREVER) for kind, value in events.mentioned(page)]
                self._keep(connection, self._subjects, mentioned)
            counts = events.redact(connection, self._site.site_id, self._subjects, page, datetime.now(UTC))
            return counts, (page.waiting, (rows[-1].occurred_at, rows[-1].id) if rows else None)

        return work

    def _orders(self, connection: sa.Connection) -> tuple[Counter[str], bool]:
        values = self._who() | {"after": "", "redacted": sql.REDACTED_ID}
        orders = [row.order_id for row in connection.execute(sql.ORDERS_LEFT, values)]
        return events.redact_orders(connection, self._site.site_id, self._subjects, orders), bool(orders)

    def _subscriptions(self, connection: sa.Connection) -> tuple[Counter[str], bool]:
        rows = connection.execute(sql.SUBSCRIPTIONS, self._who() | {"redacted": sql.REDACTED_ID}).all()
        pseudonym = self._subjects.pseudonym
        values = {
            "site": self._site.site_id,
            "old": [row.subscription_id for row in rows],
            "new": [pseudonym("subscription", row.subscription_id) for row in rows],
            "origins": [
                None if row.origin_order_id is None else pseudonym("order", row.origin_order_id) for row in rows
            ],
        }
        changed = connection.execute(sql.REDACT_SUBSCRIPTIONS, values).rowcount if rows else 0
        mentioned = [(SubjectKind.SUBSCRIPTION, row.subscription_id, FOREVER) for row in rows]
        if not self._everybody:
            self._keep(connection, self._subjects, mentioned)
        return Counter(subscriptions=changed), bool(rows)

    def _customers(self, connection: sa.Connection) -> tuple[Counter[str], bool]:
        connection.execute(sql.DELETE_CUSTOMER_COUNTERS, self._who())
        gone = connection.execute(sql.DELETE_CUSTOMERS, self._who()).rowcount
        return Counter(customers=gone), gone > 0

    def _deliveries(self) -> None:
        with self._engine.connect() as connection:
            week: date | None = connection.execute(sql.FIRST_WEEK).scalar_one()
        last = datetime.now(UTC).date() + _WEEK  # the database's clock says in which week something lands
        while week is not None and week <= last:
            after: int | None = 0
            while after is not None:
                after = self._batch(self._deliveries_after(week, after))
            week += _WEEK

    def _deliveries_after(self, week: date, after: int) -> Callable[[sa.Connection], tuple[Counter[str], int | None]]:
        until = self._until if self._everybody else None

        def work(connection: sa.Connection) -> tuple[Counter[str], int | None]:
            forgotten = bodies.Forgotten(connection, self._subjects, self._site.site_id)
            place, gone = bodies.blank_deliveries(connection, self._site, forgotten, week, after, until)
            return Counter(raw_events=gone), place

        return work

    def _archived(self) -> None:
        until = self._until if self._everybody else None
        count = blank_archived(self._engine, self._settings, self._site, self._subjects, until)
        self._batch(lambda _connection: (Counter(archived_raw_events=count), None))

    def _refused(self) -> None:
        place: Place | None = (_BEGINNING, 0)
        while place is not None:
            place = self._batch(self._refused_after(place))

    def _refused_after(self, after: Place) -> Callable[[sa.Connection], tuple[Counter[str], Place | None]]:
        def work(connection: sa.Connection) -> tuple[Counter[str], Place | None]:
            forgotten = bodies.Forgotten(connection, self._subjects, self._site.site_id)
            place, gone = bodies.blank_refused(connection, self._site, forgotten, after)
            return Counter(refused_events=gone), place

        return work
