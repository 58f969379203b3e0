"""From matches to custom events and their rows in the ledger: what was matched before, or is sent already, is left out."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from custom_events.matching.match import Match
from custom_events.pipeline import telling
from custom_events.pipeline.configuration import Configuration
from custom_events.pipeline.conversion import SAME_TRANSACTION_SENTENCE, Draft, draft
from custom_events.pipeline.events import OF_ORDERS
from custom_events.pipeline.matching import Happened, Matched
from custom_events.pipeline.rows import Connection, columns_of, copy, reserve_ids
from custom_events.pipeline.understanding import Key
from custom_events.queries import matching as sql
from custom_events.values.clicks import ConsentStatus
from custom_events.values.conversions import SAME_TRANSACTION, UploadKind, UploadState

CUSTOM_EVENT_COLUMNS = (
    "id",
    "occurred_at",
    "site_id",
    "assignment_id",
    "definition_revision_id",
    "assignment_revision_id",
    "commerce_event_id",
    "dedup_key",
    "order_id",
    "customer_key",
    "value",
    "currency",
    "withheld_reason",
    "upload_id",
)
CUSTOM_EVENT_KEY_COLUMNS = ("assignment_id", "dedup_key", "custom_event_id", "occurred_at")
_KEYS_OF_ORDERS = ("o:", OF_ORDERS)  # dedup keys that hold the order's id: one per order, and one per event of an order
UPLOAD_KEY_COLUMNS = ("ads_action_id", "transaction_id", "sequence", "upload_id", "created_at")


class UploadData(NamedTuple):
    """What a row of the ledger sends, from its match: where to, about whom, how much, until when at the latest."""

    ads_account_id: int | None
    ads_action_id: int | None
    transaction_id: str
    order_id: str | None
    conversion_at: datetime
    value: Decimal | None
    currency: str | None
    click_kind: str | None
    click_id: str | None
    clicked_at: datetime | None
    email_sha256: str | None
    phone_sha256: str | None
    ad_user_data: str
    ad_personalization: str
    deadline_at: datetime
    new_customer: bool | None
    environment: str | None
    cart: str | None


UPLOAD_COLUMNS = (
    "id",
    "created_at",
    "site_id",
    "assignment_id",
    "custom_event_id",
    "kind",
    "sequence",
    *UploadData._fields,
    "state",
    "reason",
    "sentence",
    "not_before",
    "settled_at",
)


class Occurrence(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A custom event about to be written, with its row of the ledger."""

    custom_event_id: int
    upload_id: int
    match: Match
    proposal: Happened
    draft: Draft


class Settled(NamedTuple):
    """New custom events with their conversions, and matches whose key or transaction something has that happened no earlier: who
    keeps it is for `rematch` to say."""

    occurrences: list[Occurrence]
    contested: list[Matched]


async def settle(
    connection: Connection,
    matched: list[Matched],
    configuration: Configuration,
    now: datetime,
    first: AbstractSet[Key],
) -> Settled:
    """New custom events: one for each assignment and dedup key, one conversion for each ads action and transaction. `first`: orders
    whose keys and transactions are taken for new without asking."""
    contested: list[Matched] = []
    fresh = await _without_known(connection, matched, contested, first)
    drafted = [(one, _draft(one, configuration, now)) for one in fresh]
    drafted = await _one_for_each_transaction(connection, drafted, contested, first)
    custom_event_ids = await reserve_ids(connection, "app.custom_events", len(drafted))
    upload_ids = await reserve_ids(connection, "app.conversion_uploads", len(drafted))
    parts = zip(custom_event_ids, upload_ids, drafted, strict=True)
    return Settled(
        [Occurrence(event_id, upload_id, *one, found) for event_id, upload_id, (one, found) in parts], contested
    )


async def _without_known(
    connection: Connection, matched: list[Matched], contested: list[Matched], new_orders: AbstractSet[Key]
) -> list[Matched]:
    """The first of each dedup key in the batch's order, which is that of the store's time; none that was there before."""
    first: dict[tuple[int, str], Matched] = {}
    for one in matched:
        first.setdefault((one.match.assignment.assignment_id, one.match.dedup_key), one)
    asked = [
        key
        for key, one in first.items()
        if not (key[1].startswith(_KEYS_OF_ORDERS) and (one.proposal.site_id, one.match.order_id) in new_orders)
    ]
    if asked:
        for row in await connection.fetch(sql.KNOWN_CUSTOM_EVENTS, *columns_of(asked)):
            one = first.pop((row[0], row[1]))
            if row[2] >= one.match.occurred_at:
                contested.append(one)
    return list(first.values())


def _draft(one: Matched, configuration: Configuration, now: datetime) -> Draft:
    action_id = one.match.assignment.ads_action_id
    action = None if action_id is None else configuration.actions.get(action_id)
    return draft(one.match, one.proposal.event, action, now)


async def _one_for_each_transaction(
    connection: Connection,
    drafted: list[tuple[Matched, Draft]],
    contested: list[Matched],
    new_orders: AbstractSet[Key],
) -> list[tuple[Matched, Draft]]:
    """The drafts, with all but the first to send a transaction to an action withheld."""
    keys = [_transaction(*one) for one in drafted]
    wanted = list(
        {
            key
            for key, (one, _) in zip(keys, drafted, strict=True)
            if key is not None and (one.proposal.site_id, one.match.order_id) not in new_orders
        }
    )
    taken: dict[tuple[int, str], datetime | None] = {}
    if wanted:
        for action_id, transaction_id, at in await connection.fetch(sql.KNOWN_TRANSACTIONS, *columns_of(wanted)):
            taken[action_id, transaction_id] = at
    result: list[tuple[Matched, Draft]] = []
    for key, (one, found) in zip(keys, drafted, strict=True):
        if key is None:
            result.append((one, found))
        elif key not in taken:
            taken[key] = None
            result.append((one, found))
        elif (at := taken[key]) is not None and at >= one.match.occurred_at:
            contested.append(one)
        else:
            result.append((one, same_transaction(found)))
    return result


def same_transaction(found: Draft) -> Draft:
    """The draft of a conversion whose transaction another one sends."""
    return msgspec.structs.replace(
        found, state=UploadState.WITHHELD, reason=SAME_TRANSACTION, sentence=SAME_TRANSACTION_SENTENCE
    )


def _transaction(one: Matched, found: Draft) -> tuple[int, str] | None:
    action_id = one.match.assignment.ads_action_id
    return None if action_id is None or found.state is UploadState.WITHHELD else (action_id, found.transaction_id)


async def write(connection: Connection, occurrences: list[Occurrence], now: datetime) -> None:
    """COPY the custom events, the ledger's rows, and the keys that keep both unique for ever."""
    if not occurrences:
        return
    await copy(connection, "app.custom_events", CUSTOM_EVENT_COLUMNS, _custom_event_rows(occurrences))
    await copy(connection, "app.custom_event_keys", CUSTOM_EVENT_KEY_COLUMNS, _custom_event_key_rows(occurrences))
    await copy(connection, "app.conversion_uploads", UPLOAD_COLUMNS, _upload_rows(occurrences, now))
    keys = [
        (one.match.assignment.ads_action_id, one.draft.transaction_id, 0, one.upload_id, now)
        for one in occurrences
        if one.draft.state is not UploadState.WITHHELD
    ]
    if keys:
        await copy(connection, "app.upload_keys", UPLOAD_KEY_COLUMNS, keys)


def _custom_event_rows(occurrences: list[Occurrence]) -> Iterator[tuple[Any, ...]]:
    for one in occurrences:
        match, proposal = one.match, one.proposal
        yield (
            one.custom_event_id,
            match.occurred_at,
            proposal.site_id,
            match.assignment.assignment_id,
            *standing_of(match, proposal, one.draft),
            one.upload_id,
        )


def standing_of(match: Match, proposal: Happened, found: Draft) -> tuple[Any, ...]:
    """What a custom event holds of its match, in the order of its columns from `definition_revision_id` to `withheld_reason`."""
    assignment = match.assignment
    return (
        assignment.definition_revision_id,
        assignment.assignment_revision_id,
        proposal.event_id,
        match.dedup_key,
        match.order_id,
        match.customer_key,
        match.value,
        match.currency,
        found.reason if found.state is UploadState.WITHHELD else None,
    )


def _custom_event_key_rows(occurrences: list[Occurrence]) -> Iterator[tuple[Any, ...]]:
    for one in occurrences:
        match = one.match
        yield match.assignment.assignment_id, match.dedup_key, one.custom_event_id, match.occurred_at


def _upload_rows(occurrences: list[Occurrence], now: datetime) -> Iterator[tuple[Any, ...]]:
    for one in occurrences:
        match, proposal, found = one.match, one.proposal, one.draft
        yield (
            one.upload_id,
            now,
            proposal.site_id,
            match.assignment.assignment_id,
            one.custom_event_id,
            UploadKind.CONVERSION,
            0,
            *data_of(match, proposal, found),
            found.state,
            found.reason,
            found.sentence,
            found.not_before,
            now if found.state is UploadState.WITHHELD else None,
        )


def data_of(match: Match, proposal: Happened, found: Draft) -> UploadData:
    """What the conversion of a match sends."""
    assignment, click, tell = match.assignment, found.click, match.assignment.config.tell
    customer, consent = proposal.event.customer, proposal.event.consent
    if not match.with_user_data:
        customer = None
    return UploadData(
        assignment.ads_account_id,
        assignment.ads_action_id,
        found.transaction_id,
        match.order_id,
        match.occurred_at,
        match.value,
        match.currency,
        click.kind if click else None,
        click.id if click else None,
        click.clicked_at if click else None,
        customer.email_sha256 if customer else None,
        customer.phone_sha256 if customer else None,
        match.consent,
        consent.ad_personalization if consent else ConsentStatus.UNKNOWN,
        found.deadline_at,
        match.new_customer,
        telling.environment(tell, proposal.event) if tell.app_sources else None,
        telling.cart(tell.cart, proposal.event) if tell.cart is not None else None,
    )
