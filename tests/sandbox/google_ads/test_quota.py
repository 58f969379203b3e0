"""S8: operations per day and requests per second, as the real client sees them; the counters by themselves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.google_ads.quota import SlidingWindow, TokenBuckets, daily_limit
from sandbox.google_ads.seed import Token
from sandbox.google_ads.server import SandboxGoogle
from tests.sandbox.google_ads.conftest import Ads

SHOP, OTHER = "1234567890", "2222222222"


def quota_detail(ads: Ads, exception: Any) -> Any:
    """The failure's quota details, which the client leaves in the trailer."""
    trailer = dict(exception.errors[0].trailing_metadata())
    failure = ads.failure(trailer["google.ads.googleads.v26.errors.googleadsfailure-bin"])
    (error,) = failure.errors
    assert trailer["request-id"] == failure.request_id
    return error.error_code.quota_error, error.details.quota_error_details


def test_a_day_of_explorer_access(google: SandboxGoogle, ads: Ads) -> None:
    from google.api_core.exceptions import ResourceExhausted

    google.state.customers[SHOP].access_level = "EXPLORER"
    google.state.quotas.operations.take("sandbox-project", None, google.clock.epoch())
    google.clock.move(timedelta(hours=1))
    for _ in range(2877):
        google.state.quotas.operations.take("sandbox-project", None, google.clock.epoch())
    ads.rows("SELECT customer.id FROM customer")  # a search costs one operation as well
    ads.upload(*(ads.row() for _ in range(3)))  # and an upload one, whatever its size
    with pytest.raises(ResourceExhausted) as caught:
        ads.upload(ads.row())
    code, detail = quota_detail(ads, caught.value)
    assert code == 2  # QuotaError.RESOURCE_EXHAUSTED
    assert (detail.rate_scope, detail.rate_name) == (3, "Operations per day, explorer access")
    assert detail.retry_delay.seconds == 23 * 3600
    google.clock.move(timedelta(hours=23))
    assert ads.errors(ads.upload(ads.row())) == []


def test_requests_per_second_of_a_customer(google: SandboxGoogle, ads: Ads) -> None:
    from google.api_core.exceptions import ResourceExhausted

    google.state.switches.customer_requests_per_second = 0.5
    google.state.switches.customer_request_burst = 2
    ads.upload(ads.row())
    ads.upload(ads.row())
    with pytest.raises(ResourceExhausted) as caught:
        ads.upload(ads.row())
    code, detail = quota_detail(ads, caught.value)
    assert code == 4  # QuotaError.RESOURCE_TEMPORARILY_EXHAUSTED
    assert (detail.rate_scope, detail.retry_delay.seconds) == (2, 2)
    google.clock.move(timedelta(seconds=2))
    assert ads.errors(ads.upload(ads.row())) == []


@pytest.mark.parametrize(("costs", "used"), [(True, 3), (False, 1)])
def test_what_refused_requests_cost(google: SandboxGoogle, ads: Ads, costs: bool, used: int) -> None:
    google.state.switches.failed_requests_use_quota = costs
    ads.upload(ads.row())
    for call in (lambda: ads.upload(ads.row(), partial_failure=False), lambda: ads.stream("SELECT nonsense")):
        ads.refused(call)
    assert google.state.quotas.dump(google.clock.epoch())["operations_last_24_h"] == {"sandbox-project": used}


def test_the_level_belongs_to_the_project(google: SandboxGoogle, client: Callable[..., Any]) -> None:
    google.state.tokens["p"] = Token(token="p", project_id="mine", access_level="BASIC")
    ads = client(token="p")
    ads.upload(ads.row())
    assert google.state.quotas.operations.used(google.clock.epoch()) == {"mine": 1}


def test_daily_limits() -> None:
    assert daily_limit("EXPLORER", test_account=False) == 2_880
    assert daily_limit("EXPLORER", test_account=True) == 15_000
    assert daily_limit("BASIC", test_account=False) == 15_000
    assert daily_limit("STANDARD", test_account=False) is None


def test_a_window_slides() -> None:
    window = SlidingWindow(60.0)
    assert [window.take("p", 2, at) for at in (0.0, 10.0, 20.0)] == [None, None, 40.0]
    assert window.take("p", 2, 60.0) is None
    window.give_back("p")
    window.give_back("never used")
    assert window.used(61.0) == {"p": 1, "never used": 0}


def test_a_bucket_fills_up_to_its_burst() -> None:
    buckets = TokenBuckets()
    assert [buckets.take("c", 1.0, 1, at) for at in (0.0, 0.25, 100.0, 100.0)] == [None, 0.75, None, 1.0]
