"""From bytes to a verdict that always comes: what cannot be read is parked with the path of the field, never its value.

The handlers decode strictly, and an ordinary body is read once. One that they refuse is read a second time, leaf by leaf
(`shapes.py`): a leaf of an odd type is read by its evident meaning or counts as missing, and is named in `Understood.odd_leaves`;
essential leaves stay strict.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from custom_events.errors import NotUnderstood
from custom_events.platforms import loose_json
from custom_events.platforms.odd_leaf import Odd
from custom_events.platforms.parse import WRONG_SHAPE
from custom_events.platforms.shapes import Shape
from custom_events.values.deliveries import Outcome, RawDelivery, SiteContext, Understood, parked
from custom_events.values.times import cut_in

Handler = Callable[[RawDelivery, SiteContext], Understood]

MAX_DETAIL_CHARS = 300
_OF_A_LEAF: Final = (WRONG_SHAPE, "amount_too_large")  # reasons of `parse.py`
MAX_LEFT_OUT: Final = 16  # leaves of one body that a handler refuses one after the other; more is another kind of body

# Postgres holds no NUL in text or jsonb, and one such row fails its whole batch. An even number of backslashes before
# the escape means that the escape is real.
_NUL_ESCAPE = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_UNKNOWN_FIELD = re.compile(r"unknown field `[^`]*`")  # whose name may be somebody's
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Reading(NamedTuple):
    """How a loosely decoded body is read: by this handler, as this shape."""

    handler: Handler
    shape: Shape


SecondReading = Callable[[Any], Reading | Understood]
"""From the loosely decoded body to how it is read, or to the verdict at once."""


def second_readings(
    bodies: Mapping[Handler, type[msgspec.Struct]], shape_of: Callable[[type[msgspec.Struct]], Shape]
) -> dict[Handler, SecondReading]:
    """How each handler's body is read tolerantly where nothing but its handler says what it is."""
    return {handler: partial(_by_shape, handler, kind, shape_of) for handler, kind in bodies.items()}


def _by_shape(
    handler: Handler, kind: type[msgspec.Struct], shape_of: Callable[[type[msgspec.Struct]], Shape], _document: Any
) -> Reading:
    return Reading(handler, shape_of(kind))


def guarded(
    handler: Handler,
    delivery: RawDelivery,
    site: SiteContext,
    second: SecondReading | None = None,
    *,
    decodes_times: bool = False,
) -> Understood:
    """The handler's verdict; parked as unreadable_body, wrong_shape or the handler's own reason when it cannot give one.

    `second`: how a body is read tolerantly that the handler refuses for its shape; None: it is parked at once. `decodes_times`: the
    handler's structs hold datetimes, which msgspec rounds; what is finer than a microsecond is cut before.
    """
    # Most bodies hold no backslash at all, and looking for one byte costs a tenth of looking for six.
    if b"\\" in delivery.body and b"\\u0000" in delivery.body:
        delivery = msgspec.structs.replace(delivery, body=_NUL_ESCAPE.sub(rb"\1\\ufffd", delivery.body))
    if decodes_times and (body := cut_in(delivery.body)) is not delivery.body:
        delivery = msgspec.structs.replace(delivery, body=body)
    verdict = _attempt(handler, delivery, site)
    if isinstance(verdict, Understood):
        return verdict
    if second is None or not _is_shape(verdict):
        return _parked(verdict)
    try:
        document = loose_json.decode(delivery.body)
        reading = second(document)
        return reading if isinstance(reading, Understood) else _tolerant(reading, document, delivery, site)
    except NotUnderstood as error:
        has_own_reason = isinstance(verdict, NotUnderstood) and verdict.reason != WRONG_SHAPE
        return _parked(verdict if has_own_reason else error)
    except (ValueError, ArithmeticError, RecursionError):
        return _parked(verdict)  # no JSON at all


def _tolerant(reading: Reading, document: Any, delivery: RawDelivery, site: SiteContext) -> Understood:
    """The body with its odd leaves set right. Those that only the handler finds odd are left out one by one."""
    read, odd = reading.shape.read(document)
    for _ in range(MAX_LEFT_OUT):
        body = _ENCODER.encode(read)
        verdict = _attempt(reading.handler, msgspec.structs.replace(delivery, body=body), site)
        if isinstance(verdict, Understood):
            is_read = verdict.outcome is not Outcome.PARKED
            return msgspec.structs.replace(verdict, odd_leaves=tuple(odd)) if is_read else verdict
        if not isinstance(verdict, NotUnderstood) or not _leave_out(read, verdict.path, reading.shape, odd):
            return _parked(verdict)
    return parked(WRONG_SHAPE, f"More than {MAX_LEFT_OUT} leaves are odd")


def _leave_out(document: Any, path: str, shape: Shape, odd: Odd) -> bool:
    """Remove a leaf that no event depends on; whether there was one."""
    if not path or path in shape.essential_paths():
        return False
    *above, name = path.removeprefix("$.").split(".")
    places = [document]
    for step in above:
        inner = [place[key] for place in places if (key := step.removesuffix("[]")) in place]
        places = [item for part in inner for item in part] if step.endswith("[]") else inner
        places = [place for place in places if isinstance(place, dict)]
    removed = [place for place in places if place.pop(name, None) is not None]
    if removed:
        odd[path] = None
    return bool(removed)


def _attempt(handler: Handler, delivery: RawDelivery, site: SiteContext) -> Understood | Exception:
    try:
        understood = handler(delivery, site)
        return _real(understood) if site.take_test_orders else understood
    except (NotUnderstood, msgspec.DecodeError, ValueError, OverflowError, ArithmeticError, RecursionError) as error:
        return error


def _is_shape(error: Exception) -> bool:
    """Whether a leaf is to blame, and the body perhaps understood without it."""
    return not isinstance(error, NotUnderstood) or error.reason in _OF_A_LEAF


def _parked(error: Exception) -> Understood:
    if isinstance(error, NotUnderstood):
        return parked(error.reason, error.sentence[:MAX_DETAIL_CHARS])
    if isinstance(error, msgspec.ValidationError):
        return parked(WRONG_SHAPE, _UNKNOWN_FIELD.sub("an unknown field", str(error))[:MAX_DETAIL_CHARS])
    if isinstance(error, msgspec.DecodeError | UnicodeDecodeError):
        return parked("unreadable_body", str(error)[:MAX_DETAIL_CHARS])
    # Values that no check named (a year 0, nesting without end): parked like the rest, by the kind of error.
    return parked(WRONG_SHAPE, f"A value is out of range ({type(error).__name__})")


def _real(understood: Understood) -> Understood:
    """For a site that takes its test orders as real ones."""
    if not any(event.is_test for event in understood.events):
        return understood
    events = tuple([msgspec.structs.replace(event, is_test=False) for event in understood.events])
    return msgspec.structs.replace(understood, events=events)
