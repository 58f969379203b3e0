"""A ledger to send from: accounts, actions, orders and their conversions, written as the pipeline writes them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.destinations.google_ads.client import Services
from custom_events.destinations.google_ads.lane import GoogleAdsLane
from custom_events.destinations.google_data_manager.client import connect
from custom_events.destinations.google_data_manager.lane import DataManagerLane
from custom_events.ledger import send
from custom_events.settings import Settings
from custom_events.values.conversions import Lane
from custom_events.values.events import CommerceEvent, EventType, Order, to_json
from sandbox.google_ads.click_ids import make_click_id
from sandbox.google_ads.clock import Clock
from sandbox.google_ads.seed import Action, Customer, SandboxSeed
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.arrivals import Arrivals
from tests.ledger.history import History

NOW = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)
ADS_CUSTOMER, DM_CUSTOMER = "1234567890", "2345678901"
ADS_ACTION, DM_ACTION = "7001", "8001"


def sandbox_seed() -> SandboxSeed:
    return SandboxSeed(
        customers=[Customer(customer_id=ADS_CUSTOMER), Customer(customer_id=DM_CUSTOMER, allowlisted=False)],
        actions=[
            Action(customer_id=ADS_CUSTOMER, action_id=ADS_ACTION),
            Action(customer_id=ADS_CUSTOMER, action_id="7002", name="Subscription"),
            Action(customer_id=DM_CUSTOMER, action_id=DM_ACTION),
            Action(customer_id=DM_CUSTOMER, action_id="8002", name="Subscription"),
        ],
    )


class Clocked:
    """The product's clock: stands still until a test moves it, and takes the sandbox's with it."""

    def __init__(self, google: Clock) -> None:
        self._google = google
        self._google.freeze(NOW)
        self.moment = NOW

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **step: float) -> None:
        self.moment += timedelta(**step)
        self._google.move(timedelta(**step))


@pytest.fixture
def google(sandbox_google: SandboxGoogle) -> SandboxGoogle:
    """The sandbox with our two accounts: one that may import over the Google Ads API, one that may not."""
    sandbox_google.state.reset(sandbox_seed())
    return sandbox_google


@pytest.fixture
def clock(google: SandboxGoogle) -> Iterator[Clocked]:
    yield Clocked(google.clock)
    google.clock.run()


@pytest.fixture(scope="session")
def _services(_google: SandboxGoogle) -> Services:
    from google.oauth2.credentials import Credentials

    return Services(Credentials(token="a-token"), _google.grpc_endpoint, None)


@pytest.fixture(scope="session")
def _ingestion(_google: SandboxGoogle) -> dict[str, Any]:
    from google.oauth2.credentials import Credentials

    return {
        "grpc": connect(Credentials(token="a-token"), _google.grpc_endpoint),
        "rest": connect(Credentials(token="a-token"), _google.http_url),
    }


@pytest.fixture
def lanes(_services: Services, _ingestion: dict[str, Any]) -> send.Lanes:
    """The real clients against the sandbox; the Data Manager's over gRPC."""
    return {
        Lane.GOOGLE_ADS: GoogleAdsLane(lambda _account: _services),
        Lane.DATA_MANAGER: DataManagerLane(lambda: _ingestion["grpc"]),
    }


@pytest.fixture
def rest_lanes(lanes: send.Lanes, _ingestion: dict[str, Any]) -> send.Lanes:
    """The same, the Data Manager's over REST."""
    return {**lanes, Lane.DATA_MANAGER: DataManagerLane(lambda: _ingestion["rest"])}


class Ledger:
    """One site with a purchase assignment per account, and a way to put orders in."""

    def __init__(self, engine: sa.Engine, clock: Clocked) -> None:
        self.engine = engine
        self.clock = clock
        self.settings = Settings(
            upload_batch_size=2_000, upload_timeout_s=10, upload_lease_s=60, upload_verdict_s=1_800
        )
        self._serial = 0
        with engine.begin() as connection:
            self.site = self._scalar(
                connection, "INSERT INTO app.sites (site_key, platform, name) VALUES ('s', 'custom', 'S') RETURNING id"
            )
            self.accounts = {
                Lane.GOOGLE_ADS: self.account(connection, ADS_CUSTOMER, "google_ads"),
                Lane.DATA_MANAGER: self.account(connection, DM_CUSTOMER, "data_manager"),
            }
            self.actions = {
                ADS_ACTION: self.action(connection, self.accounts[Lane.GOOGLE_ADS], ADS_ACTION),
                "7002": self.action(connection, self.accounts[Lane.GOOGLE_ADS], "7002"),
                DM_ACTION: self.action(connection, self.accounts[Lane.DATA_MANAGER], DM_ACTION),
                "8002": self.action(connection, self.accounts[Lane.DATA_MANAGER], "8002"),
            }
            self.assignment, self.revisions = self._assignment(connection, {"trigger": ["order.paid"]})

    @staticmethod
    def _scalar(connection: sa.Connection, statement: str, **values: Any) -> int:
        return connection.execute(sa.text(statement), values).scalar_one()

    def account(self, connection: sa.Connection, customer_id: str, lane: str) -> int:
        return self._scalar(
            connection,
            "INSERT INTO app.ads_accounts (customer_id, name, lane, capabilities) VALUES (:c, 'A', :l, '{}') RETURNING id",
            c=customer_id,
            l=lane,
        )

    def action(self, connection: sa.Connection, account: int, action_id: str) -> int:
        return self._scalar(
            connection,
            "INSERT INTO app.ads_actions (ads_account_id, action_id, name) VALUES (:a, :i, 'P') RETURNING id",
            a=account,
            i=action_id,
        )

    def _assignment(self, connection: sa.Connection, config: dict[str, Any]) -> tuple[int, tuple[int, int]]:
        import json

        key = f"d{self._serial}"
        definition = self._scalar(
            connection, "INSERT INTO app.custom_event_definitions (key, name) VALUES (:k, 'D') RETURNING id", k=key
        )
        first = self._scalar(
            connection,
            "INSERT INTO app.definition_revisions (definition_id, number, state, config, author) "
            "VALUES (:d, 1, 'published', CAST(:c AS jsonb), 'test') RETURNING id",
            d=definition,
            c=json.dumps(config),
        )
        assignment = self._scalar(
            connection,
            "INSERT INTO app.site_custom_events (site_id, definition_id, label) VALUES (:s, :d, 'x') RETURNING id",
            s=self.site,
            d=definition,
        )
        second = self._scalar(
            connection,
            "INSERT INTO app.assignment_revisions (assignment_id, number, state, overrides, author) "
            "VALUES (:a, 1, 'published', '{}', 'test') RETURNING id",
            a=assignment,
        )
        return assignment, (first, second)

    def gclid(self, customer: str = ADS_CUSTOMER, hours_before: float = 30, kind: str = "gclid") -> str:
        self._serial += 1
        return make_click_id(kind, customer, self.clock() - timedelta(hours=hours_before), self._serial)

    def orders(self, count: int, lane: Lane = Lane.GOOGLE_ADS, **changes: Any) -> list[int]:
        """`count` paid orders of 100.00 EUR with a click of yesterday, queued; their upload ids."""
        return [self.order(lane=lane, **changes) for _ in range(count)]

    def order(
        self,
        *,
        order_id: str | None = None,
        lane: Lane = Lane.GOOGLE_ADS,
        action: str | None = None,
        config: dict[str, Any] | None = None,
        total: str = "100.00",
        event_type: EventType = EventType.ORDER_PAID,
        **columns: Any,
    ) -> int:
        """One order with its commerce event, custom event and conversion; `columns` replace the conversion's."""
        self._serial += 1
        number = order_id or f"o-{self._serial}"
        ads = lane is Lane.GOOGLE_ADS
        action = action or (ADS_ACTION if ads else DM_ACTION)
        at = columns.pop("conversion_at", self.clock() - timedelta(hours=20))
        event = CommerceEvent(
            type=event_type,
            key=f"{event_type}:{number}",
            occurred_at=at,
            evidence_at=at,
            order=Order(id=number, created_at=at, updated_at=at, currency="EUR", total=Decimal(total)),
        )
        row: dict[str, Any] = {
            "created_at": self.clock(),
            "site_id": self.site,
            "assignment_id": self.assignment,
            "ads_account_id": self.accounts[lane],
            "ads_action_id": self.actions[action],
            "kind": "conversion",
            "transaction_id": number,
            "sequence": 0,
            "order_id": number,
            "conversion_at": at,
            "value": Decimal(total),
            "currency": "EUR",
            "click_kind": "gclid",
            "click_id": self.gclid(ADS_CUSTOMER if ads else DM_CUSTOMER),
            "clicked_at": self.clock() - timedelta(hours=30),
            "ad_user_data": "granted",
            "ad_personalization": "unknown",
            "state": "queued",
            "not_before": self.clock(),
            "deadline_at": at + timedelta(days=60),
        } | columns
        with self.engine.begin() as connection:
            assignment, revisions = self.assignment, self.revisions
            if config is not None:
                assignment, revisions = self._assignment(connection, config)
            event_id = self._scalar(
                connection,
                "INSERT INTO app.commerce_events (occurred_at, site_id, type, key, evidence_at, order_id, is_test, facts) "
                "VALUES (:at, :s, :t, :k, :at, :o, false, CAST(:f AS json)) RETURNING id",
                at=at, s=self.site, t=event.type.value, k=event.key, o=number, f=to_json(event).decode(),
            )  # fmt: skip
            row["custom_event_id"] = self._scalar(
                connection,
                "INSERT INTO app.custom_events (occurred_at, site_id, assignment_id, definition_revision_id, "
                "assignment_revision_id, commerce_event_id, dedup_key, order_id, value, currency) "
                "VALUES (:at, :s, :a, :d, :r, :e, :k, :o, :v, 'EUR') RETURNING id",
                at=at, s=self.site, a=assignment, d=revisions[0], r=revisions[1], e=event_id, k=event.key, o=number,
                v=row["value"],
            )  # fmt: skip
            names = ", ".join(row)
            marks = ", ".join(f":{name}" for name in row)
            upload = self._scalar(
                connection, f"INSERT INTO app.conversion_uploads ({names}) VALUES ({marks}) RETURNING id", **row
            )
            connection.execute(
                sa.text("UPDATE app.custom_events SET upload_id = :u, created_at = :c WHERE id = :e"),
                {"u": upload, "c": row["created_at"], "e": row["custom_event_id"]},
            )
            connection.execute(
                sa.text("INSERT INTO app.upload_keys VALUES (:a, :t, 0, :u, :c)"),
                {"a": row["ads_action_id"], "t": row["transaction_id"], "u": upload, "c": row["created_at"]},
            )
        return upload

    def refund(self, order_id: str, amount: str, refund_id: str | None = None) -> None:
        """A refund, as the pipeline leaves it: in the union of refunds, and as a changed value."""
        self._serial += 1
        with self.engine.begin() as connection:
            connection.execute(
                sa.text("INSERT INTO app.order_refunds VALUES (:s, :o, :r, :a, 'EUR', :t)"),
                {
                    "s": self.site,
                    "o": order_id,
                    "r": refund_id or f"r{self._serial}",
                    "a": Decimal(amount),
                    "t": self.clock(),
                },
            )
            self._changed(connection, order_id)

    def cancel(self, order_id: str) -> None:
        """A cancellation, likewise."""
        with self.engine.begin() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO app.orders (site_id, order_id, cancelled_at) VALUES (:s, :o, :t) "
                    "ON CONFLICT (site_id, order_id) DO UPDATE SET cancelled_at = excluded.cancelled_at"
                ),
                {"s": self.site, "o": order_id, "t": self.clock()},
            )
            self._changed(connection, order_id)

    def _changed(self, connection: sa.Connection, order_id: str) -> None:
        connection.execute(
            sa.text("INSERT INTO app.value_changes VALUES (:s, :o, :t) ON CONFLICT DO NOTHING"),
            {"s": self.site, "o": order_id, "t": self.clock()},
        )

    def once(self, lanes: send.Lanes) -> send.UploadFigures:
        return send.run_once(self.engine, self.settings, lanes=lanes, clock=self.clock)

    def settle(self, lanes: send.Lanes, steps: int = 40) -> send.UploadFigures:
        """Run until nothing is due now."""
        total = send.UploadFigures()
        for _ in range(steps):
            figures = self.once(lanes)
            if figures.idle:
                return total
            total.add(figures)
        raise AssertionError(f"not settled after {steps} steps: {self.states()}")

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.engine.begin() as connection:
            return list(connection.execute(sa.text(statement), values).all())

    def do(self, statement: str, **values: Any) -> int:
        with self.engine.begin() as connection:
            return connection.execute(sa.text(statement), values).rowcount

    def states(self) -> dict[str, int]:
        return dict(self.rows("SELECT state, count(*) FROM app.conversion_uploads GROUP BY state"))

    def upload(self, upload_id: int) -> Any:
        return self.rows("SELECT * FROM app.conversion_uploads WHERE id = :u", u=upload_id)[0]

    def of_order(self, order_id: str) -> list[Any]:
        return self.rows(
            "SELECT * FROM app.conversion_uploads WHERE order_id = :o ORDER BY custom_event_id, sequence", o=order_id
        )


@pytest.fixture
def ledger(engine: sa.Engine, clock: Clocked, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A ledger whose every answer must be found afterwards, whatever the test did."""
    history = History(monkeypatch)
    made = Ledger(engine, clock)
    yield made
    history.check(engine, clock())


@pytest.fixture
def arrivals(google: SandboxGoogle, monkeypatch: pytest.MonkeyPatch) -> Arrivals:
    """What comes in at the sandbox, row by row."""
    del google
    return Arrivals(monkeypatch)


def at_google(google: SandboxGoogle) -> dict[str, float]:
    """Order id -> value that Google counts now."""
    with google.state.lock:
        return {
            conversion.order_id or "": 0.0 if conversion.retracted else conversion.value
            for conversion in google.state.conversions
        }


@pytest.fixture(name="at_google")
def _at_google(google: SandboxGoogle) -> Any:
    return lambda: at_google(google)
