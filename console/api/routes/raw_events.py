"""Raw events: what each delivery was and what became of it; its headers and its body for those who may read them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import msgspec
import sqlalchemy as sa
from fastapi import Path

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import Routes
from console.api.pages import Page
from console.api.parameters import Since
from console.api.problems import FieldError, ProblemError, invalid
from console.api.rights import Right, of_all_sites, of_site
from console.api.routes import operations as shown_operations
from console.api.routes.operations import LongOperation, under_way
from console.api.routes.sites import SiteId
from custom_events.access.roles import Role
from custom_events.catalog import raw_events
from custom_events.catalog.raw_events import Parked, RawFate
from custom_events.operations import operation
from custom_events.operations.parked_deliveries import REPLAY_PARKED, UNIT, ReplayParkedRequest
from custom_events.redaction.mask import Masked, mask
from custom_events.values.numbers import MAX_ID
from custom_events.values.texts import text_problem

ROUTES: Final = Routes("raw events", "Deliveries as they landed, and what became of each.")

RawEventId = Annotated[int, Path(ge=1, le=MAX_ID, description="A raw event's number.")]


class RawContent(msgspec.Struct, frozen=True, kw_only=True):
    """What a store sent. `body`: its exact bytes, in Base64; `text`: the same as text, null where it is none in UTF-8."""

    id: int
    headers: dict[str, str]
    body: bytes
    text: str | None


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries are understood once more."""

    rows: int


class ParkedToReplay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which parked deliveries: those of this reason; left out, all of them."""

    reason: str | None = None


_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_EXAMPLE: Final = RawFate(
    id=77,
    landed_week=date(2026, 11, 30),
    received_at=_NOON,
    site_id=3,
    topic="orders/paid",
    delivery_id="b54557e4",
    triggered_at=_NOON,
    api_version="2026-10",
    signature="hmac",
    body_bytes=5_120,
    is_waiting=False,
    outcome="parked",
    reason="unknown_currency",
    detail="the currency is missing",
    new_events=0,
    processed_at=_NOON,
)
_CONTENT: Final = {
    "id": 77,
    "headers": {"content-type": "application/json"},
    "body": "eyJpZCI6IDF9",
    "text": '{"id": 1}',
}
_REPLAY: Final = msgspec.structs.replace(
    shown_operations.EXAMPLE, kind=REPLAY_PARKED, unit=UNIT, done=0, total=3, started_at=None
)
_REPLAYED: Final = Replayed(rows=1)
_PARKED: Final = Parked(reason="unknown_currency", rows=3, first_at=_NOON, last_at=_NOON)


def _site_of(connection: sa.Connection, parameters: Mapping[str, Any]) -> int | None:
    return raw_events.site_of(connection, parameters["raw_event_id"])


def _of_its_site(role: Role) -> Right:
    return of_site(role, noun="raw event", parameter="raw_event_id", site_of=_site_of)


@ROUTES.get("/raw-events/{raw_event_id}", right=_of_its_site(Role.VIEWER), answer=RawFate, example=_EXAMPLE)
def read_raw_event(call: Call, raw_event_id: RawEventId) -> RawFate:
    """One delivery: what it was and what became of it, without its headers and its body."""
    return raw_events.fate(call.connection, raw_event_id)


@ROUTES.get(
    "/raw-events/{raw_event_id}/content",
    right=_of_its_site(Role.EDITOR),
    answer=RawContent,
    example=_CONTENT,
    of_primary=True,  # the audit trail is written
)
def read_raw_content(call: Call, raw_event_id: RawEventId) -> RawContent:
    """The headers and the body of one delivery. They hold personal data: the audit trail has who read them."""
    raw = raw_events.read(call.connection, raw_event_id, actor=call.actor)
    try:
        text = raw.body.decode()
    except UnicodeDecodeError:
        text = None
    return RawContent(id=raw.id, headers=raw.headers, body=raw.body, text=text)


@ROUTES.get(
    "/raw-events/{raw_event_id}/masked-content",
    right=_of_its_site(Role.VIEWER),
    answer=Masked,
    example=Masked(text='{\n  "id": 1,\n  "email": "•••"\n}', covered=1),
)
def read_masked_content(call: Call, raw_event_id: RawEventId) -> Masked:
    """The body of one delivery with what may name somebody covered; null where it is no JSON."""
    return mask(raw_events.get(call.connection, raw_event_id).body)


@ROUTES.post(
    "/raw-events/{raw_event_id}/replay",
    right=_of_its_site(Role.EDITOR),
    answer=Replayed,
    example=_REPLAYED,
    raises=(problems.CONFLICT,),
)
def replay_raw_event(call: Call, raw_event_id: RawEventId) -> Replayed:
    """Understand a parked delivery once more, after what it was parked for is mended. Nothing counts twice by it."""
    rows = raw_events.requeue_parked(call.connection, actor=call.actor, raw_id=raw_event_id)
    if not rows:
        sentence = f"Delivery {raw_event_id} is not parked, or its body has expired: there is nothing to replay."
        raise ProblemError(problems.CONFLICT, sentence)
    return Replayed(rows=rows)


@ROUTES.get(
    "/sites/{site_id}/parked",
    right=of_site(Role.VIEWER),
    answer=Page[Parked],
    example=Page(items=(_PARKED,), next=None),
)
def list_parked(
    call: Call,
    site_id: SiteId,
    since: Since = None,
) -> Page[Parked]:
    """Why deliveries of a site are parked, the most frequent reason first: of those that came within 30 days, unless told since when."""
    return Page(items=tuple(raw_events.parked(call.connection, site_id, since)), next=None)


@ROUTES.post(
    "/sites/{site_id}/parked/replay",
    right=of_site(Role.EDITOR),
    status=202,
    answer=LongOperation,
    example=_REPLAY,
    body_example=ParkedToReplay(reason="unknown_currency"),
)
def replay_parked_of_site(call: Call, site_id: SiteId, body: ParkedToReplay) -> Answer:
    """A site's parked deliveries are understood once more. Nothing counts twice; what still cannot be understood is parked again.
    Requests about personal data stay parked."""
    return _replay(call, site_id, body)


@ROUTES.post(
    "/parked/replay",
    right=of_all_sites(Role.EDITOR),
    status=202,
    answer=LongOperation,
    example=msgspec.structs.replace(_REPLAY, sites=None, site_ids=()),
    body_example=ParkedToReplay(),
)
def replay_parked(call: Call, body: ParkedToReplay) -> Answer:
    """The parked deliveries of all sites are understood once more, as those of one site are."""
    return _replay(call, None, body)


def _replay(call: Call, site_id: int | None, body: ParkedToReplay) -> Answer:
    if body.reason is not None and (wrong := text_problem(body.reason)):
        raise invalid(FieldError(field="reason", problem=wrong, remedy="a reason of the list of parked deliveries"))
    asked = ReplayParkedRequest(site_id=site_id, reason=body.reason)
    made = operation.ask(
        call.connection,
        REPLAY_PARKED,
        msgspec.to_builtins(asked),
        role=Role.EDITOR,
        site_ids=None if site_id is None else (site_id,),
        actor=call.actor,
        origin=call.origin,
        unit=UNIT,
        total=raw_events.count_replayable(call.connection, site_id=site_id, reason=body.reason),
    )
    return under_way(made)
