"""Bodies for who may not see people's data: what names somebody is covered, the rest stays, and nothing makes it fail."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.redaction.mask import COVER, DEEPEST, mask

ORDER: dict[str, Any] = {
    "id": 1042,
    "name": "#1042",
    "email": "jo@example.org",
    "phone": None,
    "browser_ip": "192.0.2.7",
    "order_status_url": "https://shop.example/orders/x?key=1",
    "note": "Please ring",
    "total_price": "49.90",
    "test": False,
    "billing_address": {"first_name": "Jo", "city": "Kiel", "zip": "24103", "address1": "Hafen 1", "company": "Jo's"},
    "note_attributes": [{"name": "Gift for phone", "value": "Kim"}, {"name": "campaign", "value": "autumn"}],
    "meta_data": [{"key": "_billing_email", "value": ["kim@example.org"]}, {"key": "gclid", "value": "Cj0"}],
    "line_items": [{"name": "Lamp", "sku": "L-1", "properties": []}],
    "emails": ["a@example.org", {"address": "b@example.org", "kind": "work"}],
    "jo@example.org": 7,
    "tags": ["vip", "+49 431 1234567"],
}


def masked(value: Any) -> Any:
    found = mask(json.dumps(value).encode())
    assert found.text is not None
    return json.loads(found.text)


def test_what_names_somebody_is_covered_and_the_rest_stays() -> None:
    shown = masked(ORDER)
    for name in ("email", "browser_ip", "order_status_url", "note"):
        assert shown[name] == COVER, name
    for name in ("id", "name", "total_price", "test", "phone"):
        assert shown[name] == ORDER[name], name
    assert shown["billing_address"] == {
        "first_name": COVER,
        "city": "Kiel",
        "zip": "24103",
        "address1": COVER,
        "company": COVER,
    }
    assert shown["note_attributes"][0]["value"] == COVER
    assert shown["note_attributes"][1] == ORDER["note_attributes"][1]
    assert shown["meta_data"][0] == {"key": "_billing_email", "value": [COVER]}
    assert shown["meta_data"][1]["value"] == "Cj0"
    assert shown["emails"] == [COVER, {"address": COVER, "kind": "work"}]
    assert shown["tags"] == ["vip", COVER]
    assert shown[COVER] == COVER
    found = mask(json.dumps(ORDER).encode())
    assert "example.org" not in (found.text or "")
    assert found.covered == json.dumps(shown, ensure_ascii=False).count(COVER)


def test_all_within_a_name_or_a_note_is_covered_but_where_it_was_and_which_it_is() -> None:
    shown = masked(
        {
            "customer_note": {"text": "Call Jo", "lang": "de"},
            "notes": [{"author": {"first": "Jo"}, "id": 7}, "ring twice"],
            "name": {"first": "Jo", "last": "Li"},
            "recipient": {"first": "Jo", "city": "Kiel", "country_code": "DE"},
            "special_instructions": "at Jo's door",
            "email_marketing_consent": {"state": "subscribed", "consent_updated_at": "2026-11-01"},
        }
    )
    assert shown == {
        "customer_note": {"text": COVER, "lang": "de"},
        "notes": [{"author": {"first": COVER}, "id": 7}, COVER],
        "name": {"first": COVER, "last": COVER},
        "recipient": {"first": COVER, "city": "Kiel", "country_code": "DE"},
        "special_instructions": COVER,
        "email_marketing_consent": {"state": "subscribed", "consent_updated_at": "2026-11-01"},
    }


def test_who_is_named_is_covered_in_fields_that_nobody_knows_too() -> None:
    shown = masked(
        {
            "label": "Parcel for JOHANNA",
            "customer": {"first_name": "Johanna", "last_name": "von Schmitt-Li"},
            "meta_data": [{"key": "delivered to", "value": ["schmitt", "at the Schmittstall"]}],
        }
    )
    assert shown["label"] == COVER
    assert shown["meta_data"] == [{"key": "delivered to", "value": [COVER, "at the Schmittstall"]}]


@pytest.mark.parametrize("body", [b"", b"webhook_id=7", b"\xff\xfe", b'{"a"', b"[" * 5_000])
def test_what_is_no_json_is_not_shown(body: bytes) -> None:
    assert mask(body).text is None


def test_what_lies_deeper_than_anybody_looks_is_covered_whole() -> None:
    value: Any = "deep secret"
    for _ in range(DEEPEST + 5):
        value = [value]
    assert "deep" not in (mask(json.dumps(value).encode()).text or "")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_any_body_is_taken_and_its_shape_stays(value: Any) -> None:
    shown = masked(value)
    if isinstance(value, list):
        assert len(shown) == len(value)
    if isinstance(value, dict):
        assert len(shown) <= len(value)
