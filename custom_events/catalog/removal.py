"""Sites, ads accounts and conversion actions deleted, where nothing depends on them. What is in use is removed, held or paused instead: what it
made refers to it."""

from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.catalog import ads, audit, sites
from custom_events.errors import Dependent, InUse, NeedsAction
from custom_events.queries import dependents
from custom_events.queries import sites as site_queries
from custom_events.tables.sites import ads_accounts, ads_actions, site_secrets
from custom_events.tables.sites import sites as site_table

SHOWN: Final = 5  # dependents of each table that are named


def delete_site(connection: sa.Connection, site_id: int, *, actor: str) -> None:
    """Remove a site that sent nothing and has no assignments, with its secrets. Raises NeedsAction for one whose deliveries are taken still,
    InUse naming what depends on it."""
    site = sites.get(connection, site_id, lock=True)
    if site.removed_at is None:
        raise NeedsAction(f"What site {site_id} sends is taken still. Remove it first, then delete it.")
    _refuse(
        f"Site {site_id} is in use. It stays removed: what it sends is refused.",
        dependents.referring(connection, site_table, site_id, besides=(site_secrets,), limit=SHOWN),
    )
    for secret in site_queries.secrets_of(connection, site_id):
        site_queries.remove_secret(connection, site_id, secret.id)
    dependents.remove(connection, site_table, site_id)
    _record(connection, actor, "site.delete", f"site:{site_id}", site)


def delete_account(connection: sa.Connection, customer_id: str, *, actor: str) -> None:
    """Remove an ads account without conversion actions and of which nothing was sent. Raises InUse naming what depends on it."""
    account = ads.get_account(connection, customer_id, lock=True)
    _refuse(
        f"Ads account {account.customer_id} is in use. Hold it to send nothing.",
        dependents.referring(connection, ads_accounts, account.id, limit=SHOWN),
    )
    dependents.remove(connection, ads_accounts, account.id)
    _record(connection, actor, "ads_account.delete", f"ads_account:{account.customer_id}", account)


def delete_action(connection: sa.Connection, reference: str, *, actor: str) -> None:
    """Remove a conversion action (`<customer id>/<action id>`) that no rule names and to which nothing was sent. Raises InUse naming what
    depends on it."""
    ads.get_account(connection, reference.partition("/")[0], lock=True)
    action = ads.get_action(connection, reference)
    by_table = [
        *dependents.naming_action(connection, reference, limit=SHOWN),
        *dependents.referring(connection, ads_actions, action.id, limit=SHOWN),
    ]
    _refuse(f"Conversion action {reference} is in use. Hold it to send nothing to it.", by_table)
    dependents.remove(connection, ads_actions, action.id)
    _record(connection, actor, "ads_action.delete", f"ads_action:{reference}", action)


def _refuse(sentence: str, by_table: list[tuple[str, Any]]) -> None:
    named = tuple(Dependent(_NOUNS.get(table, table), str(row)) for table, rows in by_table for row in rows)
    if named:
        words = ", ".join(f"{dependent.noun} {dependent.id}" for dependent in named)
        raise InUse(f"{sentence} These depend on it: {words}.", dependents=named)


def _record(connection: sa.Connection, actor: str, action: str, subject: str, before: msgspec.Struct) -> None:
    audit.record(connection, actor=actor, action=action, subject=subject, before=msgspec.to_builtins(before))


_NOUNS: Final = {
    "site_custom_events": "assignment",
    "custom_event_definitions": "definition",
    "raw_outcomes": "raw event",
    "raw_queue": "raw event",
    "refused_events": "refused delivery",
    "commerce_events": "commerce event",
    "custom_events": "custom event",
    "conversion_uploads": "upload",
    "upload_keys": "upload",
    "role_grants": "grant",
    "ads_actions": "ads action",
    "upload_requests": "upload request",
    "privacy_requests": "privacy request",
    "event_keys": "commerce event",
    "order_consents": "consent of order",
    "order_refunds": "refund of order",
    "value_changes": "changed value of order",
}
