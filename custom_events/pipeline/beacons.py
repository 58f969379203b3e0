"""What browsers told is added to the orders that stores tell of: clicks where the order has none, consent where it says nothing.

A cart or a checkout is named by a token that nobody guesses; what was told of one of them counts like what its store says, a refusal
included. An order's number is easily guessed: what names nothing else only fills what is missing, and only around the time of the order.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.understanding import Delivered, Raw
from custom_events.platforms.attribution import MAX_CLICKS
from custom_events.queries import beacons as sql
from custom_events.values.beacons import BY_TOKEN, Beacon, subjects_of
from custom_events.values.clicks import Click, ClickKind, Consent, ConsentStatus, decisive
from custom_events.values.deliveries import Understood, beacon_of
from custom_events.values.events import CommerceEvent, Order

AROUND_ORDER: Final = timedelta(
    hours=48
)  # a beacon that knows an order by its number alone comes from its thank-you page
KEPT: Final = timedelta(days=90)  # a click is no older when it counts (docs/reference/google-ads.md 2.2)
_KINDS: Final = {kind: place for place, kind in enumerate(ClickKind)}
_UNKNOWN: Final = ConsentStatus.UNKNOWN
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Beacon)


class Evidence(msgspec.Struct, frozen=True):
    """A stored beacon; `by_token`: it is known by a cart's or checkout's token."""

    received_at: datetime
    beacon: Beacon
    by_token: bool


async def enriched(
    connection: Connection, understood: Sequence[tuple[Raw, Understood]]
) -> Sequence[tuple[Raw, Understood]]:
    """The same deliveries; their beacons are kept, and their orders have what beacons tell. One look into an index for each site without any."""
    rows = [
        (raw.site_id, subject, raw.raw_id, raw.received_at, _ENCODER.encode(beacon).decode())
        for raw, verdict in understood
        if (beacon := beacon_of(verdict)) is not None
        for subject in beacon.subjects
    ]
    if rows:
        await connection.execute(sql.KEEP, *columns_of(rows))
    site_ids = {raw.site_id for raw, verdict in understood if verdict.order is not None}
    if not site_ids:
        return understood
    with_beacons = await sites_with_beacons(connection, site_ids)
    if not with_beacons:
        return understood
    subjects = {
        (raw.site_id, subject)
        for raw, verdict in understood
        if verdict.order is not None and raw.site_id in with_beacons
        for subject in _subjects(verdict.order)
    }
    known: dict[tuple[int, str], list[Evidence]] = {}
    for site_id, subject, received_at, evidence in await connection.fetch(
        sql.OF_SUBJECTS, *columns_of(sorted(subjects))
    ):
        entry = Evidence(received_at, _DECODER.decode(evidence), subject.startswith(BY_TOKEN))
        known.setdefault((site_id, subject), []).append(entry)
    return [(raw, _with_evidence(raw.site_id, verdict, known)) for raw, verdict in understood]


async def sites_with_beacons(connection: Connection, site_ids: Iterable[int]) -> set[int]:
    """Those of these sites that have beacons. `site_ids` must not be empty; each is one look into an index."""
    rows = await connection.fetch(sql.SITES, *columns_of([(site_id,) for site_id in sorted(site_ids)]))
    return {row[0] for row in rows}


async def requeue_orders(connection: Connection, delivered: Iterable[Delivered]) -> None:
    """Orders that were understood before a browser told of them are understood again."""
    orders = {
        (entry.site_id, beacon.order_id)
        for entry in delivered
        if (beacon := beacon_of(entry.understood)) is not None and beacon.order_id is not None
    }
    if orders:
        await connection.execute(sql.REQUEUE_ORDERS, *columns_of(sorted(orders)))


def _subjects(order: Order) -> tuple[str, ...]:
    return subjects_of(order.id, cart_token=order.cart_token, checkout_token=order.checkout_token)


def _with_evidence(
    site_id: int, understood: Understood, known: Mapping[tuple[int, str], Sequence[Evidence]]
) -> Understood:
    order = understood.order
    if order is None:
        return understood
    evidence = [
        entry
        for subject in _subjects(order)
        for entry in known.get((site_id, subject), ())
        if entry.by_token or abs(entry.received_at - order.created_at) <= AROUND_ORDER
    ]
    if not evidence:
        return understood
    return msgspec.structs.replace(
        understood, events=tuple(with_evidence(event, evidence) for event in understood.events)
    )


def with_evidence(event: CommerceEvent, evidence: Sequence[Evidence]) -> CommerceEvent:
    """An event with what beacons add to it: clicks where it has none, the answers about consent that it does not give, UTM words likewise.
    Pure; the same evidence in another order of arrival gives the same."""
    if event.order is None:
        return event
    clicks = event.clicks or _clicks(evidence)
    consent = _consent(event.consent, evidence)
    utm = event.utm or next((entry.beacon.utm for entry in evidence if entry.beacon.utm), {})
    return msgspec.structs.replace(event, clicks=clicks, consent=consent, utm=utm)


def _clicks(evidence: Sequence[Evidence]) -> tuple[Click, ...]:
    """Each once, by kind, of a kind the newest first."""
    clicks: dict[tuple[ClickKind, str], Click] = {}
    for entry in evidence:
        for click in entry.beacon.clicks:
            clicks.setdefault((click.kind, click.id), click)
    return tuple(sorted(clicks.values(), key=lambda click: _KINDS[click.kind])[:MAX_CLICKS])


def _consent(consent: Consent | None, evidence: Sequence[Evidence]) -> Consent | None:
    answers = consent or Consent()
    for entry in evidence:
        answer = entry.beacon.consent
        if answer is None:
            continue
        if not entry.by_token:  # fills what nobody said
            answer = msgspec.structs.replace(
                answer,
                **{
                    name: _UNKNOWN
                    for name in ("ad_user_data", "ad_personalization", "ad_storage")
                    if getattr(answers, name) is not _UNKNOWN
                },
            )
        answers = Consent(
            ad_user_data=decisive(answers.ad_user_data, answer.ad_user_data),
            ad_personalization=decisive(answers.ad_personalization, answer.ad_personalization),
            ad_storage=decisive(answers.ad_storage, answer.ad_storage),
            source=answers.source or answer.source,
        )
    return consent if answers == Consent() else answers
