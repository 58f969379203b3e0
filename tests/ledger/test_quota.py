"""The laws of the bucket, and that workers share it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.ledger import allowance, quota
from custom_events.ledger.quota import Call, Limit, Used
from custom_events.settings import Settings
from custom_events.values.conversions import AdsAccount, BatchAnswer, Lane, Scope, Verdict
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Clocked, Ledger

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
LIMITS = st.builds(Limit, per_minute=st.integers(2, 400), per_day=st.one_of(st.none(), st.integers(1, 3_000)))
CALLS = st.builds(Call, full=st.booleans(), history=st.booleans(), live_share=st.sampled_from([0.0, 0.3, 0.5, 0.9]))
STEPS = st.lists(st.tuples(st.floats(0, 4_000), CALLS), min_size=1, max_size=60)
ACCOUNT = AdsAccount(id=1, customer_id="1234567890", lane=Lane.GOOGLE_ADS)


def granted(limit: Limit, steps: list[tuple[float, Call]], *, greedy: int = 1) -> list[tuple[datetime, Call]]:
    """The moments at which calls went, with `greedy` tries at each."""
    now, used = AT, quota.unused(limit, AT)
    went: list[tuple[datetime, Call]] = []
    for passed, call in steps:
        now += timedelta(seconds=passed)
        for _ in range(greedy):
            used, wait = quota.take(limit, used, now, call)
            if wait is None:
                went.append((now, call))
    return went


@given(LIMITS, STEPS)
@settings(max_examples=80, deadline=None)
def test_no_minute_and_no_day_has_more_than_its_limit(limit: Limit, steps: list[tuple[float, Call]]) -> None:
    moments = [at for at, _ in granted(limit, steps, greedy=50)]
    for window, most in ((timedelta(minutes=1), limit.per_minute), (timedelta(days=1), limit.per_day)):
        if most is None:
            continue
        first = 0
        for last, at in enumerate(moments):
            while moments[first] <= at - window:
                first += 1
            assert last - first + 1 <= most


@given(LIMITS, STEPS, CALLS)
@settings(max_examples=80, deadline=None)
def test_after_the_wait_it_names_the_call_goes(limit: Limit, steps: list[tuple[float, Call]], call: Call) -> None:
    if limit.per_day is not None and limit.per_day * (1 - call.live_share * call.history) < 1:
        return  # a budget of nothing
    now, used = AT, quota.unused(limit, AT)
    for passed, earlier in steps:
        now += timedelta(seconds=passed)
        used, _ = quota.take(limit, used, now, earlier)
    for _ in range(4):  # minute, pace and day may each ask to wait
        used, wait = quota.take(limit, used, now, call)
        if wait is None:
            return
        assert wait.seconds > 0
        sooner = now + timedelta(seconds=max(wait.seconds - 0.01, 0.0))
        assert quota.take(limit, used, sooner, call)[1] is not None, "it names no longer wait than is needed"
        now += timedelta(seconds=wait.seconds + 0.001)
    raise AssertionError(f"still refused: {wait}")


@given(LIMITS, st.lists(st.floats(0, 100), min_size=1, max_size=40), st.sampled_from([0.3, 0.5, 0.9]))
@settings(max_examples=60, deadline=None)
def test_the_past_leaves_its_share_to_today(limit: Limit, pauses: list[float], share: float) -> None:
    past = Call(full=True, history=True, live_share=share)
    now, used = AT, quota.unused(limit, AT)
    for passed in pauses:
        now += timedelta(seconds=passed)
        for _ in range(300):
            used, wait = quota.take(limit, used, now, past)
            if wait is not None:
                break
    left = 0
    while quota.take(limit, used, now, Call(full=True))[1] is None:
        used, _ = quota.take(limit, used, now, Call(full=True))
        left += 1
        if left > limit.burst:
            break
    wanted = share * (limit.burst - 1)
    if limit.per_day is not None:
        wanted = min(wanted, limit.per_day * share)
    assert left >= int(wanted)


@given(LIMITS, st.floats(0, 86_400))
def test_a_clock_that_goes_back_gives_nothing(limit: Limit, seconds: float) -> None:
    used, _ = quota.take(limit, quota.unused(limit, AT), AT, Call(full=True))
    assert quota.refilled(limit, used, AT - timedelta(seconds=seconds)) == used


def test_a_short_day_is_spread_and_full_calls_are_not_kept_waiting() -> None:
    explorer = Limit(per_minute=1_200, per_day=2_880)
    small = [(60.0, Call())] * 24 * 60
    went = granted(explorer, small, greedy=60)  # a batch every second, all day
    by_hour = [sum(1 for at, _ in went if at.hour == hour) for hour in range(24)]
    assert max(by_hour) <= 242, "an hour's part gathered, and one that comes back"
    assert min(by_hour) >= 100, "no hour without calls"
    full = [(60.0, Call(full=True))] * 10
    assert len(granted(explorer, full, greedy=60)) == 600


def test_what_is_made_in_any_case_is_counted_and_google_s_no_empties_the_minute() -> None:
    limit = Limit(per_minute=20, per_day=100)
    used = quota.unused(limit, AT)
    for _ in range(5):
        used = quota.spent(limit, used, AT)
    assert (used.tokens, used.day(AT)) == (-3, 5)
    used = quota.exhausted(limit, quota.unused(limit, AT), AT)
    assert quota.take(limit, used, AT, Call())[1] == quota.Wait(1 / limit.per_second, "minute")
    nothing = Limit(per_minute=20, per_day=1)
    assert quota.take(nothing, quota.unused(nothing, AT), AT, Call(history=True))[1] == quota.Wait(86_400, "day")
    assert Used(at=AT, tokens=1, pace=1, hours={}).day(AT) == 0


def test_workers_share_the_buckets(engine: sa.Engine) -> None:
    chosen = Settings(google_ads_operations_per_minute=200, upload_account_calls_per_minute=10_000)

    refused: list[tuple[str, Scope]] = []

    def worker(_: int) -> int:
        went = 0
        for _ in range(10):
            try:
                with engine.begin() as connection:
                    allowance.take(connection, ACCOUNT, Call(full=True), chosen, AT)
                went += 1
            except allowance.Refused as error:
                refused.append((error.wait.limit, error.scope))
        return went

    with ThreadPoolExecutor(4) as workers:
        assert sum(workers.map(worker, range(4))) == 20
    assert set(refused) == {("minute", Scope.PROJECT)}
    with engine.begin() as connection:
        found = {one.name: one for one in allowance.remaining(connection, chosen, AT)}
    assert (found["google_ads"].now, found["google_ads"].used_today, found["google_ads"].per_day) == (0, 20, 2_880)
    assert found["google_ads:1234567890"].per_day is None


def test_a_refused_call_leaves_nothing_claimed_and_the_account_waits(
    ledger: Ledger, lanes: dict[Lane, Any], clock: Clocked
) -> None:
    ledger.settings = Settings(upload_account_calls_per_minute=2, upload_batch_size=1, upload_lease_s=60)
    ledger.orders(3)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 1, "queued": 2}
    (account,) = ledger.rows("SELECT paused_until, paused_reason FROM app.ads_accounts WHERE paused_until IS NOT NULL")
    assert account.paused_reason == "quota_minute"
    assert account.paused_until > clock()
    assert ledger.rows("SELECT count(*) FROM app.upload_requests")[0][0] == 1
    clock.forward(minutes=1)
    ledger.settle(lanes)
    clock.forward(minutes=2)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 3}


def test_the_project_s_day_pauses_the_lane_and_slides(ledger: Ledger, lanes: dict[Lane, Any], clock: Clocked) -> None:
    ledger.settings = Settings(google_ads_operations_per_day=2, upload_batch_size=1, upload_lease_s=60)
    ledger.orders(3)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 2, "queued": 1}
    paused = ledger.rows("SELECT DISTINCT paused_reason FROM app.ads_accounts WHERE paused_until IS NOT NULL")
    assert [row[0] for row in paused] == ["quota_day"]
    clock.forward(hours=25)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 3}


def test_the_past_waits_and_today_goes_on(
    ledger: Ledger, lanes: dict[Lane, Any], clock: Clocked, google: SandboxGoogle
) -> None:
    ledger.settings = Settings(
        google_ads_operations_per_minute=20, upload_batch_size=1, upload_lease_s=60, upload_live_share=0.5
    )
    old = {"conversion_at": clock() - timedelta(days=3), "clicked_at": clock() - timedelta(days=4)}
    for _ in range(3):
        ledger.order(click_id=ledger.gclid(hours_before=96), **old)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 1, "queued": 2}, "one of two at once: the other is kept for today"
    (until,) = ledger.rows("SELECT history_until FROM app.quota_buckets WHERE name = 'google_ads'")[0]
    assert until > clock()
    ledger.order()
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 2, "queued": 2}, "today's conversion did not wait for the past"
    for _ in range(3):
        clock.forward(minutes=1)
        ledger.settle(lanes)
    assert ledger.states() == {"accepted": 4}


@pytest.mark.parametrize("scope", [Scope.PROJECT, Scope.ACCOUNT])
def test_google_s_own_no_empties_what_it_spoke_of(engine: sa.Engine, scope: Scope) -> None:
    from custom_events.ledger.sender import is_rate_limited

    assert is_rate_limited(
        BatchAnswer(rows=(), verdict=Verdict.RETRY, code="QuotaError.RESOURCE_TEMPORARILY_EXHAUSTED")
    )
    assert not is_rate_limited(BatchAnswer(rows=(), code="QuotaError.RESOURCE_EXHAUSTED"))
    with engine.begin() as connection:
        allowance.spend(connection, ACCOUNT, Settings(), AT)
        allowance.exhausted(connection, ACCOUNT, scope, Settings(), AT)
        found = {one.name: one.now for one in allowance.remaining(connection, Settings(), AT)}
    assert found["google_ads:1234567890"] == 0
    assert (found["google_ads"] == 0) is (scope is Scope.PROJECT)
