"""Any leaf of any body may be odd: nothing else of the body changes, or, where it is essential, the body is parked with its path."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.platforms import loose_json
from custom_events.platforms.bigcommerce import shapes as bigcommerce_shapes
from custom_events.platforms.bigcommerce import topics as bigcommerce
from custom_events.platforms.custom import bodies as custom
from custom_events.platforms.custom import shapes as custom_shapes
from custom_events.platforms.custom.topics import TYPES
from custom_events.platforms.shapes import Shape
from custom_events.platforms.shopify import shapes as shopify_shapes
from custom_events.platforms.shopify import topics as shopify
from custom_events.platforms.stripe import shapes as stripe_shapes
from custom_events.platforms.stripe import topics as stripe
from custom_events.platforms.woocommerce import shapes as woo_shapes
from custom_events.platforms.woocommerce import topics as woo
from custom_events.values.deliveries import Outcome, Platform, Understood
from tests.platforms.odd_bodies import BIGCOMMERCE, CUSTOM, HALF, SHOPIFY, STRIPE, WOO, understood
from tests.platforms.sample_bodies import PATHS, body_of

KINDS: dict[Platform, tuple[Callable[[type[msgspec.Struct]], Shape], dict[str, type[msgspec.Struct]]]] = {
    SHOPIFY: (shopify_shapes.shape_of, {t: shopify.BODIES[h] for t, h in shopify.HANDLERS.items() if h in shopify.BODIES}),
    WOO: (woo_shapes.shape_of, {topic: woo.BODIES[handler] for topic, handler in woo.HANDLERS.items()}),
    CUSTOM: (custom_shapes.shape_of, dict.fromkeys(TYPES, custom.Body)),
    STRIPE: (stripe_shapes.shape_of, {topic: stripe.BODIES[handler] for topic, handler in stripe.HANDLERS.items()}),
    BIGCOMMERCE: (bigcommerce_shapes.shape_of, {topic: bigcommerce.BODIES[handler] for topic, handler in bigcommerce.HANDLERS.items()}),
}  # fmt: skip


def _delivery(path: Path) -> tuple[Platform, str, Any]:
    platform, topic = Platform(path.parent.name), path.stem.partition("--")[0]
    return platform, topic.replace("__", "/"), json.loads(body_of(path))


def _is_read(path: Path) -> bool:
    platform, topic, body = _delivery(path)
    found = understood(platform, topic, body)
    return topic in KINDS[platform][1] and found.outcome is not Outcome.PARKED and not found.odd_leaves


READ = [path for path in PATHS if _is_read(path)]


def _shape(platform: Platform, topic: str) -> Shape:
    shape_of, kinds = KINDS[platform]
    return shape_of(kinds[topic])


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, child in inner for place in ((*path, key), *_places(child, (*path, key)))]


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        value = value[step]
    return value


def _folded(place: tuple[Any, ...]) -> str:
    return "$" + "".join("[]" if isinstance(step, int) else f".{step}" for step in place)


def _with(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = _with(value[place[0]], place[1:], new)
    return copy


def _without(value: Any, place: tuple[Any, ...]) -> Any:
    copy = value.copy()
    if len(place) == 1:
        del copy[place[0]]
    else:
        copy[place[0]] = _without(value[place[0]], place[1:])
    return copy


def _says(found: Understood) -> Any:
    totals = {event.order.total for event in found.events if event.order is not None}
    return found.outcome, [event.key for event in found.events], totals, found.deleted_order_id


ODD = (
    st.sampled_from([None, True, False, "", " ", "0", "2", "1.5", "true", HALF, "0000-12-31T18:03:24-05:50", 0, 7, 10**30, [], {}, [[]],
                     [None], {"0": {}}, [["a", "b"]], {"0": "a"}, "NaN", "1e400", -1])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
    | st.dictionaries(st.text(max_size=5), st.integers() | st.none(), max_size=2)
)  # fmt: skip


def test_samples_are_there() -> None:
    assert len(READ) > 30


@pytest.mark.parametrize("path", READ, ids=lambda path: path.stem)
def test_an_ordinary_body_read_tolerantly_says_the_same(path: Path) -> None:
    platform, topic, body = _delivery(path)
    read, odd = _shape(platform, topic).read(loose_json.decode(body_of(path)))
    assert odd == {}
    again = msgspec.json.Encoder(decimal_format="number").encode(read)
    assert understood(platform, topic, again) == understood(platform, topic, body)


@given(path=st.sampled_from(READ), data=st.data(), new=ODD)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_odd_value_anywhere_but_at_an_essential_leaf_changes_nothing_else(
    path: Path, data: st.DataObject, new: Any
) -> None:
    """It is read as the body says it with the leaf missing, or with what it evidently means: the same events of the same worth."""
    platform, topic, body = _delivery(path)
    place = data.draw(st.sampled_from(_places(body)))
    essential = set(_shape(platform, topic).essential_paths())
    folded = _folded(place)
    found = understood(platform, topic, _with(body, place, new))
    if "unknown field" in (found.detail or ""):  # custom senders hear of those, wherever they stand
        assert platform is CUSTOM
        return
    assert found.odd_leaves == () or found.outcome is not Outcome.PARKED
    if type(new) is type(_at(body, place)) or topic.startswith(
        "cart"
    ):  # a cart's line is known by its key, its sku ...
        return
    if any(one.startswith(folded) or folded.startswith(f"{one}.") for one in essential):
        return
    if found.outcome is not Outcome.PARKED and not found.odd_leaves:  # another value, and none of an odd type
        return
    missing, as_it_was = understood(platform, topic, _without(body, place)), understood(platform, topic, body)
    assert found.outcome is missing.outcome or found.outcome is as_it_was.outcome, found
    if found.odd_leaves:
        assert {event.key for event in found.events} <= {event.key for event in (*missing.events, *as_it_was.events)}
    if found.order is not None and as_it_was.order is not None:
        assert (found.order.id, found.order.total, found.order.currency) == (
            as_it_was.order.id,
            as_it_was.order.total,
            as_it_was.order.currency,
        )


@given(path=st.sampled_from(READ), data=st.data(), new=st.sampled_from([True, {"a": 1}, [1]]))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_odd_value_at_an_essential_leaf_parks_the_body_with_its_path(
    path: Path, data: st.DataObject, new: Any
) -> None:
    platform, topic, body = _delivery(path)
    essential = set(_shape(platform, topic).essential_paths())
    places = [place for place in _places(body) if _folded(place) in essential]
    if not places:  # a customer's body has none that every body must have
        return
    place = data.draw(st.sampled_from(places))
    if type(new) is type(_at(body, place)):  # another value, and none of an odd type
        return
    found = understood(platform, topic, _with(body, place, new))
    assert (found.outcome, found.reason) == (Outcome.PARKED, "wrong_shape")
    assert f"`{_folded(place)}`" in (found.detail or "")


def test_the_tables_name_fields_that_exist() -> None:
    coming = {"current_total_price"}  # named before it is read
    for module in (shopify_shapes, woo_shapes, custom_shapes, stripe_shapes, bigcommerce_shapes):
        for kind, names in module.ESSENTIAL.items():
            assert names - coming <= set(kind.__struct_fields__), kind
