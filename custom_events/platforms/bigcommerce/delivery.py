"""What a hook's delivery says: a scope, and which order. The body decides what is a duplicate: `hash` may be the same for two changes of one
order, of which the second must be read as well."""

from typing import Any, Final

import msgspec

from custom_events.platforms.base import Delivery
from custom_events.platforms.headers import OF_EVERY_SENDER, bounded
from custom_events.platforms.parse import Id, optional_id
from custom_events.values.times import from_epoch

KEPT: Final = OF_EVERY_SENDER
_SCOPES: Final = "store/"  # every scope of BigCommerce's begins so, and no topic of what we read ourselves


class _Head(msgspec.Struct):
    scope: str | None = None
    created_at: int | None = None


class _Data(msgspec.Struct):
    type: Any = None
    id: Any = None
    order_id: Any = None
    resource_id: Any = None


class _Hint(msgspec.Struct):
    data: _Data


_HEAD: Final = msgspec.json.Decoder(_Head)
_HINT: Final = msgspec.json.Decoder(_Hint)


def describe(body: bytes) -> Delivery:
    """Topic and time. Never raises: an unreadable body has none. What does not begin as scopes do is no topic: of a delivery nothing is
    believed that we read ourselves."""
    try:
        head = _HEAD.decode(body)
        triggered_at = None if head.created_at is None else from_epoch(head.created_at)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, OverflowError, OSError):
        return Delivery()
    scope = bounded(head.scope)
    return Delivery(topic=scope if scope and scope.startswith(_SCOPES) else None, triggered_at=triggered_at)


def order_of(body: bytes) -> str | None:
    """The same as `named_order`; None also where the body is no JSON of a hook."""
    try:
        return named_order(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def named_order(body: bytes) -> str | None:
    """The id of the order that a hook is about: `data.id` of orders, `order_id` of transactions, `resource_id` of metafields. None where
    the body names none, or no number. Raises DecodeError for what is no hook."""
    data = _HINT.decode(body).data
    own = data.id if data.type == "order" else None
    return next((_number(value) for value in (data.order_id, data.resource_id, own) if value is not None), None)


def _number(value: Any) -> str | None:
    text = optional_id(value) if isinstance(value, Id) and not isinstance(value, bool) else None
    return text if text is not None and text.isascii() and text.isdecimal() else None
