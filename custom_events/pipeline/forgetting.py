"""Whoever was forgotten does not come back: deliveries that tell of them are ignored, and their bytes are blanked in the same batch."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import zstandard

from custom_events import secrets
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.understanding import Raw
from custom_events.platforms import mentions
from custom_events.platforms.mentions import Mentions
from custom_events.queries import redaction as sql
from custom_events.settings import Settings
from custom_events.values.deliveries import Outcome, PrivacyRequest, Understood, beacon_of, ignored
from custom_events.values.forgotten import REDACTED, SubjectKind, Subjects

_ASKS: Final = frozenset(PrivacyRequest)


class Forgetting:
    """Of one batch: which of its sites have forgotten people, and who these are."""

    def __init__(self, subjects: dict[int, Subjects]) -> None:
        self._subjects = subjects

    @classmethod
    async def load(cls, connection: Connection, site_ids: Iterable[int], settings: Settings) -> "Forgetting":
        """Ask which of these sites have forgotten people. One look into an index for each; most have none."""
        rows = await connection.fetch(
            sql.SITES_WITH_FORGOTTEN, *columns_of([(site_id,) for site_id in sorted(set(site_ids))])
        )
        if not rows:
            return cls({})
        token = await connection.fetchval(sql.KEY)
        key = secrets.decrypt(token, secrets.key(settings), secrets.FORGETTING_KEY_ROW)
        return cls({row[0]: Subjects(key, row[0]) for row in rows})

    def has_forgotten(self, site_id: int) -> bool:
        """Whether a site of the batch has forgotten anybody."""
        return site_id in self._subjects

    async def withheld(
        self, connection: Connection, understood: Sequence[tuple[Raw, Understood]]
    ) -> list[tuple[Raw, Understood]]:
        """The same deliveries; those that tell of somebody forgotten are ignored, and blanked where they are stored."""
        asked = [
            (place, raw, self._mentioned(raw, verdict))
            for place, (raw, verdict) in enumerate(understood)
            if raw.site_id in self._subjects and verdict.reason not in _ASKS
        ]
        if not asked:
            return list(understood)
        rows = [
            (place, raw.site_id, kind, subjects.digest(kind, value).hex())
            for place, raw, mentions in asked
            for subjects in (self._subjects[raw.site_id],)
            for kind, value in (*mentions.subjects, (SubjectKind.SITE, ""))
        ]
        when = {place: mentions.happened_at for place, _, mentions in asked}
        forgotten = await connection.fetch(sql.FORGOTTEN, *columns_of(rows))
        gone = {place for place, until in forgotten if is_before(when[place], until)}
        if gone:
            blanked = [(understood[place][0].landed_week, understood[place][0].raw_id) for place in sorted(gone)]
            await connection.execute(sql.BLANK_RAW, *columns_of(blanked))
        return [
            (raw, ignored(REDACTED) if place in gone else verdict) for place, (raw, verdict) in enumerate(understood)
        ]

    def _mentioned(self, raw: Raw, verdict: Understood) -> Mentions:
        if (verdict.outcome is Outcome.UNDERSTOOD and beacon_of(verdict) is None) or verdict.refunds:
            return mentions.of_understood(verdict)
        try:
            return Mentions(subjects=mentions.of_body(raw.decompressed(), raw.topic))
        except zstandard.ZstdError:  # parked for that: nobody can read it
            return Mentions(subjects=frozenset())


def is_before(happened_at: datetime | None, until: datetime) -> bool:
    """Whether what happened then is forgotten: it was before, or nobody knows when it was."""
    return happened_at is None or happened_at <= until
