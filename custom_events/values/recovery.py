"""What may be missing of an order that its store knows."""

from enum import StrEnum
from typing import Final

FETCHED = "fetched"  # verdict of the signature of a raw event that we read from the store's API ourselves
FETCHED_AT = "x-custom-events-fetched-at"  # header of such a raw event: when it was read, by the store's clock


class GapKind(StrEnum):
    """What no delivery had brought. The first that applies counts."""

    ORDER = "order"  # the order itself
    CHANGE = "change"  # another status or total
    REFUND = "refund"  # a refund
    REFUND_DELETED = "refund_deleted"  # a refund is stored that the store lists no longer


SENTENCES: Final = {
    GapKind.ORDER: "no delivery had brought the order",
    GapKind.CHANGE: "no delivery had brought its status or total",
    GapKind.REFUND: "no delivery had brought a refund",
    GapKind.REFUND_DELETED: "a refund is stored that the store lists no longer",
}
