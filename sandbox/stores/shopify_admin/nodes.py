"""An order as the GraphQL Admin API has it, made of the body that the sandbox's store posts for it (`sandbox/stores/shopify.py`)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any


def order_node(body: dict[str, Any]) -> dict[str, Any]:
    """The `Order` of the body of an orders/* webhook. Connections are plain lists: the schema pages them."""
    currency = body["currency"]
    lines = [_line(line, currency) for line in body["line_items"]]
    refunds = [_refund(refund, lines, currency) for refund in body["refunds"]]
    given_back = sum((_moved(refund) for refund in body["refunds"]), Decimal(0))
    return {
        "id": f"gid://shopify/Order/{body['id']}",
        "legacyResourceId": str(body["id"]),
        "name": body["name"],
        "createdAt": body["created_at"],
        "updatedAt": body["updated_at"],
        "processedAt": body["processed_at"],
        "cancelledAt": body["cancelled_at"],
        "closedAt": body.get("closed_at"),
        "cancelReason": _upper(body["cancel_reason"]),
        "test": body["test"],
        "email": body["email"],
        "phone": body["phone"],
        "currencyCode": currency,
        "displayFinancialStatus": _upper(body["financial_status"]),
        "displayFulfillmentStatus": _upper(body["fulfillment_status"]) or "UNFULFILLED",
        "taxesIncluded": body["taxes_included"],
        "paymentGatewayNames": body["payment_gateway_names"],
        "discountCodes": [code["code"] for code in body["discount_codes"]],
        "tags": [tag.strip() for tag in body["tags"].split(",") if tag.strip()],
        "sourceName": body["source_name"],
        "statusPageUrl": body["order_status_url"],
        "customerAcceptsMarketing": bool(body.get("buyer_accepts_marketing")),
        "totalPriceSet": _bag(body["total_price"], currency),
        "currentTotalPriceSet": _bag(body["current_total_price"], currency),
        "subtotalPriceSet": _bag(body["subtotal_price"], currency),
        "totalTaxSet": _bag(body["total_tax"], currency),
        "totalDiscountsSet": _bag(body["total_discounts"], currency),
        "totalShippingPriceSet": _bag(body["total_shipping_price_set"]["shop_money"]["amount"], currency),
        "totalOutstandingSet": _bag(body.get("total_outstanding", "0.00"), currency),
        "totalTipReceivedSet": _bag(body.get("total_tip_received", "0.00"), currency),
        "totalRefundedSet": _bag(f"{given_back:.2f}", currency),
        "customAttributes": [{"key": entry["name"], "value": entry["value"]} for entry in body["note_attributes"]],
        "customerJourneySummary": _journey(body),
        "customer": _customer(body["customer"]),
        "billingAddress": _address(body["billing_address"]),
        "shippingAddress": _address(body["shipping_address"]),
        "shippingLines": [_shipping(line, currency) for line in body["shipping_lines"]],
        "lineItems": lines,
        "fulfillments": [
            {"id": "gid://shopify/Fulfillment/1", "createdAt": entry["created_at"], "status": _upper(entry["status"])}
            for entry in body.get("fulfillments", ())
        ],
        "refunds": refunds,
    }


def _upper(word: str | None) -> str | None:
    return None if word is None else word.upper()


def _bag(amount: str, currency: str) -> dict[str, Any]:
    money = {"amount": amount, "currencyCode": currency}
    return {"shopMoney": money, "presentmentMoney": money}


def _moved(refund: dict[str, Any]) -> Decimal:
    return sum(
        (Decimal(entry["amount"]) for entry in refund["transactions"] if entry["status"] == "success"), Decimal(0)
    )


def _line(line: dict[str, Any], currency: str) -> dict[str, Any]:
    plan = line.get("selling_plan_allocation")
    return {
        "id": f"gid://shopify/LineItem/{line['id']}",
        "sku": line["sku"],
        "title": line["title"],
        "vendor": line["vendor"],
        "quantity": line["quantity"],
        "currentQuantity": line["current_quantity"],
        "originalUnitPriceSet": _bag(line["price"], currency),
        "discountAllocations": [],
        "taxLines": [],
        "product": _resource("Product", line["product_id"]),
        "variant": _resource("ProductVariant", line["variant_id"]),
        "customAttributes": [{"key": entry["name"], "value": entry["value"]} for entry in line["properties"]],
        "sellingPlan": None if plan is None else {"name": plan["selling_plan"]["name"]},
    }


def _resource(kind: str, number: int | None) -> dict[str, Any] | None:
    return None if number is None else {"id": f"gid://shopify/{kind}/{number}", "legacyResourceId": str(number)}


def _shipping(line: dict[str, Any], currency: str) -> dict[str, Any]:
    price = _bag(line["price"], currency)
    return {"title": line["title"], "originalPriceSet": price, "discountedPriceSet": price, "taxLines": []}


def _refund(refund: dict[str, Any], lines: Sequence[dict[str, Any]], currency: str) -> dict[str, Any]:
    by_id = {line["id"]: line for line in lines}
    return {
        "id": f"gid://shopify/Refund/{refund['id']}",
        "createdAt": refund["created_at"],
        "note": refund["note"],
        "duties": [],
        "transactions": [
            {
                "id": f"gid://shopify/OrderTransaction/{entry['id']}",
                "kind": entry["kind"].upper(),
                "status": entry["status"].upper(),
                "test": False,
                "amountSet": _bag(entry["amount"], currency),
            }
            for entry in refund["transactions"]
        ],
        "refundLineItems": [
            {
                "quantity": entry["quantity"],
                "lineItem": by_id[f"gid://shopify/LineItem/{entry['line_item_id']}"],
                "subtotalSet": _bag(entry["subtotal_set"]["shop_money"]["amount"], currency),
                "totalTaxSet": _bag("0.00", currency),
            }
            for entry in refund["refund_line_items"]
        ],
        "orderAdjustments": [
            {
                "id": f"gid://shopify/OrderAdjustment/{entry['id']}",
                "reason": entry["reason"].upper().replace(" ", "_"),
                "amountSet": _bag(entry["amount"], currency),
                "taxAmountSet": _bag(entry["tax_amount"], currency),
            }
            for entry in refund["order_adjustments"]
        ],
        "refundShippingLines": [],
    }


def _address(address: dict[str, Any] | None) -> dict[str, Any] | None:
    if address is None:
        return None
    return {"phone": address.get("phone"), "zip": address.get("zip"), "countryCodeV2": address.get("country_code")}


def _customer(customer: dict[str, Any] | None) -> dict[str, Any] | None:
    if customer is None:
        return None
    email, phone = customer.get("email"), customer.get("phone")
    return {
        "id": f"gid://shopify/Customer/{customer['id']}",
        "createdAt": customer["created_at"],
        "updatedAt": customer["updated_at"],
        "tags": [],
        "defaultEmailAddress": {"emailAddress": email, "marketingState": "NOT_SUBSCRIBED"} if email else None,
        "defaultPhoneNumber": {"phoneNumber": phone} if phone else None,
        "defaultAddress": _address(customer.get("default_address")),
    }


def _journey(body: dict[str, Any]) -> dict[str, Any]:
    landing, host = body["landing_site"], body["order_status_url"].split("/")[2]
    page = None if landing is None else f"https://{host}{landing}"
    visit = {"landingPage": page, "referrerUrl": body["referring_site"]}
    return {"ready": True, "firstVisit": visit, "lastVisit": visit}
