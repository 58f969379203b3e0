"""Ids, money, quantities and times: exact, bounded, and named by their path when they cannot be read."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.errors import NotUnderstood
from custom_events.platforms import leaves
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
def test_ids(value: leaves.Id | None, text: str | None):
    assert leaves.optional_id(value) == text


def test_an_id_that_is_needed_names_its_place():
    with pytest.raises(NotUnderstood, match=r"\$\.order_id"):
        leaves.required_id("", "$.order_id")
    with pytest.raises(NotUnderstood):
        leaves.required_id(10**200, "$.id")


@given(cents=st.integers(-(10**14), 10**14))
def test_money_is_exact_as_text_and_as_number(cents: int):
    amount = Decimal(cents).scaleb(-2)
    for written in (f'"{amount:f}"', f"{amount:f}"):
        body = f'{{"id":1,"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","total_price":{written}}}'
        assert leaves.amount(ORDER.decode(body).total_price, "$") == amount


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1e15", "1e-13", "1E+999999", "0E-500"])
def test_what_is_no_money(text: str):
    with pytest.raises(NotUnderstood, match=r"amount of money - at `\$\.total`"):
        leaves.amount(Decimal(text), "$.total")


def test_money_forgets_its_minus_at_zero_and_its_digits_beyond_28():
    assert str(leaves.amount(Decimal("-0.00"), "$")) == "0.00"
    assert len(leaves.amount(Decimal("1." + "3" * 400), "$").as_tuple().digits) == 28
    assert leaves.optional_amount(None, "$") is None


@pytest.mark.parametrize(
    ("value", "quantity"), [(None, 0), (3, 3), (1.5, 2), (2.5, 3), (0.25, 1), (-0.25, -1), (0.0, 0), (-2, -2)]
)
def test_quantities_are_whole_and_some_is_never_none(value: float | None, quantity: int):
    assert leaves.whole_quantity(value, "$") == quantity


@pytest.mark.parametrize("value", [10**10, -1e20])
def test_absurd_quantities(value: float):
    with pytest.raises(NotUnderstood):
        leaves.whole_quantity(value, "$.quantity")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T09:55:45", datetime(2026, 11, 22, 9, 55, 45, tzinfo=UTC)),
        ("2026-11-22T09:55:45+02:00", datetime(2026, 11, 22, 7, 55, 45, tzinfo=UTC)),
        ("", None),
        ("0", None),
        (None, None),
    ],
)
def test_gmt_has_no_z(text: str | None, moment: datetime | None):
    assert leaves.gmt(text, "$") == moment


@pytest.mark.parametrize("text", ["yesterday", "0000-00-00T00:00:00", "9999-12-31T23:59:59-10:00", "2026-13-01"])
def test_times_that_are_none(text: str):
    with pytest.raises(NotUnderstood, match="date and time"):
        leaves.gmt(text, "$.date")


def test_local_times_need_the_sites_zone():
    zone = leaves.zone_of("Europe/Lisbon")
    assert leaves.local("2026-07-01T12:00:00", zone, "$") == datetime(2026, 7, 1, 11, tzinfo=UTC)
    for name in ("No/Such", "", "..", "Europe"):
        assert leaves.zone_of(name) is UTC


def test_codes_and_texts():
    assert leaves.currency_code(" eur ") == "EUR"
    assert leaves.country_code("se") == "SE"
    for wrong in (None, "", "EURO", "Ä€", "12", "123", "example string"):
        assert leaves.currency_code(wrong) is None
        assert leaves.country_code(wrong) is None
    assert leaves.text("  ") is leaves.text(None) is leaves.text("") is None
    assert leaves.text("x" * 5_000) == "x" * leaves.MAX_TEXT_CHARS


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
def test_any_json_as_text(value: object, text: str | None):
    assert as_text(value) == text


def test_named_values_are_bounded_and_name_nobody():
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


def test_shopify_writes_named_values_in_two_shapes():
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
