"""Ads accounts and their conversion actions, as the catalog reads and writes them."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from custom_events.queries import keyset
from custom_events.queries.keyset import After, Order
from custom_events.tables.sites import ads_accounts, ads_actions

_BY_CUSTOMER: Final = Order((ads_accounts.c.customer_id,))


def add_account(connection: sa.Connection, values: dict[str, Any]) -> int | None:
    """Id of a new account, None when its customer id is known already."""
    statement = insert(ads_accounts).values(values).on_conflict_do_nothing(index_elements=["customer_id"])
    return connection.execute(statement.returning(ads_accounts.c.id)).scalar_one_or_none()


def account(connection: sa.Connection, customer_id: str, *, lock: bool = False) -> sa.Row[*tuple[Any, ...]] | None:
    """The account of this customer id (ten digits); `lock` holds it until the end of the transaction."""
    statement = sa.select(ads_accounts).where(ads_accounts.c.customer_id == customer_id)
    return connection.execute(statement.with_for_update() if lock else statement).one_or_none()


def accounts(
    connection: sa.Connection, *, after: After | None = None, limit: int | None = None
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Accounts by customer id, a page of them; `limit` None: all that follow."""
    return connection.execute(keyset.page(sa.select(ads_accounts), _BY_CUSTOMER, after, limit)).all()


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
