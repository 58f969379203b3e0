"""Whether a file can be brought somewhere, asked when the target is set and at each delivery: names, addresses, what the settings allow."""

from custom_events.errors import Fault, InvalidConfiguration
from custom_events.report_delivery import folder, mail, s3, webhook
from custom_events.report_delivery.targets import (
    DeliverySecrets,
    DeliveryTarget,
    EmailTarget,
    FolderTarget,
    S3Target,
    WebhookTarget,
)
from custom_events.settings import Settings


def check(target: DeliveryTarget, settings: Settings, secrets: DeliverySecrets | None = None) -> None:
    """Raise InvalidConfiguration, with a fault for each field that cannot be used and its remedy. `secrets` None: they are not looked at.

    Addresses of webhooks and storage are resolved: one of this machine or of a private network is refused unless the setting
    `report_private_addresses` permits it. It is asked again at each delivery. Raises Transient where a name cannot be resolved now.
    """
    wrong = _faults(target, settings, secrets)
    if wrong:
        sentence = "; ".join(f"{fault.path}: {fault.wrong} (right is: {fault.right})" for fault in wrong)
        raise InvalidConfiguration(f"the target cannot be used: {sentence}", path=wrong[0].path, faults=tuple(wrong))


def _faults(target: DeliveryTarget, settings: Settings, secrets: DeliverySecrets | None) -> list[Fault]:
    match target:
        case FolderTarget():
            return folder.faults(target, settings)
        case S3Target():
            return s3.faults(target, secrets, settings)
        case EmailTarget():
            return mail.faults(target, settings)
        case WebhookTarget():
            return webhook.faults(target, secrets, settings)
