"""Stored bytes of people who are forgotten: deliveries and quarantine, read one by one and blanked where they tell of somebody."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
import zstandard

from custom_events.platforms import mentions
from custom_events.platforms.mentions import Mention
from custom_events.platforms.registry import PLATFORMS
from custom_events.queries import redaction as sql
from custom_events.values.deliveries import RawDelivery, SiteContext
from custom_events.values.forgotten import SubjectKind, Subjects

BODIES: Final = 200  # read at once: about 0.5 MB
_HEADERS: Final = msgspec.json.Decoder(dict[str, str])
_MAX_BODY_BYTES: Final = 64 * 1024 * 1024  # of quarantine, whose length may have been cut; the receiver takes less
_EVERYBODY: Final[Mention] = (SubjectKind.SITE, "")


class Forgotten:
    """Whom a site has forgotten, in memory: digest -> until when."""

    def __init__(self, connection: sa.Connection, subjects: Subjects, site_id: int) -> None:
        self._subjects = subjects
        rows = connection.execute(sql.SUBJECTS, {"site": site_id})
        self._until: Mapping[tuple[str, bytes], datetime] = {(row.kind, bytes(row.digest)): row.until for row in rows}

    def has_any(self, mentioned: Iterable[Mention], happened_at: datetime | None) -> bool:
        """Whether one of these was forgotten, as of what happened then (None: whenever)."""
        for kind, value in (*mentioned, _EVERYBODY):
            until = self._until.get((kind, self._subjects.digest(kind, value)))
            if until is not None and (happened_at is None or happened_at <= until):
                return True
        return False


def tells_of(forgotten: Forgotten, row: Any, site: SiteContext, *, unless_later: bool = True) -> bool:
    """Whether stored bytes tell of somebody forgotten. `unless_later`: what they did since is another act, and stays."""
    try:
        body = zstandard.ZstdDecompressor().decompress(bytes(row.body or b""), max_output_size=_MAX_BODY_BYTES)
    except zstandard.ZstdError:
        body = bytes(row.body or b"")
    headers = _HEADERS.decode(row.headers) if row.headers else {}
    subjects = set(mentions.of_body(body, row.topic, site.default_country))
    understood = PLATFORMS[site.platform].understand(RawDelivery(topic=row.topic, body=body, headers=headers), site)
    mentioned = mentions.of_understood(understood)
    happened_at = mentioned.happened_at if unless_later else None
    return forgotten.has_any(subjects | mentioned.subjects, happened_at)


def blank_deliveries(
    connection: sa.Connection, site: SiteContext, forgotten: Forgotten, week: date, after: int, until: datetime | None
) -> tuple[int | None, int]:
    """Blank the next deliveries of a week after one of them, those received `until` a moment whoever they are of. The last one looked
    at (None: there are no more), and how many were blanked."""
    values = {"week": week, "after": after, "site": site.site_id, "rows": BODIES}
    rows = connection.execute(sql.RAW_PAGE, values).all()
    if not rows:
        return None, 0
    gone = [
        row.id
        for row in rows
        if row.body_bytes and ((until is not None and row.received_at <= until) or tells_of(forgotten, row, site))
    ]
    if gone:
        connection.execute(sql.BLANK_THESE, {"week": week, "ids": gone})
    return rows[-1].id, len(gone)


def blank_refused(
    connection: sa.Connection, site: SiteContext, forgotten: Forgotten, after: tuple[datetime, int]
) -> tuple[tuple[datetime, int] | None, int]:
    """The same of quarantine, which nobody has verified: whenever it was."""
    values = {"at": after[0], "id": after[1], "site": site.site_id, "rows": BODIES}
    rows = connection.execute(sql.REFUSED_PAGE, values).all()
    if not rows:
        return None, 0
    gone = [row for row in rows if tells_of(forgotten, row, site, unless_later=False)]
    if gone:
        connection.execute(
            sql.BLANK_REFUSED, {"ats": [row.received_at for row in gone], "ids": [row.id for row in gone]}
        )
    return (rows[-1].received_at, rows[-1].id), len(gone)
