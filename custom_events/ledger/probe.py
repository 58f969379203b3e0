"""The capability probe, before the first conversion and on demand: its findings are kept with the account and its actions."""

import json
from collections.abc import Mapping
from datetime import datetime

import msgspec
import sqlalchemy as sa

from custom_events.destinations.base import Destination
from custom_events.destinations.findings import Findings, as_json, in_the_way
from custom_events.errors import Permanent
from custom_events.ledger import allowance, local_checks, retry, stops
from custom_events.ledger.stops import Stop
from custom_events.ledger.upload_rows import account_of
from custom_events.queries import upload_requests as requests
from custom_events.settings import Settings
from custom_events.values.conversions import AdsAccount, Lane, Scope
from custom_events.values.reasons import PROBE_UNANSWERED

Lanes = Mapping[Lane, Destination]


def probe_account(engine: sa.Engine, lanes: Lanes, settings: Settings, customer_id: str, now: datetime) -> Findings:
    """Ask Google what the account and its configured conversion actions allow, and keep the answers.

    Raises Permanent for an unknown account, NeedsAction without credentials.
    """
    with engine.connect() as connection:
        row = connection.execute(requests.ACCOUNT, {"customer_id": customer_id}).one_or_none()
    if row is None:
        raise Permanent(
            "unknown_ads_account",
            f"there is no ads account {customer_id}: `custom-events uploads list` shows those there are",
        )
    findings, _ = _ask(engine, lanes, settings, account_of(row), now)
    return findings


def before_sending(engine: sa.Engine, lanes: Lanes, settings: Settings, account: AdsAccount, now: datetime) -> bool:
    """Probe an account that was never probed, or whose refusals hint at a change. Whether it may be sent to.

    What is in the way stops the account, or what of it the finding concerns, with the probe's sentence; the recheck lets it go on.
    Where Google does not answer the account pauses, and is asked again. Raises NeedsAction without credentials.
    """
    findings, actions = _ask(engine, lanes, settings, account, now)
    with engine.begin() as connection:
        if unanswered(findings):
            refused = any(finding.code is not None for finding in findings.findings)
            pause_s = retry.PARKED_RECHECK.total_seconds() if refused else retry.CONFIGURATION_RECHECK_S
            stops.pause(connection, account, pause_s, PROBE_UNANSWERED, now, Scope.ACCOUNT)
            connection.execute(requests.PROBE_AGAIN, {"account": account.id, "lane": None, "whole_lane": False})
            return False
        wrong = in_the_way(findings)
        for finding in wrong:
            action = actions.get(finding.action_id) if finding.action_id is not None else None
            scope = finding.scope if action is None else Scope.ACTION
            stop = Stop(finding.code, finding.sentence)
            stops.park(connection, account, scope, stop, now, action, probe_again=False)
    return not any(finding.action_id is None and finding.scope not in stops.PARTS for finding in wrong)


def unanswered(findings: Findings) -> bool:
    """Google said nothing; what we know ourselves is no answer."""
    asked = [finding for finding in findings.findings if finding.question not in local_checks.QUESTIONS]
    return bool(asked) and all(finding.fine is None for finding in asked)


def _ask(
    engine: sa.Engine, lanes: Lanes, settings: Settings, account: AdsAccount, now: datetime
) -> tuple[Findings, dict[str, int]]:
    """The findings, kept with the account and its actions; and our ids of the actions by Google's."""
    with engine.connect() as connection:
        configured = connection.execute(requests.ACTIONS_OF, {"account": account.id}).all()
    actions = {row.action_id: row.id for row in configured}
    findings = lanes[account.lane].probe(account, list(actions), timeout_s=settings.upload_timeout_s, now=now)
    with engine.begin() as connection:
        allowance.spend(connection, account, settings, now, findings.calls)
        own = (
            local_checks.quota_level(connection, account.lane, settings, now),
            *local_checks.action_ages(configured, now),
        )
        findings = msgspec.structs.replace(findings, findings=(*findings.findings, *own))
        connection.execute(
            requests.KEEP_CAPABILITIES,
            {"account": account.id, "found": json.dumps(as_json(findings, now.isoformat())), "now": now},
        )
        for facts in findings.actions:
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
    return findings, actions
