"""`custom-events sizing`: what a number of events a day takes, in processors, memory, disk, log and connections."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cli.sizing_arithmetic import Sizing

EVENTS, SITES, ASSIGNMENTS = 100_000, 100, 500
MOST_EVENTS, MOST_SITES, MOST_ASSIGNMENTS, MOST_DAYS = 1_000_000_000, 1_000_000, 10_000_000, 3_650
GB = 10**9


@click.command(short_help="What a number of events a day takes: processors, memory, disk.")
@click.option(
    "--events-a-day",
    type=click.IntRange(0, MOST_EVENTS),
    default=EVENTS,
    show_default=True,
    help="Webhooks a day; an order is about four.",
)
@click.option("--sites", type=click.IntRange(1, MOST_SITES), default=SITES, show_default=True, help="Sites.")
@click.option(
    "--assignments",
    type=click.IntRange(0, MOST_ASSIGNMENTS),
    default=ASSIGNMENTS,
    show_default=True,
    help="Assignments of custom events to sites, all together.",
)
@click.option("--raw-days", type=click.IntRange(1, MOST_DAYS), help="Days that bodies are kept; default: what is set.")
@click.option(
    "--event-days", type=click.IntRange(1, MOST_DAYS), help="Days that events are kept; default: what is set."
)
@click.option(
    "--log-days",
    type=click.IntRange(0, MOST_DAYS),
    default=0,
    show_default=True,
    help="Days of archived log (WAL) that are kept for recovery to a point in time.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
def sizing(
    *,
    events_a_day: int,
    sites: int,
    assignments: int,
    raw_days: int | None,
    event_days: int | None,
    log_days: int,
    as_json: bool,
) -> None:
    """Compute what an installation needs from what was measured (docs/how-to/sizing.md says how, and how sure that is).

    Neither a database nor a server is asked. Days that are not given are those of the settings.

    \b
    Examples:
      custom-events sizing --events-a-day 400000 --sites 1000 --assignments 5000
      custom-events sizing --events-a-day 2000000 --log-days 7 --json | jq .cores
    """  # fmt: skip
    import msgspec

    from cli.session import prepared
    from cli.sizing_arithmetic import Load, size

    settings = prepared()
    load = Load(
        events_a_day=events_a_day,
        sites=sites,
        assignments=assignments,
        raw_days=raw_days or settings.raw_retention_days,
        event_days=event_days or settings.event_retention_days,
        log_days=log_days,
    )
    sized = size(load)
    if as_json:
        totals = {"cores": sized.cores, "memory_mib": sized.memory_mib, "disk_bytes": sized.disk_bytes}
        document = {"load": load, "sizing": sized, **totals}
        click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2))
    else:
        click.echo(_table(sized))


def _table(sized: "Sizing") -> str:
    lines = [
        f"{sized.mean_a_second:,.1f} events a second on average, {sized.peak_a_second:,.1f} at the peak",
        "",
        f"{'':42}{'processes':>10}{'cores each':>12}{'MiB each':>10}{'connections each':>18}",
        *(
            f"{program.name:42}{program.processes:>10}{program.cores:>12.2f}{program.memory_mib:>10,}{program.connections:>18}"
            for program in sized.programs
        ),
        f"{'PostgreSQL':42}{1:>10}{sized.postgres_cores:>12.2f}{sized.postgres_memory_mib:>10,}",
        f"{'together':42}{'':>10}{sized.cores:>12}{sized.memory_mib:>10,}{sized.connections:>18}",
        "",
        *(f"{name:42}{count:>14,} rows" for name, count in sized.rows.items()),
        "",
        *(f"{name:42}{size / GB:>14,.1f} GB" for name, size in sized.disk.items()),
        f"{'disk, with three tenths left empty':42}{sized.disk_bytes / GB:>14,.1f} GB",
        f"{'log (WAL) written in a day':42}{sized.log_a_day_bytes / GB:>14,.1f} GB",
    ]
    return "\n".join(lines)
