"""Shopify's GraphQL Admin API, as far as we ask it; no database.

Errors say what happens next: `Transient` (throttled, away, no answer), `TokenRefused` (get a new token and ask again), `NeedsAction` (a
scope is missing, the shop is closed, a value was refused) and `Permanent` (the question itself is wrong).
A throttled question waits until its points have come back, as Shopify says beside the refusal.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

import httpx
import msgspec

from custom_events.errors import NeedsAction, Permanent, Transient
from custom_events.platforms.shopify import admin_queries as queries
from custom_events.platforms.shopify.shops import checked_shop, shop_url

TIMEOUT_S: Final = 20.0  # of one answer; Shopify ends its own work after 30
TRIES: Final = 4  # of one question that was throttled or met an error of Shopify's
LONGEST_WAIT_S: Final = 20.0  # for the throttle, within a question; longer is left to whoever asks
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024  # an order of 500 lines has half a megabyte
PAGE: Final = 100  # orders in one answer of `changed_orders`
_PAUSE_S: Final = 1.0  # before the first repetition, then twice as long each time
_AUTHORITY: Final = "X-Shopify-Access-Token"
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_TOO_MANY: Final = 429
_BROKEN: Final = 500  # and above: Shopify's own errors
_BY_STATUS: Final = {
    402: "The shop is frozen until it pays Shopify.",
    403: "Shopify refuses the app in this shop: is it installed, with the scopes of shopify.app.toml, and are its tokens of the kind that expires?",
    404: "Shopify knows no such shop, or not this version of its API.",
    423: "Shopify has locked the shop.",
}


class TokenRefused(NeedsAction):
    """The shop's token is no longer good (401): it ran out, or the app was uninstalled."""


class NothingThere(NeedsAction):
    """Shopify knows nothing of this name (a pixel that the app has not made)."""


class Money(msgspec.Struct, frozen=True, rename="camel"):
    """An amount as Shopify writes it, decimal text."""

    amount: str
    currency_code: str


class MoneyBag(msgspec.Struct, frozen=True, rename="camel"):
    """An amount in the shop's currency."""

    shop_money: Money


class RefundId(msgspec.Struct, frozen=True):
    """A refund of a changed order."""

    id: str


class ChangedOrder(msgspec.Struct, frozen=True, rename="camel"):
    """An order as the list of changed ones tells of it. `id` is Shopify's gid, `legacy_resource_id` the number that bodies call `id`."""

    id: str
    legacy_resource_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None
    test: bool
    display_financial_status: str | None
    total_price_set: MoneyBag
    current_total_price_set: MoneyBag
    total_refunded_set: MoneyBag
    display_fulfillment_status: str | None = None
    refunds: tuple[RefundId, ...] = ()


class OrderPage(msgspec.Struct, frozen=True):
    """Changed orders, oldest change first. `after` is for the next page; None: this was the last one."""

    orders: tuple[ChangedOrder, ...]
    after: str | None


class AdminApi:
    """The API of one shop with one access token. Close it, or use it as a context. Not for several threads at once."""

    def __init__(
        self,
        shop: str,
        token: str,
        *,
        base_url: str | None = None,
        timeout_s: float = TIMEOUT_S,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`base_url` stands in for Shopify (`shops.shop_url`); `transport` for the network. Raises InvalidConfiguration for what is no shop."""
        self.shop = checked_shop(shop)
        self._url = f"{shop_url(self.shop, base_url)}/admin/api/{queries.API_VERSION}/graphql.json"
        self._client = httpx.Client(
            headers={_AUTHORITY: token, "Accept": "application/json"},
            timeout=timeout_s,
            follow_redirects=False,  # a redirect would take the token elsewhere
            trust_env=False,
            transport=transport,
        )
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def ask(self, document: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The `data` of the answer to a question or an order. Repeats what is throttled or met an error of Shopify's, up to `TRIES` times.

        Raises Transient, TokenRefused, NeedsAction or Permanent.
        """
        for attempt in range(TRIES):
            try:
                return self._once(document, variables or {})
            except Transient as error:
                wait = max(error.retry_after_s, _PAUSE_S * 2**attempt)
                if attempt == TRIES - 1 or wait > LONGEST_WAIT_S:
                    raise
                self._sleep(wait)
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    def changed_orders(
        self, since: datetime, *, until: datetime | None = None, after: str | None = None, first: int = PAGE
    ) -> OrderPage:
        """Orders whose `updated_at` lies behind `since` (and not behind `until`), oldest change first; the next page by `after`.

        Both times must be aware. Raises as `ask` does.
        """
        search = f"updated_at:>'{_stamp(since)}'" + (f" AND updated_at:<='{_stamp(until)}'" if until else "")
        answer = self.ask(queries.CHANGED_ORDERS, {"first": first, "after": after, "query": search})["orders"]
        page = answer["pageInfo"]
        return OrderPage(
            orders=tuple(msgspec.convert(node, ChangedOrder) for node in answer["nodes"]),
            after=page["endCursor"] if page["hasNextPage"] else None,
        )

    def order(self, order_id: str) -> dict[str, Any] | None:
        """One whole order with all its lines, as `queries.ORDER_FIELDS` names its parts; None: the shop has no such order.

        `order_id` is a gid or the number that bodies call `id`. `body_of` makes what can be landed of it. Raises as `ask` does.
        """
        gid = order_id if order_id.startswith("gid://") else f"gid://shopify/Order/{order_id}"
        order: dict[str, Any] | None = self.ask(queries.ORDER, {"id": gid})["order"]
        if order is None:
            return None
        lines = order["lineItems"]
        while lines["pageInfo"]["hasNextPage"]:
            more = self.ask(queries.ORDER_LINES, {"id": gid, "after": lines["pageInfo"]["endCursor"]})["order"]
            if more is None:
                return None  # deleted in between
            lines["nodes"] += more["lineItems"]["nodes"]
            lines["pageInfo"] = more["lineItems"]["pageInfo"]
        return order

    def change(self, document: str, name: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The payload of the mutation `name`. Raises NeedsAction naming the fields that Shopify refuses (`userErrors`), and as `ask` does."""
        payload: dict[str, Any] = self.ask(document, variables)[name]
        refused: Sequence[dict[str, Any]] = payload.get("userErrors") or ()
        if refused:
            reasons = "; ".join(
                f"{'.'.join(error.get('field') or ()) or 'it'}: {error['message']}" for error in refused
            )
            raise NeedsAction(f"Shopify refuses {name} in {self.shop}: {reasons}")
        return payload

    def _once(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            with self._client.stream("POST", self._url, json={"query": document, "variables": variables}) as response:
                content = _read(response)
        except httpx.HTTPError as error:
            raise Transient(f"Shopify does not answer for {self.shop} ({type(error).__name__})") from None
        self._check_status(response)
        try:
            answer: dict[str, Any] = msgspec.json.decode(content)
            cost = (answer.get("extensions") or {}).get("cost") or {}
            errors: Sequence[dict[str, Any]] = answer.get("errors") or ()
        except (msgspec.DecodeError, AttributeError):
            raise Transient(f"Shopify's answer for {self.shop} is no JSON object") from None
        if errors:
            raise self._error(errors, cost)
        data: dict[str, Any] = answer.get("data") or {}
        return data

    def _check_status(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == _OK:
            return
        if status == _UNAUTHORIZED:
            raise TokenRefused(f"Shopify takes our token for {self.shop} no more.")
        if status == _TOO_MANY or status >= _BROKEN:
            raise Transient(f"Shopify answers {status} for {self.shop}", _retry_after(response))
        raise NeedsAction(f"{self.shop}: {_BY_STATUS.get(status, f'Shopify answers {status}.')}", who="site owner")

    def _error(self, errors: Sequence[dict[str, Any]], cost: dict[str, Any]) -> Exception:
        codes = {str((error.get("extensions") or {}).get("code")) for error in errors}
        messages = "; ".join(str(error.get("message")) for error in errors)[:500]
        if "THROTTLED" in codes:
            return Transient(f"Shopify throttles {self.shop}", _until_affordable(cost))
        if "RESOURCE_NOT_FOUND" in codes:
            return NothingThere(f"{self.shop}: {messages}")
        if "ACCESS_DENIED" in codes:
            return NeedsAction(f"The app lacks a right in {self.shop}: {messages}", who="site owner")
        if "INTERNAL_SERVER_ERROR" in codes:
            return Transient(f"Shopify has an error of its own for {self.shop}: {messages}")
        return Permanent("shopify_refused_question", f"Shopify does not take our question for {self.shop}: {messages}")


def body_of(order: dict[str, Any], *, action: str = "update", handle: str = "reread") -> bytes:
    """The delivery that Shopify's Events would have made of this order (`AdminApi.order`): what is landed of an order that was read."""
    return msgspec.json.encode({"topic": "Order", "action": action, "handle": handle, "data": {"order": order}})


def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    for part in response.iter_bytes():
        content += part
        if len(content) > MAX_ANSWER_BYTES:
            raise Permanent("answer_too_large", f"Shopify's answer has more than {MAX_ANSWER_BYTES} bytes")
    return bytes(content)


def _retry_after(response: httpx.Response) -> float:
    try:
        return max(float(response.headers.get("retry-after", "0")), 0.0)
    except ValueError:  # a date: Shopify writes seconds
        return 0.0


def _until_affordable(cost: dict[str, Any]) -> float:
    """Seconds until the question's points have come back to the bucket (1 where Shopify does not say)."""
    status = cost.get("throttleStatus") or {}
    lacking = float(cost.get("requestedQueryCost") or 0) - float(status.get("currentlyAvailable") or 0)
    rate = float(status.get("restoreRate") or 0)
    return max(lacking / rate, 0.0) if rate else _PAUSE_S


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
