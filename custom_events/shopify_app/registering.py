"""What our app wants to be registered in a shop, beside what is there: missing webhooks are made, changed ones set right, the pixel as well.

Shopify deletes a webhook after eight deliveries in a row that failed, and an owner or another program with the app's token may change one.
Asking again changes nothing more.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from custom_events.errors import InvalidConfiguration
from custom_events.platforms.shopify import admin_queries as queries
from custom_events.platforms.shopify.admin_api import AdminApi, NothingThere
from custom_events.platforms.shopify.app_topics import enum_of

JSON: Final = "JSON"
PIXEL_SCOPES: Final = frozenset(("write_pixels", "read_customer_events"))


class Registrations(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be registered: `topics` to be posted to `uri`; the pixel's settings (None: the shop gives no right to have one)."""

    uri: str
    topics: tuple[str, ...]
    pixel: dict[str, str] | None


class Repaired(msgspec.Struct, frozen=True, kw_only=True):
    """What had to be done, by topic; `pixel`: made, changed, or "" where nothing was."""

    made: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    pixel: str = ""

    @property
    def is_nothing(self) -> bool:
        """Whether all was as it is to be."""
        return not (self.made or self.changed or self.removed or self.pixel)


def register(api: AdminApi, registrations: Registrations) -> Repaired:
    """Register what is not there, or not so. Raises InvalidConfiguration for an address that Shopify does not post to, and as `AdminApi.change` does."""
    if registrations.topics and not registrations.uri.startswith("https://"):
        raise InvalidConfiguration(
            f"Shopify posts to https addresses only, and the receiver's is {registrations.uri}: set where stores reach it",
            path="CUSTOM_EVENTS_RECEIVER_URL",
        )
    created, changed, removed = [], [], []
    by_topic: dict[str, list[dict[str, Any]]] = {}
    for webhook in _webhooks(api):
        by_topic.setdefault(webhook["topic"], []).append(webhook)
    for topic in registrations.topics:
        subscriptions = by_topic.pop(enum_of(topic), [])
        subscription = next(
            (webhook for webhook in subscriptions if webhook["uri"] == registrations.uri),
            subscriptions[0] if subscriptions else None,
        )
        if subscription is None:
            variables = {"topic": enum_of(topic), "subscription": _input(registrations.uri)}
            api.change(queries.CREATE_WEBHOOK, "webhookSubscriptionCreate", variables)
            created.append(topic)
            continue
        for other in subscriptions:
            if other is not subscription:  # before the change: Shopify takes one address of a topic once
                api.change(queries.DELETE_WEBHOOK, "webhookSubscriptionDelete", {"id": other["id"]})
                removed.append(topic)
        if not _is_right(subscription, registrations.uri):
            api.change(
                queries.UPDATE_WEBHOOK,
                "webhookSubscriptionUpdate",
                {"id": subscription["id"], "subscription": _input(registrations.uri)},
            )
            changed.append(topic)
    for webhooks in by_topic.values():  # of topics that are not to be there
        for webhook in webhooks:
            if webhook["uri"] == registrations.uri:
                api.change(queries.DELETE_WEBHOOK, "webhookSubscriptionDelete", {"id": webhook["id"]})
                removed.append(webhook["topic"])
    pixel = "" if registrations.pixel is None else _register_pixel(api, registrations.pixel)
    return Repaired(made=tuple(created), changed=tuple(changed), removed=tuple(removed), pixel=pixel)


def _webhooks(api: AdminApi) -> Iterator[dict[str, Any]]:
    after: str | None = None
    while True:
        page = api.ask(queries.WEBHOOKS, {"after": after})["webhookSubscriptions"]
        yield from page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _input(uri: str) -> dict[str, Any]:
    return {"uri": uri, "format": JSON, "includeFields": [], "filter": None}


def _is_right(webhook: dict[str, Any], uri: str) -> bool:
    """Whole bodies of our version, of every event: fields that are left out or a filter would lose orders without a word."""
    is_whole = not webhook["includeFields"] and not webhook["filter"] and webhook["format"] == JSON
    return is_whole and webhook["uri"] == uri and webhook["apiVersion"]["handle"] == queries.API_VERSION


def _register_pixel(api: AdminApi, settings: dict[str, str]) -> str:
    text = msgspec.json.encode(settings).decode()
    try:
        pixel = api.ask(queries.PIXEL)["webPixel"]
    except NothingThere:
        pixel = None
    if pixel is None:
        api.change(queries.CREATE_PIXEL, "webPixelCreate", {"settings": text})
        return "made"
    if _settings(pixel["settings"]) == settings:
        return ""
    api.change(queries.UPDATE_PIXEL, "webPixelUpdate", {"id": pixel["id"], "settings": text})
    return "changed"


def _settings(value: Any) -> Any:
    """Shopify writes them as JSON in a text, or as the object itself."""
    try:
        return msgspec.json.decode(value) if isinstance(value, str) else value
    except msgspec.DecodeError:
        return None
