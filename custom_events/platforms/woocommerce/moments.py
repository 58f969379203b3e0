"""What our plugin says beside a resource: `custom_events`, the moment at which the body was built (docs/reference/woocommerce-plugin.md)."""

from datetime import datetime

import msgspec

from custom_events.platforms.parse import gmt
from custom_events.platforms.woocommerce.bodies import Moment


def built_at(moment: Moment | None) -> datetime | None:
    """When the plugin built the body, by the shop's clock; None for a body of WooCommerce's own."""
    return gmt(moment.at, "$.custom_events.at") if moment is not None else None


def says_whether_paid(moment: Moment | None) -> bool:
    """Whether the plugin decided, by the shop's setting, if the order counts as paid."""
    return moment is not None and not isinstance(moment.paid_at, msgspec.UnsetType)


def paid_at(moment: Moment | None) -> datetime | None:
    """Since when the order counts as paid by the plugin; None where it does not, or does not say."""
    if moment is None or isinstance(moment.paid_at, msgspec.UnsetType):
        return None
    return gmt(moment.paid_at, "$.custom_events.paid_at")
