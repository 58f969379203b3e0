"""From matches to custom events and their rows in the ledger: what was matched before, or is sent already, is left out."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from custom_events.matching.match import Match
from custom_events.pipeline import comparison, extra_data
from custom_events.pipeline.bulk_rows import Connection, columns_of, copy, reserve_ids
from custom_events.pipeline.configuration import Configuration
from custom_events.pipeline.conversion import Draft, draft
from custom_events.pipeline.events import OF_ORDERS
from custom_events.pipeline.matching import Matched, SiteEvent
from custom_events.pipeline.understanding import Key
from custom_events.queries import matching as sql
from custom_events.values import clicks
from custom_events.values.clicks import ConsentStatus
from custom_events.values.conversions import UploadKind, UploadState
from custom_events.values.reasons import SAME_TRANSACTION, WITHHELD

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
_BEGIN = datetime.min.replace(tzinfo=UTC)
_DENIED = ConsentStatus.DENIED
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
    other_clicks: str | None


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
    site_event: SiteEvent
    draft: Draft


class NewConversions(NamedTuple):
    """New custom events with their conversions, and matches whose key or transaction something has that happened no earlier: who
    keeps it is for `rematch` to say."""

    occurrences: list[Occurrence]
    key_conflicts: list[Matched]


class _KnownKey(NamedTuple):
    """A custom event that has a key; a row of KNOWN_CUSTOM_EVENTS. Of its event the moment is known, no more: it ranks as the last."""

    assignment_id: int
    dedup_key: str
    occurred_at: datetime
    id: int

    commerce_event_id = 0  # none of the batch
    is_withdrawn = False
    transaction_id = None

    @property
    def rank(self) -> comparison.Rank:
        """Its place in the order of the store's time, at the latest."""
        return self.occurred_at, comparison.LAST_KEY


class _KnownTransaction(NamedTuple):
    """A conversion that has a transaction; a row of KNOWN_TRANSACTIONS. Without a moment it keeps it whatever comes."""

    ads_action_id: int
    transaction_id: str
    conversion_at: datetime | None

    site_id = None

    @property
    def transaction(self) -> comparison.Transaction:
        """What it has."""
        return self.ads_action_id, self.transaction_id

    @property
    def rank(self) -> comparison.TransactionRank:
        """Its place among those who want it, at the latest."""
        at = self.conversion_at
        return at is not None, at or _BEGIN, comparison.LAST_KEY, 0


class _Wanting(NamedTuple):
    """A conversion of the batch that wants its transaction."""

    matched: Matched
    draft: Draft

    @property
    def transaction(self) -> comparison.Transaction | None:
        """What it wants; None: it is not sent at all."""
        action_id = self.matched.match.assignment.ads_action_id
        withheld = self.draft.state is UploadState.WITHHELD
        return None if action_id is None or withheld else (action_id, self.draft.transaction_id)

    @property
    def site_id(self) -> int:
        """The site of its event."""
        return self.matched.site_event.site_id

    @property
    def rank(self) -> comparison.TransactionRank:
        """Its place among those who want it."""
        match = self.matched.match
        return True, match.occurred_at, match.event_key, match.assignment.assignment_id


async def choose_conversions(
    connection: Connection,
    matched: list[Matched],
    configuration: Configuration,
    now: datetime,
    first: AbstractSet[Key],
) -> NewConversions:
    """New custom events: one for each assignment and dedup key, one conversion for each ads action and transaction. `first`: orders
    whose keys and transactions are taken for new without asking."""
    key_conflicts: list[Matched] = []
    new = await _without_known(connection, matched, key_conflicts, first)
    wanting = [_Wanting(conversion, _draft(conversion, configuration, now)) for conversion in new]
    drafted = await _one_for_each_transaction(connection, wanting, key_conflicts, first)
    custom_event_ids = await reserve_ids(connection, "app.custom_events", len(drafted))
    upload_ids = await reserve_ids(connection, "app.conversion_uploads", len(drafted))
    parts = zip(custom_event_ids, upload_ids, drafted, strict=True)
    occurrences = [
        Occurrence(event_id, upload_id, *conversion.matched, conversion.draft)
        for event_id, upload_id, conversion in parts
    ]
    return NewConversions(occurrences, key_conflicts)


async def _without_known(
    connection: Connection, matched: list[Matched], key_conflicts: list[Matched], new_orders: AbstractSet[Key]
) -> list[Matched]:
    """The first of each dedup key by the store's time; none that was there before."""
    asked = {
        key
        for match in matched
        if not (
            (key := comparison.key_of(match))[1].startswith(_KEYS_OF_ORDERS)
            and (match.site_event.site_id, match.match.order_id) in new_orders
        )
    }
    rows = await connection.fetch(sql.KNOWN_CUSTOM_EVENTS, *columns_of(list(asked))) if asked else ()
    known = [_KnownKey(assignment, key, at, number) for number, (assignment, key, at) in enumerate(rows)]
    compared = comparison.compare(matched, known, {})
    later = {comparison.key_of_row(row) for row in compared.withdrawn}
    if not later:
        return compared.added
    key_conflicts += [match for match in compared.added if comparison.key_of(match) in later]
    return [match for match in compared.added if comparison.key_of(match) not in later]


def _draft(matched: Matched, configuration: Configuration, now: datetime) -> Draft:
    action_id = matched.match.assignment.ads_action_id
    action = None if action_id is None else configuration.actions.get(action_id)
    site = configuration.sites.get(matched.match.assignment.site_id)
    return draft(matched.match, matched.site_event.event, action, now, site)


async def _one_for_each_transaction(
    connection: Connection, wanting: list[_Wanting], key_conflicts: list[Matched], new_orders: AbstractSet[Key]
) -> list[_Wanting]:
    """All of them, those withheld that do not get the transaction they want."""
    asked = list(
        {
            transaction
            for conversion in wanting
            if (transaction := conversion.transaction) is not None
            and (conversion.site_id, conversion.matched.match.order_id) not in new_orders
        }
    )
    rows = await connection.fetch(sql.KNOWN_TRANSACTIONS, *columns_of(asked)) if asked else ()
    goes, displaced = comparison.decide_transactions(wanting, [_KnownTransaction(*row) for row in map(tuple, rows)])
    later = {holder.transaction: holder.rank for holder in displaced}
    result: list[_Wanting] = []
    for conversion, is_sent in zip(wanting, goes, strict=True):
        holder = later.get(conversion.transaction) if later and conversion.transaction is not None else None
        if holder is not None and conversion.rank < holder:
            key_conflicts.append(conversion.matched)
        else:
            result.append(conversion if is_sent else conversion._replace(draft=same_transaction(conversion.draft)))
    return result


def same_transaction(drafted: Draft) -> Draft:
    """The draft of a conversion whose transaction another one sends."""
    return msgspec.structs.replace(
        drafted, state=UploadState.WITHHELD, reason=SAME_TRANSACTION, sentence=WITHHELD[SAME_TRANSACTION]
    )


async def write(connection: Connection, occurrences: list[Occurrence], now: datetime) -> None:
    """COPY the custom events, the ledger's rows, and the keys that keep both unique for ever."""
    if not occurrences:
        return
    await copy(connection, "app.custom_events", CUSTOM_EVENT_COLUMNS, _custom_event_rows(occurrences))
    await copy(connection, "app.custom_event_keys", CUSTOM_EVENT_KEY_COLUMNS, _custom_event_key_rows(occurrences))
    await copy(connection, "app.conversion_uploads", UPLOAD_COLUMNS, _upload_rows(occurrences, now))
    keys = [
        (occurrence.match.assignment.ads_action_id, occurrence.draft.transaction_id, 0, occurrence.upload_id, now)
        for occurrence in occurrences
        if occurrence.draft.state is not UploadState.WITHHELD
    ]
    if keys:
        await copy(connection, "app.upload_keys", UPLOAD_KEY_COLUMNS, keys)


def _custom_event_rows(occurrences: list[Occurrence]) -> Iterator[tuple[Any, ...]]:
    for occurrence in occurrences:
        match, site_event = occurrence.match, occurrence.site_event
        yield (
            occurrence.custom_event_id,
            match.occurred_at,
            site_event.site_id,
            match.assignment.assignment_id,
            *stored_columns_of(match, site_event, occurrence.draft),
            occurrence.upload_id,
        )


def stored_columns_of(match: Match, site_event: SiteEvent, drafted: Draft) -> tuple[Any, ...]:
    """What a custom event holds of its match, in the order of its columns from `definition_revision_id` to `withheld_reason`."""
    assignment = match.assignment
    return (
        assignment.definition_revision_id,
        assignment.assignment_revision_id,
        site_event.event_id,
        match.dedup_key,
        match.order_id,
        match.customer_key,
        match.value,
        match.currency,
        drafted.reason if drafted.state is UploadState.WITHHELD else None,
    )


def _custom_event_key_rows(occurrences: list[Occurrence]) -> Iterator[tuple[Any, ...]]:
    for occurrence in occurrences:
        match = occurrence.match
        yield match.assignment.assignment_id, match.dedup_key, occurrence.custom_event_id, match.occurred_at


def _upload_rows(occurrences: list[Occurrence], now: datetime) -> Iterator[tuple[Any, ...]]:
    for occurrence in occurrences:
        match, site_event, drafted = occurrence.match, occurrence.site_event, occurrence.draft
        yield (
            occurrence.upload_id,
            now,
            site_event.site_id,
            match.assignment.assignment_id,
            occurrence.custom_event_id,
            UploadKind.CONVERSION,
            0,
            *data_of(match, site_event, drafted),
            drafted.state,
            drafted.reason,
            drafted.sentence,
            drafted.not_before,
            now if drafted.state is UploadState.WITHHELD else None,
        )


def data_of(match: Match, site_event: SiteEvent, drafted: Draft) -> UploadData:
    """What the conversion of a match sends."""
    assignment, click, extras = match.assignment, drafted.click, match.assignment.config.extra_data
    customer, consent = site_event.event.customer, site_event.event.consent
    if not match.with_user_data or match.consent is _DENIED:
        customer = None
    return UploadData(
        assignment.ads_account_id,
        assignment.ads_action_id,
        drafted.transaction_id,
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
        drafted.deadline_at,
        match.new_customer,
        extra_data.environment(extras, site_event.event) if extras.app_sources else None,
        extra_data.cart(extras.cart, site_event.event) if extras.cart is not None else None,
        clicks.to_json(drafted.other_clicks) if drafted.other_clicks else None,
    )
