"""Uploads: conversions and adjustments on their way to an ads account; held, let go, withheld, sent again by hand."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
import sqlalchemy as sa
from fastapi import Path

from console.api import problems
from console.api.calls import Call
from console.api.operations import Routes
from console.api.rights import Right, of_site
from console.api.routes.sites import SiteId
from custom_events.access.roles import Role
from custom_events.ledger import single_uploads
from custom_events.ledger.single_uploads import REFERENCE, Answer, UploadDetail

ROUTES: Final = Routes("uploads", "Conversions and adjustments on their way to an ads account, and Google's answers.")

UploadReference = Annotated[
    str,
    Path(
        pattern=f"^{REFERENCE}$",
        description="An upload's reference: the microseconds of its created_at since 1970, a hyphen, and its id.",
        examples=["1764504000000000-77"],
    ),
]


class Hold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why something is held, in words; shown with it."""

    why: str


class HoldOfSite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What of a site is held: an order's rows, or all that wait now; and why, in words."""

    why: str
    order_id: str | None = None


class Release(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`reason`: only where it is held for this; what waits for a consent goes only with it."""

    reason: str | None = None


class Chosen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which rows of a site: of this order, with this reason; what is not given narrows nothing."""

    order_id: str | None = None
    reason: str | None = None


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows were changed."""

    rows: int


_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_AN_HOUR_AGO = datetime(2026, 11, 30, 11, tzinfo=UTC)
_EXAMPLE: Final = UploadDetail(
    reference=single_uploads.reference_of(_AN_HOUR_AGO, 77),
    id=77,
    created_at=_AN_HOUR_AGO,
    site_id=3,
    assignment_id=5,
    custom_event_id=41,
    customer_id="1234567890",
    action_id="7001",
    kind="conversion",
    transaction_id="10023",
    sequence=0,
    order_id="10023",
    conversion_at=_AN_HOUR_AGO,
    adjusted_at=None,
    value=Decimal("49.90"),
    currency="EUR",
    click_kind="gclid",
    state="rejected",
    reason="EXPIRED_EVENT",
    sentence="The click is too old.",
    not_before=_AN_HOUR_AGO,
    deadline_at=datetime(2027, 1, 31, tzinfo=UTC),
    attempts=1,
    settled_at=_NOON,
    updated_at=_NOON,
    answers=(
        Answer(
            at=_NOON,
            verdict="rejected",
            code="EXPIRED_EVENT",
            sentence="The click is too old.",
            google_request_id="3f0c6c1e",
            intent_at=_NOON,
            answered_at=_NOON,
        ),
    ),
)


def _held(**changes: Any) -> UploadDetail:
    return msgspec.structs.replace(_EXAMPLE, settled_at=None, attempts=0, answers=(), **changes)


_QUEUED: Final = msgspec.structs.replace(_EXAMPLE, state="queued", reason=None, settled_at=None)
_WITHHELD: Final = msgspec.structs.replace(
    _EXAMPLE,
    state="withheld",
    reason="withheld_by_hand",
    sentence="Withheld by hand: a test order (ana@example.org)",
    attempts=0,
    answers=(),
)
_HELD: Final = _held(state="held", reason="held_by_hand", sentence="Held by hand: a test order (ana@example.org)")


def _site_of(connection: sa.Connection, parameters: Mapping[str, Any]) -> int | None:
    return single_uploads.site_of(connection, parameters["upload_reference"])


def _of_its_site(role: Role) -> Right:
    return of_site(role, noun="upload", parameter="upload_reference", site_of=_site_of)


@ROUTES.get("/uploads/{upload_reference}", right=_of_its_site(Role.VIEWER), answer=UploadDetail, example=_EXAMPLE)
def read_upload(call: Call, upload_reference: UploadReference) -> UploadDetail:
    """One conversion or adjustment: where it stands, why, and what Google answered."""
    return single_uploads.get(call.connection, upload_reference)


@ROUTES.post(
    "/uploads/{upload_reference}/retry",
    right=_of_its_site(Role.PUBLISHER),
    answer=UploadDetail,
    example=_QUEUED,
    raises=(problems.CONFLICT,),
)
def retry_upload(call: Call, upload_reference: UploadReference) -> UploadDetail:
    """Send what was refused, or withheld by hand, once more. Its transaction id stays, so nothing counts twice."""
    return single_uploads.retry(call.connection, upload_reference, actor=call.actor, now=datetime.now(UTC))


@ROUTES.post(
    "/uploads/{upload_reference}/hold",
    right=_of_its_site(Role.PUBLISHER),
    answer=UploadDetail,
    example=_HELD,
    body_example=Hold(why="a test order"),
    raises=(problems.CONFLICT,),
)
def hold_upload(call: Call, upload_reference: UploadReference, body: Hold) -> UploadDetail:
    """Hold what waits, until it is released or Google no longer takes it; what is at Google, or may be, is not held."""
    return single_uploads.hold(call.connection, upload_reference, body.why, actor=call.actor, now=datetime.now(UTC))


@ROUTES.post(
    "/uploads/{upload_reference}/release",
    right=_of_its_site(Role.PUBLISHER),
    answer=UploadDetail,
    example=_HELD,
    body_example=Release(),
    raises=(problems.CONFLICT,),
)
def release_upload(call: Call, upload_reference: UploadReference, body: Release) -> UploadDetail:
    """Let what is held go now; the next run sends it.

    What waits for a customer's consent goes only with the reason `consent_unknown_in_europe`: whoever says so answers for it.
    """
    return single_uploads.release(
        call.connection, upload_reference, actor=call.actor, now=datetime.now(UTC), reason=body.reason
    )


@ROUTES.post(
    "/uploads/{upload_reference}/withhold",
    right=_of_its_site(Role.PUBLISHER),
    answer=UploadDetail,
    example=_WITHHELD,
    body_example=Hold(why="a test order"),
    raises=(problems.CONFLICT,),
)
def withhold_upload(call: Call, upload_reference: UploadReference, body: Hold) -> UploadDetail:
    """Never send a conversion that waits, unless somebody sends it again (retry); one that Google has, or may have, is not withheld."""
    return single_uploads.withhold(call.connection, upload_reference, body.why, actor=call.actor, now=datetime.now(UTC))


@ROUTES.post(
    "/sites/{site_id}/uploads/retry",
    right=of_site(Role.PUBLISHER),
    answer=Changed,
    example=Changed(rows=2),
    body_example=Chosen(reason="EXPIRED_EVENT"),
)
def retry_uploads_of_site(call: Call, site_id: SiteId, body: Chosen) -> Changed:
    """Send what was refused of a site once more, unless it is too late; what was withheld by hand with the reason `withheld_by_hand`."""
    rows = single_uploads.retry_of_site(
        call.connection,
        site_id,
        actor=call.actor,
        now=datetime.now(UTC),
        order_id=body.order_id,
        reason=body.reason,
    )
    return Changed(rows=rows)


@ROUTES.post(
    "/sites/{site_id}/uploads/hold",
    right=of_site(Role.PUBLISHER),
    answer=Changed,
    example=Changed(rows=2),
    body_example=HoldOfSite(why="prices are wrong"),
)
def hold_uploads_of_site(call: Call, site_id: SiteId, body: HoldOfSite) -> Changed:
    """Hold what waits now of a site, or of an order of it; what comes later is not held."""
    rows = single_uploads.hold_of_site(
        call.connection, site_id, body.why, actor=call.actor, now=datetime.now(UTC), order_id=body.order_id
    )
    return Changed(rows=rows)


@ROUTES.post(
    "/sites/{site_id}/uploads/release",
    right=of_site(Role.PUBLISHER),
    answer=Changed,
    example=Changed(rows=2),
    body_example=Chosen(order_id="10023"),
)
def release_uploads_of_site(call: Call, site_id: SiteId, body: Chosen) -> Changed:
    """Let what is held of a site go now; what waits for a consent only with the reason `consent_unknown_in_europe`."""
    rows = single_uploads.release_of_site(
        call.connection,
        site_id,
        actor=call.actor,
        now=datetime.now(UTC),
        order_id=body.order_id,
        reason=body.reason,
    )
    return Changed(rows=rows)


@ROUTES.post(
    "/sites/{site_id}/uploads/withhold",
    right=of_site(Role.PUBLISHER),
    answer=Changed,
    example=Changed(rows=2),
    body_example=HoldOfSite(why="imported twice", order_id="10023"),
)
def withhold_uploads_of_site(call: Call, site_id: SiteId, body: HoldOfSite) -> Changed:
    """Never send what waits now of a site, or of an order of it; what Google has, or may have, and what comes later is left alone."""
    rows = single_uploads.withhold_of_site(
        call.connection, site_id, body.why, actor=call.actor, now=datetime.now(UTC), order_id=body.order_id
    )
    return Changed(rows=rows)
