"""Carries out requests to forget somebody, and says what became of each.

Whatever is interrupted is run again (`run.py`). What Google has not answered yet waits for the next run.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
import structlog

from custom_events import secrets
from custom_events.catalog import audit
from custom_events.errors import NeedsAction, Transient
from custom_events.queries import redaction as sql
from custom_events.redaction import bodies
from custom_events.redaction.lookup import person_of, request_of, site_context
from custom_events.redaction.run import Run
from custom_events.settings import Settings
from custom_events.values.deliveries import PrivacyRequest
from custom_events.values.forgotten import Subjects

_LOG: Final = structlog.get_logger(__name__)


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request: `counts` by table, over all runs; `waiting` events are at Google, and are done by a later run.
    `problem` says what a person must do, where nothing could be done."""

    raw_id: int
    site_key: str
    kind: PrivacyRequest
    is_done: bool
    waiting: int = 0
    counts: dict[str, int] = {}
    problem: str | None = None


def carry_out_all(
    engine: sa.Engine, settings: Settings, *, actor: str, on_batch: Callable[[], None] = lambda: None
) -> list[Carried]:
    """Every open request to forget, what is due first first; those about which something must be decided are told as problems."""
    with engine.connect() as connection:
        numbers = [row.raw_id for row in connection.execute(sql.OPEN)]
    return [carry_out(engine, settings, number, actor=actor, on_batch=on_batch) for number in numbers]


def carry_out(
    engine: sa.Engine, settings: Settings, raw_id: int, *, actor: str, on_batch: Callable[[], None] = lambda: None
) -> Carried:
    """One request. `on_batch` is called after each commit. Raises NotFound, and NeedsAction for one that asks what is stored."""
    with engine.begin() as connection:
        request = request_of(connection, raw_id)
        kind = PrivacyRequest(request.kind)
        if kind is PrivacyRequest.DATA_REQUEST:
            raise NeedsAction(
                f"Request {raw_id} asks what is stored: `custom-events privacy export {raw_id}` writes it."
            )
        if request.done_at is not None:
            return _carried(request, kind, is_done=True, counts=request.counts)
        who = person_of(connection, request, settings)
        if kind is PrivacyRequest.REDACT_CUSTOMER and who.is_nobody:
            problem = (
                f"nothing says who it is: the delivery was dropped or names nobody. Ask the store, enter them by `custom-events "
                f"privacy ask {request.site_key}`, and close this one by `custom-events privacy done {raw_id}`"
            )
            return _carried(request, kind, is_done=False, counts=request.counts, problem=problem)
        site = site_context(connection, request.site_id)
    try:
        waiting = Run(engine, settings, request, who, site, on_batch).everything()
    except (NeedsAction, Transient) as error:  # the archive: the request stays open, and the next run does what is left
        with engine.connect() as connection:
            counts = request_of(connection, raw_id).counts
        return _carried(request, kind, is_done=False, counts=counts, problem=str(error))
    return _finish(engine, request, kind, waiting, actor)


def sweep_quarantine(engine: sa.Engine, settings: Settings, since: datetime) -> int:
    """Blank what was refused since and tells of people who were forgotten before. How many. What lands is met by the drain; nobody reads
    what is refused."""
    with engine.begin() as connection:
        token = connection.execute(sql.READ_KEY).scalar_one_or_none()
        sites = [row.site_id for row in connection.execute(sql.FORGETFUL_SITES)]
    if token is None:
        return 0
    forgetting_key = secrets.decrypt(bytes(token), secrets.key(settings), secrets.FORGETTING_KEY_ROW)
    total = 0
    for site_id in sites:
        place: tuple[datetime, int] | None = (since, 0)
        while place is not None:
            with engine.begin() as connection:
                forgotten = bodies.Forgotten(connection, Subjects(forgetting_key, site_id), site_id)
                place, gone = bodies.blank_refused(connection, site_context(connection, site_id), forgotten, place)
                total += gone
    return total


def _finish(engine: sa.Engine, request: Any, kind: PrivacyRequest, waiting: int, actor: str) -> Carried:
    raw_id = request.raw_id
    with engine.begin() as connection:
        counts = request_of(connection, raw_id).counts
        if waiting:
            connection.execute(sql.WAIT, {"raw_id": raw_id, "waiting": waiting})
        else:
            connection.execute(sql.DONE, {"raw_id": raw_id, "actor": actor, "note": "carried out by the installation"})
            connection.execute(sql.BLANK_REQUEST, {"week": request.landed_week, "raw_id": raw_id})
            audit.record(
                connection,
                actor=actor,
                action="privacy_request.carried_out",
                subject=f"raw_event:{raw_id}",
                detail={"counts": counts},
                site_id=request.site_id,
            )
    _LOG.info(
        "privacy_request_carried_out", request=raw_id, done=not waiting, waiting=waiting, rows=sum(counts.values())
    )
    return _carried(request, kind, is_done=not waiting, waiting=waiting, counts=counts)


def _carried(request: Any, kind: PrivacyRequest, **rest: Any) -> Carried:
    return Carried(raw_id=request.raw_id, site_key=request.site_key, kind=kind, **rest)
