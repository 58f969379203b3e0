"""The capability probe, run on demand: its findings kept with the account, what it learned of actions kept with them."""

import json
from datetime import datetime

import sqlalchemy as sa

from custom_events.destinations.findings import Findings, as_json
from custom_events.errors import Permanent
from custom_events.ledger.rows import account_of
from custom_events.ledger.sender import Lanes
from custom_events.queries import upload_requests as requests
from custom_events.settings import Settings


def probe_account(engine: sa.Engine, lanes: Lanes, settings: Settings, customer_id: str, now: datetime) -> Findings:
    """Ask Google what the account and its configured conversion actions allow, and keep the answers.

    Raises Permanent for an unknown account, NeedsAction without credentials.
    """
    with engine.connect() as connection:
        row = connection.execute(requests.ACCOUNT, {"customer_id": customer_id}).one_or_none()
        if row is None:
            raise Permanent("unknown_ads_account", f"there is no ads account {customer_id}: create it first")
        actions = [found.action_id for found in connection.execute(requests.ACTIONS_OF, {"account": row.id})]
    account = account_of(row)
    found = lanes[account.lane].probe(account, actions, timeout_s=settings.upload_timeout_s, now=now)
    with engine.begin() as connection:
        connection.execute(
            requests.KEEP_CAPABILITIES,
            {"account": account.id, "found": json.dumps(as_json(found, now.isoformat())), "now": now},
        )
        for facts in found.actions:
            connection.execute(
                requests.KEEP_ACTION,
                {
                    "account": account.id,
                    "action_id": facts.action_id,
                    "action_type": facts.action_type,
                    "days": facts.click_window_days,
                    "one_per_click": facts.one_per_click,
                    "now": now,
                },
            )
    return found
