"""`custom-events status`: what came in, what went out, whether the sums agree."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from cli.session import connected, here_only, prepared, server

if TYPE_CHECKING:
    from custom_events.watching.status import ReplicaStatus, Status


@click.command(short_help="What came in, what went out, do the sums agree.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
@click.option("--exact", is_flag=True, help="Count whole tables, and lay them beside the figures that are kept.")
def status(*, as_json: bool, exact: bool) -> None:
    """Show the figures of every stage, the open work, and whether the sums agree.

    The figures are those that every writer keeps; a schedule counts whole tables nightly, as `--exact` does now, and says so
    where they differ.

    \b
    Examples:
      custom-events status
      custom-events status --json | jq '.sums.landed'
    """
    import msgspec

    measured = _read(exact=exact)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(measured), indent=2))
        return
    for line in _lines(measured):
        click.echo(line)


def _read(*, exact: bool) -> "Status":
    """Where --server says, else beside the database."""
    if exact:
        here_only("--exact", "whole tables are counted for minutes, longer than a request may take")
    if (asked := server()) is not None:
        from cli.afar.reading import status as read_afar

        return read_afar(asked)
    from custom_events.watching.status import exact_status
    from custom_events.watching.status import status as read

    settings, now = prepared(), datetime.now(UTC)
    with connected(settings) as engine, engine.begin() as connection:
        return (exact_status if exact else read)(connection, settings, now)


def _lines(measured: "Status") -> Iterator[str]:
    from custom_events.watching.equations import lines

    sums = measured.sums
    for line in lines(sums):
        yield _row(line.name, line.total, line.parts)
    sections = {
        "Refused, by reason": sums.refused_by_reason,
        "Parked, by reason": sums.parked,
        "Ignored, by reason": sums.ignored,
        "Of paused sites: understood, and matched with nothing": {"deliveries": sums.paused} if sums.paused else {},
        "Bodies with a leaf of an odd type, by site and path": measured.odd_leaves,
        "Commerce events": measured.commerce_events,
        "Custom events": measured.custom_events,
        "Withdrawn since, by reason": sums.withdrawn,
        "Conversions, by state (unmatched: Google has no such click)": measured.uploads,
        "Adjustments, by state": measured.adjustments,
        "Held, withheld, unmatched or refused": measured.reasons,
        "In requests of which Google names no rows": measured.unnamed,
        "With hashes alone, as their click id is invalid, by state": measured.without_click_id,
        "Beside Google's counts, 28 days": measured.reconciled,
        "Orders that no delivery had brought, 30 days": measured.missing_orders,
        "Less than half of what is usual, for hours": measured.quiet,
        "Alarms, open": measured.alarms,
        "Dagster keeps": measured.dagster,
        "Open work": {name: count for name, count in measured.open_work.items() if count},
    }
    for title, counts in sections.items():
        yield from _section(title, counts)
    if measured.replica is not None:
        yield ""
        yield f"Replica: {_replica(measured.replica)}"
    yield ""
    yield "The sums agree." if measured.agree else "The sums do NOT agree: " + "; ".join(sums.gaps)


def _replica(replica: "ReplicaStatus") -> str:
    behind = "nobody knows how far behind" if replica.behind_s is None else f"{replica.behind_s:.1f} s behind"
    return f"read, {behind}" if replica.problem is None else f"not read ({replica.problem}), {behind}"


def _row(name: str, total: int, parts: Mapping[str, int]) -> str:
    return f"{name:9} {total:>10,} = " + " + ".join(f"{part} {count:,}" for part, count in parts.items())


def _section(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        yield ""
        yield title
        for name, count in sorted(counts.items(), key=lambda name_count: (-name_count[1], name_count[0])):
            yield f"  {count:>10,}  {name}"
