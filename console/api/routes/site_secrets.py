"""Signing secrets of sites: made, added, rotated, revoked; shown once, and never read back."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec
from fastapi import Path

from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import Page
from console.api.problems import FieldError, invalid
from console.api.rights import of_site
from console.api.routes.sites import SiteId
from custom_events.access.roles import Role
from custom_events.catalog import connecting, signing, sites
from custom_events.catalog.signing import SiteSecret
from custom_events.values.numbers import MAX_ID

ROUTES: Final = Routes("site secrets", "What proves a delivery to be from its store. Shown once, never read back.")

LONGEST_OVERLAP_H: Final = 24 * 30  # a month: a secret that is good for longer beside its successor is not rotated

SecretId = Annotated[int, Path(ge=1, le=MAX_ID, description="A secret's id.")]


class NewSecret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A secret to be added. `secret`: as the store shows it; left out, one is made, and shown in the answer. `key_id`: what senders
    that name their secrets call it."""

    secret: str | None = None
    key_id: str | None = None
    valid_until: datetime | None = None


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A new secret in the place of those before, which stay good for `overlap_h` hours more."""

    secret: str | None = None
    key_id: str | None = None
    overlap_h: int = round(signing.OVERLAP / timedelta(hours=1))


class MadeSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A new secret. `secret`: what to enter in the store, shown now and never again; null where the caller gave it. `connection`: for
    a store with a plugin of ours, the one line to paste there, with address and secret; likewise null and never shown again."""

    id: int
    key_id: str | None
    valid_until: datetime | None
    created_at: datetime
    secret: str | None
    connection: str | None


_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_KEPT = SiteSecret(id=5, key_id=None, valid_until=None, created_at=_NOON)
_MADE = {
    "id": 6,
    "key_id": None,
    "valid_until": None,
    "created_at": _NOON,
    "secret": "shown-now-and-never-again",
    "connection": None,
}


@ROUTES.get(
    "/sites/{site_id}/secrets",
    right=of_site(Role.VIEWER),
    answer=Page[SiteSecret],
    example=Page(items=(_KEPT,), next=None),
)
def list_secrets(call: Call, site_id: SiteId) -> Page[SiteSecret]:
    """The secrets of a site, the oldest first, ended ones too; not what they are."""
    return Page(items=tuple(signing.of(call.connection, site_id)), next=None)


@ROUTES.post(
    "/sites/{site_id}/secrets",
    right=of_site(Role.ADMINISTRATOR),
    status=201,
    answer=MadeSecret,
    example=_MADE,
    body_example=NewSecret(key_id="2026-11"),
)
def add_secret(call: Call, site_id: SiteId, body: NewSecret) -> Answer:
    """Add a secret beside those that the site has: one that the store shows, or a new one of ours."""
    value = body.secret if body.secret is not None else signing.make()
    made = signing.add(
        call.connection,
        site_id,
        value,
        key=call.key,
        actor=call.actor,
        key_id=body.key_id,
        valid_until=body.valid_until,
    )
    return _shown(call, site_id, made, value if body.secret is None else None)


@ROUTES.post(
    "/sites/{site_id}/secrets/rotate",
    right=of_site(Role.ADMINISTRATOR),
    status=201,
    answer=MadeSecret,
    example=_MADE,
    body_example=Rotation(),
)
def rotate_secret(call: Call, site_id: SiteId, body: Rotation) -> Answer:
    """A new secret; those before stay good for a while, so that the store can be changed meanwhile."""
    if not 0 <= body.overlap_h <= LONGEST_OVERLAP_H:
        right = f"0 to {LONGEST_OVERLAP_H} hours"
        raise invalid(FieldError(field="overlap_h", problem="it is out of range", remedy=right, value=body.overlap_h))
    value = body.secret if body.secret is not None else signing.make()
    made = signing.rotate(
        call.connection,
        site_id,
        value,
        key=call.key,
        actor=call.actor,
        key_id=body.key_id,
        overlap=timedelta(hours=body.overlap_h),
    )
    return _shown(call, site_id, made, value if body.secret is None else None)


@ROUTES.delete("/sites/{site_id}/secrets/{secret_id}", right=of_site(Role.ADMINISTRATOR))
def revoke_secret(call: Call, site_id: SiteId, secret_id: SecretId) -> None:
    """A secret is good no longer, at once."""
    signing.remove(call.connection, site_id, secret_id, actor=call.actor)


def _shown(call: Call, site_id: int, made: SiteSecret, value: str | None) -> Answer:
    line = None
    if value is not None:
        site = sites.get(call.connection, site_id)
        line = connecting.connection_string(site.platform, connecting.address(call.settings, site), value, made.key_id)
    shown = MadeSecret(**msgspec.structs.asdict(made), secret=value, connection=line)
    return Answer(content=shown, location=f"{PREFIX}/sites/{site_id}/secrets")
