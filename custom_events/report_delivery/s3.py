"""A file brought to S3-compatible storage by s3fs: in parts where it is large, so that its size costs no memory."""

import re
from typing import TYPE_CHECKING, Any, Final

from custom_events.errors import Fault, NeedsAction, Transient
from custom_events.report_delivery.addresses import Endpoint, endpoint
from custom_events.report_delivery.naming import file_name
from custom_events.report_delivery.targets import DeliveryMessage, DeliveryReceipt, DeliverySecrets, S3Target
from custom_events.report_files.table import WrittenFile
from custom_events.settings import Settings

if TYPE_CHECKING:
    from s3fs import S3FileSystem

PART_BYTES: Final = 8 * 1024 * 1024  # of a file in parts; up to twice as much goes at once
_PARTS_AT_ONCE: Final = 2
_CONNECT_S: Final = 10.0
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_REGION: Final = re.compile(r"[a-z0-9-]{2,40}\Z")
_PREFIX: Final = re.compile(r"[A-Za-z0-9_.=-]+(/[A-Za-z0-9_.=-]+)*/?\Z")
_PREFIX_CHARS: Final = 500
# What a person has to mend, by the codes of answers; everything else may change by itself.
_OF_A_PERSON: Final = frozenset(
    (
        *(
            "AccessDenied",
            "AccountProblem",
            "AllAccessDisabled",
            "AuthorizationHeaderMalformed",
            "InvalidAccessKeyId",
            "InvalidBucketName",
        ),
        *("InvalidToken", "NoSuchBucket", "PermanentRedirect", "SignatureDoesNotMatch", "ExpiredToken", "403", "404"),
    )
)


def faults(target: S3Target, secrets: DeliverySecrets | None, settings: Settings) -> list[Fault]:
    """What is wrong with the target and its secrets. Raises Transient where its name cannot be resolved now."""
    wrong: list[Fault] = []
    if not _BUCKET.match(target.bucket):
        wrong.append(Fault("bucket", "it is no bucket's name", "3 to 63 small letters, digits, dots and dashes"))
    if target.prefix and (
        not _PREFIX.match(target.prefix) or ".." in target.prefix.split("/") or len(target.prefix) > _PREFIX_CHARS
    ):
        right = f"at most {_PREFIX_CHARS} letters, digits, dots, dashes, underscores and slashes between them: reports/sales"
        wrong.append(Fault("prefix", "it cannot stand before a name", right))
    if target.region is not None and not _REGION.match(target.region):
        wrong.append(Fault("region", "it is no region", "a name such as eu-central-1"))
    if target.endpoint is not None:
        behind = endpoint(target.endpoint, "endpoint", private=settings.report_private_addresses)
        wrong += [behind] if isinstance(behind, Fault) else []
    if secrets is not None:
        wrong += [
            Fault(field, "it is missing", "the key that may write objects below the prefix, and nothing else")
            for field in ("access_key_id", "secret_access_key")
            if not getattr(secrets, field)
        ]
    return wrong


def deliver_to_s3(
    target: S3Target, file: WrittenFile, message: DeliveryMessage, secrets: DeliverySecrets, settings: Settings
) -> DeliveryReceipt:
    """Put the object, which appears whole or not at all; the same key replaces it. Its metadata has the file's SHA-256.

    Raises NeedsAction where storage does not know key or bucket, or does not let it be written; Transient for other answers and for none.
    """
    behind: Endpoint | None = None
    if target.endpoint is not None:
        checked = endpoint(target.endpoint, "endpoint", private=settings.report_private_addresses)
        if isinstance(checked, Fault):
            raise NeedsAction(f"The storage cannot be called: {checked.wrong}; {checked.right} would be right.")
        behind = checked
    prefix = target.prefix.rstrip("/")
    name = "/".join(part for part in (target.bucket, prefix, file_name(file, message)) if part)
    storage = _storage(target, behind, secrets, settings)
    try:
        storage.put_file(
            str(file.path),
            name,
            chunksize=PART_BYTES,
            max_concurrency=_PARTS_AT_ONCE,
            ContentType=file.media_type,
            Metadata={"sha256": file.sha256},
        )
    except Exception as error:
        raise _sorted(error, target) from error
    finally:
        _close(storage)
    return DeliveryReceipt(where=f"s3://{name}", digest=file.sha256)


def _storage(target: S3Target, behind: Endpoint | None, secrets: DeliverySecrets, settings: Settings) -> "S3FileSystem":
    """A client of its own for one delivery: nothing of it is shared between targets."""
    from s3fs import S3FileSystem

    config: dict[str, Any] = {
        "connect_timeout": _CONNECT_S,
        "read_timeout": settings.report_delivery_timeout_s,
        "retries": {"max_attempts": 1},  # who delivers tries again
    }
    if behind is not None:
        from custom_events.report_delivery.pinned import PinnedResolver

        # Storage of others knows buckets by path, and not every checksum.
        config |= {"s3": {"addressing_style": "path"}, "request_checksum_calculation": "when_required"}
        config |= {"connector_args": {"resolver": PinnedResolver(behind)}}
    storage = S3FileSystem(
        key=secrets.access_key_id,
        secret=secrets.secret_access_key,
        endpoint_url=target.endpoint,
        client_kwargs={"region_name": target.region} if target.region else {},
        config_kwargs=config,
        skip_instance_cache=True,
        use_listings_cache=False,
    )
    storage.retries = 1
    return storage


def _close(storage: "S3FileSystem") -> None:
    if (client := getattr(storage, "_s3", None)) is not None:
        storage.close_session(storage.loop, client)


def _sorted(error: Exception, target: S3Target) -> NeedsAction | Transient:
    """The error of a client as what follows from it; what it says itself is not passed on, since it may hold the key."""
    from botocore.exceptions import ClientError

    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ClientError):
        cause = cause.__cause__
    code = str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, ClientError) else ""
    if code in _OF_A_PERSON or isinstance(error, (PermissionError, FileNotFoundError)):
        what = code or type(error).__name__
        return NeedsAction(
            f"The storage does not let the bucket {target.bucket} be written ({what}). Check bucket, region and key, and what the key may do."
        )
    return Transient(f"The storage did not take the file ({code or type(error).__name__}).")
