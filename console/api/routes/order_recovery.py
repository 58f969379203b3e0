"""Orders read from stores' own APIs: the key of each site, and what was missing."""

from datetime import UTC, date, datetime
from typing import Final

import msgspec

from console.api.calls import Call
from console.api.operations import Routes
from console.api.rights import of_site
from console.api.routes.sites import SiteId
from custom_events.access.roles import Role
from custom_events.catalog import sites, store_api_keys
from custom_events.catalog.store_api_keys import StoreApiKey
from custom_events.recovery.report import MissingOrders, RecoveryReport, RecoveryRun, report
from custom_events.values.recovery import GapKind

ROUTES: Final = Routes(
    "order recovery", "Orders read from the stores' own APIs, laid beside what landed; keys are never read back."
)


class NewStoreApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key of the store's API that may read, as the store shows it: WooCommerce's consumer key and secret; of BigCommerce the store's hash
    and an access token. `store_url`: left out, https and the site's domain, or BigCommerce's own API."""

    consumer_key: str
    consumer_secret: str
    store_url: str | None = None


_NOON: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
_KEY: Final = StoreApiKey(
    site_id=3, store_url="https://shop.example", key_ending="4f2a91c", created_at=_NOON, updated_at=_NOON
)
_REPORT: Final = RecoveryReport(
    site_id=3,
    key=_KEY,
    can_have_key=True,
    read_until=_NOON,
    problem=None,
    problem_since=None,
    runs=(
        RecoveryRun(
            started_at=_NOON,
            ended_at=_NOON,
            since=_NOON.replace(hour=10),
            until=_NOON,
            orders_read=31,
            orders_missing=1,
            orders_landed=1,
            problem=None,
        ),
    ),
    missing=(MissingOrders(day=date(2026, 11, 30), kind=GapKind.ORDER, orders=1, sample_raw_id=4711, found_at=_NOON),),
)


@ROUTES.get("/sites/{site_id}/order-recovery", right=of_site(Role.VIEWER), answer=RecoveryReport, example=_REPORT)
def read_order_recovery(call: Call, site_id: SiteId) -> RecoveryReport:
    """How far a site's orders are read from its store, the last readings, and what no delivery had brought in 30 days."""
    site = sites.get(call.connection, site_id)
    return report(call.connection, site_id, site.platform, datetime.now(UTC))


@ROUTES.post(
    "/sites/{site_id}/store-api-key",
    right=of_site(Role.ADMINISTRATOR),
    status=201,
    answer=StoreApiKey,
    example=_KEY,
    body_example=NewStoreApiKey(consumer_key="ck_" + "1" * 40, consumer_secret="cs_" + "2" * 40),
)
def set_store_api_key(call: Call, site_id: SiteId, body: NewStoreApiKey) -> StoreApiKey:
    """Enter the key by which the store's orders are read, in the place of the one before. It is encrypted, and never shown again."""
    return store_api_keys.put(
        call.connection,
        site_id,
        store_url=body.store_url,
        consumer_key=body.consumer_key.strip(),
        consumer_secret=body.consumer_secret.strip(),
        key=call.key,
        actor=call.actor,
        allow_private=call.settings.store_api_private,
    )


@ROUTES.delete("/sites/{site_id}/store-api-key", right=of_site(Role.ADMINISTRATOR))
def remove_store_api_key(call: Call, site_id: SiteId) -> None:
    """The store's orders are read no more."""
    store_api_keys.remove(call.connection, site_id, actor=call.actor)
