"""What a probe has to say that Google does not tell: the quota's level, and how old conversion actions are."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from custom_events.destinations.conversion_rules import SETTLING
from custom_events.destinations.findings import Finding
from custom_events.destinations.traits import TRAITS
from custom_events.ledger import allowance
from custom_events.settings import Settings
from custom_events.values.conversions import Lane

QUOTA, AGE = "quota_level", "action_age"
QUESTIONS: Final = frozenset({QUOTA, AGE})


def quota_level(connection: sa.Connection, lane: Lane, settings: Settings, now: datetime) -> Finding:
    """How many calls a day we count on, and how many were used: the API has no field for its own limit (docs/reference/google-ads.md 2.6)."""
    per_day = allowance.project_limit(settings, lane).per_day
    used = next(
        (bucket.used_today for bucket in allowance.remaining(connection, settings, now) if bucket.name == lane.value), 0
    )
    may = "any number of calls" if per_day is None else f"{per_day:,} calls in 24 hours"
    sentence = f"By our settings the project may make {may}; used in 24 h: {used:,}. Google's own figure is in {TRAITS[lane].quota_page}"
    return Finding(question=QUOTA, fine=per_day is None or used < per_day, sentence=sentence)


def action_ages(actions: Iterable[sa.Row[Any]], now: datetime) -> Iterator[Finding]:
    """Whether each action is old enough, where we were told when it was made: neither API says so.

    `actions`: rows with `action_id` and `action_created_at`. For all of which nothing is known there is one sentence.
    """
    untold = False
    for action in actions:
        made_at: datetime | None = action.action_created_at
        if made_at is None:
            untold = True
            continue
        ready_at = made_at + SETTLING
        made = f"Made {made_at:%Y-%m-%d %H:%M} UTC"
        sentence = (
            f"{made}: old enough to take conversions"
            if ready_at <= now
            else f"{made}: Google takes its conversions from {ready_at:%Y-%m-%d %H:%M} UTC, and they wait until then"
        )
        yield Finding(question=AGE, fine=ready_at <= now, sentence=sentence, action_id=action.action_id)
    if untold:
        sentence = "Google does not say when an action was made; in its first six hours it takes nothing, and what it refuses then waits"
        yield Finding(question=AGE, fine=None, sentence=sentence)
