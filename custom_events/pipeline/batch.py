"""One batch: from claimed rows of the queue to rows in the ledger, in one transaction (decision 0003).

A raw event that makes its batch fail is found by halving: each half is tried in a savepoint of its own, until the culprit
stands alone and is parked. The others go through in the same transaction.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import structlog

from custom_events.pipeline import consents, counters, events, lateness, uploads
from custom_events.pipeline.claim import Claimed, claim
from custom_events.pipeline.configuration import Configuration, ConfigurationCache
from custom_events.pipeline.customers import Newcomers
from custom_events.pipeline.figures import BatchFigures, add, count
from custom_events.pipeline.matching import match_events
from custom_events.pipeline.merging import Merger, write_clicks
from custom_events.pipeline.rematch import rematch
from custom_events.pipeline.rows import Connection, columns_of, copy
from custom_events.pipeline.state import OrderState
from custom_events.pipeline.understanding import Delivered, Gathered, Key, Proposal, Raw, internal_error
from custom_events.platforms.registry import PLATFORMS
from custom_events.queries import understanding as sql
from custom_events.settings import Settings
from custom_events.values.deliveries import parked

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

# Not the fault of a row: the connection, the server's room, a shutdown. The whole batch is tried again later.
_NOT_OF_A_ROW = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.InternalClientError,
    OSError,
    MemoryError,
)
# Two workers may add the same ads action's transaction, somebody queued what has an outcome, or a key of a new order was known
# (`process`, trusting): trying once more settles it.
_ONCE_MORE = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


async def drain_batch(connection: Connection, cache: ConfigurationCache, settings: Settings) -> BatchFigures:
    """Claim, understand, match and write one batch, and commit. `raw` is 0 when there was nothing to claim.

    Raises what asyncpg raises when the connection or the server fails; then nothing of the batch happened.
    """
    async with connection.transaction():
        claimed = await claim(connection, settings.shards, settings.batch_size)
        if not claimed:
            return BatchFigures()
        configuration = await cache.current(connection)
        return await _safely(connection, claimed, configuration)


async def _safely(connection: Connection, claimed: Sequence[Claimed], configuration: Configuration) -> BatchFigures:
    for last_try in (False, True):
        try:
            async with connection.transaction():
                return await process(connection, claimed, configuration, trusting=not last_try)
        except _NOT_OF_A_ROW:
            raise
        except _ONCE_MORE as error:
            if last_try:
                return await _halved(connection, claimed, configuration, error)
            await connection.executemany(sql.FORGET_OUTCOME, [one[:2] for one in claimed])
        except Exception as error:
            if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError):
                raise  # the connection is closed or in use; a value that does not fit is a ValueError too
            return await _halved(connection, claimed, configuration, error)
    raise AssertionError("the second try returns or raises")


async def _halved(
    connection: Connection, claimed: Sequence[Claimed], configuration: Configuration, error: Exception
) -> BatchFigures:
    if len(claimed) == 1:
        return await _park(connection, claimed[0], error)
    structlog.get_logger().info("batch_halved", raw=len(claimed), error=type(error).__name__)
    middle = len(claimed) // 2
    figures = await _safely(connection, claimed[:middle], configuration)
    add(figures, await _safely(connection, claimed[middle:], configuration))
    return figures


async def _park(connection: Connection, culprit: Claimed, error: Exception) -> BatchFigures:
    structlog.get_logger().warning("raw_event_parked", raw_id=culprit.raw_id, error=type(error).__name__)
    delivered = Delivered(*culprit[:2], await _now(connection), culprit.site_id, internal_error(error))
    await connection.execute(sql.FORGET_OUTCOME, *culprit[:2])
    await copy(connection, "app.raw_outcomes", OUTCOME_COLUMNS, _outcome_rows([delivered]))
    return count([delivered], [], 0, [])


async def process(
    connection: Connection, claimed: Sequence[Claimed], configuration: Configuration, *, trusting: bool
) -> BatchFigures:
    """Everything that happens to claimed rows, within the transaction that is open.

    `trusting`: the keys of an order that nobody told of before are taken for new, instead of looked up one by one. Where that is
    wrong, a unique key refuses the COPY (UniqueViolationError), and the batch is to be tried again without.
    """
    now = await _now(connection)
    gathered = Gathered(configuration.sites, PLATFORMS)
    await _understand(connection, claimed, gathered, now)
    merger = await Merger.meet(connection, gathered, now)
    fresh = merger.fresh if trusting else frozenset[Key]()
    new, revised = await events.settle(connection, gathered.events, fresh)
    scopes = await lateness.late_events(connection, configuration, new, merger.newcomers)
    await events.write(connection, new, revised)
    touched = await merger.merge()
    touched |= _edited(new, merger.orders)
    touched |= {(found.site_id, order) for found in revised if (order := found.event.order_id) is not None}
    if touched:
        await connection.execute(sql.MARK_VALUE_CHANGES, *columns_of(sorted(touched)))
    await write_clicks(connection, new, fresh)
    shifts = await counters.count_new(connection, configuration.plan, configuration.site_wide, new)
    newcomers = Newcomers(merger.newcomers, gathered.customers, merger.orders)
    matched = await match_events(connection, configuration.plan, new, configuration.needs, newcomers)
    first = {order for order in fresh if order[0] in configuration.orders_come_first}
    occurrences, contested = await uploads.settle(connection, matched, configuration, now, first)
    await uploads.write(connection, occurrences, now)
    scopes += lateness.corrected_events(configuration, revised)
    scopes += lateness.corrected_orders(configuration, merger.corrected, merger.orders)
    scopes += lateness.contested_keys(contested)
    scopes += await lateness.shifted_events(connection, configuration, shifts)
    changes = await rematch(connection, configuration, scopes, now)
    if gathered.consents:
        await consents.let_go(connection, configuration.plan, gathered.consents, now)
    await copy(connection, "app.raw_outcomes", OUTCOME_COLUMNS, _outcome_rows(gathered.delivered))
    return count(gathered.delivered, new, len(revised), occurrences, changes)


def _edited(new: Sequence[Proposal], orders: Mapping[Key, OrderState]) -> set[Key]:
    """Orders that were worth something else when the event happened than they are by now."""
    found: set[Key] = set()
    for proposal in new:
        order = proposal.event.order
        if order is not None:
            now = orders.get((proposal.site_id, order.id))
            # The very same amount in the ordinary case: nobody told of the order twice.
            if now is not None and now.total is not order.total and now.total != order.total:
                found.add((proposal.site_id, order.id))
    return found


async def _understand(connection: Connection, claimed: Sequence[Claimed], gathered: Gathered, now: datetime) -> None:
    """Read the bodies in pieces; each piece is understood while Postgres prepares the next one."""
    cursor = await connection.cursor(sql.READ_BODIES, *columns_of([one[:2] for one in claimed]))
    rows = await cursor.fetch(PREFETCH_ROWS)
    while rows:
        coming = asyncio.ensure_future(cursor.fetch(PREFETCH_ROWS))
        await asyncio.sleep(0)  # lets the request for the next piece leave
        try:
            for row in rows:
                gathered.take(Raw._make(row))
        finally:
            rows = await coming
    read = {one.raw_id for one in gathered.delivered}
    for landed_week, raw_id, site_id in claimed:
        if raw_id not in read:
            verdict = parked(BODY_GONE, "The body was dropped by retention before it was understood")
            gathered.delivered.append(Delivered(landed_week, raw_id, now, site_id, verdict))


async def _now(connection: Connection) -> datetime:
    """The transaction's time by the database's clock: one moment for all rows of the batch."""
    return await connection.fetchval(sql.NOW)


def _outcome_rows(delivered: Sequence[Delivered]) -> Iterator[tuple[Any, ...]]:
    for one in delivered:
        understood = one.understood
        yield (
            one.landed_week,
            one.raw_id,
            one.received_at,
            one.site_id,
            understood.outcome,
            understood.reason,
            understood.detail,
            one.new_events,
        )
