"""Carries out requests to forget somebody: batch after batch, each in a transaction of its own.

First the person's identifiers are remembered as hashes, under the site's shard: from then on the drain takes in nothing of them. Then
come the stored rows, whole orders at a time; what leads from a person to their orders goes last. So whatever is interrupted finds, when
it is run again, exactly what is left, and ends the same. What Google has not answered yet waits for the next run.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa
import structlog
import zstandard

from custom_events import secrets
from custom_events.catalog import audit
from custom_events.errors import NeedsAction, NotFound
from custom_events.pipeline.claim import LOCK_CLASS
from custom_events.pipeline.configuration import site_of
from custom_events.queries import redaction as sql
from custom_events.redaction import bodies, events, key
from custom_events.redaction.person import Found, Person, find, of_body
from custom_events.settings import Settings
from custom_events.values.deliveries import PrivacyRequest, SiteContext
from custom_events.values.forgotten import SubjectKind, Subjects
from custom_events.values.numbers import MAX_ID

ROWS: Final = 200  # events, orders or customers of one transaction, which holds the site's shard: well under a second
FOREVER: Final = datetime(
    9999, 12, 31, tzinfo=UTC
)  # until when orders, carts and subscriptions are forgotten: whatever is delivered of them
_BEGINNING: Final = datetime(1, 1, 2, tzinfo=UTC)
_LOG = structlog.get_logger(__name__)


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request: `counts` by table, over all runs; `waiting` events are at Google, and are done by a later run.
    `problem` says what a person must do, where nothing could be done."""

    raw_id: int
    site_key: str
    kind: PrivacyRequest
    is_done: bool
    waiting: int = 0
    counts: dict[str, int] = {}
    problem: str | None = None


def carry_out_all(
    engine: sa.Engine, settings: Settings, *, actor: str, on_batch: Callable[[], None] = lambda: None
) -> list[Carried]:
    """Every open request to forget, what is due first first; those about which something must be decided are told as problems."""
    with engine.connect() as connection:
        numbers = [row.raw_id for row in connection.execute(sql.OPEN)]
    return [carry_out(engine, settings, number, actor=actor, on_batch=on_batch) for number in numbers]


def carry_out(
    engine: sa.Engine, settings: Settings, raw_id: int, *, actor: str, on_batch: Callable[[], None] = lambda: None
) -> Carried:
    """One request. `on_batch` is called after each commit. Raises NotFound, and NeedsAction for one that asks what is stored."""
    with engine.begin() as connection:
        request = request_of(connection, raw_id)
        kind = PrivacyRequest(request.kind)
        if kind is PrivacyRequest.DATA_REQUEST:
            raise NeedsAction(
                f"Request {raw_id} asks what is stored: `custom-events privacy export {raw_id}` writes it."
            )
        if request.done_at is not None:
            return _carried(request, kind, is_done=True, counts=request.counts)
        who = person_of(connection, request, settings)
        if kind is PrivacyRequest.REDACT_CUSTOMER and who.is_nobody:
            problem = (
                f"nothing says who it is: the delivery was dropped or names nobody. Ask the store, enter them by `custom-events "
                f"privacy ask {request.site_key}`, and close this one by `custom-events privacy done {raw_id}`"
            )
            return _carried(request, kind, is_done=False, counts=request.counts, problem=problem)
        site = site_context(connection, request.site_id)
    run = _Run(engine, settings, request, who, site, on_batch)
    waiting = run.everything()
    return _finish(engine, request, kind, waiting, actor)


def sweep_quarantine(engine: sa.Engine, settings: Settings, since: datetime) -> int:
    """Blank what was refused since and tells of people who were forgotten before. How many. What lands is met by the drain; nobody reads
    what is refused."""
    with engine.begin() as connection:
        token = connection.execute(sql.READ_KEY).scalar_one_or_none()
        sites = [row.site_id for row in connection.execute(sql.FORGETFUL_SITES)]
    if token is None:
        return 0
    forgetting_key = secrets.decrypt(bytes(token), secrets.key(settings))
    total = 0
    for site_id in sites:
        place: tuple[datetime, int] | None = (since, 0)
        while place is not None:
            with engine.begin() as connection:
                forgotten = bodies.Forgotten(connection, Subjects(forgetting_key, site_id), site_id)
                place, gone = bodies.blank_refused(connection, site_context(connection, site_id), forgotten, place)
                total += gone
    return total


def request_of(connection: sa.Connection, raw_id: int) -> Any:
    """The stored request. Raises NotFound."""
    row = connection.execute(sql.REQUEST, {"raw_id": raw_id}).one_or_none() if 0 < raw_id <= MAX_ID else None
    if row is None:
        raise NotFound(
            f"There is no request {raw_id}: `custom-events privacy list` shows them.", what="privacy request"
        )
    return row


def person_of(connection: sa.Connection, request: Any, settings: Settings) -> Person:
    """Who a request is about: by the delivery that brought it, or as somebody entered them."""
    if request.person_encrypted is not None:
        token = secrets.decrypt(bytes(request.person_encrypted), secrets.key(settings))
        return msgspec.json.decode(token, type=Person)
    given = {"week": request.landed_week, "raw_id": request.raw_id}
    row = connection.execute(sql.DELIVERY, given).one_or_none()
    if row is None:
        return Person()
    body = zstandard.ZstdDecompressor().decompress(bytes(row.body), max_output_size=row.body_bytes)
    return of_body(body, request.country)


def site_context(connection: sa.Connection, site_id: int) -> SiteContext:
    """The site, as understanding knows it."""
    return site_of(*connection.execute(sql.SITE, {"site": site_id}).one())


class _Run:
    """One run of one request."""

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
        """All of it, in the order that finds what is left when it is run again. How many events wait."""
        waiting = sum(self._events())
        if not waiting:
            self._repeated(self._orders)
            self._repeated(self._subscriptions)
            self._repeated(self._customers)
        self._deliveries()
        self._refused()
        return waiting

    def _remember(self, who: Person) -> tuple[Found, Subjects]:
        """Find who it is, and remember them, so that nothing of them is taken in from now on."""
        with self._engine.begin() as connection:
            self._lock(connection)
            subjects = Subjects(key.ensure(connection, secrets.key(self._settings)), self._site.site_id)
            if self._everybody:
                found = Found(keys=(), emails=(), phones=(), orders=())
                mentioned = [(SubjectKind.SITE, "", self._until)]
            else:
                found = find(connection, self._site.site_id, who, self._until)
                customers = [one.removeprefix("c:") for one in found.keys if one.startswith("c:")]
                mentioned = [
                    *((SubjectKind.ORDER, one, FOREVER) for one in found.orders),
                    *((SubjectKind.CUSTOMER, one, self._until) for one in customers),
                    *((SubjectKind.EMAIL, one, self._until) for one in found.emails),
                    *((SubjectKind.PHONE, one, self._until) for one in found.phones),
                ]
            self._keep(connection, subjects, mentioned)
            connection.execute(sql.BEGIN, {"raw_id": self._request.raw_id})
        self._on_batch()
        return found, subjects

    def _keep(
        self, connection: sa.Connection, subjects: Subjects, mentioned: Collection[tuple[SubjectKind, str, datetime]]
    ) -> None:
        given = {
            "site": self._site.site_id,
            "raw_id": self._request.raw_id,
            "kinds": [kind.value for kind, _, _ in mentioned],
            "digests": [subjects.digest(kind, value) for kind, value, _ in mentioned],
            "untils": [until for _, _, until in mentioned],
        }
        connection.execute(sql.REMEMBER, given)

    def _lock(self, connection: sa.Connection) -> None:
        given = {"lock": LOCK_CLASS, "site": self._site.site_id, "shards": self._settings.shards}
        connection.execute(sql.LOCK_SHARD, given)

    def _batch(self, work: Callable[[sa.Connection], Counter[str]]) -> Counter[str]:
        """A transaction of its own, with its counts."""
        with self._engine.begin() as connection:
            self._lock(connection)
            counts = +work(connection)
            if counts:
                given = {"raw_id": self._request.raw_id, "names": list(counts), "rows": list(counts.values())}
                connection.execute(sql.COUNT, given)
        self._on_batch()
        return counts

    def _repeated(self, work: Callable[[sa.Connection], Counter[str]]) -> None:
        while self._batch(work):
            pass

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

    def _events(self) -> Iterator[int]:
        """Page after page of events; how many of each wait for Google."""
        statement = sql.EVENTS_OF_SITE if self._everybody else sql.EVENTS_OF_PERSON
        place: tuple[datetime, int] | None = (_BEGINNING, 0)
        while place is not None:
            chosen = {"at": place[0], "id": place[1], "redacted": sql.REDACTED_KEY}
            waiting, last = 0, None

            def work(connection: sa.Connection, chosen: dict[str, Any] = chosen) -> Counter[str]:
                nonlocal waiting, last
                rows = connection.execute(statement, self._who() | chosen).all()
                last = (rows[-1].occurred_at, rows[-1].id) if rows else None
                page = events.page(connection, self._site.site_id, rows)
                waiting = page.waiting
                if not self._everybody:
                    told = [(kind, value, FOREVER) for kind, value in events.mentioned(page)]
                    self._keep(connection, self._subjects, told)
                return events.redact(connection, self._site.site_id, self._subjects, page, datetime.now(UTC))

            self._batch(work)
            place = last
            yield waiting

    def _orders(self, connection: sa.Connection) -> Counter[str]:
        given = self._who() | {"after": "", "redacted": sql.REDACTED_ID}
        orders = [row.order_id for row in connection.execute(sql.ORDERS_LEFT, given)]
        return events.redact_orders(connection, self._site.site_id, self._subjects, orders)

    def _subscriptions(self, connection: sa.Connection) -> Counter[str]:
        rows = connection.execute(sql.SUBSCRIPTIONS, self._who() | {"redacted": sql.REDACTED_ID}).all()
        pseudonym = self._subjects.pseudonym
        given = {
            "site": self._site.site_id,
            "old": [row.subscription_id for row in rows],
            "new": [pseudonym("subscription", row.subscription_id) for row in rows],
            "origins": [
                None if row.origin_order_id is None else pseudonym("order", row.origin_order_id) for row in rows
            ],
        }
        return Counter(subscriptions=connection.execute(sql.REDACT_SUBSCRIPTIONS, given).rowcount if rows else 0)

    def _customers(self, connection: sa.Connection) -> Counter[str]:
        return Counter(customers=connection.execute(sql.DELETE_CUSTOMERS, self._who()).rowcount)

    def _deliveries(self) -> None:
        with self._engine.connect() as connection:
            week: date | None = connection.execute(sql.FIRST_WEEK).scalar_one()
        until = self._until if self._everybody else None
        last = datetime.now(UTC).date() + timedelta(days=7)  # the database's clock says in which week something lands
        while week is not None and week <= last:
            after: int | None = 0
            while after is not None:
                start = after

                def work(connection: sa.Connection, week: date = week, start: int = start) -> Counter[str]:
                    nonlocal after
                    forgotten = bodies.Forgotten(connection, self._subjects, self._site.site_id)
                    after, gone = bodies.blank_deliveries(connection, self._site, forgotten, week, start, until)
                    return Counter(raw_events=gone)

                self._batch(work)
            week += timedelta(days=7)

    def _refused(self) -> None:
        place: tuple[datetime, int] | None = (_BEGINNING, 0)
        while place is not None:
            start = place

            def work(connection: sa.Connection, start: tuple[datetime, int] = start) -> Counter[str]:
                nonlocal place
                forgotten = bodies.Forgotten(connection, self._subjects, self._site.site_id)
                place, gone = bodies.blank_refused(connection, self._site, forgotten, start)
                return Counter(refused_events=gone)

            self._batch(work)


def _finish(engine: sa.Engine, request: Any, kind: PrivacyRequest, waiting: int, actor: str) -> Carried:
    raw_id = request.raw_id
    with engine.begin() as connection:
        counts = request_of(connection, raw_id).counts
        if waiting:
            connection.execute(sql.WAIT, {"raw_id": raw_id, "waiting": waiting})
        else:
            connection.execute(sql.DONE, {"raw_id": raw_id, "actor": actor, "note": "carried out by the installation"})
            connection.execute(sql.BLANK_REQUEST, {"week": request.landed_week, "raw_id": raw_id})
            audit.record(
                connection,
                actor=actor,
                action="privacy_request.carried_out",
                subject=f"raw_event:{raw_id}",
                detail={"counts": counts},
                site_id=request.site_id,
            )
    _LOG.info(
        "privacy_request_carried_out", request=raw_id, done=not waiting, waiting=waiting, rows=sum(counts.values())
    )
    return _carried(request, kind, is_done=not waiting, waiting=waiting, counts=counts)


def _carried(request: Any, kind: PrivacyRequest, **rest: Any) -> Carried:
    return Carried(raw_id=request.raw_id, site_key=request.site_key, kind=kind, **rest)
