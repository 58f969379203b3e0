"""Ads accounts and their conversion actions, as the catalog reads and writes them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import insert

from custom_events.queries import keyset
from custom_events.queries.keyset import After, Order
from custom_events.tables.sites import ads_accounts, ads_actions

_BY_CUSTOMER: Final = Order((ads_accounts.c.customer_id,))
_PARKED: Final = ads_accounts.c.parked_reason.is_not(None)
_PAUSED: Final = sa.func.coalesce(ads_accounts.c.paused_until > sa.bindparam("now"), sa.false())
# What is parked does not go on when its pause ends: it counts as parked alone.
_STATES: Final = {
    "sending": sa.not_(sa.or_(_PARKED, _PAUSED)),
    "paused": sa.and_(_PAUSED, sa.not_(_PARKED)),
    "parked": _PARKED,
}

# What a choice needs of accounts and actions, and what stands beside their ids: built once, and no more columns than are shown.
_ACCOUNT_NAMES: Final = sa.text("SELECT id, customer_id, name FROM app.ads_accounts ORDER BY customer_id LIMIT :limit")
_ACCOUNT_NAME: Final = sa.text("SELECT id, customer_id, name FROM app.ads_accounts WHERE id = :account_id")
_ACTION_NAMES: Final = sa.text("""
SELECT c.id, a.customer_id || '/' || c.action_id AS reference, c.name
FROM app.ads_actions c JOIN app.ads_accounts a ON a.id = c.ads_account_id
WHERE CAST(:account_id AS bigint) IS NULL OR a.id = :account_id
ORDER BY a.customer_id, c.action_id LIMIT :limit
""")
_ACTION_NAMES_OF: Final = sa.text("""
SELECT c.id, a.customer_id || '/' || c.action_id AS reference, c.name
FROM app.ads_actions c JOIN app.ads_accounts a ON a.id = c.ads_account_id
WHERE c.id = ANY (CAST(:ids AS bigint[]))
""")


def add_account(connection: sa.Connection, values: dict[str, Any]) -> int | None:
    """Id of a new account, None when its customer id is known already."""
    statement = insert(ads_accounts).values(values).on_conflict_do_nothing(index_elements=["customer_id"])
    return connection.execute(statement.returning(ads_accounts.c.id)).scalar_one_or_none()


def account(connection: sa.Connection, customer_id: str, *, lock: bool = False) -> sa.Row[*tuple[Any, ...]] | None:
    """The account of this customer id (ten digits); `lock` holds it until the end of the transaction."""
    statement = sa.select(ads_accounts).where(ads_accounts.c.customer_id == customer_id)
    return connection.execute(statement.with_for_update() if lock else statement).one_or_none()


def accounts(
    connection: sa.Connection,
    *,
    now: datetime | None = None,
    text: str | None = None,
    lane: str | None = None,
    state: str | None = None,
    after: After | None = None,
    limit: int | None = None,
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Accounts by customer id whose name or customer id holds `text`, of a lane, in a state (sending, paused, parked) at `now`, without which
    nothing is paused: a page of them; `limit` None: all that follow."""
    c = ads_accounts.c
    statement = sa.select(ads_accounts)
    if text:
        digits = text.replace("-", "")
        by_number = c.customer_id.contains(digits, autoescape=True) if digits.isdigit() else sa.false()
        statement = statement.where(sa.or_(c.name.icontains(text, autoescape=True), by_number))
    if lane is not None:
        statement = statement.where(c.lane == lane)
    if state is not None:
        statement = statement.where(_STATES[state])
    return connection.execute(keyset.page(statement, _BY_CUSTOMER, after, limit), {"now": now}).all()


def accounts_of(connection: sa.Connection, customer_ids: Collection[str]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The accounts of these customer ids that are known, by customer id."""
    c = ads_accounts.c
    named = c.customer_id == sa.any_(sa.literal(sorted(customer_ids), pg.ARRAY(sa.Text)))
    return connection.execute(sa.select(ads_accounts).where(named).order_by(c.customer_id)).all()


def account_names(connection: sa.Connection, limit: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """(id, customer_id, name) of accounts by customer id."""
    return connection.execute(_ACCOUNT_NAMES, {"limit": limit}).all()


def account_name(connection: sa.Connection, account_id: int) -> sa.Row[*tuple[Any, ...]] | None:
    """(id, customer_id, name) of one account (our id)."""
    return connection.execute(_ACCOUNT_NAME, {"account_id": account_id}).one_or_none()


def action_names(connection: sa.Connection, account_id: int | None, limit: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """(id, reference, name) of the actions of one account, or of all."""
    return connection.execute(_ACTION_NAMES, {"account_id": account_id, "limit": limit}).all()


def action_names_of(connection: sa.Connection, ids: Collection[int]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """(id, reference, name) of these actions."""
    return connection.execute(_ACTION_NAMES_OF, {"ids": sorted(ids)}).all()


def add_action(connection: sa.Connection, values: dict[str, Any]) -> int | None:
    """Id of a new action, None when the account has it already."""
    statement = (
        insert(ads_actions).values(values).on_conflict_do_nothing(index_elements=["ads_account_id", "action_id"])
    )
    return connection.execute(statement.returning(ads_actions.c.id)).scalar_one_or_none()


def action(connection: sa.Connection, customer_id: str, action_id: str) -> sa.Row[*tuple[Any, ...]] | None:
    """The action of this account."""
    return connection.execute(
        _actions().where(ads_accounts.c.customer_id == customer_id, ads_actions.c.action_id == action_id)
    ).one_or_none()


def actions(connection: sa.Connection, customer_id: str | None) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The actions of one account, or of all."""
    statement = _actions().order_by(ads_accounts.c.customer_id, ads_actions.c.action_id)
    if customer_id is not None:
        statement = statement.where(ads_accounts.c.customer_id == customer_id)
    return connection.execute(statement).all()


def update_account(connection: sa.Connection, account_id: int, values: dict[str, Any]) -> None:
    """Change some columns of an account."""
    changed = {**values, "updated_at": sa.func.now()}
    connection.execute(sa.update(ads_accounts).where(ads_accounts.c.id == account_id).values(changed))


def update_action(connection: sa.Connection, action_id: int, values: dict[str, Any]) -> None:
    """Change some columns of an action (our id)."""
    changed = {**values, "updated_at": sa.func.now()}
    connection.execute(sa.update(ads_actions).where(ads_actions.c.id == action_id).values(changed))


def _actions() -> sa.Select[*tuple[Any, ...]]:
    return sa.select(ads_actions, ads_accounts.c.customer_id).join(ads_accounts)
