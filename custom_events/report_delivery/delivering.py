"""A file brought to its target, once however often it is tried under the same key."""

from custom_events.errors import NeedsAction
from custom_events.report_delivery.checking import check
from custom_events.report_delivery.folder import deliver_to_folder
from custom_events.report_delivery.mail import deliver_by_mail
from custom_events.report_delivery.s3 import deliver_to_s3
from custom_events.report_delivery.targets import (
    DeliveryMessage,
    DeliveryReceipt,
    DeliverySecrets,
    DeliveryTarget,
    EmailTarget,
    FolderTarget,
    S3Target,
    WebhookTarget,
)
from custom_events.report_delivery.webhook import deliver_to_webhook
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
    check(target, settings, secrets)
    try:
        match target:
            case FolderTarget():
                return deliver_to_folder(target, file, message, settings)
            case S3Target():
                return deliver_to_s3(target, file, message, secrets, settings)
            case EmailTarget():
                return deliver_by_mail(target, file, message, settings)
            case WebhookTarget():
                return deliver_to_webhook(target, file, message, secrets, settings)
    except ImportError as error:
        raise NeedsAction(f"Deliveries to storage need {error.name}: install custom-events[reports].") from error
