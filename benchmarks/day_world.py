"""A day of orders for the ledger: who clicked what and when, what was refunded, and what of it is poison."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
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
# The clocks stand still within a step of half an hour, so a step may call as often as all its minutes: 300 in each (google-ads 2.7).
CALLS_IN_A_STEP = 300 * 30
PARTLY_REFUNDED, FULLY_REFUNDED = 0.10, 0.04

_ORDERS = """
WITH given AS (
  SELECT *, nextval(pg_get_serial_sequence('app.conversion_uploads', 'id')) AS upload_id FROM unnest(CAST(:at AS timestamptz[]), CAST(:number AS text[]), CAST(:total AS numeric[]), CAST(:facts AS text[]),
    CAST(:lane AS text[]), CAST(:click AS text[]), CAST(:clicked_at AS timestamptz[]))
    AS g(at, number, total, facts, lane, click, clicked_at)),
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
    transaction_id, sequence, order_id, conversion_at, value, currency, click_kind, click_id, clicked_at, ad_user_data,
    ad_personalization, state, not_before, deadline_at) OVERRIDING SYSTEM VALUE
  SELECT g.upload_id, :now, :site, :assignment, c.id, a.ads_account_id, a.id, 'conversion', :site || '-' || g.number, 0, g.number, g.at,
    g.total, 'EUR', 'gclid', g.click, g.clicked_at, 'granted', 'unknown', 'queued', :now,
    coalesce(g.clicked_at, g.at) + interval '90 days'
  FROM given g JOIN custom c ON c.order_id = g.number
  JOIN app.ads_accounts o ON o.lane = g.lane JOIN app.ads_actions a ON a.ads_account_id = o.id
  RETURNING ads_action_id, transaction_id, id, created_at)
INSERT INTO app.upload_keys (ads_action_id, transaction_id, sequence, upload_id, created_at)
SELECT ads_action_id, transaction_id, 0, id, created_at FROM upload
"""
_REFUNDS = """
WITH told AS (
  INSERT INTO app.order_refunds (site_id, order_id, refund_id, amount, currency, refunded_at)
  SELECT :site, g.number, 'r' || g.number, g.amount, 'EUR', :now
  FROM unnest(CAST(:number AS text[]), CAST(:amount AS numeric[])) AS g(number, amount) RETURNING order_id)
INSERT INTO app.value_changes (site_id, order_id, changed_at) SELECT :site, order_id, :now FROM told ON CONFLICT DO NOTHING
"""


class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """One order of the day, and what became of it in the shop."""

    number: str
    at: datetime
    total: Decimal
    lane: Lane
    click: str
    clicked_at: datetime | None
    refunded: Decimal
    refunded_at: datetime | None

    @property
    def value(self) -> Decimal:
        """What Google should have in the end."""
        return self.total - self.refunded


def seed() -> SandboxSeed:
    """Google's side of it."""
    return SandboxSeed(
        customers=[Customer(customer_id=customer) for customer, _ in CUSTOMERS.values()],
        actions=[Action(customer_id=customer, action_id=action) for customer, action in CUSTOMERS.values()],
        switches=Switches(data_manager_requests_per_minute=CALLS_IN_A_STEP),
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
    total = Decimal(chance.randint(500, 20_000)) / 100
    refunded, fate = Decimal(0), chance.random()
    if fate < FULLY_REFUNDED:
        refunded = total
    elif fate < FULLY_REFUNDED + PARTLY_REFUNDED:
        refunded = (total / chance.randint(2, 5)).quantize(Decimal("0.01"))
    return Sold(
        number=f"{number:06}",
        at=at,
        total=total,
        lane=lane,
        click=click,
        clicked_at=clicked_at if chance.random() < 0.8 else None,
        refunded=refunded,
        refunded_at=at + timedelta(minutes=chance.randint(1, 60 * 30)) if refunded else None,
    )


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
            "at": [one.at for one in sold],
            "number": [one.number for one in sold],
            "total": [one.total for one in sold],
            "facts": [_facts(one) for one in sold],
            "lane": [one.lane.value for one in sold],
            "click": [one.click for one in sold],
            "clicked_at": [one.clicked_at for one in sold],
        }
        with self._engine.begin() as connection:
            connection.execute(sa.text(_ORDERS), values | self._ids | {"now": now})

    def refund(self, sold: Sequence[Sold], now: datetime) -> None:
        """Orders whose money went back."""
        if not sold:
            return
        values = {"number": [one.number for one in sold], "amount": [one.refunded for one in sold]}
        with self._engine.begin() as connection:
            connection.execute(sa.text(_REFUNDS), values | {"site": self.site, "now": now})


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
