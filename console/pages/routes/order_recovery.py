"""The key by which a site's orders are read from its store, on the site's page."""

from typing import Final

from console.api.calls import Call
from console.api.problems import FieldError, invalid
from console.api.routes import order_recovery as operations
from console.api.routes.order_recovery import NewStoreApiKey
from console.pages.ask import Ask
from console.pages.page import Moved, Pages, right_of
from console.pages.translations import _

PAGES: Final = Pages()


@PAGES.change("/sites/{site_id}/store-api-key", right=right_of(operations.ROUTES, operations.set_store_api_key))
def set_store_api_key(call: Call, ask: Ask) -> Moved:
    """Keep the key that was typed."""
    site_id = ask.path["site_id"]
    for name in ("consumer_key", "consumer_secret"):
        if not ask.field(name):
            raise invalid(
                FieldError(field=name, problem="it is missing", remedy="as the store's page of keys shows it")
            )
    key = NewStoreApiKey(
        consumer_key=ask.field("consumer_key"),
        consumer_secret=ask.field("consumer_secret"),
        store_url=ask.field("store_url") or None,
    )
    operations.set_store_api_key(call, site_id, key)
    return Moved(
        to=f"sites/{site_id}", said=_("The key is kept, encrypted: the store's orders are read within the hour.")
    )


@PAGES.change(
    "/sites/{site_id}/store-api-key/remove", right=right_of(operations.ROUTES, operations.remove_store_api_key)
)
def remove_store_api_key(call: Call, ask: Ask) -> Moved:
    """The store's orders are read no more."""
    site_id = ask.path["site_id"]
    operations.remove_store_api_key(call, site_id)
    return Moved(to=f"sites/{site_id}", said=_("The key is removed: the store's orders are read no more."))
