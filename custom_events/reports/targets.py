"""Targets as people give them: one flat form for every kind, with its secrets, which are never shown again."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

import msgspec

from custom_events.catalog.configurations import refuse
from custom_events.conditions.problems import Problem
from custom_events.report_delivery.targets import (
    DeliverySecrets,
    DeliveryTarget,
    EmailTarget,
    FolderTarget,
    S3Target,
    WebhookTarget,
)

TargetKind = Literal["folder", "s3", "email", "webhook"]
_KINDS: Final[dict[str, type[FolderTarget | S3Target | EmailTarget | WebhookTarget]]] = {
    "folder": FolderTarget,
    "s3": S3Target,
    "email": EmailTarget,
    "webhook": WebhookTarget,
}
_SECRETS: Final[dict[str, tuple[str, ...]]] = {
    "folder": (),
    "s3": ("access_key_id", "secret_access_key"),
    "email": (),
    "webhook": ("signing_secret",),
}
_NEEDED: Final = {"s3": ("bucket",), "email": ("to",), "webhook": ("url",)}


class ReportTarget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where files go. `folder` (kind folder): below the setting `report_folder`; `bucket`, `prefix`, `endpoint`, `region` (s3); `to` (email);
    `url` (webhook)."""

    kind: TargetKind
    folder: str | None = None
    bucket: str | None = None
    prefix: str | None = None
    endpoint: str | None = None
    region: str | None = None
    to: tuple[str, ...] | None = None
    url: str | None = None


class NewReportTarget(ReportTarget, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A target with its secrets, kept encrypted and never shown: `access_key_id` and `secret_access_key` (s3), `signing_secret` (webhook).
    Left out where a schedule is changed: those of the same target stay."""

    access_key_id: str | None = None
    secret_access_key: str | None = None
    signing_secret: str | None = None


def read(
    new_targets: Iterable[NewReportTarget],
) -> tuple[tuple[DeliveryTarget, ...], tuple[DeliverySecrets | None, ...]]:
    """Targets and their secrets. Raises InvalidConfiguration for fields of another kind, and for those that are missing."""
    listed = tuple(new_targets)
    refuse([problem for place, target in enumerate(listed) for problem in _problems(target, f"targets[{place}]")])
    return tuple(_target(target) for target in listed), tuple(_secrets(target) for target in listed)


def shown(target: DeliveryTarget) -> ReportTarget:
    """A target as people see it."""
    kind = next(kind for kind, struct in _KINDS.items() if type(target) is struct)
    set_fields = {name: value for name, value in msgspec.structs.asdict(target).items() if value not in (None, "")}
    return msgspec.convert({"kind": kind, **set_fields}, ReportTarget)


def in_words(target: DeliveryTarget) -> str:
    """`e-mail to ana@example.org`, without secrets."""
    match target:
        case FolderTarget():
            return f"folder {target.folder or '.'}"
        case S3Target():
            return f"s3://{target.bucket}/{target.prefix}"
        case EmailTarget():
            return f"e-mail to {', '.join(target.to)}"
        case WebhookTarget():
            return f"webhook {target.url}"


def _problems(target: NewReportTarget, path: str) -> Iterator[Problem]:
    known = ("kind", *_KINDS[target.kind].__struct_fields__, *_SECRETS[target.kind])
    for name in target.__struct_fields__:
        if getattr(target, name) is not None and name not in known:
            wrong = f"a target of the kind {target.kind} has no {name}"
            yield Problem(path=f"{path}.{name}", wrong=wrong, right=f"one of {', '.join(known[1:])}")
    for name in _NEEDED.get(target.kind, ()):
        if not getattr(target, name):
            yield Problem(path=f"{path}.{name}", wrong="it is missing", right="give it")


def _target(target: NewReportTarget) -> DeliveryTarget:
    struct = _KINDS[target.kind]
    values: dict[str, Any] = {name: getattr(target, name) for name in struct.__struct_fields__}
    return struct(**{name: value for name, value in values.items() if value is not None})


def _secrets(target: NewReportTarget) -> DeliverySecrets | None:
    values = {name: getattr(target, name) for name in _SECRETS[target.kind] if getattr(target, name)}
    return DeliverySecrets(**values) if values else None
