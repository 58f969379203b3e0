"""The words of the store platforms: as they stand in addresses, in the database and in files."""

from enum import StrEnum


class Platform(StrEnum):
    """One line for each folder of `custom_events/platforms`, by its name. Nothing else lists them."""

    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"
    CUSTOM = "custom"
    STRIPE = "stripe"
    BIGCOMMERCE = "bigcommerce"
