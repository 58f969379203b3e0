"""Ids, money, quantities and times: exact, bounded, and named by their path when they cannot be read."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.errors import NotUnderstood
from custom_events.platforms import loose_json, parse
from custom_events.platforms.attributes import MAX_ENTRIES, MAX_NAME_CHARS, MAX_VALUE_CHARS, as_text, flattened, named
from custom_events.platforms.shopify.bodies import ORDER


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (820982911946154508, "820982911946154508"),
        (2**70, str(2**70)),
        (8.209829119461545e17, "820982911946154500"),  # through JavaScript
        (7.0, "7"),
        (7.5, None),
        (1e300, None),
        (0, None),
        (-3, None),
        ("0", None),
        ("", None),
        ("  gid-1 ", "gid-1"),
        ("x" * 129, None),
        (None, None),
        (True, None),
    ],
)
def test_ids(value: parse.Id | None, text: str | None) -> None:
    assert parse.optional_id(value) == text


def test_an_id_that_is_needed_names_its_place() -> None:
    with pytest.raises(NotUnderstood, match=r"\$\.order_id"):
        parse.required_id("", "$.order_id")
    with pytest.raises(NotUnderstood):
        parse.required_id(10**200, "$.id")


@given(cents=st.integers(-(10**14), 10**14))
def test_money_is_exact_as_text_and_as_number(cents: int) -> None:
    amount = Decimal(cents).scaleb(-2)
    for written in (f'"{amount:f}"', f"{amount:f}"):
        body = f'{{"id":1,"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","total_price":{written}}}'
        assert parse.amount(ORDER.decode(body).total_price, "$") == amount


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1e-13", "0E-500"])
def test_what_is_no_money(text: str) -> None:
    with pytest.raises(NotUnderstood, match=r"amount of money - at `\$\.total`"):
        parse.amount(Decimal(text), "$.total")


@pytest.mark.parametrize("text", ["1e14", "-1e14", "99999999999999.9999999", "1e15", "1E+999999"])
def test_what_the_database_cannot_hold_has_a_reason_of_its_own(text: str) -> None:
    with pytest.raises(NotUnderstood, match=r"14 digits before the point - at `\$\.total`") as caught:
        parse.amount(Decimal(text), "$.total")
    assert caught.value.reason == "amount_too_large"


@pytest.mark.parametrize("text", ["99999999999999.99", "-99999999999999.999999", "12345678901234.567891", "0.000001"])
def test_what_the_database_holds_is_exact(text: str) -> None:
    assert str(parse.amount(Decimal(text), "$")) == text


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("19.900000000000002", "19.90"),
        ("0.30000000000000004", "0.30"),
        ("8.399999999999999", "8.40"),
        ("-19.900000000000002", "-19.90"),
        ("1234567.0000000001", "1234567.00"),
        ("17.647059", "17.647059"),  # a price by the piece, as WooCommerce writes it
        ("33.333333333333336", "33.3333333333333"),
        ("19.9", "19.9"),
    ],
)
def test_the_noise_of_binary_numbers_is_no_money(written: str, amount: str) -> None:
    assert str(parse.amount(Decimal(written), "$")) == amount


@given(cents=st.integers(-(10**10), 10**10), pieces=st.integers(1, 1000))
def test_a_price_that_went_through_a_double_comes_back(cents: int, pieces: int) -> None:
    price = Decimal(cents).scaleb(-2)
    through = Decimal(repr(float(price * pieces) / pieces))
    assert parse.amount(through, "$") == price


def test_money_forgets_its_minus_at_zero_and_its_digits_beyond_15() -> None:
    assert str(parse.amount(Decimal("-0.00"), "$")) == "0.00"
    assert len(parse.amount(Decimal("1." + "3" * 400), "$").as_tuple().digits) == 15
    assert parse.optional_amount(None, "$") is None
    assert parse.optional_amount(Decimal("-0.00"), "$") == 0


def test_an_order_is_worth_nothing_at_least() -> None:
    with pytest.raises(NotUnderstood, match=r"less than nothing - at `\$\.total`") as caught:
        parse.order_total(Decimal("-0.01"), "$.total")
    assert caught.value.reason == "total_below_zero"
    assert parse.order_total(Decimal(0), "$.total") == 0


@pytest.mark.parametrize(
    ("value", "quantity"), [(None, 0), (3, 3), (1.5, 2), (2.5, 3), (0.25, 1), (-0.25, -1), (0.0, 0), (-2, -2)]
)
def test_quantities_are_whole_and_some_is_never_none(value: float | None, quantity: int) -> None:
    assert parse.whole_quantity(value, "$") == quantity


@pytest.mark.parametrize("value", [10**10, -1e20])
def test_absurd_quantities(value: float) -> None:
    with pytest.raises(NotUnderstood):
        parse.whole_quantity(value, "$.quantity")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T09:55:45", datetime(2026, 11, 22, 9, 55, 45, tzinfo=UTC)),
        ("2026-11-22T09:55:45+02:00", datetime(2026, 11, 22, 7, 55, 45, tzinfo=UTC)),
        ("", None),
        ("0", None),
        ("0000-00-00 00:00:00", None),  # MySQL's
        ("-0001-11-30T00:00:00", None),  # the same, as PHP's calendar reads it
        (None, None),
    ],
)
def test_gmt_has_no_z(text: str | None, moment: datetime | None) -> None:
    assert parse.gmt(text, "$") == moment


@pytest.mark.parametrize("text", ["yesterday", "0000-12-31T00:00:00", "9999-12-31T23:59:59-10:00", "2026-13-01"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(NotUnderstood, match="date and time"):
        parse.gmt(text, "$.date")


def test_local_times_need_the_sites_zone() -> None:
    zone = parse.zone_of("Europe/Lisbon")
    assert parse.local("2026-07-01T12:00:00", zone, "$") == datetime(2026, 7, 1, 11, tzinfo=UTC)
    for name in ("No/Such", "", "..", "Europe"):
        assert parse.zone_of(name) is UTC


def test_codes_and_texts() -> None:
    assert parse.currency_code(" eur ") == "EUR"
    assert parse.country_code("se") == "SE"
    for wrong in (None, "", "EURO", "Ä€", "12", "123", "example string"):
        assert parse.currency_code(wrong) is None
        assert parse.country_code(wrong) is None
    assert parse.text("  ") is parse.text(None) is parse.text("") is None
    assert parse.text("x" * 5_000) == "x" * parse.MAX_TEXT_CHARS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (None, None),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (Decimal("1.10"), "1.10"),
        (1.5, "1.5"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        ([], "[]"),
    ],
)
def test_any_json_as_text(value: object, text: str | None) -> None:
    assert as_text(value) == text


def test_named_values_are_bounded_and_name_nobody() -> None:
    pairs = [
        ("colour", "green"),
        ("colour", "blue"),
        ("", "x"),
        ("n" * (MAX_NAME_CHARS + 1), "x"),
        ("empty", ""),
        ("nothing", None),
        ("contact", "write to jo@example.com"),
        ("at", "5 @ 3"),
        ("Delivery_Phone", "1"),
        ("E-Mail", "x"),
        ("customer_ip", "192.0.2.1"),
        ("zip_code", "1"),
        ("long", "y" * 1000),
    ]
    assert flattened(pairs) == {"colour": "blue", "at": "5 @ 3", "zip_code": "1", "long": "y" * MAX_VALUE_CHARS}
    assert len(flattened((str(n), "x") for n in range(500))) == MAX_ENTRIES


def test_shopify_writes_named_values_in_two_shapes() -> None:
    assert named(None) == []
    assert named({"a": 1}) == [("a", 1)]
    body = msgspec.json.encode(
        {
            "id": 1,
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
            "total_price": 1,
            "note_attributes": [{"name": "a", "value": 1}, {"value": 2}, {"name": None, "value": 3}],
        }
    )
    assert named(ORDER.decode(body).note_attributes) == [("a", 1)]


def test_limits_are_the_last_that_passes() -> None:
    assert parse.required_id("x" * parse.MAX_ID_CHARS, "$.id") == "x" * parse.MAX_ID_CHARS
    assert parse.optional_id("x" * (parse.MAX_ID_CHARS + 1)) is None
    assert (parse.optional_id(1.0), parse.optional_id(1e22)) == ("1", None)
    for quantity in (parse.MAX_QUANTITY, -parse.MAX_QUANTITY):
        assert parse.whole_quantity(quantity, "$.quantity") == quantity
    assert parse.amount(Decimal("1E-12"), "$.total") == Decimal("1E-12")
    with pytest.raises(NotUnderstood):
        parse.amount(Decimal("9E-13"), "$.total")
    with pytest.raises(NotUnderstood, match=r"\$\.refunds"):
        parse.refunded_of([Decimal(10**13), Decimal(9 * 10**13)])


def test_times_become_utc() -> None:
    moment = datetime(2026, 11, 22, 11, tzinfo=timezone(timedelta(hours=1)))
    for found in (parse.utc(moment), parse.optional_utc(moment)):
        assert found == moment
        assert found is not None
        assert found.tzinfo is UTC
    assert parse.utc(datetime(2026, 11, 22, tzinfo=UTC)) == datetime(2026, 11, 22, tzinfo=UTC)
    assert parse.optional_utc(None) is None


def test_json_that_is_read_tolerantly_stays_exact_and_the_same_where_nothing_changes() -> None:
    whole, long = loose_json.decode(b"[%s, %s]" % (b"1" * 40, b"1" * 41))
    assert (type(whole), whole) == (int, int("1" * 40))
    assert (type(long), long) == (Decimal, Decimal("1" * 41))
    for value in (["a", 1, Decimal("1.5"), None], {"a": [True]}, Decimal("1E+308")):
        assert loose_json.cleaned(value) is value
    assert loose_json.cleaned(["a\ud800", Decimal("1E+309")]) == ["a\ufffd", "1E+309"]
    assert loose_json.cleaned({"a": ["\udfff"]}) == {"a": ["\ufffd"]}
