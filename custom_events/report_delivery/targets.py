"""Where a file is brought, what it is called there, and what came of it."""

import msgspec


class FolderTarget(msgspec.Struct, frozen=True, kw_only=True, tag="folder", forbid_unknown_fields=True):
    """A folder below the setting `report_folder`, by its path from there (`sales/daily`); empty: that folder itself."""

    folder: str = ""


class S3Target(msgspec.Struct, frozen=True, kw_only=True, tag="s3", forbid_unknown_fields=True):
    """A bucket of S3-compatible storage. `prefix`: before the file's name (`reports/sales`); `endpoint` None: Amazon's own.
    Needs the secrets `access_key_id` and `secret_access_key`."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None


class EmailTarget(msgspec.Struct, frozen=True, kw_only=True, tag="email", forbid_unknown_fields=True):
    """E-mail addresses; the server is the setting `report_smtp_url`. Needs no secrets."""

    to: tuple[str, ...]


class WebhookTarget(msgspec.Struct, frozen=True, kw_only=True, tag="webhook", forbid_unknown_fields=True):
    """An address that takes the file by POST, signed with the secret `signing_secret`."""

    url: str


DeliveryTarget = FolderTarget | S3Target | EmailTarget | WebhookTarget


class DeliverySecrets(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a target needs and nobody may read: kept encrypted, never in a message or a log."""

    access_key_id: str | None = None
    secret_access_key: str | None = None
    signing_secret: str | None = None

    def __repr__(self) -> str:
        return "DeliverySecrets(...)"


class DeliveryMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What goes with a file. `key`: the same for every attempt at one delivery, and for no other; `period` in words; `zone`: IANA name;
    `address`: where people find the file in the console, for a mail that would be too large with it."""

    report: str
    period: str
    key: str
    zone: str
    title: str = ""
    address: str | None = None


class DeliveryReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """It was delivered. `where`: a path, an address or a message's id, without secrets; `digest`: SHA-256 in hex of what was delivered."""

    where: str
    digest: str
