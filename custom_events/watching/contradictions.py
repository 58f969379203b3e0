"""Custom events and their conversions that say different things of one match: counts may agree all the same."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from custom_events.queries import sums as sql
from custom_events.values.reasons import SAME_TRANSACTION, TOO_LATE, WITHHOLDING, Reason

# Why matching withholds: custom event and conversion say so together. Consent may be refused later, to the conversion alone.
OF_MATCHING: Final = sorted(
    {
        *(
            WITHHOLDING
            - {
                Reason.CONSENT_DENIED,
                Reason.CONSENT_UNKNOWN,
                Reason.DUPLICATE,
                Reason.INVALIDATED_BY_LATE_EVENT,
                Reason.INVALIDATED_BY_CORRECTION,
                Reason.INVALIDATED_BY_REPLAY,
                Reason.TAKEN_BACK,
            }
        ),
        TOO_LATE,
        SAME_TRANSACTION,
    }
)
_EXAMPLES: Final = 5  # custom events named in a gap

# What custom events say, by what their conversions deny.
_DENIED: Final = {
    "withheld": "say that they are withheld, and their conversions are not",
    "queued": "say that they were queued, and matching withheld their conversions",
    "currency": "have another currency than their conversions",
    "value": "have another value than their conversions, which nothing that became of their orders explains",
}


def contradictions(connection: sa.Connection, since: datetime) -> list[str]:
    """A sentence for each way in which custom events made since, and their conversions, contradict each other."""
    asked = {"since": since, "site_id": None, "of_matching": OF_MATCHING}
    return denied(connection, asked, _counted(connection, asked))


def denied(connection: sa.Connection, asked: dict[str, Any], counts: dict[str, dict[str, int]]) -> list[str]:
    """A sentence for each of those that were counted, with some custom events by name."""
    unretracted = sum(counts.get("unretracted", {}).values())
    contradictions = counts.get("contradiction", {})
    return [*_unretracted(unretracted), *(_contradictions(connection, asked, contradictions) if contradictions else [])]


def _contradictions(connection: sa.Connection, asked: dict[str, Any], counts: dict[str, int]) -> list[str]:
    """A sentence for each way in which custom events contradict their conversions, with some of them."""
    examples: dict[str, list[str]] = {}
    for kind, number in connection.execute(sa.text(sql.CONTRADICTING), {**asked, "limit": _EXAMPLES}):
        examples.setdefault(kind, []).append(str(number))
    return [
        f"matched: {count} custom events {_DENIED[kind]}"
        + (f" ({', '.join(examples[kind])} ...)" if kind in examples else "")
        + "; `custom-events replay` of their days says both anew"
        for kind, count in sorted(counts.items())
    ]


def _unretracted(number: int) -> list[str]:
    """Conversions that Google has, or may have, of custom events that stand no longer, with nothing on its way to take them
    back, and no other custom event that they stand for now."""
    return [f"withdrawn custom events: {number} are neither withheld nor retracted"] if number else []


def _counted(connection: sa.Connection, asked: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for kind, word, count in connection.execute(sa.text(sql.CONTRADICTIONS), asked):
        counts.setdefault(kind, {})[word or ""] = count
    return counts
