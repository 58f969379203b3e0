"""The store platforms, by name. A new one is a folder beside these and a line here."""

from custom_events.platforms.base import StorePlatform
from custom_events.platforms.custom.platform import Custom
from custom_events.platforms.shopify.platform import Shopify
from custom_events.platforms.woocommerce.platform import WooCommerce
from custom_events.values.deliveries import Platform

PLATFORMS: dict[Platform, StorePlatform] = {
    Platform.SHOPIFY: Shopify(),
    Platform.WOOCOMMERCE: WooCommerce(),
    Platform.CUSTOM: Custom(),
}
