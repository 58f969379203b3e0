"""Where clicks and consent are found, which of them goes first, and what is never believed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.platforms.attribution import MAX_CLICKS, attribution, moment_of
from custom_events.platforms.click_ids import MAX_CLICK_ID_CHARS, click_value
from custom_events.platforms.consent import consent_from, status_of
from custom_events.platforms.people import customer
from custom_events.values.clicks import ClickCarrier, ClickKind, ConsentStatus

GRANTED, DENIED, UNKNOWN = ConsentStatus.GRANTED, ConsentStatus.DENIED, ConsentStatus.UNKNOWN


def ids(*args: Any) -> list[str]:
    return [click.id for click in attribution(*args).clicks]


def test_own_attribute_then_landing_page_then_line_items() -> None:
    found = attribution(
        [("wbraid", "Own-w"), ("gclid", "Own-g")],
        "/?gbraid=Land-b&gclid=Land-g",
        [("_gclid", "Item-g"), ("gclid_time", "1790000000")],
    )
    assert [(click.kind, click.id, click.carrier) for click in found.clicks] == [
        (ClickKind.GCLID, "Own-g", ClickCarrier.ATTRIBUTE),
        (ClickKind.WBRAID, "Own-w", ClickCarrier.ATTRIBUTE),
        (ClickKind.GCLID, "Land-g", ClickCarrier.LANDING),
        (ClickKind.GBRAID, "Land-b", ClickCarrier.LANDING),
        (ClickKind.GCLID, "Item-g", ClickCarrier.ATTRIBUTE),
    ]
    assert [click.clicked_at is not None for click in found.clicks] == [False, False, False, False, True]


def test_the_same_id_in_two_places_is_one_click() -> None:
    assert ids([("gclid", "EAIa-1")], "/?gclid=EAIa-1", [("gclid", "EAIa-1")]) == ["EAIa-1"]


@pytest.mark.parametrize(
    "name", ["gclid", "GCLID", "_gclid", "ce_gclid", "_ce_gclid", "custom_events_gclid", "_gads_gclid", "google_gclid"]
)
def test_names_of_our_own_attribute(name: str) -> None:
    assert ids([(name, " EAIa-1 ")]) == ["EAIa-1"]


@pytest.mark.parametrize("name", ["my_gclid_note", "gclidx", "marketing", "source", ""])
def test_names_that_are_not_ours(name: str) -> None:
    found = attribution([(name, "granted")])
    assert (found.clicks, found.consent, found.utm) == ((), None, {})


@pytest.mark.parametrize("value", ["", " ", "two words", "<b>", "x" * (MAX_CLICK_ID_CHARS + 1), None, 5, ["a"], "é"])
def test_what_is_no_click_id(value: Any) -> None:
    assert ids([("gclid", value)]) == []


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("/?gclid=Abd-1", ["Abd-1"]),
        ("https://shop.example/p?x=1&GCLID=Abd-1#top", ["Abd-1"]),
        ("/?gclid=Abd%2D1&gclid=Other1", ["Abd-1", "Other1"]),  # the first counts, the others are kept
        ("/?gclid=Abd%252D1", ["Abd-1"]),  # twice where it was encoded twice: no id has a percent sign
        ("/?gclid=", []),
        ("/?gclid", []),
        ("/gclid=Abc", []),
        ("http://[?gclid=Abd-1", ["Abd-1"]),  # truncated URLs are read as far as they go
        ("/?a=1" + "&a=1" * 600 + "&gclid=Abd-1", []),  # beyond what is read
        ("/?a=1?gclid=Abd-1", ["Abd-1"]),  # addresses that were put together wrongly
        ("/?a=1&amp;gclid=Abd-1&amp;gbraid=0AAb-1", ["Abd-1", "0AAb-1"]),
        ("/?a=1;GCLID=Abd%2D1", ["Abd-1"]),
        ("/?a=1?gclid=undefined?gclid=Abd-1", ["Abd-1"]),
        ("/?my_gclid=Abd-1", []),
        ("/?" + "utm_x=1&" * 3 + "gbraid=0AAb-1", ["0AAb-1"]),
        (None, []),
    ],
)
def test_landing_pages(page: str | None, found: list[str]) -> None:
    assert ids([], page) == found


def test_utm_words_come_from_the_landing_page_and_from_meta() -> None:
    page = "/?utm_source=google&utm_medium=cpc&utm_campaign=a+b%20c&utm_id=&utm_other=x"
    assert attribution([], page).utm == {"source": "google", "medium": "cpc", "campaign": "a b c"}
    meta = [("_wc_order_attribution_utm_source", "news"), ("utm_term", ""), ("utm_content", 5)]
    assert attribution(meta, page).utm["source"] == "news"
    assert attribution(meta).utm == {"source": "news"}


def test_one_attribute_may_hold_everything_as_json() -> None:
    blob = '{"gclid":"Gg-1-x","clicked_at":"2026-10-01T10:00:00","consent":{"ad_user_data":"granted"},"_custom_events":"{}"}'
    found = attribution([("_custom_events", blob)])
    assert found.clicks[0].id == "Gg-1-x"
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
        ("٣", None),  # digits, though not ours: some second of 1970
        (0, None),
        ("0", None),
        ("1970-01-01", None),
        ("1790848800.25", datetime(2026, 10, 1, 10, 0, 0, 250000, tzinfo=UTC)),
        ("Thu Oct 01 2026 15:30:00 GMT+0530 (India Standard Time)", datetime(2026, 10, 1, 10, tzinfo=UTC)),
        ("Thu, 01 Oct 2026 10:00:00 GMT", datetime(2026, 10, 1, 10, tzinfo=UTC)),
        ("2026-10-01T10:00:00.000Z", datetime(2026, 10, 1, 10, tzinfo=UTC)),
        ("2026-10-01 10:00:00 UTC", datetime(2026, 10, 1, 10, tzinfo=UTC)),
        ("2026-10-01 10:00:00 GMT", datetime(2026, 10, 1, 10, tzinfo=UTC)),
        ("1 Oct 2026 12:00 +0200", datetime(2026, 10, 1, 10, tzinfo=UTC)),
        ("October 1, 2026 3:30 pm", None),  # read as half past three in the night by readers of mail
        ("10/1/2026, 3:30:00 PM", None),
        ("01.10.2026 15:30:00", None),
        ("2026-W40-4T10:00", None),
    ],
)
def test_capture_times(value: Any, moment: datetime | None) -> None:
    assert moment_of(value) == moment


def test_an_unreadable_capture_time_keeps_the_click() -> None:
    found = attribution([("gclid", "EAIa-1"), ("clicked_at", "2026-10-01"), ("gclid_time", "?")])
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
def test_words_of_consent(word: Any, status: ConsentStatus) -> None:
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
def test_whose_words_consent_is_in(said: dict[str, Any], expected: tuple[Any, ...] | None) -> None:
    assert consent(said) == expected


def test_consent_stands_beside_the_click() -> None:
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
def test_attribution_never_raises_and_clicks_are_distinct(pairs: list[tuple[str, Any]], page: str | None) -> None:
    clicks = attribution(pairs, page, pairs).clicks
    assert len({(click.kind, click.id) for click in clicks}) == len(clicks)


def test_a_customer_is_known_by_id_else_by_the_hash_of_the_address() -> None:
    by_id = customer(id=7, emails=("a@example.com",))
    by_mail = customer(id=0, emails=(None, "", "no address", "A@Example.com "))
    assert by_id is not None
    assert by_mail is not None
    assert (by_id.key, by_mail.key) == ("c:7", f"e:{by_id.email_sha256}")
    assert customer(emails=(None,), phones=("",), countries=("SE",)) is None
    assert customer(phones=("B" * 64,)).phone_sha256 == "b" * 64  # pyright: ignore[reportOptionalMemberAccess]  (a hash, as custom senders may send)
    only_phone = customer(phones=("x" * 500, "070-174 06 05"), countries=(None, "Sweden", "se"))
    assert only_phone is not None
    assert (only_phone.key, only_phone.country) == (None, "SE")
    assert only_phone.phone_sha256 == customer(phones=("+46701740605",)).phone_sha256  # pyright: ignore[reportOptionalMemberAccess]


@pytest.mark.parametrize(
    "value",
    ["undefined", "UNDEFINED", " undefined ", '"undefined"', "null", "None", "nil", "NaN", "false", "true", "test", "TEST123", "test-gclid",
     "TeSter-123", "0", "-", "--", "n/a", "N/A", "unknown", "[object Object]", "%5Bobject%20Object%5D", "(not set)", "(none)", "{gclid}",
     "{{gclid}}", "${gclid}", "%%GCLID%%", "%7Bgclid%7D", "<gclid>", "gclid", "GCLID", "your-gclid-here", "12345", "1763632800", "abc", "x",
     "google", "Organic", "organic", "''", '""', "[]", "{}", "gclid=", "gclid=undefined", "GCL.1763632800.undefined", "GCL.1763632800.",
     "2.1.kundefined$i1763632800", "_gcl_aw=null", "1.1763632800.null", "sample_gclid", "not_found", "cookie_not_found", "no-gclid",
     "NOT_FOUND", "Not.Found"],
)  # fmt: skip
def test_words_that_are_none(value: str) -> None:
    assert click_value(value) is None
    good = "/?gclid=Cj0KCQiA-from-the-landing-page"
    assert ids([("gclid", value)], good) == ["Cj0KCQiA-from-the-landing-page"]


ID = "Cj0KCQiA-b2_0123456789"
AT = datetime(2025, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "clicked_at"),
    [
        (f"GCL.1763632800.{ID}", AT),
        (f"GCL.1763632800.{ID}.label", AT),
        (f"GCL.1763632800123.{ID}", AT),
        (f"1.1763632800.{ID}", AT),
        (f"1.1.1763632800.{ID}", AT),
        (f"2.1.k{ID}$i1763632800", AT),
        (f"2.1.k{ID}$i1763632800$u55555", AT),
        (f"2.1.k{ID}%24i1763632800", AT),
        (f"_gcl_aw=GCL.1763632800.{ID}; _ga=GA1.1.1.2", AT),
        (f"FPGCLAW=2.1.k{ID}$i1763632800", AT),
        (f"https://shop.example/?utm_source=google&gclid={ID}&x=1#top", None),
        (f"?gclid={ID}", None),
        (f"gclid={ID}", None),
        (f'"{ID}"', None),
        (f"“{ID}”", None),
        (f"\t {ID}\u200b\n", None),
        (f"%20{ID}%22", None),
        (f"%2522{ID}%2522", None),
        (f"{ID}==", None),
    ],
)
def test_whole_cookies_and_what_stands_around_an_id(value: str, clicked_at: datetime | None) -> None:
    found = click_value(value)
    assert found is not None
    assert found.id.rstrip("=") == ID
    assert found.clicked_at == clicked_at


def test_the_case_of_an_id_is_kept() -> None:
    for click_id in ("EAIaIQobChMI-AbC", "eaiaiqobchmi-abc1", "A" * 60, "a1" * 30):
        assert ids([("GCLID", click_id)]) == [click_id]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("_gcl_aw", "gclid"), ("gcl_aw", "gclid"), ("FPGCLAW", "gclid"), ("_gac_UA-1-1", "gclid"), ("ce_gcl_aw", "gclid"),
     ("_gcl_ag", "gbraid"), ("FPGCLAG", "gbraid"), ("_gcl_gb", "wbraid"), ("FPGCLGB", "wbraid"), ("_gac_gb_G-XYZ", "wbraid")],
)  # fmt: skip
def test_google_s_cookies_by_their_own_names(name: str, kind: str) -> None:
    (click,) = attribution([(name, f"GCL.1763632800.{ID}")]).clicks
    assert (click.kind.value, click.id, click.clicked_at) == (kind, ID, AT)


@pytest.mark.parametrize("name", ["_gcl_dc", "_gcl_au", "_gcl_gs", "_gacs", "dclid", "_fbc", "msclkid"])
def test_other_cookies_are_none_of_ours(name: str) -> None:
    assert attribution([(name, f"GCL.1763632800.{ID}")]).clicks == ()


def test_several_candidates_are_kept_best_first() -> None:
    found = attribution(
        [("_gcl_aw", f"GCL.1763632800.{ID}cookie"), ("gclid", f"{ID}first"), ("_gclid", f"{ID}second"), ("gclid_time", "2026-10-01")],
        f"/?gclid={ID}landing&gclid={ID}first",
    )  # fmt: skip
    assert [(click.id.removeprefix(ID), click.clicked_at and click.clicked_at.year) for click in found.clicks] == [
        ("second", 2026),
        ("first", 2026),
        ("cookie", 2025),
        ("landing", None),
    ]
    many = attribution([("gclid", f"{ID}{n}") for n in range(50)])
    assert len(many.clicks) == MAX_CLICKS


def test_a_capture_time_without_offset_is_in_the_sites_zone() -> None:
    pairs = [("gclid", ID), ("gclid_time", "2026-11-20 15:25:00")]
    moments = [attribution(pairs, time_zone=zone).clicks[0].clicked_at for zone in ("Asia/Kolkata", "UTC", "No/Such")]
    assert moments == [
        datetime(2026, 11, 20, hour, minute, tzinfo=UTC) for hour, minute in ((9, 55), (15, 25), (15, 25))
    ]
    with_offset = attribution([("gclid", ID), ("gclid_time", "2026-11-20T15:25:00Z")], time_zone="Asia/Kolkata")
    assert with_offset.clicks[0].clicked_at == datetime(2026, 11, 20, 15, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    "word", ["(direct)", "(none)", "(not set)", " (Direct) ", "undefined", "null", "(not provided)"]
)
def test_utm_words_that_stand_for_none(word: str) -> None:
    meta = [("_wc_order_attribution_utm_source", word), ("utm_medium", "email")]
    assert attribution(meta).utm == {"medium": "email"}
    assert attribution(meta, "/?utm_source=google").utm["source"] == "google"
    assert attribution([], f"/?utm_source={word}").utm == {}


def test_a_place_that_knows_the_id_and_another_that_knows_its_time_are_one_click() -> None:
    cookie = ("_gcl_aw", f"GCL.1763632800.{ID}")
    for pairs in ([("gclid", ID), cookie], [cookie, ("gclid", ID)]):
        (click,) = attribution(pairs).clicks
        assert (click.id, click.clicked_at) == (ID, AT)
    (click,) = attribution([("gclid", ID), ("gclid_timestamp", "2026-10-01"), cookie]).clicks
    assert click.clicked_at == datetime(2026, 10, 1, tzinfo=UTC), "what the shop itself captured is not overruled"
    (click,) = attribution([cookie], f"/?gclid={ID}").clicks
    assert click.clicked_at == AT


def test_a_list_holds_candidates() -> None:
    assert ids([("gclid", [f"{ID}a"])]) == [f"{ID}a"]
    assert ids([("gclid", ["undefined", f"{ID}a", None, f"{ID}b", {}])]) == [f"{ID}a", f"{ID}b"]


@given(value=st.text(max_size=80) | st.text('abcGCL.0123456789$ki%=-_?&; "', max_size=60))
def test_a_click_id_is_clean_whatever_it_came_from(value: str) -> None:
    found = click_value(value)
    if found is not None:
        assert found.id.isascii()
        assert not set(found.id) & set(" \t\n\"'%<>{}[]()$")
        assert click_value(found.id) is None or click_value(found.id).id in found.id  # pyright: ignore[reportOptionalMemberAccess]
