"""Where clicks and consent are found, which of them goes first, and what is never believed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.platforms.attribution import MAX_CLICK_ID_CHARS, attribution, moment_of
from custom_events.platforms.consent import consent_from, status_of
from custom_events.platforms.people import customer
from custom_events.values.clicks import ClickCarrier, ClickKind, ConsentStatus

GRANTED, DENIED, UNKNOWN = ConsentStatus.GRANTED, ConsentStatus.DENIED, ConsentStatus.UNKNOWN


def ids(*args: Any) -> list[str]:
    return [click.id for click in attribution(*args).clicks]


def test_own_attribute_then_landing_page_then_line_items():
    found = attribution(
        [("wbraid", "own-w"), ("gclid", "own-g")],
        "/?gbraid=land-b&gclid=land-g",
        [("_gclid", "item-g"), ("gclid_time", "1790000000")],
    )
    assert [(click.kind, click.id, click.carrier) for click in found.clicks] == [
        (ClickKind.GCLID, "own-g", ClickCarrier.ATTRIBUTE),
        (ClickKind.WBRAID, "own-w", ClickCarrier.ATTRIBUTE),
        (ClickKind.GCLID, "land-g", ClickCarrier.LANDING),
        (ClickKind.GBRAID, "land-b", ClickCarrier.LANDING),
        (ClickKind.GCLID, "item-g", ClickCarrier.ATTRIBUTE),
    ]
    assert [click.clicked_at is not None for click in found.clicks] == [False, False, False, False, True]


def test_the_same_id_in_two_places_is_one_click():
    assert ids([("gclid", "a")], "/?gclid=a", [("gclid", "a")]) == ["a"]


@pytest.mark.parametrize(
    "name", ["gclid", "GCLID", "_gclid", "ce_gclid", "_ce_gclid", "custom_events_gclid", "_gads_gclid", "google_gclid"]
)
def test_names_of_our_own_attribute(name: str):
    assert ids([(name, " EAIa-1 ")]) == ["EAIa-1"]


@pytest.mark.parametrize("name", ["my_gclid_note", "gclidx", "marketing", "source", ""])
def test_names_that_are_not_ours(name: str):
    found = attribution([(name, "granted")])
    assert (found.clicks, found.consent, found.utm) == ((), None, {})


@pytest.mark.parametrize("value", ["", " ", "two words", "<b>", "x" * (MAX_CLICK_ID_CHARS + 1), None, 5, ["a"], "é"])
def test_what_is_no_click_id(value: Any):
    assert ids([("gclid", value)]) == []


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("/?gclid=Abc-1", ["Abc-1"]),
        ("https://shop.example/p?x=1&GCLID=Abc-1#top", ["Abc-1"]),
        ("/?gclid=Abc%2D1&gclid=other", ["Abc-1"]),  # decoded once, the first counts
        ("/?gclid=Abc%252D1", ["Abc%2D1"]),
        ("/?gclid=", []),
        ("/?gclid", []),
        ("/gclid=Abc", []),
        ("http://[?gclid=a", ["a"]),  # truncated URLs are read as far as they go
        ("/?a=1" + "&a=1" * 200 + "&gclid=a", []),  # beyond the fields that are read
        ("/?" + "utm_x=1&" * 3 + "gbraid=b", ["b"]),
        (None, []),
    ],
)
def test_landing_pages(page: str | None, found: list[str]):
    assert ids([], page) == found


def test_utm_words_come_from_the_landing_page_and_from_meta():
    page = "/?utm_source=google&utm_medium=cpc&utm_campaign=a+b%20c&utm_id=&utm_other=x"
    assert attribution([], page).utm == {"source": "google", "medium": "cpc", "campaign": "a b c"}
    meta = [("_wc_order_attribution_utm_source", "news"), ("utm_term", ""), ("utm_content", 5)]
    assert attribution(meta, page).utm["source"] == "news"
    assert attribution(meta).utm == {"source": "news"}


def test_one_attribute_may_hold_everything_as_json():
    blob = (
        '{"gclid":"g-1","clicked_at":"2026-10-01T10:00:00","consent":{"ad_user_data":"granted"},"_custom_events":"{}"}'
    )
    found = attribution([("_custom_events", blob)])
    assert found.clicks[0].id == "g-1"
    assert found.clicks[0].clicked_at == datetime(2026, 10, 1, 10, tzinfo=UTC)
    assert found.consent is not None
    assert found.consent.ad_user_data is GRANTED
    assert attribution([("_custom_events", "{broken")]) == attribution([("_custom_events", "text")]) == attribution([])
    assert attribution([("_custom_events", "{" * 100_000)]) == attribution([])


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-10-01T12:00:00+02:00", datetime(2026, 10, 1, 10, tzinfo=UTC)),
        ("2026-10-01 10:00:00", datetime(2026, 10, 1, 10, tzinfo=UTC)),
        (1790848800, datetime(2026, 10, 1, 10, tzinfo=UTC)),
        ("1790848800000", datetime(2026, 10, 1, 10, tzinfo=UTC)),
        (1790848800.5, datetime(2026, 10, 1, 10, 0, 0, 500000, tzinfo=UTC)),
        ("soon", None),
        (True, None),
        (10**30, None),
        ([], None),
        ("٣", None),
    ],
)
def test_capture_times(value: Any, moment: datetime | None):
    if value == "٣":  # digits, though not ours: some second of 1970, never an error
        assert moment_of(value) is not None
    else:
        assert moment_of(value) == moment


def test_an_unreadable_capture_time_keeps_the_click():
    found = attribution([("gclid", "a"), ("clicked_at", "2026-10-01"), ("gclid_time", "?")])
    assert found.clicks[0].clicked_at == datetime(2026, 10, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("granted", GRANTED),
        (" ALLOW ", GRANTED),
        (True, GRANTED),
        (1, GRANTED),
        ("yes", GRANTED),
        ("denied", DENIED),
        ("deny", DENIED),
        (False, DENIED),
        (0, DENIED),
        ("", UNKNOWN),
        ("maybe", UNKNOWN),
        (None, UNKNOWN),
        (1.0, UNKNOWN),
        ([], UNKNOWN),
    ],
)
def test_words_of_consent(word: Any, status: ConsentStatus):
    assert status_of(word) is status


def consent(said: dict[str, Any]) -> tuple[Any, ...] | None:
    found = consent_from(said, "attribute")
    return found and (found.ad_user_data, found.ad_personalization, found.ad_storage, found.source)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, None),
        ({"newsletter": "granted"}, None),
        ({"ad_user_data": "granted"}, (GRANTED, UNKNOWN, UNKNOWN, "attribute")),
        ({"ad_user_data": "denied", "marketing": "allow", "source": "banner"}, (DENIED, UNKNOWN, UNKNOWN, "banner")),
        ({"marketing": "allow", "statistics": "deny"}, (GRANTED, GRANTED, GRANTED, "wp_consent_api")),
        ({"marketing": "deny"}, (DENIED, DENIED, DENIED, "wp_consent_api")),
        ({"marketing": "?"}, (UNKNOWN, UNKNOWN, UNKNOWN, "wp_consent_api")),
        (
            {"marketingAllowed": True, "saleOfDataAllowed": False},
            (GRANTED, DENIED, GRANTED, "shopify_customer_privacy"),
        ),
        ({"marketing_allowed": True}, (GRANTED, UNKNOWN, GRANTED, "shopify_customer_privacy")),
        ({"marketingAllowed": False, "saleOfDataAllowed": True}, (DENIED, DENIED, DENIED, "shopify_customer_privacy")),
        ({"ad_storage": "granted", "source": 5}, (UNKNOWN, UNKNOWN, GRANTED, "attribute")),
    ],
)
def test_whose_words_consent_is_in(said: dict[str, Any], expected: tuple[Any, ...] | None):
    assert consent(said) == expected


def test_consent_stands_beside_the_click():
    pairs = [("consent_ad_user_data", "granted"), ("_consent_source", "banner"), ("_ad_storage", "denied")]
    found = attribution(pairs).consent
    assert found is not None
    assert (found.ad_user_data, found.ad_storage, found.source) == (GRANTED, DENIED, "banner")
    items_only = attribution([], None, [("consent_marketing", "allow")]).consent
    assert items_only is not None
    assert items_only.ad_personalization is GRANTED


@given(
    pairs=st.lists(
        st.tuples(
            st.sampled_from(["gclid", "_custom_events", "consent", "clicked_at", "ad_storage", "utm_source"]),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dictionaries(st.text(), st.text()),
        ),
        max_size=6,
    ),
    page=st.none() | st.text().map(lambda text: f"/?gclid={text}"),
)
def test_attribution_never_raises_and_clicks_are_distinct(pairs: list[tuple[str, Any]], page: str | None):
    clicks = attribution(pairs, page, pairs).clicks
    assert len({(click.kind, click.id) for click in clicks}) == len(clicks)


def test_a_customer_is_known_by_id_else_by_the_hash_of_the_address():
    by_id = customer(id=7, emails=("a@example.com",))
    by_mail = customer(id=0, emails=(None, "", "no address", "A@Example.com "))
    assert by_id is not None
    assert by_mail is not None
    assert (by_id.key, by_mail.key) == ("c:7", f"e:{by_id.email_sha256}")
    assert customer(emails=(None,), phones=("",), countries=("SE",)) is None
    only_phone = customer(phones=("x" * 500, "070-174 06 05"), countries=(None, "Sweden", "se"))
    assert only_phone is not None
    assert (only_phone.key, only_phone.country) == (None, "SE")
    assert only_phone.phone_sha256 == customer(phones=("+46701740605",)).phone_sha256  # pyright: ignore[reportOptionalMemberAccess]
