"""Consent that comes after its order was matched: what a policy holds for want of it goes, what is refused stays for good, also
when the order is matched again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from custom_events.matching.plan import MatchPlan
from custom_events.matching.reasons import SENTENCES, Reason
from custom_events.pipeline.conversion import DELAY, delay_sentence
from custom_events.pipeline.matching import Matched
from custom_events.pipeline.rows import Connection, columns_of
from custom_events.pipeline.standing import StoredUpload
from custom_events.pipeline.understanding import Key
from custom_events.queries import understanding as sql
from custom_events.values.clicks import Consent, ConsentStatus
from custom_events.values.conversions import UploadState
from custom_events.values.events import CommerceEvent


class _Decision(NamedTuple):
    """Where a conversion goes, in the order of ANSWER_CONSENT's parameters."""

    state: UploadState
    reason: str | None
    sentence: str | None
    not_before: datetime
    settled_at: datetime | None


async def let_go(
    connection: Connection, plan: MatchPlan, said: Mapping[Key, tuple[datetime, Consent]], now: datetime
) -> None:
    """Bring what was said of orders to their conversions that are not sent yet: a refusal to all of them, a yes to those that are
    held for it; only sites with such a policy are asked about that."""
    heard = {site_id for site_id, _ in said}
    asking = {
        site_id
        for site_id in heard & plan.sites.keys()
        if any(r.making.asks_in_europe for r in plan.sites[site_id].rules)
    }
    rows = [
        (site_id, order_id, consent.ad_user_data, consent.ad_personalization)
        for (site_id, order_id), (_, consent) in said.items()
        if site_id in asking or consent.ad_user_data is ConsentStatus.DENIED
    ]
    if not rows:
        return
    waiting = await connection.fetch(sql.HEARD_OF_CONSENT, *columns_of(sorted(rows)))
    delays = {rule.id: rule.making.delay for site_id in asking for rule in plan.sites[site_id].rules}
    answers = [
        (
            created_at,
            upload_id,
            said_of_data,
            said_of_ads,
            *_decide(said_of_data, happened + delays.get(rule, timedelta()), now),
            now,
        )
        for created_at, upload_id, rule, happened, said_of_data, said_of_ads in waiting
    ]
    if answers:
        await connection.executemany(sql.ANSWER_CONSENT, answers)


def _decide(said: str, goes_at: datetime, now: datetime) -> _Decision:
    """A no keeps it for good; a yes lets it go, when its assignment's delay is over."""
    if said != ConsentStatus.GRANTED:
        reason = Reason.CONSENT_DENIED
        return _Decision(UploadState.WITHHELD, reason, SENTENCES[reason], now, now)
    if goes_at > now:
        return _Decision(UploadState.HELD, DELAY, delay_sentence(goes_at), goes_at, None)
    return _Decision(UploadState.QUEUED, None, None, now, None)


class _Said(NamedTuple):
    """A stored event with what its customer said since."""

    event_id: int
    site_id: int
    key: str
    event: CommerceEvent


def with_what_was_said(matched: Matched, upload: StoredUpload | None) -> Matched:
    """A match of a stored event with what the customer said afterwards: the conversion knows it. As a body that says nothing takes
    nothing back, matching again does not either; of two that speak the refusal counts."""
    match, proposal = matched
    if upload is None or not upload.is_ours:
        return matched
    said = ConsentStatus(upload.data.ad_user_data)
    if said is not ConsentStatus.DENIED and match.consent is not ConsentStatus.UNKNOWN:
        return matched
    if said in {match.consent, ConsentStatus.UNKNOWN}:
        return matched
    withheld = Reason.CONSENT_DENIED if said is ConsentStatus.DENIED and match.withheld is None else match.withheld
    match = msgspec.structs.replace(
        match, consent=said, waits_for_consent=False, with_user_data=True, withheld=withheld
    )
    event = proposal.event
    consent = msgspec.structs.replace(
        event.consent or Consent(),
        ad_user_data=said,
        ad_personalization=ConsentStatus(upload.data.ad_personalization),
    )
    event = msgspec.structs.replace(event, consent=consent)
    return Matched(match, _Said(proposal.event_id, proposal.site_id, proposal.key, event))
