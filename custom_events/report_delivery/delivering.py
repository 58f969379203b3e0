"""A file brought to its target, once however often it is tried under the same key."""

from custom_events.report_delivery.targets import DeliveryMessage, DeliveryReceipt, DeliverySecrets, DeliveryTarget
from custom_events.report_files.table import WrittenFile
from custom_events.settings import Settings


def deliver(
    target: DeliveryTarget,
    file: WrittenFile,
    message: DeliveryMessage,
    secrets: DeliverySecrets,
    settings: Settings,
) -> DeliveryReceipt:
    """Bring the file there. Raises Transient where trying again may help, NeedsAction where a person must act (InvalidConfiguration
    names the field); neither says a secret."""
    raise NotImplementedError
