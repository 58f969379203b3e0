"""What a browser writes to /collect is read field by field, whatever it is; nothing else of it is kept."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.platforms import beacons
from custom_events.platforms.beacons import read, to_json, understand
from custom_events.values.beacons import Beacon
from custom_events.values.clicks import Click, ClickCarrier, ClickKind, Consent, ConsentStatus
from custom_events.values.deliveries import Outcome, RawDelivery, beacon_of

GCLID = "Cj0KCQ-a-click-of-nobody-1"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WHOLE = {
    "site": "shop-key-1",
    "event": "checkout_completed",
    "order_id": "gid://shopify/Order/820982911946154508",
    "cart_token": "hWN6Hs5kYcQyVbPpLn3r?key=12ab",
    "checkout_token": "bd5a8aa1ecd019dd3520ff791ee3a24c",
    "clicks": {"gclid": GCLID, "clicked_at": "2026-11-20T12:00:00Z", "utm_source": "google", "utm_junk": "x"},
    "consent": {"marketingAllowed": True, "saleOfDataAllowed": False},
    "landing_path": "/collections/all?email=somebody@example.org#top",
    "at": 1795176000,
    "total": "99999.00",
    "email": "somebody@example.org",
}


def of_fields(**fields: Any) -> Beacon:
    found = read(json.dumps({"site": "shop-key-1", **fields}).encode())
    assert found is not None
    return found[1]


def test_the_fields_of_the_list_and_nothing_else() -> None:
    found = read(json.dumps(WHOLE).encode())
    assert found is not None
    site, beacon = found
    assert site == "shop-key-1"
    assert beacon == Beacon(
        event="checkout_completed",
        order_id="820982911946154508",
        cart_token="hWN6Hs5kYcQyVbPpLn3r?key=12ab",
        checkout_token="bd5a8aa1ecd019dd3520ff791ee3a24c",
        clicks=(Click(kind=ClickKind.GCLID, id=GCLID, carrier=ClickCarrier.PIXEL, clicked_at=NOON),),
        consent=Consent(
            ad_user_data=ConsentStatus.GRANTED,
            ad_storage=ConsentStatus.GRANTED,
            ad_personalization=ConsentStatus.DENIED,
            source="shopify_customer_privacy",
        ),
        utm={"utm_source": "google"},
        landing_path="/collections/all",
        at=NOON,
    )
    landed = to_json(beacon)
    assert b"somebody" not in landed
    assert b"99999" not in landed
    assert beacon_of(understand(RawDelivery(topic="collect", body=landed))) == beacon
    assert beacon.subjects == (
        "cart:bd5a8aa1ecd019dd3520ff791ee3a24c",
        "cart:hWN6Hs5kYcQyVbPpLn3r?key=12ab",
        "order:820982911946154508",
    )


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"null", b"\xff", b"{}", b'{"site": 7}', b'{"site": "x y"}', b"[" * 5_000]
)
def test_what_names_no_site_is_no_beacon(body: bytes) -> None:
    assert read(body) is None


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"order_id": 1001}, {"order_id": "1001"}),
        ({"order_id": True}, {}),
        ({"order_id": 0}, {}),
        ({"order_id": "1001; DROP"}, {}),
        ({"cart_token": "short"}, {}),
        ({"cart_token": "x" * 161}, {}),
        ({"event": "Purchase!"}, {}),
        ({"landing_path": "https://evil.example/"}, {}),
        ({"landing_path": "/ä"}, {}),
        ({"landing_path": ["/"]}, {}),
        ({"consent": "granted"}, {}),
        ({"consent": {"newsletter": True}}, {}),
        ({"clicks": ["gclid"]}, {}),
        ({"clicks": {"gclid": "undefined"}}, {}),
        ({"clicks": {"utm_source": "a\nb"}}, {}),
        ({"clicks": {"utm_term": "jo@example.org", "utm_id": "+49 170 5550143"}}, {}),
        (
            {"clicks": {"utm_term": "jo%2540example.org", "utm_source": "summer+sale"}},
            {"utm": {"utm_source": "summer+sale"}},
        ),
        ({"landing_path": "/account/jo%40example.org"}, {}),
        ({"at": "yesterday"}, {}),
    ],
)
def test_each_field_for_itself(fields: dict[str, Any], kept: dict[str, Any]) -> None:
    assert of_fields(**fields) == Beacon(**kept)


def test_several_clicks_and_who_asked_for_consent() -> None:
    clicks = of_fields(
        clicks={"gclid": [GCLID, GCLID + "2", GCLID + "3"], "wbraid": "Cj0KCQ-w-braid-of-nobody-1"}
    ).clicks
    assert [(click.kind.value, click.id) for click in clicks] == [
        ("gclid", GCLID),
        ("gclid", GCLID + "2"),
        ("wbraid", "Cj0KCQ-w-braid-of-nobody-1"),
    ]
    said = of_fields(consent={"ad_user_data": "denied"}).consent
    assert said == Consent(ad_user_data=ConsentStatus.DENIED, source="beacon")
    named = of_fields(consent={"ad_user_data": "denied", "source": "banner\u0000"}).consent
    assert named is not None
    assert named.source == "beacon"


def test_the_body_of_the_shopify_pixel() -> None:
    """As docs/decisions/0054-the-shopify-app.md has it."""
    text = Path(__file__).parents[2].joinpath("docs/decisions/0054-the-shopify-app.md").read_text()
    document = json.loads(text.partition("```json\n")[2].partition("```")[0])
    document |= {"site": "shop-key", "cart_token": "a-token-of-a-cart", "checkout_token": "a-token-of-a-checkout"}
    listed = [{"kind": "gbraid", "id": "0AAAAA-one", "clicked_at": None}, {"kind": "fbclid", "id": "Cj0K-other-one"}, 7]
    document["clicks"][0]["id"] = "Cj0KCQ-a-click-of-nobody-1"
    result = read(json.dumps(document | {"clicks": [*document["clicks"], *listed]}).encode())
    assert result is not None
    assert [(click.kind, click.id) for click in result[1].clicks] == [
        (ClickKind.GCLID, "Cj0KCQ-a-click-of-nobody-1"),
        (ClickKind.GBRAID, "0AAAAA-one"),
    ]
    assert result[1].clicks[0].clicked_at == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert result[1].clicks[1].clicked_at is None
    assert result[1].consent is not None
    assert result[1].consent.ad_user_data is ConsentStatus.GRANTED
    assert result[1].order_id == "820982911946154508"


def test_of_use_is_what_says_something_of_something() -> None:
    assert not Beacon(order_id="1").is_of_use
    assert not Beacon(consent=Consent()).is_of_use
    assert Beacon(order_id="1", consent=Consent()).is_of_use
    assert understand(RawDelivery(topic="collect", body=b'{"order_id":"1"}')).reason == "beacon_of_no_use"
    assert understand(RawDelivery(topic="collect", body=b"[]")).outcome is Outcome.PARKED


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from([*WHOLE, "gclid", "clicked_at", "source"]), inner)
        ),
        max_leaves=20,
    )
)
def test_whatever_comes_is_read_or_refused(document: Any) -> None:
    fields = document if isinstance(document, dict) else {"clicks": document, "consent": document, "at": document}
    found = read(json.dumps({**fields, "site": "shop-key-1"}).encode())
    assert found is not None
    landed = to_json(found[1])
    assert beacons.understand(RawDelivery(topic="collect", body=landed)).outcome is not Outcome.PARKED
