"""An order as our own GraphQL payload has it (`admin_queries.ORDER_FIELDS`), written as the body of an orders/* webhook.

Shopify's Events send it, and so does whoever reads an order again (`admin_api.body_of`). Everything behind this is shared with webhooks: what
is essential, what is odd, what money is. Values stay as they are written; GraphQL's ids, enums and money are put into the other form.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from custom_events.errors import NotUnderstood
from custom_events.platforms import loose_json
from custom_events.platforms.parse import wrong_shape
from custom_events.platforms.shopify.admin_queries import REFUNDS_AT_ONCE
from custom_events.values.deliveries import RawDelivery

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_ORDER_GID: Final = "gid://shopify/Order/"
_DISCREPANCY: Final = "refund_discrepancy"
# An event's action -> the webhook that tells the same. What happened beside says the order's state.
_TOPICS: Final = {"create": "orders/create", "update": "orders/updated", "delete": "orders/delete"}
_STATES: Final = {"fulfilled": "fulfilled", "partially_fulfilled": "partial"}  # the others are null in a webhook's body


def order_webhook(delivery: RawDelivery) -> RawDelivery:
    """The orders/* webhook that says what this event says. Raises NotUnderstood for what is no event of an order."""
    document = _dict(loose_json.cleaned(loose_json.decode(delivery.body)))
    topic = _TOPICS.get(str(document.get("action")))
    order = _dict(_dict(document.get("data")).get("order"))
    if topic is None or document.get("topic") != "Order":
        raise NotUnderstood("topic_mismatch", "The body is no event of an order")
    if not order:
        raise NotUnderstood(
            "no_order", "The event holds no order: its subscription has no query, or the order was deleted since"
        )
    body = {"id": _number(order.get("id"), "$.data.order.id")} if topic == "orders/delete" else _order(order)
    return msgspec.structs.replace(delivery, topic=topic, body=_ENCODER.encode(body))


def _order(order: Mapping[str, Any]) -> dict[str, Any]:
    customer = _dict(order.get("customer"))
    visits = _dict(order.get("customerJourneySummary"))
    visit = _dict(visits.get("lastVisit")) or _dict(visits.get("firstVisit"))
    lines = _whole(order, "lineItems")
    if len(_list(order.get("refunds"))) >= REFUNDS_AT_ONCE:  # what is not listed would count as deleted
        raise NotUnderstood("lines_missing", "The payload may not hold all of `refunds`: webhooks tell of each")
    return {
        "id": _number(order.get("id"), "$.data.order.id"),
        "admin_graphql_api_id": order.get("id"),
        "buyer_accepts_marketing": order.get("customerAcceptsMarketing"),
        "cancel_reason": _lower(order.get("cancelReason")),
        "cancelled_at": order.get("cancelledAt"),
        "closed_at": order.get("closedAt"),
        "created_at": order.get("createdAt"),
        "currency": order.get("currencyCode"),
        "current_total_price": _amount(order, "currentTotalPriceSet"),
        "discount_codes": [{"code": code} for code in _list(order.get("discountCodes"))],
        "email": order.get("email"),
        "financial_status": _lower(order.get("displayFinancialStatus")),
        "fulfillment_status": _STATES.get(_lower(order.get("displayFulfillmentStatus")) or ""),
        "landing_site": _path(visit.get("landingPage")),
        "name": order.get("name"),
        "note_attributes": _attributes(order),
        "order_status_url": order.get("statusPageUrl"),
        "payment_gateway_names": order.get("paymentGatewayNames"),
        "phone": order.get("phone"),
        "processed_at": order.get("processedAt"),
        "referring_site": visit.get("referrerUrl"),
        "source_name": order.get("sourceName"),
        "subtotal_price": _amount(order, "subtotalPriceSet"),
        "tags": order.get("tags"),
        "taxes_included": order.get("taxesIncluded"),
        "test": order.get("test"),
        "total_discounts": _amount(order, "totalDiscountsSet"),
        "total_outstanding": _amount(order, "totalOutstandingSet"),
        "total_price": _amount(order, "totalPriceSet"),
        "total_shipping_price_set": _bag(order, "totalShippingPriceSet"),
        "total_tax": _amount(order, "totalTaxSet"),
        "total_tip_received": _amount(order, "totalTipReceivedSet"),
        "updated_at": order.get("updatedAt"),
        "billing_address": _address(order.get("billingAddress")),
        "customer": _customer(customer) if customer else None,
        "fulfillments": [
            {"created_at": fulfillment.get("createdAt"), "status": _lower(fulfillment.get("status"))}
            for fulfillment in _dicts(order.get("fulfillments"))
        ],
        "line_items": [_line(line) for line in lines],
        "refunds": [_refund(refund) for refund in _dicts(order.get("refunds"))],
        "shipping_address": _address(order.get("shippingAddress")),
        "shipping_lines": [_shipping(line) for line in _nodes(order, "shippingLines")],
    }


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    plan = _dict(line.get("sellingPlan"))
    return {
        "id": _number(line.get("id"), "$.data.order.lineItems.nodes[].id"),
        "price": _amount(line, "originalUnitPriceSet"),
        "product_id": _dict(line.get("product")).get("legacyResourceId"),
        "properties": _attributes(line),
        "quantity": line.get("quantity"),
        "current_quantity": line.get("currentQuantity"),
        "sku": line.get("sku"),
        "title": line.get("title"),
        "variant_id": _dict(line.get("variant")).get("legacyResourceId"),
        "vendor": line.get("vendor"),
        "tax_lines": _taxes(line),
        "discount_allocations": [
            {"amount": _amount(allocation, "allocatedAmountSet")}
            for allocation in _dicts(line.get("discountAllocations"))
        ],
        "selling_plan_allocation": {"selling_plan": {"name": plan.get("name")}} if plan else None,
    }


def _shipping(line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": line.get("title"),
        "price": _amount(line, "originalPriceSet"),
        "discounted_price_set": _bag(line, "discountedPriceSet"),
        "tax_lines": _taxes(line),
    }


def _refund(refund: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": _number(refund.get("id"), "$.data.order.refunds[].id"),
        "created_at": refund.get("createdAt"),
        "note": refund.get("note"),
        "transactions": [
            {
                "kind": _lower(transaction.get("kind")),
                "status": _lower(transaction.get("status")),
                "amount": _amount(transaction, "amountSet"),
                "amount_set": _bag(transaction, "amountSet"),
                "test": transaction.get("test"),
            }
            for transaction in _nodes(refund, "transactions")
        ],
        "refund_line_items": [
            {
                "line_item_id": _number(
                    _dict(item.get("lineItem")).get("id"), "$.data.order.refunds[].refundLineItems"
                ),
                "quantity": item.get("quantity"),
                "subtotal_set": _bag(item, "subtotalSet"),
                "total_tax_set": _bag(item, "totalTaxSet"),
            }
            for item in _whole(refund, "refundLineItems")
        ],
        # Shipping has lines of its own: what is adjusted beside it is the difference to the money that moved.
        "order_adjustments": [
            {
                "kind": _DISCREPANCY,
                "amount_set": _bag(adjustment, "amountSet"),
                "tax_amount_set": _bag(adjustment, "taxAmountSet"),
            }
            for adjustment in _nodes(refund, "orderAdjustments")
        ],
        "refund_shipping_lines": [
            {"subtotal_amount_set": _bag(line, "subtotalAmountSet"), "tax_amount_set": _bag(line, "taxAmountSet")}
            for line in _nodes(refund, "refundShippingLines")
        ],
        "refund_duties": [{"amount_set": _bag(duty, "amountSet")} for duty in _dicts(refund.get("duties"))],
    }


def _customer(customer: Mapping[str, Any]) -> dict[str, Any]:
    email = _dict(customer.get("defaultEmailAddress"))
    return {
        "id": _number(customer.get("id"), "$.data.order.customer.id"),
        "email": email.get("emailAddress"),
        "created_at": customer.get("createdAt"),
        "updated_at": customer.get("updatedAt"),
        "phone": _dict(customer.get("defaultPhoneNumber")).get("phoneNumber"),
        "tags": customer.get("tags"),
        "default_address": _address(customer.get("defaultAddress")),
        "email_marketing_consent": {"state": _lower(email.get("marketingState"))} if email else None,
    }


def _address(address: Any) -> dict[str, Any] | None:
    known = _dict(address)
    if not known:
        return None
    return {"phone": known.get("phone"), "zip": known.get("zip"), "country_code": known.get("countryCodeV2")}


def _attributes(parent: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": attribute.get("key"), "value": attribute.get("value")}
        for attribute in _dicts(parent.get("customAttributes"))
    ]


def _taxes(line: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"price": _amount(tax, "priceSet")} for tax in _dicts(line.get("taxLines"))]


def _bag(parent: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    money = _dict(_dict(parent.get(name)).get("shopMoney"))
    if not money:
        return None
    return {"shop_money": {"amount": money.get("amount"), "currency_code": money.get("currencyCode")}}


def _amount(parent: Mapping[str, Any], name: str) -> Any:
    return _dict(_dict(parent.get(name)).get("shopMoney")).get("amount")


def _number(gid: Any, path: str) -> int:
    """The number at the end of a gid. Raises NotUnderstood where there is none."""
    number = gid.rpartition("/")[2] if isinstance(gid, str) else ""
    if not (number.isascii() and number.isdigit()):
        raise wrong_shape(path, f"Expected a gid, {_ORDER_GID}1 for example")
    return int(number)


def _path(page: Any) -> Any:
    """A page without its host, as webhooks name it."""
    if not isinstance(page, str) or "://" not in page:
        return page
    try:
        place = urlsplit(page)
    except ValueError:  # `http://[`: whoever opened the page wrote it
        return None
    return f"{place.path or '/'}{'?' if place.query else ''}{place.query}"


def _lower(word: Any) -> str | None:
    return word.lower() if isinstance(word, str) else None


def _whole(parent: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The nodes of a connection. Raises NotUnderstood where the payload does not hold them all."""
    if _dict(_dict(parent.get(name)).get("pageInfo")).get("hasNextPage"):
        raise NotUnderstood(
            "lines_missing", f"The payload does not hold all of `{name}`: the order has to be read from the shop"
        )
    return _nodes(parent, name)


def _nodes(parent: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return list(_dicts(_dict(parent.get(name)).get("nodes")))


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (entry for entry in _list(value) if isinstance(entry, dict))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
