"""Consent to ads, order by order: what all its bodies say together.

An event carries what its own body says, and so does its conversion. As long as all bodies of an order agree nothing more is needed,
and nothing is looked up or written. Where they do not, `app.order_consents` keeps what counts (`late_consents.py`): of each of the
two answers a refusal, else a yes (decision 0011). What is matched goes by it; what is matched again, by what its order keeps of all bodies.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

import msgspec

from custom_events.matching.eligibility import FREE, match_reason, release_of
from custom_events.matching.match import Match
from custom_events.matching.match_fields import match_settings_of
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.matching import Matched
from custom_events.pipeline.rematch.stored import StoredUpload
from custom_events.pipeline.understanding import Key
from custom_events.queries import understanding as sql
from custom_events.values.clicks import Consent, ConsentStatus, decisive
from custom_events.values.events import CommerceEvent
from custom_events.values.reasons import Reason

_OF_CONSENT = frozenset((Reason.CONSENT_DENIED, Reason.CONSENT_UNKNOWN))


class OrderConsent(NamedTuple):
    """The two answers that matter to Google. Each is judged for itself."""

    ad_user_data: ConsentStatus = ConsentStatus.UNKNOWN
    ad_personalization: ConsentStatus = ConsentStatus.UNKNOWN

    @classmethod
    def of_row(cls, ad_user_data: str | None, ad_personalization: str | None) -> Self:
        """From columns; null is unknown."""
        unknown = ConsentStatus.UNKNOWN
        return cls(ConsentStatus(ad_user_data or unknown), ConsentStatus(ad_personalization or unknown))

    @classmethod
    def of_event(cls, event: CommerceEvent) -> Self:
        """What the body behind an event says."""
        consent = event.consent
        return cls() if consent is None else cls(consent.ad_user_data, consent.ad_personalization)

    def joined(self, other: "OrderConsent") -> "OrderConsent":
        """Both together."""
        return OrderConsent(
            decisive(self.ad_user_data, other.ad_user_data),
            decisive(self.ad_personalization, other.ad_personalization),
        )


class _Event(NamedTuple):
    """A stored event with the consent of its order."""

    event_id: int
    site_id: int
    key: str
    event: CommerceEvent


async def stored_consents(connection: Connection, matched: Iterable[Matched]) -> dict[Key, OrderConsent]:
    """What was said of the orders that these matches are about, by whatever body: an event that names an order need not have come after it."""
    keys = {(match.site_event.site_id, order_id) for match in matched if (order_id := match.match.order_id) is not None}
    if not keys:
        return {}
    rows = await connection.fetch(sql.ANSWERS_OF_ORDERS, *columns_of(sorted(keys)))
    return {(site_id, order_id): OrderConsent.of_row(*said) for site_id, order_id, *said in rows}


def with_order_consent(matched: Matched, consents: Mapping[Key, OrderConsent]) -> Matched:
    """The match with the consent of its order, where that is another than its event's."""
    order_id = matched.match.order_id
    said = None if order_id is None else consents.get((matched.site_event.site_id, order_id))
    return matched if said is None else with_consent(matched, said)


def with_what_was_said(matched: Matched, upload: StoredUpload | None, consents: Mapping[Key, OrderConsent]) -> Matched:
    """The same for the match of a stored event. As a body that says nothing takes nothing back, matching again does not either: a
    conversion that nobody has tried to send remembers what was said before orders kept it."""
    matched = with_order_consent(matched, consents)
    if upload is None or not upload.is_ours:
        return matched
    return with_consent(matched, OrderConsent.of_row(upload.data.ad_user_data, upload.data.ad_personalization))


def with_consent(matched: Matched, said: OrderConsent) -> Matched:
    """The match as if its body had said this as well. Whether it is one was decided by what the body itself says."""
    match, site_event = matched
    event = site_event.event
    own = OrderConsent.of_event(event)
    together = own.joined(said)
    if together == own:
        return matched
    consent = msgspec.structs.replace(event.consent or Consent(), **together._asdict())
    event = msgspec.structs.replace(event, consent=consent)
    return Matched(
        _decided(match, event, together.ad_user_data),
        _Event(site_event.event_id, site_event.site_id, site_event.key, event),
    )


def _decided(match: Match, event: CommerceEvent, said: ConsentStatus) -> Match:
    """Whether it may leave with this consent. A reason that is none of consent's stays."""
    match_settings = match_settings_of(match.assignment)
    held, with_user_data = FREE
    if match_settings.asks_in_europe and said is ConsentStatus.UNKNOWN:
        held, with_user_data = release_of(match_settings.consent_needed, event, match.click)
    withheld = match.withheld
    if withheld is None or withheld in _OF_CONSENT:
        withheld = match_reason(
            sends=match_settings.sends,
            consent=match_settings.consent_reasons.get(said),
            event=event,
            click=match.click,
            window=match_settings.click_window,
            value_missing=match_settings.wants_value and match.value is None,
        )
    return msgspec.structs.replace(
        match, consent=said, waits_for_consent=held, with_user_data=with_user_data, withheld=withheld
    )
