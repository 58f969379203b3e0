"""Consent of orders whose bodies do not all say the same: found in a batch, kept, and brought to the conversions that wait.

In the ordinary case all bodies of an order agree, and all this costs is a comparison for each body. What is at a worker meanwhile
is the ledger's: every claim reads what is kept here, and looks once more before the call.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from custom_events.matching.effective import effective
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.configuration import Configuration
from custom_events.pipeline.consents import OrderConsent
from custom_events.pipeline.conversion import earliest_moment
from custom_events.pipeline.merging import Merger
from custom_events.pipeline.rematch.run import Scope
from custom_events.pipeline.rematch.stored import Cause
from custom_events.pipeline.state import NOBODY_SAID, answers
from custom_events.pipeline.understanding import BatchState, Key
from custom_events.queries import understanding as sql
from custom_events.values.clicks import ConsentStatus
from custom_events.values.conversions import UploadState
from custom_events.values.definitions import ConsentNeeded, DefinitionConfig, Overrides
from custom_events.values.events import CommerceEvent, from_json
from custom_events.values.reasons import CONSENT_UNKNOWN_IN_EUROPE, WITHHELD, Reason

_key_of = itemgetter(0, 1)  # rows are written in one order by everybody


class LateConsents(NamedTuple):
    """`said`: orders of the batch whose bodies differ, in it or with those before; `changed`: those of which earlier bodies made
    conversions that know less."""

    said: Mapping[Key, OrderConsent]
    changed: Mapping[Key, OrderConsent]


async def keep(
    connection: Connection, configuration: Configuration, batch_state: BatchState, merger: Merger
) -> LateConsents:
    """Find them and write them down, after the orders are merged."""
    named_before = await _named_before_they_came(connection, configuration, batch_state, merger.new_orders)
    earlier = (batch_state.consents.keys() - merger.new_orders) | named_before
    said: dict[Key, OrderConsent] = {}
    changed: dict[Key, OrderConsent] = {}
    rows: list[tuple[Any, ...]] = []
    elsewhere = await _answers(connection, [key for key in earlier if key not in merger.orders])
    for key in batch_state.divided | earlier:
        order, event = merger.orders.get(key), batch_state.consents[key]
        answer = elsewhere.get(key, NOBODY_SAID) if order is None else (order.ad_user_data, order.ad_personalization)
        if answer == NOBODY_SAID:
            continue
        is_new = key in earlier and order is not None and answer != merger.answers_before(key)
        if not is_new and key not in batch_state.divided and answer == _own_answers(event):
            continue
        said[key] = together = OrderConsent.of_row(*answer)
        if is_new:
            changed[key] = together
        rows.append((*key, *together, *_evidence(event, together)))
    if rows:
        await connection.execute(sql.KEEP_CONSENTS, *columns_of(sorted(rows, key=_key_of)))
    return LateConsents(said, changed)


async def _named_before_they_came(
    connection: Connection, configuration: Configuration, batch_state: BatchState, new_orders: AbstractSet[Key]
) -> set[Key]:
    """New orders, with an answer, that a custom event named before they came: the start of a subscription, or its billing."""
    asked = [
        key
        for key in new_orders
        if key[0] not in configuration.orders_come_first
        and (event := batch_state.consents.get(key)) is not None
        and _own_answers(event) != NOBODY_SAID
    ]
    if not asked:
        return set()
    rows = await connection.fetch(sql.MATCHED_ORDERS, *columns_of(sorted(asked)))
    return {(row[0], row[1]) for row in rows}


async def _answers(connection: Connection, keys: Iterable[Key]) -> dict[Key, tuple[str | None, str | None]]:
    """What was said of orders that no body of the batch shows, and an event names all the same."""
    asked = sorted(keys)
    if not asked:
        return {}
    rows = await connection.fetch(sql.ANSWERS_OF_ORDERS, *columns_of(asked))
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def _own_answers(event: CommerceEvent) -> tuple[str | None, str | None]:
    """What the body behind an event says."""
    return NOBODY_SAID if event.consent is None else answers(event.consent)


def _evidence(event: CommerceEvent, together: OrderConsent) -> tuple[datetime | None, str | None]:
    """When the answer was given and by whom; nobody knows of one that an earlier batch brought."""
    consent = event.consent
    if consent is None or consent.ad_user_data is not together.ad_user_data:
        return None, None
    return event.evidence_at, consent.source


def scopes(configuration: Configuration, late: LateConsents) -> list[Scope]:
    """Orders with a late answer on sites whose rules send nothing without a yes: what was withheld for want of one is matched again."""
    waiting = {
        site_id
        for site_id in {site_id for site_id, _ in late.changed} & configuration.compiled_rules.sites.keys()
        if any(
            rule.match_settings.consent_needed is ConsentNeeded.GRANTED
            for rule in configuration.compiled_rules.sites[site_id].rules
        )
    }
    return [
        Scope(site_id, Cause(Reason.INVALIDATED_BY_CORRECTION, f"order:{order_id}"), order_id=order_id)
        for (site_id, order_id), said in late.changed.items()
        if site_id in waiting and said.ad_user_data is not ConsentStatus.UNKNOWN
    ]


class _Waiting(NamedTuple):
    """A row of HEARD_OF_CONSENT."""

    created_at: datetime
    id: int
    state: str
    reason: str | None
    sentence: str | None
    attempts: int
    conversion_at: datetime
    ads_action_id: int | None
    clicked_at: datetime | None
    email_sha256: str | None
    phone_sha256: str | None
    own_user_data: str
    own_personalization: str
    ad_user_data: str
    ad_personalization: str
    facts: str | None
    config: str
    overrides: str


class _Answered(NamedTuple):
    """What becomes of it, in the order of ANSWER_CONSENT's parameters from the fifth on."""

    ad_user_data: ConsentStatus
    ad_personalization: ConsentStatus
    email_sha256: str | None
    phone_sha256: str | None
    state: str
    reason: str | None
    sentence: str | None
    not_before: datetime | None
    settled_at: datetime | None


async def bring_to_conversions(
    connection: Connection, configuration: Configuration, changed: Mapping[Key, OrderConsent], now: datetime
) -> None:
    """Conversions that wait, of orders whose consent is another by now: a refusal withholds them, a yes lets go what is held for want
    of it, with the hashes that its policy kept back."""
    if not changed:
        return
    rows = [(*key, *said) for key, said in changed.items()]
    answers: list[tuple[Any, ...]] = []
    for conversion in await connection.fetch(sql.HEARD_OF_CONSENT, *columns_of(rows)):
        row = _Waiting._make(conversion)
        answered = _decide(row, configuration, now)
        if answered is not None:
            answers.append((row.created_at, row.id, row.state, row.reason, *answered, now))
    if answers:
        await connection.executemany(sql.ANSWER_CONSENT, answers)


def _decide(row: _Waiting, configuration: Configuration, now: datetime) -> _Answered | None:
    """What becomes of a conversion; None: nothing."""
    own = OrderConsent.of_row(row.own_user_data, row.own_personalization)
    together = own.joined(OrderConsent.of_row(row.ad_user_data, row.ad_personalization))
    before = _Answered(*own, row.email_sha256, row.phone_sha256, row.state, row.reason, row.sentence, None, None)
    answered = before._replace(**together._asdict())
    if together.ad_user_data is ConsentStatus.DENIED:
        reason = Reason.CONSENT_DENIED
        return answered._replace(
            email_sha256=None,
            phone_sha256=None,
            state=UploadState.WITHHELD,
            reason=reason,
            sentence=WITHHELD[reason],
            not_before=now,
            settled_at=now,
        )
    if together.ad_user_data is ConsentStatus.GRANTED:
        if own.ad_user_data is ConsentStatus.UNKNOWN and row.attempts == 0:
            answered = _with_hashes(row, answered)
        if row.reason == CONSENT_UNKNOWN_IN_EUROPE:
            answered = _apply_late_consent(row, answered, configuration, now)
    return None if answered == before else answered


def _with_hashes(row: _Waiting, answered: _Answered) -> _Answered:
    """With the event's hashed e-mail and phone: a policy may have kept them back for want of a yes."""
    customer = None if row.facts is None else from_json(row.facts).customer
    if customer is None:
        return answered
    return answered._replace(email_sha256=customer.email_sha256, phone_sha256=customer.phone_sha256)


def _apply_late_consent(row: _Waiting, answered: _Answered, configuration: Configuration, now: datetime) -> _Answered:
    """It goes as early as it would have gone with a yes from the first: after its assignment's delay, and when Google takes its
    click and its action."""
    action = None if row.ads_action_id is None else configuration.actions.get(row.ads_action_id)
    until, reason, sentence = earliest_moment(
        row.conversion_at, row.conversion_at + _delay(row), row.clicked_at, action, now
    )
    state = UploadState.QUEUED if reason is None else UploadState.HELD
    return answered._replace(state=state, reason=reason, sentence=sentence, not_before=until)


def _delay(row: _Waiting) -> timedelta:
    """Of the rules that decided, which need not be those of today."""
    config = effective(
        msgspec.json.decode(row.config, type=DefinitionConfig), msgspec.json.decode(row.overrides, type=Overrides)
    )
    return timedelta(minutes=config.delay_minutes)
