"""S29: what the Data Manager API refuses, and how it says so: through its real client, over gRPC with TLS."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.google_ads.seed import Token
from sandbox.google_ads.server import SandboxGoogle
from tests.sandbox.google_ads.conftest import Events

SHOP, OTHER, CHILD, MANAGER = "1234567890", "2222222222", "3333333333", "9999999999"


def users(*emails: str) -> dict[str, Any]:
    return {"user_identifiers": [{"email_address": email} for email in emails]}


def test_s29_one_bad_event_refuses_them_all(
    google: SandboxGoogle, events: Events, event: Callable[..., Any], hashed: Callable[..., Any]
) -> None:
    good = hashed("a@example.com")
    at = "events.events"
    sent = [
        event(),
        event(event_source=None),
        event(transaction_id="x" * 65),
        event(event_timestamp=None),
        event(event_timestamp=google.clock.now() + timedelta(seconds=1)),
        event(currency="XYZ"),
        event(conversion_value=-1.0),
        event(ad_identifiers={}),
        event(user_data=users(good, "plain")),
        event(user_data=users("abcdef")),
        event(user_data={"user_identifiers": [{}]}),
        event(user_data=users(*[good] * 11)),
        event(user_data=users(*[good] * 10)),
        event(destination_references=["nowhere"]),
    ]
    violations, reason = events.refused(lambda: events.ingest(*sent, encoding="HEX"))
    assert violations == [
        (f"{at}[1].event_source", "REQUIRED_FIELD_MISSING"),
        (f"{at}[2].transaction_id", "FIELD_VALUE_TOO_LONG"),
        (f"{at}[3].event_timestamp", "REQUIRED_FIELD_MISSING"),
        (f"{at}[4].event_timestamp", "EVENT_TIME_INVALID"),
        (f"{at}[5].currency", "INVALID_CURRENCY_CODE"),
        (f"{at}[6].conversion_value", "INVALID_NUMBER_FORMAT"),
        (f"{at}[7]", "NO_IDENTIFIERS_PROVIDED"),
        (f"{at}[8].user_data.user_identifiers[1].email_address", "INVALID_HEX_ENCODING"),
        (f"{at}[9].user_data.user_identifiers[0].email_address", "INVALID_SHA256_FORMAT"),
        (f"{at}[10].user_data.user_identifiers[0]", "REQUIRED_FIELD_MISSING"),
        (f"{at}[11].user_data.user_identifiers", "TOO_MANY_USER_IDENTIFIERS"),
        (f"{at}[13].destination_references[0]", "INVALID_DESTINATION"),
    ]
    assert reason == "REQUIRED_FIELD_MISSING"
    assert google.state.conversions == []
    google.state.switches.data_manager_names_bad_rows = False
    assert events.refused(lambda: events.ingest(*sent, encoding="HEX")) == ([], "REQUIRED_FIELD_MISSING")


def test_s29_encodings(events: Events, event: Callable[..., Any], hashed: Callable[..., Any]) -> None:
    row = event(user_data=users(hashed("a")))
    assert events.refused(lambda: events.ingest(row))[0] == [("encoding", "REQUIRED_FIELD_MISSING")]
    field = "events.events[0].user_data.user_identifiers[0].email_address"
    for text, reason in (("not base64!", "INVALID_BASE64_ENCODING"), ("YWJj", "INVALID_SHA256_FORMAT")):
        wrong = event(user_data=users(text))
        assert events.refused(lambda wrong=wrong: events.ingest(wrong, encoding="BASE64"))[0] == [(field, reason)]


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("terms_accepted", False, "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED"),
        ("enhanced_conversions", False, "DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS"),
        ("data_policy_prohibits", True, "DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS"),
    ],
)
def test_s29_user_data_needs_an_account_that_may(
    google: SandboxGoogle,
    events: Events,
    event: Callable[..., Any],
    hashed: Callable[..., Any],
    setting: str,
    value: bool,
    reason: str,
) -> None:
    setattr(google.state.customers[SHOP], setting, value)
    row = event(user_data=users(hashed("a")))
    assert events.refused(lambda: events.ingest(row, encoding="HEX"))[1] == reason


def test_s29_sizes(events: Events, event: Callable[..., Any]) -> None:
    row = event()
    many = [events.destination(reference=str(index)) for index in range(11)]
    same = [events.destination(reference="x")] * 2
    cases = [
        (lambda: events.ingest(*[row] * 2001), "events.events", "TOO_MANY_EVENTS"),
        (events.ingest, "events.events", "REQUIRED_FIELD_MISSING"),
        (lambda: events.ingest(row, destinations=[]), "destinations", "REQUIRED_FIELD_MISSING"),
        (lambda: events.ingest(row, destinations=many), "destinations", "TOO_MANY_DESTINATIONS"),
        (lambda: events.ingest(row, destinations=same), "destinations", "DUPLICATE_DESTINATION_REFERENCE"),
    ]
    for call, field, reason in cases:
        assert events.refused(call) == ([(field, reason)], reason)


def test_s29_destinations(google: SandboxGoogle, events: Events, event: Callable[..., Any]) -> None:
    google.state.actions["2"].created_at = google.clock.now()
    google.state.customers[CHILD].manager_id = None
    google.state.customers[CHILD].conversion_customer_id = SHOP
    wrong_type = events.destination()
    wrong_type["operating_account"]["account_type"] = "DATA_PARTNER"
    cases = [
        (events.destination("404"), "product_destination_id", "INVALID_CONVERSION_ACTION_ID"),
        (events.destination("6"), "product_destination_id", "INVALID_CONVERSION_ACTION_ID"),
        (events.destination("5"), "product_destination_id", "INVALID_CONVERSION_ACTION_TYPE"),
        (events.destination("2"), "product_destination_id", "CONVERSION_ACTION_TOO_RECENTLY_CREATED"),
        (events.destination("1", CHILD), "operating_account", "INVALID_DESTINATION"),
        (wrong_type, "operating_account.account_type", "INVALID_DESTINATION"),
    ]
    for destination, field, reason in cases:
        violations, _ = events.refused(lambda d=destination: events.ingest(event(), destinations=[d]))
        assert violations == [(f"destinations[0].{field}", reason)]


def test_s29_access(
    google: SandboxGoogle,
    connect: Callable[..., Any],
    events: Events,
    event: Callable[..., Any],
    new_click: Callable[..., Any],
) -> None:
    managed = events.destination("31", CHILD)
    row = event(ad_identifiers={"gclid": new_click("gclid", customer=CHILD)})
    assert events.refused(lambda: events.ingest(row, destinations=[managed]), 403)[1] == "PERMISSION_DENIED"
    managed["login_account"] = {"account_type": "GOOGLE_ADS", "account_id": MANAGER}
    assert events.ingest(row, destinations=[managed]).request_id
    google.state.tokens["ads"] = Token(token="ads", scopes=["https://www.googleapis.com/auth/adwords"])
    other = connect("ads")
    assert other.refused(lambda: other.ingest(row), 403)[1] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


def test_s29_tokens(
    google: SandboxGoogle, connect: Callable[..., Any], event: Callable[..., Any], transport: str
) -> None:
    from google.auth.exceptions import RefreshError

    google.state.tokens["old"] = Token(token="old", status="EXPIRED")
    google.state.tokens["off"] = Token(token="off", status="REVOKED")
    for token, reason in (("old", "ACCESS_TOKEN_EXPIRED"), ("off", "OAUTH_TOKEN_REVOKED")):
        events = connect(token)
        if transport == "grpc":
            assert events.refused(lambda events=events: events.ingest(event()), 401)[1] == reason
        else:  # over REST google-auth answers a 401 with a refresh, which a bare token cannot do
            with pytest.raises(RefreshError):
                events.ingest(event())


def test_s29_a_click_of_another_account_at_once(
    google: SandboxGoogle, events: Events, event: Callable[..., Any], new_click: Callable[..., Any]
) -> None:
    google.state.switches.data_manager_checks_click_account_at_once = True
    row = event(ad_identifiers={"gclid": new_click("gclid", customer=OTHER)})
    expected = [("events.events[0].ad_identifiers.gclid", "INVALID_AD_IDENTIFIER_FOR_ACCOUNT")]
    assert events.refused(lambda: events.ingest(row))[0] == expected
    assert events.ingest(event()).request_id


@pytest.mark.parametrize(
    ("limit", "wait"), [("data_manager_requests_per_minute", 60), ("data_manager_requests_per_day", 86_400)]
)
def test_s29_quotas(google: SandboxGoogle, events: Events, event: Callable[..., Any], limit: str, wait: int) -> None:
    setattr(google.state.switches, limit, 2)
    events.ingest(event(transaction_id="a"))
    events.ingest(event(transaction_id="b"))
    assert events.refused(lambda: events.ingest(event()), 429)[1] == "RESOURCE_EXHAUSTED"
    google.clock.move(timedelta(seconds=wait))
    assert events.ingest(event()).request_id
