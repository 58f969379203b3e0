"""What else may come under a topic of WooCommerce: the REST API's errors, subscriptions and refunds under topics of orders.

A webhook's body is what the REST API answers to the webhook's user. Where that user may not read orders, the answer is an error, and
it is sent as if it were the order (docs/reference/platforms.md 2.2). Plugins and WooCommerce's own order tables fire an order's hooks for
subscriptions and refunds as well (docs/reference/platforms.md 2.2).
"""

import re
from typing import Any, Final

from custom_events.platforms.parking import Reading
from custom_events.platforms.woocommerce import bodies
from custom_events.platforms.woocommerce.refunds import understand_refund
from custom_events.platforms.woocommerce.shapes import shape_of
from custom_events.platforms.woocommerce.subscriptions import is_subscription, understand_subscription
from custom_events.values.deliveries import Understood, parked

REST_ERROR: Final = "rest_error"
REST_FORBIDDEN: Final = "rest_forbidden"  # an alarm looks for this word (watching/alarms.py)
REFUND_WITHOUT_ORDER: Final = "refund_without_order"
FORBIDDEN_REMEDY: Final = (
    "the user whose webhook it is may not read orders: set the webhook's user (WooCommerce, Settings, Advanced, Webhooks) "
    "to an administrator or a shop manager"
)

_FORBIDDEN: Final = ("401", "403")
_MAY_NOT = re.compile(r"_cannot_(?:view|read)|_authentication_error\Z|\Arest_forbidden|\Arest_not_logged_in\Z")
_CODE = re.compile(r"[a-z0-9_]{1,80}\Z")
_ORDERS: Final = "order."


def other_reading(document: Any, topic: str) -> Reading | Understood | None:
    """How a body that is not what its topic says is read, or its verdict; None: it is nothing that we know."""
    if not isinstance(document, dict):
        return None
    error = _rest_error(document)
    if error is not None:
        return error
    if not topic.startswith(_ORDERS):
        return None
    if is_subscription(document.get("billing_period"), document.get("status")):
        return Reading(understand_subscription, shape_of(bodies.Subscription))
    if "amount" in document and "status" not in document and "total" not in document:
        if not document.get("parent_id") and not document.get("_links"):
            return parked(REFUND_WITHOUT_ORDER, "A refund under an order's topic, which does not say of which order")
        return Reading(understand_refund, shape_of(bodies.Refund))
    return None


def _rest_error(document: dict[str, Any]) -> Understood | None:
    """The verdict on `{"code": ..., "message": ..., "data": {"status": 401}}`; of the legacy API `{"errors": [{"code": ...}]}`, of
    PHP's own `WP_Error` `{"errors": {code: [message]}, "error_data": {code: {"status": 401}}}`."""
    document = _single_error(document)
    code, details = document.get("code"), document.get("data")
    if not isinstance(code, str) or "message" not in document or document.get("id") is not None:
        return None
    status = str(details.get("status")) if isinstance(details, dict) else ""
    name = code if _CODE.match(code) else "an unknown code"
    said = f"WooCommerce answered its own webhook with an error, {name}"
    if status.isdecimal():
        said = f"{said} ({int(status)})"
    if status in _FORBIDDEN or _MAY_NOT.search(code):
        return parked(REST_FORBIDDEN, f"{said}: {FORBIDDEN_REMEDY}")
    return parked(REST_ERROR, said)


def _single_error(document: dict[str, Any]) -> dict[str, Any]:
    """The first error, in the shape of the REST API's."""
    errors, details = document.get("errors"), document.get("error_data")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return errors[0]
    if isinstance(errors, dict) and errors:
        code = next(iter(errors))
        return {"code": code, "message": errors[code], "data": details.get(code) if isinstance(details, dict) else None}
    return document
