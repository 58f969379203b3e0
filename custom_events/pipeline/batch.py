"""One batch: from claimed rows of the queue to rows in the ledger, in one transaction (decision 0003).

A raw event that makes its batch fail is found by halving: each half is tried in a savepoint of its own, until the culprit
stands alone and is parked. The others go through in the same transaction.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import structlog

from custom_events.pipeline import (
    app_life,
    beacons,
    counters,
    events,
    forgetting,
    late_consents,
    odd_leaves,
    privacy,
    undone,
    uploads,
)
from custom_events.pipeline.batch_figures import BatchFigures, add, count
from custom_events.pipeline.bulk_rows import Connection, columns_of, copy
from custom_events.pipeline.claim import Claimed, claim
from custom_events.pipeline.configuration import Configuration, ConfigurationCache
from custom_events.pipeline.consents import with_order_consent
from custom_events.pipeline.crowds import Crowds
from custom_events.pipeline.customers import NewCustomers
from custom_events.pipeline.matching import match_events
from custom_events.pipeline.merging import Merger, is_worth_less, write_clicks
from custom_events.pipeline.rematch import scopes as rematch_scopes
from custom_events.pipeline.rematch.run import rematch
from custom_events.pipeline.restatements import Restatements
from custom_events.pipeline.understanding import BatchState, CandidateEvent, Delivered, Key, Raw, internal_error
from custom_events.platforms.registry import PLATFORMS
from custom_events.postgres import schema_guard
from custom_events.queries import understanding as sql
from custom_events.settings import Settings
from custom_events.values.deliveries import Understood, parked

BODY_GONE = "body_gone"
PREFETCH_ROWS = 200  # bodies fetched at once: about 0.5 MB, so that memory holds events and not bodies
OUTCOME_COLUMNS = (
    "landed_week",
    "raw_id",
    "received_at",
    "site_id",
    "outcome",
    "reason",
    "detail",
    "new_events",
)

# Not the fault of a row: the connection, the server's room, a shutdown, the rights of our login. The whole batch is tried again later.
_NOT_OF_A_ROW = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.InternalClientError,
    asyncpg.InsufficientPrivilegeError,  # of our login
    OSError,
    MemoryError,
)
# Two workers may add the same ads action's transaction, somebody queued what has an outcome, or a key of a new order was known
# (`process`, `skip_lookups`): trying once more settles it.
_ONCE_MORE = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


async def drain_batch(connection: Connection, cache: ConfigurationCache, settings: Settings) -> BatchFigures:
    """Claim, understand, match and write one batch, and commit. `raw` is 0 when there was nothing to claim.

    Raises what asyncpg raises when the connection or the server fails, NeedsAction where the database is of another version; then nothing of the
    batch happened.
    """
    async with connection.transaction():
        await schema_guard.hold_async(connection)
        claimed = await claim(connection, settings.shards, settings.batch_size)
        if not claimed:
            return BatchFigures()
        configuration = await cache.current(connection)
        forgotten = await forgetting.Forgetting.load(connection, {row.site_id for row in claimed}, settings)
        return await _safely(connection, claimed, configuration, forgotten)


async def _safely(
    connection: Connection,
    claimed: Sequence[Claimed],
    configuration: Configuration,
    forgotten: forgetting.Forgetting,
) -> BatchFigures:
    for last_try in (False, True):
        try:
            async with connection.transaction():
                return await process(connection, claimed, configuration, forgotten, skip_lookups=not last_try)
        except _NOT_OF_A_ROW:
            raise
        except _ONCE_MORE as error:
            if last_try:
                return await _halved(connection, claimed, configuration, forgotten, error)
            await connection.executemany(sql.FORGET_OUTCOME, [row[:2] for row in claimed])
        except Exception as error:
            if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError):
                raise  # the connection is closed or in use; a value that does not fit is a ValueError too
            return await _halved(connection, claimed, configuration, forgotten, error)
    raise AssertionError("the second try returns or raises")


async def _halved(
    connection: Connection,
    claimed: Sequence[Claimed],
    configuration: Configuration,
    forgotten: forgetting.Forgetting,
    error: Exception,
) -> BatchFigures:
    if len(claimed) == 1:
        return await _park(connection, claimed[0], error)
    structlog.get_logger().info("batch_halved", raw=len(claimed), error=type(error).__name__)
    middle = len(claimed) // 2
    figures = await _safely(connection, claimed[:middle], configuration, forgotten)
    add(figures, await _safely(connection, claimed[middle:], configuration, forgotten))
    return figures


async def _park(connection: Connection, culprit: Claimed, error: Exception) -> BatchFigures:
    structlog.get_logger().warning("raw_event_parked", raw_id=culprit.raw_id, error=type(error).__name__)
    delivered = Delivered(*culprit[:2], await _now(connection), culprit.site_id, internal_error(error))
    await connection.execute(sql.FORGET_OUTCOME, *culprit[:2])
    await copy(connection, "app.raw_outcomes", OUTCOME_COLUMNS, _outcome_rows([delivered]))
    return count([delivered], [], 0, [])


async def process(
    connection: Connection,
    claimed: Sequence[Claimed],
    configuration: Configuration,
    forgotten: forgetting.Forgetting,
    *,
    skip_lookups: bool,
) -> BatchFigures:
    """Everything that happens to claimed rows, within the transaction that is open. Of whoever was `forgotten` nothing is taken in.

    `skip_lookups`: the keys of an order that nobody told of before are taken for new, instead of looked up one by one. Where that is
    wrong, a unique key refuses the COPY (UniqueViolationError), and the batch is to be tried again without.
    """
    now = await _now(connection)
    batch_state = BatchState(configuration.sites, PLATFORMS, configuration.kept)
    restatements = Restatements(connection, batch_state, configuration, forgotten, claimed)
    await _understand(connection, claimed, batch_state, forgotten, restatements, now)
    merger = await Merger.load(connection, batch_state, now, restatements)
    new_orders = merger.new_orders if skip_lookups else frozenset[Key]()
    new, revised = await events.split_new(connection, batch_state.events, new_orders)
    crowds = await _crowds(connection, configuration, [*new, *revised])
    scopes = await rematch_scopes.late_events(connection, configuration, new, merger.new_customers, crowds)
    touched = await merger.merge(undone.stored_payments(batch_state.events))
    undone.mark(new, merger)
    undone.mark(revised, merger)
    await events.write(connection, new, revised)
    flips = await undone.take_back(connection, merger, new, revised)
    touched |= _edited(new, merger)
    touched |= {(candidate.site_id, order) for candidate in revised if (order := candidate.event.order_id) is not None}
    if touched:
        await connection.execute(sql.MARK_VALUE_CHANGES, *columns_of(sorted(touched)))
    await write_clicks(connection, [*new, *_clicked(revised)] if revised else new, new_orders)
    shifts = await counters.count_new(
        connection, configuration.compiled_rules, configuration.site_wide, new, crowds.counters
    )
    new_customers = NewCustomers(merger.new_customers, batch_state.customers, merger.orders)
    matched = await match_events(
        connection, configuration.compiled_rules, new, configuration.needs, new_customers, crowds
    )
    consents = await late_consents.keep(connection, configuration, batch_state, merger)
    if consents.said:
        matched = [with_order_consent(match, consents.said) for match in matched]
    first = {order for order in new_orders if order[0] in configuration.orders_come_first}
    occurrences, key_conflicts = await uploads.choose_conversions(connection, matched, configuration, now, first)
    await uploads.write(connection, occurrences, now)
    await crowds.learn((flip.site_id, flip.event.customer_key) for flip in flips)
    scopes += rematch_scopes.undone_events(configuration, flips, crowds)
    scopes += rematch_scopes.corrected_events(configuration, revised, crowds)
    scopes += rematch_scopes.corrected_orders(configuration, merger.corrected, merger.orders)
    scopes += rematch_scopes.key_conflict_scopes(key_conflicts)
    scopes += await rematch_scopes.shifted_events(connection, configuration, shifts)
    scopes += late_consents.scopes(configuration, consents)
    changes = await rematch(connection, configuration, scopes, now, crowds=crowds)
    await crowds.begin()
    await late_consents.bring_to_conversions(connection, configuration, consents.changed, now)
    await odd_leaves.count(connection, batch_state.delivered)
    await privacy.note_requests(connection, batch_state.delivered)
    await app_life.note(connection, batch_state.delivered)
    await copy(connection, "app.raw_outcomes", OUTCOME_COLUMNS, _outcome_rows(batch_state.delivered))
    await beacons.requeue_orders(connection, batch_state.delivered)
    return count(batch_state.delivered, new, len(revised), occurrences, changes)


async def _crowds(connection: Connection, configuration: Configuration, candidates: Sequence[CandidateEvent]) -> Crowds:
    """The counters of the candidates' customers. Who gives an event to somebody else is counted anew, and so is the other."""
    crowds = Crowds(connection, configuration.compiled_rules, configuration.countable)
    if not configuration.countable:
        return crowds
    moved: set[Key] = set()
    for candidate in candidates:
        before = candidate.event if candidate.before is None else candidate.before
        if before.customer_key != candidate.event.customer_key:
            customers = before.customer_key, candidate.event.customer_key
            moved |= {(candidate.site_id, customer) for customer in customers if customer is not None}
    await counters.drop_customers(connection, moved)
    await crowds.learn((candidate.site_id, candidate.event.customer_key) for candidate in candidates)
    return crowds


def _clicked(revised: Sequence[CandidateEvent]) -> list[CandidateEvent]:
    """Those that have other clicks than before."""
    return [
        candidate
        for candidate in revised
        if candidate.before is not None and candidate.before.clicks != candidate.event.clicks
    ]


def _edited(new: Sequence[CandidateEvent], merger: Merger) -> set[Key]:
    """Orders that were worth something else when a new event happened than they are by now."""
    keys: set[Key] = set()
    for candidate in new:
        event = candidate.event
        order = event.order
        if order is None:
            if (
                event.refund is None and (order_id := event.order_id) is not None
            ):  # a billing attempt knows no more of it
                keys.add((candidate.site_id, order_id))
            continue
        key = candidate.site_id, order.id
        now = merger.orders.get(key)
        if now is None:
            continue
        # The very same amount in the ordinary case: nobody told of the order twice.
        is_edited = now.total is not order.total and now.total != order.total
        if is_edited or (key in merger.before and is_worth_less(now)):
            keys.add(key)
    return keys


async def _understand(
    connection: Connection,
    claimed: Sequence[Claimed],
    batch_state: BatchState,
    forgotten: forgetting.Forgetting,
    restatements: Restatements,
    now: datetime,
) -> None:
    """Read the bodies in pieces; each piece is understood while Postgres prepares the next one."""
    cursor = await connection.cursor(sql.READ_BODIES, *columns_of([row[:2] for row in claimed]))
    rows = await cursor.fetch(PREFETCH_ROWS)
    while rows:
        raws = await restatements.sifted(rows)
        coming = asyncio.ensure_future(cursor.fetch(PREFETCH_ROWS))
        await asyncio.sleep(0)  # lets the request for the next piece leave
        try:
            understood = batch_state.understand(raws)
        finally:
            rows = await coming
        await _take_in(connection, understood, batch_state, forgotten, restatements)
    if others := await restatements.settled():
        await _take_in(connection, batch_state.understand(others), batch_state, forgotten, restatements)
    read = {delivered.raw_id for delivered in batch_state.delivered}
    for landed_week, raw_id, site_id, _ in claimed:
        if raw_id not in read:
            verdict = parked(BODY_GONE, "The body was dropped by retention before it was understood")
            batch_state.delivered.append(Delivered(landed_week, raw_id, now, site_id, verdict))


async def _take_in(
    connection: Connection,
    understood: Sequence[tuple[Raw, Understood]],
    batch_state: BatchState,
    forgotten: forgetting.Forgetting,
    restatements: Restatements,
) -> None:
    admitted = await forgotten.withheld(connection, understood)
    enriched = await beacons.enriched(connection, admitted)
    for (raw, verdict), (_, of_body) in zip(enriched, understood, strict=True):
        delivered = batch_state.add(raw, verdict)
        if verdict is of_body:
            restatements.learn(raw, delivered)


async def _now(connection: Connection) -> datetime:
    """The transaction's time by the database's clock: one moment for all rows of the batch."""
    return await connection.fetchval(sql.NOW)


def _outcome_rows(delivered: Sequence[Delivered]) -> Iterator[tuple[Any, ...]]:
    for row in delivered:
        understood = row.understood
        yield (
            row.landed_week,
            row.raw_id,
            row.received_at,
            row.site_id,
            understood.outcome,
            understood.reason,
            understood.detail,
            row.new_events,
        )
