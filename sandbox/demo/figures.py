"""The demo's figures: read from the database, shown as a table, written to demo.json."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from custom_events.queries import status_counts as queries
from custom_events.watching import sums
from sandbox.stores.sender import Sent

SOON_S = 3600.0  # what is held longer than this (a fresh click) is a settled answer in the demo


class Figures(msgspec.Struct, kw_only=True):
    """What the demo shows and writes. Counts are of the whole database, so that a second run adds to the first."""

    received: int
    refused: int
    landed: int
    parked: int
    ignored: int
    understood: int
    refused_by_reason: dict[str, int]
    parked_by_reason: dict[str, int]
    ignored_by_reason: dict[str, int]
    commerce_events: dict[str, int]
    custom_events: dict[str, int]
    accepted: dict[str, int]  # by definition, as custom events are
    uploads: dict[str, int]
    adjustments: dict[str, int]
    reasons: dict[str, int]
    value_sent: dict[str, Decimal]
    sums_agree: bool
    gaps: list[str]
    open_work: dict[str, int]

    @property
    def settled(self) -> bool:
        """Nothing moves any more by itself."""
        return not any(self.open_work.values())


def read(connection: sa.Connection) -> Figures:
    """The figures as they stand."""
    stored = sums.sums(connection)
    return Figures(
        received=stored.received,
        refused=stored.refused,
        refused_by_reason=stored.refused_by_reason,
        landed=stored.landed,
        parked=sum(stored.parked.values()),
        parked_by_reason=stored.parked,
        ignored=sum(stored.ignored.values()),
        ignored_by_reason=stored.ignored,
        understood=stored.understood,
        commerce_events=queries.counted(connection, queries.EVENTS_BY_TYPE),
        custom_events=queries.counted(connection, queries.CUSTOM_EVENTS_BY_DEFINITION),
        accepted=queries.counted(connection, queries.ACCEPTED_BY_DEFINITION),
        uploads=queries.counted(connection, queries.UPLOADS_BY_STATE),
        adjustments=queries.counted(connection, queries.ADJUSTMENTS_BY_STATE),
        reasons=queries.counted(connection, queries.REASONS),
        value_sent=queries.value_sent_by_site(connection),
        sums_agree=stored.agree,
        gaps=list(stored.gaps),
        open_work=dict(queries.open_work(connection, SOON_S)),
    )


def disagreements(sent: Sent, before: Figures, after: Figures) -> list[str]:
    """Where the stores' own count of this run and the receiver's differ; the ping is answered and not counted."""
    gaps = list(after.gaps)
    received = after.received - before.received
    pings = sum(count for (kind, _), count in sent.by_kind.items() if kind == "ping")
    if received != sent.posts - pings:
        gaps.append(f"received: the stores posted {sent.posts - pings}, the receiver counted {received}.")
    refused = after.refused - before.refused
    if refused != sent.refused:
        gaps.append(f"refused: the stores were refused {sent.refused} times, the receiver counted {refused}.")
    return gaps


def write(file: Path, figures: Figures, **more: Any) -> None:
    """The figures as JSON, for machines; `more` (seconds, run) beside them."""
    plain = msgspec.to_builtins(figures, builtin_types=(Decimal,))
    plain["value_sent"] = {site: float(value) for site, value in figures.value_sent.items()}
    file.write_text(json.dumps({**plain, **more}, indent=2, sort_keys=True) + "\n")


def show(console: Console, figures: Figures) -> None:
    """The tables at the end."""
    deliveries = {
        name: getattr(figures, name) for name in ("received", "refused", "landed", "understood", "parked", "ignored")
    }
    console.print(_table("Webhooks", "", deliveries))
    whys = {
        "refused": figures.refused_by_reason,
        "parked": figures.parked_by_reason,
        "ignored": figures.ignored_by_reason,
    }
    reasons = {f"{stage}: {why}": count for stage, by_reason in whys.items() for why, count in by_reason.items()}
    console.print(_table("Refused, parked, ignored", "reason", reasons))
    console.print(_table("Commerce events", "type", figures.commerce_events))
    console.print(_table("Custom events", "definition", figures.custom_events))
    console.print(_table("Accepted by Google", "definition", figures.accepted))
    console.print(_table("Conversions at Google", "state", figures.uploads))
    console.print(_table("Adjustments", "state", figures.adjustments))
    console.print(_table("Held, withheld, refused", "reason", figures.reasons))
    console.print(
        _table("Value that stands at Google", "site, currency", {k: f"{v:,.2f}" for k, v in figures.value_sent.items()})
    )


def _table(title: str, heading: str, rows: dict[str, Any]) -> Table:
    table = Table(title=title, title_justify="left", min_width=46)
    table.add_column(heading)
    table.add_column("", justify="right")
    for name, count in rows.items():
        table.add_row(name, f"{count:,}" if isinstance(count, int) else str(count))
    return table
