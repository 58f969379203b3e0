"""A day of orders with everything going wrong a few per cent of the time: does every conversion end right at Google?

    python -m benchmarks.day [--orders N]

Connections break before and after the rows were taken, Google is out of quota, rows fail, click ids are rubbish, verdicts come
half an hour late, refunds are deleted or shrink, orders are cancelled, taken up again and exchanged, whole requests are refused for reasons that nobody knows, our own lanes raise, the grant is revoked for an hour,
the terms for hashed data are not accepted for six, and both accounts change their API twice. Both clocks, ours and the sandbox's, are
moved by hand, so some days pass in a minute. In the end every order's conversion is in the sandbox exactly once with the value after refunds, or the
ledger says why not; and the sums agree. tests/ledger/test_day.py runs it with 2,000 orders.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from benchmarks.day_lanes import raising
from benchmarks.day_world import BEGIN, CALLS_IN_A_STEP, Shop, Sold, day, seed
from custom_events.ledger import send
from custom_events.settings import Settings
from custom_events.values.conversions import Lane
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.seed import Token
from sandbox.google_ads.server import SandboxGoogle
from sandbox.google_ads.state import Conversion

ORDERS: Final = 100_000
STEP: Final = timedelta(minutes=30)
CALM: Final = timedelta(hours=56)  # the last news came 30 hours after the last orders; from then on no faults
LATER_STEP: Final = timedelta(hours=2)
LONGEST: Final = timedelta(days=14)  # what waits longer than this after the day is a fault
TOKEN: Final = "a-token"
REVOKED_FROM, REVOKED_UNTIL = timedelta(hours=10), timedelta(hours=11)
NO_TERMS_FROM, NO_TERMS_UNTIL = timedelta(hours=12), timedelta(hours=18)
# When both accounts use the other one's API, and when their own again.
SWAPPED_FROM, SWAPPED_UNTIL = timedelta(hours=8), timedelta(hours=20)
FAULTS: Final = (
    Fault(kind=FaultKind.UNAVAILABLE, probability=0.03),
    Fault(kind=FaultKind.INTERNAL, probability=0.03),
    Fault(kind=FaultKind.APPLY_THEN_DROP, probability=0.04),
    Fault(kind=FaultKind.DEADLINE, probability=0.02),
    Fault(kind=FaultKind.CONNECTION_RESET, probability=0.01),
    Fault(kind=FaultKind.QUOTA_RATE, probability=0.03, seconds=30),
    Fault(kind=FaultKind.ROW_TRANSIENT_ERROR, probability=0.01),
    Fault(kind=FaultKind.ROW_INTERNAL_ERROR, probability=0.01, after_apply=True),
    Fault(kind=FaultKind.UNKNOWN_REASON, probability=0.03),
    Fault(kind=FaultKind.NO_REASON, probability=0.01),
    Fault(kind=FaultKind.ROW_UNKNOWN_REASON, probability=0.002),
)
WAITING: Final = frozenset({"new", "held", "queued", "claimed", "sent", "unknown"})
RESULT = Path(".local/bench/day.json")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in the end. `wrong` are sentences, and has to be empty."""

    orders: int
    at_google: int
    value_at_google: Decimal
    reasons: dict[str, int]  # why orders have no conversion at Google, or another value
    states: dict[str, int]
    requests: int
    faults: dict[str, int]
    raised: dict[str, int]  # by our own lanes, by method
    wrong: list[str]


class _Day:
    """Both clocks and the faults."""

    def __init__(self, google: SandboxGoogle) -> None:
        self._google = google
        self.now = BEGIN
        google.state.reset(seed())
        google.clock.freeze(BEGIN)
        for fault in FAULTS:
            google.state.faults.arm(msgspec.structs.replace(fault))

    def __call__(self) -> datetime:
        return self.now

    def forward(self, step: timedelta) -> None:
        self.now += step
        self._google.clock.move(step)
        passed = self.now - BEGIN
        with self._google.state.lock:
            revoked = REVOKED_FROM <= passed < REVOKED_UNTIL
            self._google.state.tokens[TOKEN] = Token(token=TOKEN, status="REVOKED" if revoked else "GOOD")
            for customer in self._google.state.customers.values():
                customer.terms_accepted = not NO_TERMS_FROM <= passed < NO_TERMS_UNTIL


def run(engine: sa.Engine, google: SandboxGoogle, lanes: send.Lanes, orders: int) -> Report:
    """The day on an empty, migrated database; `lanes` send with the token TOKEN into `google`."""
    sold = day(orders)
    clock, shop = _Day(google), Shop(engine)
    lanes = raising(lanes)
    settings = Settings(  # pyright: ignore[reportCallIssue]  (the other fields have defaults)
        upload_batch_size=max(20, min(2_000, orders // 50)),
        upload_lease_s=60,
        upload_timeout_s=30,
        upload_account_calls_per_minute=10 * CALLS_IN_A_STEP,  # a tenth goes at once
        google_ads_operations_per_minute=10 * CALLS_IN_A_STEP,
        data_manager_requests_per_minute=CALLS_IN_A_STEP,
    )
    every = [(order, news) for order in sold for news in order.news]
    every.sort(key=lambda pair: pair[1].at)
    since = BEGIN
    while clock.now - BEGIN < LONGEST:
        over = clock.now - BEGIN >= CALM
        if over and since < clock.now and not _waiting(engine):
            break
        since = clock.now
        clock.forward(LATER_STEP if over else STEP)
        for moment, swap in ((SWAPPED_FROM, True), (SWAPPED_UNTIL, False)):
            if since < BEGIN + moment <= clock.now:
                shop.change_lanes({lane: _other(lane) if swap else lane for lane in Lane})
        shop.sell([order for order in sold if since <= order.at < clock.now], clock.now)
        shop.tell({order.number: (order, news) for order, news in every if since <= news.at < clock.now}, clock.now)
        if clock.now - BEGIN >= CALM:
            google.state.faults.disarm()
            for lane in lanes.values():
                lane.armed = False
        _settle(engine, settings, lanes, clock)
    raised = sum((lane.fired for lane in lanes.values()), Counter[str]())
    return report(engine, google, sold, raised)


def _other(lane: Lane) -> Lane:
    return Lane.DATA_MANAGER if lane is Lane.GOOGLE_ADS else Lane.GOOGLE_ADS


def _settle(engine: sa.Engine, settings: Settings, lanes: send.Lanes, clock: _Day) -> None:
    """Send until nothing is due now: as the product does, in a line with answers being written meanwhile; then one by one, as
    the pipeline runs maintenance once a second and these hours pass faster."""
    send.drain(engine, settings, until_idle_s=0, limit_s=LONGEST.total_seconds(), lanes=lanes, clock=clock)
    while not send.run_once(engine, settings, lanes=lanes, clock=clock).idle:
        pass


def _waiting(engine: sa.Engine) -> int:
    statement = "SELECT count(*) FROM app.conversion_uploads WHERE state = ANY(:states)"
    with engine.connect() as connection:
        return int(connection.execute(sa.text(statement), {"states": sorted(WAITING)}).scalar_one())


def report(engine: sa.Engine, google: SandboxGoogle, sold: Sequence[Sold], raised: Mapping[str, int]) -> Report:
    """Lay the shop's orders, the ledger and the sandbox beside each other."""
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT order_id, transaction_id, sequence, state, reason FROM app.conversion_uploads ORDER BY sequence"
            )
        ).all()
        requests = int(connection.execute(sa.text("SELECT count(*) FROM app.upload_requests")).scalar_one())
    ledger: dict[str, list[Any]] = {}
    for row in rows:
        ledger.setdefault(row.order_id, []).append(row)
    there: dict[str, list[Conversion]] = {}
    with google.state.lock:
        for conversion in google.state.conversions:
            there.setdefault(conversion.order_id or "", []).append(conversion)
        fired = dict(google.state.faults.fired)
    wrong: list[str] = []
    reasons: Counter[str] = Counter()
    value = Decimal(0)
    for order in sold:
        of_order = ledger.get(order.number, [])
        conversions = there.pop(of_order[0].transaction_id, []) if of_order else []
        value += sum((_value(conversion) for conversion in conversions), Decimal(0))
        fault, reason = judged(order, of_order, conversions)
        if fault is not None:
            wrong.append(f"order {order.number}: {fault}")
        elif reason is not None:
            reasons[reason] += 1
    wrong += [f"{name}: at Google, and nobody sold it" for name in there]
    states = Counter(row.state for row in rows if row.sequence == 0)
    at_google = len(sold) - sum(reasons.values()) - len(wrong)
    if states.total() != len(sold):
        wrong.append(f"{len(sold)} orders, but {states.total()} conversions in the ledger")
    return Report(
        orders=len(sold),
        at_google=at_google,
        value_at_google=value,
        reasons=dict(reasons),
        states=dict(states),
        requests=requests,
        faults=fired,
        raised=dict(raised),
        wrong=wrong,
    )


def judged(sold: Sold, rows: Sequence[Any], conversions: Sequence[Conversion]) -> tuple[str | None, str | None]:
    """What is wrong with one order (None: nothing), and the stated reason why Google has not its value (None: it has)."""
    if not rows:
        return "not in the ledger", None
    if any(row.state in WAITING for row in rows):
        return f"still waiting: {[(row.state, row.reason) for row in rows]}", None
    if len(conversions) > 1:
        return f"{len(conversions)} times at Google", None
    if conversions and _value(conversions[0]) == sold.value:
        return None, None
    reason = next((row.reason for row in reversed(rows) if row.reason is not None), None)
    if conversions and rows[-1].state == "accepted":
        return f"{_value(conversions[0])} at Google, not {sold.value}", None
    if not conversions and rows[0].state == "accepted" and rows[0].reason is None:
        return "accepted, but not at Google", None
    return (None, reason) if reason is not None else ("no reason stated", None)


def _value(conversion: Conversion) -> Decimal:
    return Decimal(0) if conversion.retracted else Decimal(str(round(conversion.value, 2)))


def main() -> int:
    """From the command line; 0 when nothing is wrong."""
    parser = argparse.ArgumentParser(description="A day of orders with every fault armed.")
    parser.add_argument("--quick", action="store_true", help="200 orders, only to see that everything works")
    parser.add_argument("--orders", type=int, default=ORDERS)
    chosen = parser.parse_args()
    began, busy = time.perf_counter(), time.process_time()
    result = alone(200 if chosen.quick else chosen.orders)
    took = {"seconds": round(time.perf_counter() - began, 1), "cpu_seconds": round(time.process_time() - busy, 1)}
    verdict = {"ratios": {"wrong": len(result.wrong)}, "targets": {"wrong": 0}, "reached": {"wrong": not result.wrong}}
    document = msgspec.to_builtins(result, str_keys=True) | took | verdict
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(document, indent=2) + "\n")
    print(json.dumps(document | {"wrong": result.wrong[:20]}, indent=2))
    return 1 if result.wrong else 0


def alone(orders: int) -> Report:
    """The day with a server and a sandbox of its own."""
    import os

    from google.oauth2.credentials import Credentials

    from custom_events.destinations.google_ads.client import Services
    from custom_events.destinations.google_ads.lane import GoogleAdsLane
    from custom_events.destinations.google_data_manager.client import connect as connect_ingestion
    from custom_events.destinations.google_data_manager.lane import DataManagerLane
    from custom_events.logs import configure
    from custom_events.postgres import connect, embedded, migrate

    configure("day", level="CRITICAL", stream=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="bench-day-", ignore_cleanup_errors=True) as name:
        google = SandboxGoogle.start(Path(name))
        os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = str(google.ca_file)
        services = Services(Credentials(token=TOKEN), google.grpc_endpoint, None)
        ingestion = connect_ingestion(Credentials(token=TOKEN), google.grpc_endpoint)
        lanes: send.Lanes = {
            Lane.GOOGLE_ADS: GoogleAdsLane(lambda _: services),
            Lane.DATA_MANAGER: DataManagerLane(lambda: ingestion),
        }
        with embedded.start(Path(name) / "postgres") as server:
            migrate.upgrade(server.url)
            engine = connect.engine(server.url, name="day")
            try:
                return run(engine, google, lanes, orders)
            finally:
                engine.dispose()
                google.stop()


if __name__ == "__main__":
    sys.exit(main())
