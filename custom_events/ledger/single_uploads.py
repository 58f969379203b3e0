"""One row of the ledger, and the rows of one site: looked at, held, let go, withheld, sent again by hand.

A row's reference is `<microseconds of its created_at since 1970>-<its id>`: by both it is found without another index.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
import sqlalchemy as sa
import structlog

from custom_events.errors import NeedsAction, NotFound
from custom_events.queries import audit, withholding
from custom_events.queries import single_uploads as sql
from custom_events.values import reasons
from custom_events.values.numbers import MAX_ID

REFERENCE: Final = "[0-9]{1,17}-[0-9]{1,19}"
_REFERENCE: Final = re.compile("([0-9]{1,17})-([0-9]{1,19})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

_LOG = structlog.get_logger(__name__)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What Google said to one call: `verdict` in our words, `code` in its own."""

    at: datetime
    verdict: str
    code: str | None
    sentence: str | None
    google_request_id: str | None
    intent_at: datetime | None
    answered_at: datetime | None


class UploadDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the ledger, the conversion (`sequence` 0) or an adjustment of it, with Google's answers, the oldest first. `customer_id`
    and `action_id` are Google's, null where nothing says where it goes."""

    reference: str
    id: int
    created_at: datetime
    site_id: int
    assignment_id: int
    custom_event_id: int
    customer_id: str | None
    action_id: str | None
    kind: str
    transaction_id: str
    sequence: int
    order_id: str | None
    conversion_at: datetime
    adjusted_at: datetime | None
    value: Decimal | None
    currency: str | None
    click_kind: str | None
    state: str
    reason: str | None
    sentence: str | None
    not_before: datetime
    deadline_at: datetime
    attempts: int
    settled_at: datetime | None
    updated_at: datetime
    answers: tuple[Answer, ...]


def reference_of(created_at: datetime, upload_id: int) -> str:
    """How a row is named."""
    return f"{(created_at - _EPOCH) // _MICROSECOND}-{upload_id}"


def site_of(connection: sa.Connection, reference: str) -> int | None:
    """The site of a row; None: there is no such row."""
    place = _place(reference)
    return None if place is None else connection.execute(sql.SITE_OF, place).scalar_one_or_none()


def get(connection: sa.Connection, reference: str) -> UploadDetail:
    """One row with its answers. Raises NotFound."""
    place = _place(reference)
    row = None if place is None else connection.execute(sql.UPLOAD, place).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no upload {reference}.", what="upload")
    values = dict(row)
    rows = connection.execute(sql.ANSWERS, {"id": values["id"], "told_in": values.pop("told_in")}).mappings()
    answers = tuple(msgspec.convert(dict(answer), Answer) for answer in rows)
    return UploadDetail(**values, reference=reference_of(values["created_at"], values["id"]), answers=answers)


def retry(connection: sa.Connection, reference: str, *, actor: str, now: datetime) -> UploadDetail:
    """A row that was refused, or withheld by hand, goes once more. Raises NotFound, NeedsAction where it was neither or is too late."""
    return _decide(
        connection,
        reference,
        sql.RETRY_ONE,
        {"now": now, "reason": None},
        verb="retry",
        actor=actor,
        only="only what was refused, or withheld by hand and stands, is sent again, before its deadline",
    )


def hold(connection: sa.Connection, reference: str, why: str, *, actor: str, now: datetime) -> UploadDetail:
    """A row that waits is held until it is released, or Google no longer takes it. Raises NotFound, NeedsAction where it does not wait."""
    return _decide(
        connection,
        reference,
        sql.HOLD_ONE,
        {"now": now, "sentence": by_hand(why, actor)},
        verb="hold",
        actor=actor,
        detail={"reason": why},
        only="only what waits, and is not at Google, can be held",
    )


def release(
    connection: sa.Connection, reference: str, *, actor: str, now: datetime, reason: str | None = None
) -> UploadDetail:
    """A held row goes now. One that waits for a customer's consent only where that is the `reason` named.

    Raises NotFound, NeedsAction where it is not held.
    """
    return _decide(
        connection,
        reference,
        sql.RELEASE_ONE,
        {"now": now, "reason": reason},
        verb="release",
        actor=actor,
        detail={"reason": reason},
        only=f"only what is held goes now, and what waits for a consent only with the reason {reasons.CONSENT_UNKNOWN_IN_EUROPE}",
    )


def withhold(connection: sa.Connection, reference: str, why: str, *, actor: str, now: datetime) -> UploadDetail:
    """A conversion that Google does not have is not sent, unless somebody sends it again. Raises NotFound, NeedsAction where it is, or may
    be, at Google, is settled, or adjusts another one."""
    return _decide(
        connection,
        reference,
        withholding.WITHHOLD_ONE,
        {"now": now, "sentence": withheld_by_hand(why, actor)},
        verb="withhold",
        actor=actor,
        detail={"reason": why},
        only="only a conversion that waits, and that Google does not have and cannot have, is withheld; hold an adjustment instead",
    )


def retry_of_site(
    connection: sa.Connection,
    site_id: int,
    *,
    actor: str,
    now: datetime,
    order_id: str | None = None,
    reason: str | None = None,
) -> int:
    """Refused rows of a site go once more; of an order, with a code, where they are given. How many."""
    chosen = {"order_id": order_id, "reason": reason}
    return _decide_for_site(connection, site_id, sql.RETRY_OF_SITE, chosen, {"now": now}, verb="retry", actor=actor)


def hold_of_site(
    connection: sa.Connection, site_id: int, why: str, *, actor: str, now: datetime, order_id: str | None = None
) -> int:
    """What waits now of a site, or of an order of it, is held; what comes later is not. How many rows."""
    values = {"now": now, "sentence": by_hand(why, actor)}
    chosen = {"order_id": order_id}
    detail = {"reason": why}
    return _decide_for_site(
        connection, site_id, sql.HOLD_OF_SITE, chosen, values, verb="hold", actor=actor, detail=detail
    )


def release_of_site(
    connection: sa.Connection,
    site_id: int,
    *,
    actor: str,
    now: datetime,
    order_id: str | None = None,
    reason: str | None = None,
) -> int:
    """Held rows of a site go now; of an order, with a reason, where they are given. How many."""
    chosen = {"order_id": order_id, "reason": reason}
    return _decide_for_site(connection, site_id, sql.RELEASE_OF_SITE, chosen, {"now": now}, verb="release", actor=actor)


def withhold_of_site(
    connection: sa.Connection, site_id: int, why: str, *, actor: str, now: datetime, order_id: str | None = None
) -> int:
    """What waits now of a site, or of an order of it, and is not at Google, is not sent; what comes later is. How many rows."""
    values = {"now": now, "sentence": withheld_by_hand(why, actor)}
    return _decide_for_site(
        connection,
        site_id,
        withholding.WITHHOLD_OF_SITE,
        {"order_id": order_id},
        values,
        verb="withhold",
        actor=actor,
        detail={"reason": why},
    )


def withheld_by_hand(why: str, actor: str) -> str:
    """The sentence of what is withheld by hand."""
    return reasons.WITHHELD[reasons.WITHHELD_BY_HAND].format(why=why, actor=actor)


def by_hand(why: str, actor: str) -> str:
    """The sentence of what is held by hand."""
    return reasons.WAITS[reasons.HELD_BY_HAND].format(why=why, actor=actor)


def _decide(
    connection: sa.Connection,
    reference: str,
    statement: sa.TextClause,
    values: dict[str, Any],
    *,
    verb: str,
    actor: str,
    only: str,
    detail: dict[str, Any] | None = None,
) -> UploadDetail:
    before = get(connection, reference)
    changed = connection.execute(statement, values | {"at": before.created_at, "id": before.id}).rowcount
    if not changed:
        raise NeedsAction(f"Upload {reference} is {before.state} ({before.reason or 'no reason'}): {only}.")
    after = get(connection, reference)
    _record(
        connection,
        before.site_id,
        f"uploads.{verb}",
        f"upload:{before.reference}",
        actor,
        detail or {},
        before=_state(before),
        after=_state(after),
    )
    return after


def _decide_for_site(
    connection: sa.Connection,
    site_id: int,
    statement: sa.TextClause,
    chosen: dict[str, Any],
    values: dict[str, Any],
    *,
    verb: str,
    actor: str,
    detail: dict[str, Any] | None = None,
) -> int:
    rows = connection.execute(statement, chosen | values | {"site": site_id}).rowcount
    noted = {"rows": rows} | chosen | (detail or {})
    _record(connection, site_id, f"uploads.{verb}", f"site:{site_id}", actor, noted)
    return rows


def _record(
    connection: sa.Connection, site_id: int, action: str, subject: str, actor: str, detail: dict[str, Any], **both: Any
) -> None:
    audit.add(connection, actor=actor, action=action, subject=subject, detail=detail, site_id=site_id, **both)
    _LOG.info(action.replace(".", "_"), site=site_id, rows=detail.get("rows", 1))


def _state(upload: UploadDetail) -> dict[str, Any]:
    return {"state": upload.state, "reason": upload.reason, "not_before": upload.not_before.isoformat()}


def _place(reference: str) -> dict[str, Any] | None:
    """Time and number of a row; None: no row is named so."""
    shape = _REFERENCE.fullmatch(reference)
    if shape is None or int(shape[2]) > MAX_ID:
        return None
    return {"at": _EPOCH + int(shape[1]) * _MICROSECOND, "id": int(shape[2])}
