"""A day of 2,000 orders with every fault armed: each conversion ends at Google once, with the value after refunds, or says why not."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks import day
from benchmarks.day_world import CANCELLED, PARTLY_REFUNDED, POISON_SHARE, UNCANCELLED, News, Sold
from benchmarks.day_world import day as orders_of_a_day
from custom_events.values.conversions import Lane, UploadState
from sandbox.google_ads.faults import FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.history import History

ORDERS = 2_000


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.timeout(900)  # 107 s on two free cores, and whatever else runs there beside it
def test_a_day_with_every_fault_ends_right(
    engine: sa.Engine, google: SandboxGoogle, lanes: dict[Lane, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(monkeypatch)
    found = day.run(engine, google, lanes, ORDERS)
    history.check(engine, max(at for at, *_ in history.answered))
    google.clock.run()
    assert found.wrong == []
    assert set(found.faults) == {fault.kind.value for fault in day.FAULTS}
    assert {"send", "poll"} <= set(found.raised)
    calls = ledger_lanes(engine)
    assert {lane for lane, *_ in calls} == {"google_ads", "data_manager"}
    assert len(calls) == len(Lane) ** 2, calls  # each account by each API
    with engine.connect() as connection:
        assert (
            connection.execute(
                sa.text("SELECT count(*) FROM app.upload_stops WHERE recheck_at IS NOT NULL")
            ).scalar_one()
            == 0
        )
    assert found.at_google + sum(found.reasons.values()) == found.orders == ORDERS
    sold = orders_of_a_day(ORDERS)
    assert found.value_at_google <= sum((one.value for one in sold), Decimal(0))
    assert sum(found.reasons.values()) < 3 * POISON_SHARE * ORDERS, found.reasons
    assert sum(1 for one in sold if 0 < one.value < one.total) > PARTLY_REFUNDED * ORDERS / 2
    undone = [one for one in sold if len(one.news) > 1]
    assert sum(1 for one in undone if one.value == one.total) > UNCANCELLED * ORDERS
    assert sum(1 for one in undone if one.value == 0) > CANCELLED * ORDERS / 2
    assert sum(found.states.values()) == ORDERS
    assert set(found.states) <= {"accepted", "rejected", "withheld", "expired"}


def ledger_lanes(engine: sa.Engine) -> list[Any]:
    with engine.connect() as connection:
        return connection.execute(
            sa.text(
                "SELECT lane, ads_account_id, count(*) FROM app.upload_requests WHERE rows > 0 GROUP BY 1, 2 ORDER BY 1, 2"
            )
        ).all()


SOLD = Sold(
    number="1", at=day.BEGIN, total=Decimal(100), lane=Lane.GOOGLE_ADS, click="c", clicked_at=None,
    news=(News(at=day.BEGIN, refunded=Decimal(40)),),
)  # fmt: skip


def row(state: UploadState, reason: str | None = None) -> Any:
    return SimpleNamespace(state=state, reason=reason)


def there(value: Any, *, retracted: Any = False) -> Any:
    return SimpleNamespace(value=value, retracted=retracted)


@pytest.mark.parametrize(
    ("rows", "found", "said"),
    [
        ([row("accepted"), row("accepted")], [there(60.0)], (None, None)),
        ([row("rejected", "code")], [], (None, "code")),
        ([row("accepted"), row("expired", "late")], [there(100.0)], (None, "late")),
        ([], [], ("not in the ledger", None)),
        ([row("queued")], [], ("still waiting: [('queued', None)]", None)),
        ([row("accepted")], [there(60.0), there(60.0)], ("2 times at Google", None)),
        ([row("accepted")], [there(100.0)], ("100.0 at Google, not 60", None)),
        ([row("accepted")], [there(60.0, retracted=True)], ("0 at Google, not 60", None)),
        ([row("accepted")], [], ("accepted, but not at Google", None)),
        ([row("rejected")], [], ("no reason stated", None)),
    ],
)
def test_the_judge_sees_what_is_wrong(rows: list[Any], found: list[Any], said: tuple[Any, ...]) -> None:
    assert day.judged(SOLD, rows, found) == said


def test_faults_are_a_few_per_cent() -> None:
    assert all(fault.probability is not None and fault.probability <= 0.05 for fault in day.FAULTS)
    assert {FaultKind.APPLY_THEN_DROP, FaultKind.QUOTA_RATE} <= {fault.kind for fault in day.FAULTS}
