"""S30 and S31: the Data Manager API through its real client, over gRPC with TLS and over REST."""

import base64
import hashlib
import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.google_ads.click_ids import ClickFlag
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.sandbox.google_ads.conftest import Ads, Events

SHOP, OTHER, CHILD, MANAGER = "1234567890", "2222222222", "3333333333", "9999999999"


def users(*emails: str) -> dict[str, Any]:
    return {"user_identifiers": [{"email_address": email} for email in emails]}


def test_s30_accepted_then_processing_then_success(
    google: SandboxGoogle, events: Events, event: Callable[..., Any]
) -> None:
    request_id = events.ingest(event()).request_id
    assert events.status(request_id) == [("PROCESSING", {}, 1)]
    google.clock.move(timedelta(minutes=29))
    assert events.status(request_id) == [("PROCESSING", {}, 1)]
    google.clock.move(timedelta(minutes=1))
    assert events.status(request_id) == [("SUCCESS", {}, 1)]
    (conversion,) = google.state.conversions
    assert (conversion.order_id, conversion.value, conversion.via, conversion.counted) == (
        "o1",
        100.0,
        "data_manager",
        True,
    )
    assert conversion.conversion_date_time == "2026-11-20 11:00:00+00:00"
    google.clock.move(timedelta(days=50))
    assert events.refused(lambda: events.status(request_id)) == ([("request_id", "REQUEST_TOO_OLD")], "REQUEST_TOO_OLD")


def test_s30_what_failed_is_told_by_count_and_reason(
    google: SandboxGoogle, events: Events, event: Callable[..., Any], new_click: Callable[..., Any]
) -> Any:
    now, gclid = google.clock.now(), new_click("gclid")

    def clicked(kind: Any = "gclid", **options: Any) -> Any:
        return {"ad_identifiers": {kind: new_click(kind, **options)}}

    sent = [
        event(transaction_id="a"),
        event(transaction_id="a"),
        event(transaction_id="b", ad_identifiers={"gclid": "broken"}),
        event(transaction_id="c", ad_identifiers={"gbraid": "broken"}),
        event(transaction_id="d", ad_identifiers={"wbraid": "broken"}),
        event(transaction_id="e", **clicked(age=timedelta(hours=5))),
        event(transaction_id="f", event_timestamp=now - timedelta(days=2), **clicked()),
        event(transaction_id="g", event_timestamp=now - timedelta(days=91), **clicked(age=timedelta(days=92))),
        event(transaction_id="h", **clicked(age=timedelta(days=40))),
        event(transaction_id="i", **clicked(flags=ClickFlag.UNKNOWN)),
        event(transaction_id="j", **clicked(customer=OTHER)),
        event(transaction_id="k", consent={"ad_user_data": "CONSENT_DENIED"}),
        event(transaction_id="l", **clicked(flags=ClickFlag.EEA)),
        event(transaction_id="m", consent={"ad_user_data": "CONSENT_GRANTED"}, **clicked(flags=ClickFlag.EEA)),
        event(transaction_id=None, ad_identifiers={"gclid": gclid}),
        event(transaction_id=None, ad_identifiers={"gclid": gclid}),
    ]
    request_id = events.ingest(*sent).request_id
    google.clock.move(timedelta(minutes=30))
    ((status, reasons, count),) = events.status(request_id)
    assert (status, count) == ("PARTIAL_SUCCESS", 16)
    assert reasons == {
        "DUPLICATE_TRANSACTION_ID": 1,
        "INVALID_GCLID": 1,
        "INVALID_GBRAID": 1,
        "INVALID_WBRAID": 1,
        "TOO_RECENT_CLICK": 1,
        "CONVERSION_PRECEDES_CLICK": 1,
        "EVENT_TOO_OLD": 2,
        "INVALID_CLICK": 1,
        "INVALID_OPERATING_ACCOUNT_FOR_CLICK": 1,
        "DENIED_CONSENT": 1,
        "UNKNOWN_CONSENT": 1,
        "DUPLICATE_GCLID": 1,
    }
    assert [conversion.order_id for conversion in google.state.conversions] == ["a", "m", None]


def test_s30_the_same_id_again_overwrites_value_and_currency(
    google: SandboxGoogle, events: Events, event: Callable[..., Any]
) -> None:
    events.ingest(event())
    events.ingest(event(conversion_value=40.0, currency="SEK", event_timestamp=google.clock.now()))
    (conversion,) = google.state.conversions
    assert (conversion.value, conversion.currency, conversion.original_value) == (40.0, "SEK", 100.0)
    assert conversion.conversion_date_time == "2026-11-20 11:00:00+00:00"
    events.ingest(event(transaction_id="unknown", conversion_value=1.0))
    assert len(google.state.conversions) == 2
    google.state.switches.data_manager_repeated_id_in_request_refused = False
    events.ingest(event(conversion_value=30.0), event(conversion_value=20.0))
    assert conversion.value == 20.0


def test_s30_value_zero_takes_a_conversion_back(
    google: SandboxGoogle, events: Events, event: Callable[..., Any]
) -> None:
    events.ingest(event())
    events.ingest(event(conversion_value=0.0))
    assert google.state.conversions[0].value == 0.0
    google.state.switches.data_manager_accepts_zero_value = False
    refused = events.refused(lambda: events.ingest(event(conversion_value=0.0)))
    assert refused == ([("events.events[0].conversion_value", "INVALID_EVENT")], "INVALID_EVENT")


def test_s30_nothing_is_known_of_other_request_ids(
    google: SandboxGoogle, events: Events, event: Callable[..., Any]
) -> None:
    checked = events.ingest(event(), validate_only=True).request_id
    assert google.state.conversions == []
    for request_id in (checked, "never-given"):
        assert events.refused(lambda request_id=request_id: events.status(request_id))[1] == "INVALID_REQUEST_ID"


def test_s30_users_and_braids(
    google: SandboxGoogle,
    events: Events,
    event: Callable[..., Any],
    hashed: Callable[..., Any],
    new_click: Callable[..., Any],
) -> None:
    encoded = base64.b64encode(hashlib.sha256(b"known@example.com").digest()).decode()
    known = event(transaction_id="a", user_data=users(encoded))
    nobody = event(
        transaction_id="b",
        user_data={"user_identifiers": [{"phone_number": encoded[::-1][1:] + "="}, {"address": {"region_code": "DE"}}]},
    )
    nobody["user_data"]["user_identifiers"][0]["phone_number"] = base64.b64encode(b"x" * 32).decode()
    request_id = events.ingest(known, nobody, encoding="BASE64").request_id
    braid = event(
        transaction_id="c",
        ad_identifiers={"wbraid": new_click("wbraid")},
        cart_data={"items": [{"merchant_product_id": "sku", "quantity": 1, "unit_price": 2.5}]},
    )
    once = events.ingest(braid, destinations=[events.destination("3")])
    (warning,) = once.field_warnings
    assert warning.field == "events.events[0].cart_data"
    assert warning.reason.name == "WARNING_REASON_CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID"
    google.clock.move(timedelta(minutes=30))
    assert events.status(request_id) == [("PARTIAL_SUCCESS", {"CLICK_NOT_FOUND": 1}, 2)]
    assert events.status(once.request_id) == [
        ("FAILED", {"ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID": 1}, 1)
    ]
    assert [conversion.counted for conversion in google.state.conversions] == [True, False]
    events.ingest(braid)
    assert google.state.conversions[-1].cart["items"][0]["product_id"] == "sku"


def test_s30_who_matches_nobody_matches_nobody_again(
    google: SandboxGoogle, events: Events, event: Callable[..., Any], hashed: Callable[..., Any]
) -> None:
    nobody = event(user_data=users(hashed("nobody@example.com")))
    for _ in range(2):
        request_id = events.ingest(nobody, encoding="HEX").request_id
        google.clock.move(timedelta(minutes=30))
        assert events.status(request_id) == [("FAILED", {"CLICK_NOT_FOUND": 1}, 1)]


def test_remarks_about_what_is_taken(google: SandboxGoogle, events: Events, event: Callable[..., Any]) -> None:
    cart = {"items": [{"merchant_product_id": "a", "quantity": 1}, {"merchant_product_id": "b", "quantity": 1}]}
    warnings = events.ingest(event(), event(transaction_id="b", cart_data=cart)).field_warnings
    assert [(one.field, one.reason.name) for one in warnings] == [
        (f"events.events[1].cart_data.items[{place}].unit_price", "WARNING_REASON_CART_DATA_ITEM_UNIT_PRICE_MISSING")
        for place in range(2)
    ]
    assert len(google.state.conversions) == 2


def test_the_other_api_s_order_ids_where_each_has_its_own(
    google: SandboxGoogle, events: Events, event: Callable[..., Any], ads: Ads
) -> None:
    ads.upload(ads.row(order_id="o1"))
    events.ingest(event())
    assert len(google.state.conversions) == 1
    google.state.switches.order_ids_shared_between_apis = False
    events.ingest(event(conversion_value=7.0))
    assert [(one.via, one.value) for one in google.state.conversions[1:]] == [("data_manager", 7.0)]
    assert ads.names(ads.upload(ads.row(order_id="o1"))) == ["ORDER_ID_ALREADY_IN_USE"]


def test_several_destinations(google: SandboxGoogle, events: Events, event: Callable[..., Any]) -> None:
    two = [events.destination("1", reference="x"), events.destination("2", reference="y")]
    request_id = events.ingest(
        event(), event(transaction_id="o2", destination_references=["y"]), destinations=two
    ).request_id
    google.clock.move(timedelta(minutes=30))
    assert events.status(request_id) == [("SUCCESS", {}, 1), ("SUCCESS", {}, 2)]
    assert [(c.action_id, c.order_id) for c in google.state.conversions] == [("1", "o1"), ("2", "o1"), ("2", "o2")]


def test_faults(google: SandboxGoogle, events: Events, event: Callable[..., Any]) -> None:
    from google.api_core.exceptions import GoogleAPICallError

    faults = google.state.faults
    cases = [
        (Fault(kind=FaultKind.UNAVAILABLE, method="IngestEvents", count=1), 503, None),
        (Fault(kind=FaultKind.INTERNAL, count=1), 500, "INTERNAL_ERROR"),
        (Fault(kind=FaultKind.QUOTA_RATE, seconds=17, count=1), 429, "RESOURCE_EXHAUSTED"),
        (Fault(kind=FaultKind.DEADLINE, count=1), 504, None),
    ]
    for fault, code, reason in cases:
        faults.arm(fault)
        assert events.refused(lambda: events.ingest(event()), code)[1] == reason
    assert google.state.conversions == []
    faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1))
    events.refused(lambda: events.ingest(event()), 503)
    events.ingest(event())
    assert len(google.state.conversions) == 1
    faults.arm(Fault(kind=FaultKind.CONNECTION_RESET, count=1))
    with pytest.raises((GoogleAPICallError, OSError)):
        events.ingest(event(transaction_id="lost"))
    assert len(google.state.conversions) == 1


def test_rows_that_fail_inside(google: SandboxGoogle, events: Events, event: Callable[..., Any]) -> None:
    google.state.faults.arm(Fault(kind=FaultKind.ROW_INTERNAL_ERROR, count=1))
    google.state.faults.arm(Fault(kind=FaultKind.ROW_INTERNAL_ERROR, count=1, after_apply=True))
    request_id = events.ingest(*(event(transaction_id=text) for text in "abc")).request_id
    google.clock.move(timedelta(minutes=30))
    assert events.status(request_id) == [("PARTIAL_SUCCESS", {"INTERNAL_ERROR": 2}, 3)]
    assert [conversion.order_id for conversion in google.state.conversions] == ["b", "c"]


def test_both_lanes_share_their_conversions(
    google: SandboxGoogle, events: Events, event: Callable[..., Any], ads: Ads
) -> None:
    ads.adjust(ads.adjustment(order_id="o1", value=60.0))
    events.ingest(event())
    assert google.state.conversions[0].value == 60.0  # the adjustment had waited for it
    assert ads.names(ads.upload(ads.row(order_id="o1"))) == ["ORDER_ID_ALREADY_IN_USE"]


def test_values_that_are_left_out(google: SandboxGoogle, events: Events, event: Callable[..., Any]) -> None:
    events.ingest(event(conversion_value=None, currency=None))
    assert (google.state.conversions[0].value, google.state.conversions[0].currency) == (7.5, "EUR")
    google.state.switches.negative_value_refused = False
    events.ingest(event(transaction_id="odd", conversion_value=math.inf))
    assert google.state.conversions[1].value == math.inf


def test_s31_rest_is_plain_http_with_json(google: SandboxGoogle) -> None:
    import requests

    url = f"{google.http_url}/v1/events:ingest"
    headers = {"authorization": "Bearer any"}
    answer = requests.post(url, data=b'{"events": [{"colour": "red"}]}', headers=headers, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert requests.post(url, json={}, timeout=30).status_code == 401
    assert requests.get(url, timeout=30).status_code == 404
    good = {
        "destinations": [
            {"operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": SHOP}, "productDestinationId": "1"}
        ],
        "events": [
            {
                "eventTimestamp": "2026-11-20T11:00:00Z",
                "eventSource": "WEB",
                "userData": {"userIdentifiers": [{"emailAddress": "0" * 64}]},
            }
        ],
        "encoding": "HEX",
    }
    request_id = requests.post(url, json=good, headers=headers, timeout=30).json()["requestId"]
    status = requests.get(
        f"{google.http_url}/v1/requestStatus:retrieve?requestId={request_id}", headers=headers, timeout=30
    )
    (entry,) = status.json()["requestStatusPerDestination"]
    assert entry["requestStatus"] == "PROCESSING"
