"""Hypothesis strategies: events of a small world, so that conditions hold about as often as not, and valid trees over it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st

from custom_events.conditions.facts import Facts
from custom_events.conditions.field_lookup import fields_by_name, find_field
from custom_events.conditions.fields import Field, FieldType, Scope
from custom_events.conditions.operators import Wants, find_operator, operators_of
from custom_events.conditions.validate import MEASURE_OPERATORS
from custom_events.values.clicks import Click, ClickKind, Consent, ConsentStatus
from custom_events.values.events import Cart, CommerceEvent, Customer, EventType, LineItem, Order, Refund, Subscription
from custom_events.values.zones import zone

START = datetime(2026, 3, 1, tzinfo=UTC)
CURRENCIES = ("EUR", "USD", "JPY")
WORDS = ("VIP-1", "vip-2", "paid", "DE", "web", "A b", "ß", "google", "12.50", "true", "2026-03-02")
AMOUNTS = tuple(map(Decimal, ("0", "9.99", "50", "200.00", "200.01", "1000")))
OPEN_NAMES = (
    "note_attributes.gift",
    "meta._key.with.dot",
    "properties.level",
    "properties.deep.list.0",
    "item.properties.engraving",
)

words = st.sampled_from(WORDS)
maybe_words = st.none() | words
amounts = st.sampled_from(AMOUNTS)
maybe_amounts = st.none() | amounts
times = st.integers(0, 60 * 24 * 10).map(lambda minutes: START + timedelta(minutes=minutes))
maybe_times = st.none() | times
texts = st.lists(words, max_size=3).map(tuple)
maybe_currencies = st.none() | st.sampled_from(CURRENCIES)
json_values = st.sampled_from(
    [b'"VIP-1"', b"12.5", b"true", b'{"list": ["DE", 3], "a": null}', b'["web", 7]', b'""', b"null", b'"2026-03-02"']
)

line_items = st.builds(
    LineItem,
    sku=maybe_words,
    product_id=maybe_words,
    title=maybe_words,
    vendor=maybe_words,
    quantity=st.integers(0, 3),
    price=maybe_amounts,
    total=maybe_amounts,
    categories=texts,
    properties=st.dictionaries(st.just("engraving"), words, max_size=1),
)
items = st.lists(line_items, max_size=3).map(tuple)
orders = st.builds(
    Order,
    id=st.sampled_from(("1", "2", "3")),
    created_at=times,
    updated_at=times,
    paid_at=maybe_times,
    currency=maybe_currencies,
    total=maybe_amounts,
    tax=maybe_amounts,
    shipping=maybe_amounts,
    discount=maybe_amounts,
    status=maybe_words | st.just(""),
    tags=texts,
    discount_codes=texts,
    billing_country=maybe_words,
    items=items,
)
customers = st.builds(
    Customer,
    key=st.none() | st.sampled_from(("c:1", "c:2")),
    email_sha256=st.none() | st.just("a" * 64),
    tags=texts,
    country=maybe_words,
    created_at=maybe_times,
    accepts_marketing=st.none() | st.booleans(),
)
refunds = st.builds(Refund, id=words, order_id=st.just("1"), amount=amounts, currency=maybe_currencies, items=items)
subscriptions = st.builds(
    Subscription,
    id=words,
    status=maybe_words,
    order_id=st.none() | st.just("1"),
    amount=maybe_amounts,
    currency=maybe_currencies,
)
carts = st.builds(Cart, token=words, currency=maybe_currencies, total=maybe_amounts, items=items)
clicks = st.lists(st.builds(Click, kind=st.sampled_from(ClickKind), id=words, clicked_at=maybe_times), max_size=2).map(
    tuple
)
consents = st.builds(Consent, ad_user_data=st.sampled_from(ConsentStatus))
events = st.builds(
    CommerceEvent,
    type=st.sampled_from(EventType),
    key=st.integers(0, 10**9).map(lambda number: f"order.paid:{number}"),
    occurred_at=times,
    evidence_at=times,
    order=st.none() | orders,
    refund=st.none() | refunds,
    subscription=st.none() | subscriptions,
    cart=st.none() | carts,
    customer=st.none() | customers,
    clicks=clicks,
    consent=st.none() | consents,
    utm=st.dictionaries(st.sampled_from(("source", "medium")), words, max_size=2),
    note_attributes=st.dictionaries(st.just("gift"), words, max_size=1),
    meta=st.dictionaries(st.just("_key.with.dot"), words, max_size=1),
    properties=st.dictionaries(st.sampled_from(("level", "deep")), json_values.map(msgspec.Raw), max_size=2),
)
facts = st.builds(
    Facts,
    zone=st.sampled_from((UTC, zone("America/New_York"), zone("Asia/Kolkata"))),
    orders_before=st.none() | st.integers(0, 3),
    spent_before=maybe_amounts,
    first_seen=maybe_times,
)
# Values that break comparisons: no platform lets them through, stored events of the future might have them.
hostile_events = st.builds(
    lambda event, order, amount, naive: msgspec.structs.replace(
        event,
        order=msgspec.structs.replace(order, total=amount, paid_at=naive),
        properties={"level": msgspec.Raw(b"{broken")},
    ),
    events,
    orders,
    st.sampled_from([Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")]),
    st.just(datetime(2026, 3, 2)),  # noqa: DTZ001 - a time without zone is the point
)

_numbers = amounts.map(str) | st.integers(-1, 300) | st.floats(0, 300).map(lambda number: round(number, 2))
_days = st.sampled_from(("2026-03-01", "2026-03-04", "2026-03-09"))
_moments = st.sampled_from(("2026-03-01T00:00:00Z", "2026-03-05T12:00:00+02:00", "2026-03-10T00:00:00Z"))
_VALUES: dict[Wants, st.SearchStrategy[Any]] = {
    Wants.TEXT: words,
    Wants.TEXTS: st.lists(words, min_size=1, max_size=3),
    Wants.PATTERN: st.sampled_from(("^vip", "a|b", "[0-9]+$", ".", "(?i)PAID")),
    Wants.NUMBER: _numbers,
    Wants.NUMBERS: st.lists(_numbers, min_size=1, max_size=3),
    Wants.RANGE: st.tuples(st.integers(0, 50), st.integers(50, 300)).map(list),
    Wants.INTEGER: st.integers(0, 12),
    Wants.INTEGERS: st.lists(st.integers(0, 23), min_size=1, max_size=5),
    Wants.INTEGER_RANGE: st.tuples(st.integers(0, 5), st.integers(5, 20)).map(list),
    Wants.BOOLEAN: st.booleans(),
    Wants.MOMENT: _days | _moments,
    Wants.MOMENTS: st.just(["2026-03-02", "2026-03-05"]) | st.just(["2026-03-02T00:00:00Z", "2026-03-05T12:00:00Z"]),
    Wants.DURATION: st.sampled_from(({"days": 3}, {"hours": 12}, {"minutes": 90.5})),
}


def _value(field: Field, wants: Wants) -> st.SearchStrategy[Any]:
    if field.words and wants is Wants.TEXT:
        return st.sampled_from(field.words)
    if field.words and wants is Wants.TEXTS:
        return st.lists(st.sampled_from(field.words), min_size=1, max_size=2)
    if field.type is FieldType.OPEN and wants is Wants.NUMBERS:  # the first value decides how an open field is read
        return st.lists(st.integers(0, 300), min_size=1, max_size=3)
    return _VALUES[wants]


@st.composite
def leaves(draw: st.DrawFn, scope: Scope = Scope.EVENT) -> dict[str, Any]:
    """A valid comparison."""
    names = [name for name, field in fields_by_name().items() if field.scope is scope]
    names += [name for name in OPEN_NAMES if (found := find_field(name)) is not None and found.scope is scope]
    field = find_field(draw(st.sampled_from(names)))
    assert field is not None
    op = draw(st.sampled_from(operators_of(field.type)))
    leaf: dict[str, Any] = {"field": field.name, "op": op}
    sample = draw(st.sampled_from(["a", 1, True])) if op in ("=", "!=") else draw(st.sampled_from([["a"], [1]]))
    operator = find_operator(field.type, op, sample)
    assert operator is not None
    if operator.wants is Wants.NOTHING:
        return leaf
    leaf["value"] = draw(_value(field, operator.wants))
    if field.type is FieldType.MONEY and draw(st.booleans()):
        leaf["currency"] = draw(st.sampled_from(CURRENCIES))
    # An open field's value decides how it is read, so ask again with the value drawn.
    read = find_operator(field.type, op, leaf["value"])
    if read is not None and read.takes_case and draw(st.booleans()) and not field.words:
        leaf["ignore_case"] = True
    return leaf


def _grouped(base: st.SearchStrategy[Any], max_leaves: int) -> st.SearchStrategy[dict[str, Any]]:
    def wider(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        several = st.lists(below, min_size=1, max_size=3)
        return (
            st.builds(lambda children: {"all": children}, several)
            | st.builds(lambda children: {"any": children}, several)
            | st.builds(lambda child: {"not": child}, below)
        )

    return st.recursive(base, wider, max_leaves=max_leaves)


item_trees = _grouped(leaves(Scope.ITEM), 3)


@st.composite
def measures(draw: st.DrawFn) -> dict[str, Any]:
    """A valid measure over line items."""
    op = draw(st.sampled_from(MEASURE_OPERATORS))
    tree: dict[str, Any] = {"measure": draw(st.sampled_from(("count", "quantity", "total"))), "op": op}
    tree["value"] = [0, 2] if op == "between" else draw(st.integers(0, 3))
    if tree["measure"] == "total" and draw(st.booleans()):
        tree["currency"] = draw(st.sampled_from(CURRENCIES))
    if draw(st.booleans()):
        tree["items"] = draw(item_trees)
    return tree


_over_items = (
    st.builds(lambda word, tree: {word: tree}, st.sampled_from(("any_item", "all_items", "no_item")), item_trees)
    | measures()
)
trees = _grouped(leaves() | leaves() | _over_items, 6)

json_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | words
tree_keys = st.sampled_from(
    (
        "all",
        "any",
        "not",
        "field",
        "op",
        "value",
        "currency",
        "ignore_case",
        "any_item",
        "no_item",
        "measure",
        "items",
        "order.total",
        ">=",
    )
)
any_json = st.recursive(
    json_scalars | st.sampled_from(("order.total", "item.sku", ">=", "=", "total", "properties.a")),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(tree_keys | st.text(max_size=5), below, max_size=5),
    max_leaves=12,
)
