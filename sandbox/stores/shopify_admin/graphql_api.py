"""The sandbox's GraphQL Admin API: real questions against Shopify's names and types, a cost for each, a bucket that it comes from."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, build_schema, execute_sync, parse, validate
from graphql.language import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    SelectionSetNode,
    VariableNode,
)

from sandbox.stores.shopify_admin.state import FULL_BUCKET, RESTORED_A_SECOND, Admin, FaultKind, Shop

MOST_POINTS = 1_000.0  # of one question
MUTATION_POINTS = 10.0
_FREE = ("shopMoney", "presentmentMoney", "pageInfo", "nodes", "userErrors")
_SEARCH = re.compile(r"\s*updated_at:(>=|<=|>|<)'([^']+)'(?:\s+AND\s+|\s*\Z)")


@cache
def schema() -> GraphQLSchema:
    """The schema of `schema.graphql` with its resolvers."""
    built = build_schema(Path(__file__).with_name("schema.graphql").read_text())
    for kind, resolvers in _RESOLVERS.items():
        fields: Mapping[str, Any] = built.type_map[kind].fields  # type: ignore[attr-defined]
        for name, resolver in resolvers.items():
            fields[name].resolve = resolver
    return built


def answer(admin: Admin, shop: Shop, question: Mapping[str, Any]) -> dict[str, Any]:
    """What Shopify answers to a question: `data` or `errors`, and its cost."""
    variables = question.get("variables") or {}
    try:
        document = parse(question["query"])
    except GraphQLError as error:
        return {"errors": [{"message": error.message}]}
    faults = validate(schema(), document)
    if faults:
        return {"errors": [{"message": fault.message, "extensions": {"code": "undefinedField"}} for fault in faults]}
    points = _cost(document, variables)
    if points > MOST_POINTS:
        return {
            "errors": [
                {"message": f"Query cost is {points}", "extensions": {"code": "MAX_COST_EXCEEDED", "cost": points}}
            ]
        }
    with admin.lock:
        if admin.draw(FaultKind.THROTTLED):
            shop.points = 0.0
        if admin.draw(FaultKind.INTERNAL_ERROR):
            return {"errors": [{"message": "Internal error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}
        if shop.points < points:
            throttled = {
                "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
                "extensions": _costs(shop, points),
            }
            shop.points = FULL_BUCKET  # as after the wait that it asks for
            return throttled
        shop.points -= points
        result = execute_sync(schema(), document, root_value=shop, context_value=shop, variable_values=dict(variables))
        content: dict[str, Any] = {"data": result.data, "extensions": _costs(shop, points)}
        shop.points = min(FULL_BUCKET, shop.points + RESTORED_A_SECOND)
    if result.errors:
        content["errors"] = [
            {"message": error.message, **({"extensions": error.extensions} if error.extensions else {})}
            for error in result.errors
        ]
    return content


def _costs(shop: Shop, points: float) -> dict[str, Any]:
    status = {"maximumAvailable": FULL_BUCKET, "currentlyAvailable": shop.points, "restoreRate": RESTORED_A_SECOND}
    return {"cost": {"requestedQueryCost": points, "actualQueryCost": points, "throttleStatus": status}}


def _cost(document: DocumentNode, variables: Mapping[str, Any]) -> float:
    """One point an object, a connection as many times as it may have nodes, ten for a mutation."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}

    def of(selection: SelectionSetNode | None) -> float:
        total = 0.0
        for node in selection.selections if selection else ():
            if isinstance(node, FragmentSpreadNode):
                total += of(fragments[node.name.value].selection_set)
            elif isinstance(node, FieldNode) and node.selection_set:
                own = 0.0 if node.name.value in _FREE or node.name.value.endswith("Set") else 1.0
                inner = of(node.selection_set)
                total += own + inner * _first(node, variables)
        return total

    total = 0.0
    for node in document.definitions:
        if not isinstance(node, FragmentDefinitionNode):
            operation: Any = node
            total += MUTATION_POINTS if operation.operation.value == "mutation" else of(operation.selection_set)
    return total


def _first(node: FieldNode, variables: Mapping[str, Any]) -> int:
    for argument in node.arguments:
        if argument.name.value == "first":
            value = argument.value
            if isinstance(value, VariableNode):
                return int(variables[value.name.value])
            if isinstance(value, IntValueNode):
                return int(value.value)
    return 1


def _page(
    nodes: Sequence[Any], first: int | None, after: str | None, cursor_of: Callable[[Any], str]
) -> dict[str, Any]:
    """A page of nodes in their order; the cursor is the text that `cursor_of` gives for the last one."""
    if first is None or not 1 <= first <= 250:
        raise GraphQLError("you must provide one of first or last, up to 250")
    cursors = [cursor_of(node) for node in nodes]
    begin = (
        cursors.index(after) + 1
        if after in cursors
        else sum(1 for cursor in cursors if after is not None and cursor <= after)
    )
    chosen = nodes[begin : begin + first]
    end = cursors[begin + len(chosen) - 1] if chosen else None
    return {"nodes": chosen, "pageInfo": {"hasNextPage": begin + len(chosen) < len(nodes), "endCursor": end}}


def _orders(
    shop: Shop,
    _info: Any,
    first: int | None = None,
    after: str | None = None,
    query: str | None = None,
    sortKey: str = "PROCESSED_AT",  # noqa: N803 - Shopify's name
) -> Any:
    key = {"UPDATED_AT": "updatedAt", "CREATED_AT": "createdAt", "PROCESSED_AT": "processedAt", "ID": "id"}[sortKey]
    fitting = sorted(
        (order for order in shop.orders.values() if _fits(order, query or "")),
        key=lambda order: (_utc(order[key]), order["id"]),
    )
    return _page(fitting, first, after, lambda order: f"{_utc(order[key])} {order['id']}")


def _fits(order: Mapping[str, Any], query: str) -> bool:
    """Whether an order fits a search by `updated_at`. Raises GraphQLError for any other search: Shopify would pass over it in silence."""
    place, fits = 0, True
    updated = _utc(order["updatedAt"])
    while place < len(query):
        part = _SEARCH.match(query, place)
        if part is None:
            raise GraphQLError(f"the sandbox cannot search by {query[place:]!r}")
        sign, moment = part.group(1), _utc(part.group(2))
        fits = (
            fits
            and {">": updated > moment, ">=": updated >= moment, "<": updated < moment, "<=": updated <= moment}[sign]
        )
        place = part.end()
    return fits


def _utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="microseconds")


def _connection(name: str) -> Callable[..., Any]:
    """A connection whose nodes are a plain list in their parent."""

    def resolve(parent: Mapping[str, Any], _info: Any, first: int | None = None, after: str | None = None) -> Any:
        nodes = parent[name]
        numbered = {id(node): f"{place:06d}" for place, node in enumerate(nodes)}
        return _page(nodes, first, after, lambda node: numbered[id(node)])

    return resolve


def _taken(shop: Shop, topic: str, uri: str | None, *, but: str = "") -> bool:
    return any(
        webhook["topic"] == topic and webhook["uri"] == uri and webhook["id"] != but
        for webhook in shop.webhooks.values()
    )


def _error(message: str, *path: str) -> dict[str, Any]:
    return {"userErrors": [{"field": list(path) or None, "message": message}]}


def _create_webhook(shop: Shop, _info: Any, topic: str, webhookSubscription: Mapping[str, Any]) -> Any:  # noqa: N803
    uri = webhookSubscription.get("uri") or ""
    if not uri.startswith("https://"):
        return _error("Address protocol http:// is not supported", "webhookSubscription", "callbackUrl")
    if _taken(shop, topic, uri):
        return _error("Address for this topic has already been taken", "webhookSubscription", "callbackUrl")
    gid = f"gid://shopify/WebhookSubscription/{shop.next_number()}"
    shop.webhooks[gid] = {
        "id": gid, "topic": topic, "uri": uri, "format": webhookSubscription.get("format") or "JSON", "apiVersion": {"handle": "2026-10"},
        "includeFields": list(webhookSubscription.get("includeFields") or ()), "filter": webhookSubscription.get("filter"),
    }  # fmt: skip
    return {"webhookSubscription": shop.webhooks[gid], "userErrors": []}


def _update_webhook(shop: Shop, _info: Any, id: str, webhookSubscription: Mapping[str, Any]) -> Any:  # noqa: A002, N803
    if id not in shop.webhooks:
        return _error("Webhook subscription does not exist", "id")
    shop.webhooks[id] |= webhookSubscription
    return {"webhookSubscription": shop.webhooks[id], "userErrors": []}


def _delete_webhook(shop: Shop, _info: Any, id: str) -> Any:  # noqa: A002
    if shop.webhooks.pop(id, None) is None:
        return _error("Webhook subscription does not exist", "id")
    return {"deletedWebhookSubscriptionId": id, "userErrors": []}


def _pixel(shop: Shop, _info: Any, **_id: str) -> Any:
    if shop.pixel is None:
        raise GraphQLError("No web pixel was found for this app.", extensions={"code": "RESOURCE_NOT_FOUND"})
    return shop.pixel


def _create_pixel(shop: Shop, _info: Any, webPixel: Mapping[str, Any]) -> Any:  # noqa: N803
    if shop.pixel is not None:
        return _error("Web pixel is taken.", "webPixel")
    shop.pixel = {"id": f"gid://shopify/WebPixel/{shop.next_number()}", "settings": webPixel["settings"]}
    return {"webPixel": shop.pixel, "userErrors": []}


def _update_pixel(shop: Shop, _info: Any, id: str, webPixel: Mapping[str, Any]) -> Any:  # noqa: A002, N803
    if shop.pixel is None or shop.pixel["id"] != id:
        return _error("The web pixel does not exist", "id")
    shop.pixel["settings"] = webPixel["settings"]
    return {"webPixel": shop.pixel, "userErrors": []}


_RESOLVERS: dict[str, dict[str, Callable[..., Any]]] = {
    "QueryRoot": {
        "shop": lambda shop, _info: {
            "id": "gid://shopify/Shop/1234567",
            "name": shop.name,
            "myshopifyDomain": shop.domain,
            "currencyCode": shop.currency,
            "ianaTimezone": shop.time_zone,
        },
        "currentAppInstallation": lambda shop, _info: {"accessScopes": [{"handle": scope} for scope in shop.scopes]},
        "order": lambda shop, _info, id: shop.orders.get(id),  # noqa: A006
        "orders": _orders,
        "webhookSubscriptions": lambda shop, _info, first=None, after=None: _page(
            list(shop.webhooks.values()), first, after, lambda webhook: webhook["id"]
        ),
        "webPixel": _pixel,
    },
    "Mutation": {
        "webhookSubscriptionCreate": _create_webhook,
        "webhookSubscriptionUpdate": _update_webhook,
        "webhookSubscriptionDelete": _delete_webhook,
        "webPixelCreate": _create_pixel,
        "webPixelUpdate": _update_pixel,
    },
    "Order": {
        "lineItems": _connection("lineItems"),
        "shippingLines": _connection("shippingLines"),
        "fulfillments": lambda order, _info, first=None: order["fulfillments"][:first],
        "refunds": lambda order, _info, first=None: order["refunds"][:first],
    },
    "Refund": {
        name: _connection(name)
        for name in ("transactions", "refundLineItems", "orderAdjustments", "refundShippingLines")
    },
}
