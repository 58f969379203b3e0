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
from tests.world import World, insert, send_all

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
        self._world = World(engine.url.render_as_string(hide_password=False), engine)
        self.site = self._world.site("s", "custom", currency=None, time_zone="UTC")
        self.accounts = {
            Lane.GOOGLE_ADS: self.account(ADS_CUSTOMER, Lane.GOOGLE_ADS),
            Lane.DATA_MANAGER: self.account(DM_CUSTOMER, Lane.DATA_MANAGER),
        }
        self.actions: dict[str, int] = {}
        for lane, action in (
            (Lane.GOOGLE_ADS, ADS_ACTION),
            (Lane.GOOGLE_ADS, "7002"),
            (Lane.DATA_MANAGER, DM_ACTION),
            (Lane.DATA_MANAGER, "8002"),
        ):
            self.action(self.accounts[lane], action)
        self.assignment, self.revisions = self._assignment({})

    def account(self, customer_id: str, lane: Lane) -> int:
        """An ads account; its id."""
        return self._world.account(customer_id, lane, name="A", capabilities="{}")

    def action(self, account: int, action_id: str) -> int:
        """An action of an account; its id, which `actions` has from now on, too."""
        with self.engine.begin() as connection:
            row = {"ads_account_id": account, "action_id": action_id, "name": "P"}
            self.actions[action_id] = insert(connection, "app.ads_actions", row)
        return self.actions[action_id]

    def _assignment(self, config: dict[str, Any]) -> tuple[int, tuple[int, int]]:
        """A rule of the site; its assignment's id, and those of its revisions."""
        definition = self._world.definition(f"d{self._serial}", **config)
        assignment = self._world.assignment(self.site, definition, "x")
        (revisions,) = self.rows(
            "SELECT d.id, a.id FROM app.definition_revisions d, app.assignment_revisions a "
            "WHERE d.definition_id = :d AND a.assignment_id = :a",
            d=definition,
            a=assignment,
        )
        return assignment, tuple(revisions)

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
        assignment, revisions = (self.assignment, self.revisions) if config is None else self._assignment(config)
        with self.engine.begin() as connection:
            commerce_event = {
                "occurred_at": at,
                "site_id": self.site,
                "type": event.type.value,
                "key": event.key,
                "evidence_at": at,
                "order_id": number,
                "is_test": False,
                "facts": to_json(event).decode(),
            }
            event_id = insert(connection, "app.commerce_events", commerce_event)
            custom_event = {
                "occurred_at": at,
                "site_id": self.site,
                "assignment_id": assignment,
                "definition_revision_id": revisions[0],
                "assignment_revision_id": revisions[1],
                "commerce_event_id": event_id,
                "dedup_key": event.key,
                "order_id": number,
                "value": row["value"],
                "currency": "EUR",
            }
            row["custom_event_id"] = insert(connection, "app.custom_events", custom_event)
            upload = insert(connection, "app.conversion_uploads", row)
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

    def settle(self, lanes: send.Lanes) -> send.UploadFigures:
        """Run until nothing is due now."""
        return send_all(self.engine, self.settings, lanes, self.clock)

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
