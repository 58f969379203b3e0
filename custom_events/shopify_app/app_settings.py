"""Which app we are, from the settings."""

import msgspec

from custom_events.errors import InvalidConfiguration
from custom_events.settings import Settings, variable_of


class App(msgspec.Struct, frozen=True):
    """Our app as Shopify knows it. `base_url` stands in for Shopify (None: Shopify itself)."""

    client_id: str
    client_secret: str
    base_url: str | None
    timeout_s: float
    console_url: str


def app_of(settings: Settings) -> App:
    """The app of this installation. Raises InvalidConfiguration where its id or secret is not set."""
    if settings.shopify_client_id is None:
        raise InvalidConfiguration("the client id of the Shopify app is needed", path=variable_of("shopify_client_id"))
    if settings.shopify_client_secret is None:
        raise InvalidConfiguration("the client secret of the app is needed", path=variable_of("shopify_client_secret"))
    return App(
        client_id=settings.shopify_client_id,
        client_secret=settings.shopify_client_secret.get_secret_value(),
        base_url=settings.shopify_url,
        timeout_s=settings.shopify_timeout_s,
        console_url=settings.console_url.rstrip("/"),
    )
