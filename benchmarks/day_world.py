"""A day of orders for the ledger: who clicked what and when, what was refunded, and what of it is poison."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec
import sqlalchemy as sa

from custom_events.values.conversions import Lane
from custom_events.values.events import CommerceEvent, EventType, Order, to_json
from sandbox.google_ads.click_ids import make_click_id
from sandbox.google_ads.seed import Action, Customer, SandboxSeed
from sandbox.google_ads.switches import Switches

BEGIN = datetime(2026, 10, 20, tzinfo=UTC)
SEED = 20_261_020
CUSTOMERS = {Lane.GOOGLE_ADS: ("1234567890", "7001"), Lane.DATA_MANAGER: ("2345678901", "8001")}
DATA_MANAGER_SHARE, POISON_SHARE, STRANGER_SHARE = 0.3, 0.02, 0.01
# Orders with a hashed e-mail beside the click, and with one alone, of somebody who clicked nothing.
HASHED_SHARE, HASH_ALONE_SHARE = 0.3, 0.02
# The clocks stand still within a step of half an hour, so a step may call as often as all its minutes: 300 in each
# (docs/reference/google-ads.md 2.7).
CALLS_IN_A_STEP = 300 * 30
PARTLY_REFUNDED, FULLY_REFUNDED = 0.10, 0.04
# What stores undo: a refund that is deleted or turns out smaller, a cancellation that is taken back or stays, an exchange for less.
REFUND_DELETED, REFUND_SHRINKS, UNCANCELLED, CANCELLED, EXCHANGED = 0.03, 0.02, 0.03, 0.03, 0.03
NEWS_WITHIN = timedelta(
    hours=30
)  # of the order; a cancellation is taken back sooner than its retraction goes (24 hours)

_ORDERS = """
WITH given AS (
  SELECT *, nextval(pg_get_serial_sequence('app.conversion_uploads', 'id')) AS upload_id FROM unnest(CAST(:at AS timestamptz[]), CAST(:number AS text[]), CAST(:total AS numeric[]), CAST(:facts AS text[]),
    CAST(:customer AS text[]), CAST(:click AS text[]), CAST(:clicked_at AS timestamptz[]), CAST(:email AS text[]))
    AS g(at, number, total, facts, customer, click, clicked_at, email)),
event AS (
  INSERT INTO app.commerce_events (occurred_at, site_id, type, key, evidence_at, order_id, is_test, facts)
  SELECT at, :site, 'order.paid', 'order.paid:' || number, at, number, false, CAST(facts AS json) FROM given
  RETURNING id, order_id),
custom AS (
  INSERT INTO app.custom_events (occurred_at, site_id, assignment_id, definition_revision_id, assignment_revision_id,
    commerce_event_id, dedup_key, order_id, value, currency, created_at, upload_id)
  SELECT g.at, :site, :assignment, :definition_revision, :assignment_revision, e.id, 'o:' || g.number, g.number, g.total, 'EUR',
    :now, g.upload_id
  FROM given g JOIN event e ON e.order_id = g.number
  RETURNING id, order_id),
upload AS (
  INSERT INTO app.conversion_uploads (id, created_at, site_id, assignment_id, custom_event_id, ads_account_id, ads_action_id, kind,
    transaction_id, sequence, order_id, conversion_at, value, currency, click_kind, click_id, clicked_at, email_sha256, ad_user_data,
    ad_personalization, state, not_before, deadline_at) OVERRIDING SYSTEM VALUE
  SELECT g.upload_id, :now, :site, :assignment, c.id, a.ads_account_id, a.id, 'conversion', :site || '-' || g.number, 0, g.number, g.at,
    g.total, 'EUR', CASE WHEN g.click IS NOT NULL THEN 'gclid' END, g.click, g.clicked_at, g.email, 'granted', 'unknown', 'queued', :now,
    CASE WHEN g.click IS NULL THEN g.at + interval '63 days' ELSE coalesce(g.clicked_at, g.at) + interval '90 days' END
  FROM given g JOIN custom c ON c.order_id = g.number
  JOIN app.ads_accounts o ON o.customer_id = g.customer JOIN app.ads_actions a ON a.ads_account_id = o.id
  RETURNING ads_action_id, transaction_id, id, created_at)
INSERT INTO app.upload_keys (ads_action_id, transaction_id, sequence, upload_id, created_at)
SELECT ads_action_id, transaction_id, 0, id, created_at FROM upload
"""
_NEWS = """
WITH given AS (
  SELECT * FROM unnest(CAST(:number AS text[]), CAST(:total AS numeric[]), CAST(:refunded AS numeric[]), CAST(:current_total AS numeric[]),
    CAST(:is_cancelled AS boolean[])) AS g(number, total, refunded, current_total, is_cancelled)),
refunds AS (
  INSERT INTO app.order_refunds AS r (site_id, order_id, refund_id, amount, currency, refunded_at)
  SELECT :site, number, 'r' || number, refunded, 'EUR', :now FROM given
  ON CONFLICT (site_id, order_id, refund_id) DO UPDATE SET amount = excluded.amount),
orders AS (
  INSERT INTO app.orders AS o (site_id, order_id, currency, total, current_total, cancelled_at)
  SELECT :site, number, 'EUR', total, current_total, CASE WHEN is_cancelled THEN CAST(:now AS timestamptz) END FROM given
  ON CONFLICT (site_id, order_id) DO UPDATE SET current_total = excluded.current_total, cancelled_at = excluded.cancelled_at)
INSERT INTO app.value_changes (site_id, order_id, changed_at) SELECT :site, number, :now FROM given ON CONFLICT DO NOTHING
"""


class News(msgspec.Struct, frozen=True, kw_only=True):
    """How an order stands from a moment on: all that was given back, what the store says it is worth now, whether it is cancelled."""

    at: datetime
    refunded: Decimal = Decimal(0)
    current_total: Decimal | None = None
    is_cancelled: bool = False


class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """One order of the day, and what became of it in the shop, the newest last. `lane`: the one that its account has when the day
    begins."""

    number: str
    at: datetime
    total: Decimal
    lane: Lane
    click: str | None
    clicked_at: datetime | None
    news: tuple[News, ...] = ()
    email: str | None = None  # hashed

    @property
    def value(self) -> Decimal:
        """What Google should have in the end."""
        if not self.news:
            return self.total
        last = self.news[-1]
        return Decimal(0) if last.is_cancelled else (last.current_total or self.total) - last.refunded


def seed() -> SandboxSeed:
    """Google's side of it."""
    return SandboxSeed(
        customers=[Customer(customer_id=customer) for customer, _ in CUSTOMERS.values()],
        actions=[Action(customer_id=customer, action_id=action) for customer, action in CUSTOMERS.values()],
        # Neither API knows what the other one was sent: whatever goes by the wrong one counts twice, or adjusts nothing.
        switches=Switches(
            data_manager_requests_per_minute=CALLS_IN_A_STEP,
            order_ids_shared_between_apis=False,
            data_manager_conversions_adjustable=False,
        ),
    )


def day(orders: int) -> list[Sold]:
    """`orders` orders, spread over 24 hours from BEGIN; always the same."""
    chance = random.Random(SEED)
    return [_sold(number, orders, chance) for number in range(orders)]


def _sold(number: int, orders: int, chance: random.Random) -> Sold:
    at = BEGIN + timedelta(days=1) * number / orders
    lane = Lane.DATA_MANAGER if chance.random() < DATA_MANAGER_SHARE else Lane.GOOGLE_ADS
    clicked_at = at - timedelta(minutes=chance.randint(1, 60 * 48))
    click = make_click_id("gclid", CUSTOMERS[lane][0], clicked_at, number)
    fate = chance.random()
    if fate < POISON_SHARE:
        click = f"truncated-{number}"  # decodes to nothing
    elif fate < POISON_SHARE + STRANGER_SHARE:
        click = make_click_id(
            "gclid", "9999999999", clicked_at, number
        )  # of an account that Google does not tie to ours
    email = sha256(str(number).encode()).hexdigest() if chance.random() < HASHED_SHARE else None
    alone = email is not None and chance.random() < HASH_ALONE_SHARE / HASHED_SHARE
    total = Decimal(chance.randint(500, 20_000)) / 100
    return Sold(
        number=f"{number:06}",
        at=at,
        total=total,
        lane=lane,
        click=None if alone else click,
        clicked_at=clicked_at if chance.random() < 0.8 and not alone else None,
        email=email,
        news=_news(at, total, chance),
    )


def _news(at: datetime, total: Decimal, chance: random.Random) -> tuple[News, ...]:
    """What becomes of an order: mostly nothing."""
    first = at + timedelta(minutes=chance.randint(1, int(NEWS_WITHIN / timedelta(minutes=2))))
    later = first + timedelta(minutes=chance.randint(1, int(NEWS_WITHIN / timedelta(minutes=2))))
    part = (total / chance.randint(2, 5)).quantize(Decimal("0.01"))
    fates = (
        (FULLY_REFUNDED, (News(at=first, refunded=total),)),
        (PARTLY_REFUNDED, (News(at=first, refunded=part),)),
        (REFUND_DELETED, (News(at=first, refunded=part), News(at=later))),
        (REFUND_SHRINKS, (News(at=first, refunded=part), News(at=later, refunded=part / 2))),
        (UNCANCELLED, (News(at=first, is_cancelled=True), News(at=later))),
        (CANCELLED, (News(at=first, refunded=part), News(at=later, refunded=part, is_cancelled=True))),
        (EXCHANGED, (News(at=first, current_total=part),)),
    )
    fate = chance.random()
    for share, news in fates:
        if fate < share:
            return tuple(
                msgspec.structs.replace(state, refunded=state.refunded.quantize(Decimal("0.01"))) for state in news
            )
        fate -= share
    return ()


class Shop:
    """One site with one assignment for each lane's account, and orders as the pipeline leaves them in the ledger."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        with engine.begin() as connection:
            self._ids = {
                "site": _one(
                    connection,
                    "INSERT INTO app.sites (site_key, platform, name) VALUES ('day', 'custom', 'A day') RETURNING id",
                )
            }
            for lane, (customer, action) in CUSTOMERS.items():
                account = _one(
                    connection,
                    "INSERT INTO app.ads_accounts (customer_id, name, lane) VALUES (:c, 'A', :l) RETURNING id",
                    c=customer,
                    l=lane.value,
                )
                _one(
                    connection,
                    "INSERT INTO app.ads_actions (ads_account_id, action_id, name) VALUES (:a, :i, 'P') RETURNING id",
                    a=account,
                    i=action,
                )
            definition = _one(
                connection, "INSERT INTO app.custom_event_definitions (key, name) VALUES ('p', 'P') RETURNING id"
            )
            self._ids["definition_revision"] = _one(
                connection,
                "INSERT INTO app.definition_revisions (definition_id, number, state, config, author) "
                "VALUES (:d, 1, 'published', CAST(:config AS jsonb), 'day') RETURNING id",
                d=definition,
                config='{"trigger": ["order.paid"]}',
            )
            self._ids["assignment"] = _one(
                connection,
                "INSERT INTO app.site_custom_events (site_id, definition_id, label) VALUES (:s, :d, 'x') RETURNING id",
                s=self._ids["site"],
                d=definition,
            )
            self._ids["assignment_revision"] = _one(
                connection,
                "INSERT INTO app.assignment_revisions (assignment_id, number, state, overrides, author) "
                "VALUES (:a, 1, 'published', '{}', 'day') RETURNING id",
                a=self._ids["assignment"],
            )

    @property
    def site(self) -> int:
        """sites.id"""
        return self._ids["site"]

    def sell(self, sold: Sequence[Sold], now: datetime) -> None:
        """Orders that were paid."""
        if not sold:
            return
        values: dict[str, Any] = {
            "at": [order.at for order in sold],
            "number": [order.number for order in sold],
            "total": [order.total for order in sold],
            "facts": [_facts(order) for order in sold],
            "customer": [CUSTOMERS[order.lane][0] for order in sold],
            "email": [order.email for order in sold],
            "click": [order.click for order in sold],
            "clicked_at": [order.clicked_at for order in sold],
        }
        with self._engine.begin() as connection:
            connection.execute(sa.text(_ORDERS), values | self._ids | {"now": now})

    def change_lanes(self, lanes: Mapping[Lane, Lane]) -> None:
        """From now on the account of the first lane uses the second."""
        with self._engine.begin() as connection:
            for account, lane in lanes.items():
                values = {"lane": lane.value, "customer": CUSTOMERS[account][0]}
                connection.execute(
                    sa.text("UPDATE app.ads_accounts SET lane = :lane WHERE customer_id = :customer"), values
                )

    def tell(self, news: Mapping[str, tuple[Sold, News]], now: datetime) -> None:
        """How orders stand now, by their numbers."""
        if not news:
            return
        states = [state for _, state in news.values()]
        values: dict[str, Any] = {
            "number": list(news),
            "total": [sold.total for sold, _ in news.values()],
            "refunded": [state.refunded for state in states],
            "current_total": [state.current_total for state in states],
            "is_cancelled": [state.is_cancelled for state in states],
        }
        with self._engine.begin() as connection:
            connection.execute(sa.text(_NEWS), values | {"site": self.site, "now": now})


def _facts(sold: Sold) -> str:
    order = Order(id=sold.number, created_at=sold.at, updated_at=sold.at, currency="EUR", total=sold.total)
    event = CommerceEvent(
        type=EventType.ORDER_PAID,
        key=f"order.paid:{sold.number}",
        occurred_at=sold.at,
        evidence_at=sold.at,
        order=order,
    )
    return to_json(event).decode()


def _one(connection: sa.Connection, statement: str, **values: Any) -> int:
    return int(connection.execute(sa.text(statement), values).scalar_one())
