"""`custom-events retention`: what is kept for how long, what is too old, and doing what is due."""

import click

from cli.session import connected, prepared


@click.command(short_help="What is older than it may be; delete it now.")
@click.option("--run", is_flag=True, help="Do now what Dagster's job keep_partitions does every day.")
def retention(*, run: bool) -> None:
    """Show since when bodies and refused deliveries are there, and for how long they may be.

    With --run: archive raw events that expire where CUSTOM_EVENTS_ARCHIVE_URL says so, drop expired partitions, blank click ids and hashes of settled conversions for which Google takes nothing any more, forget
    customers who were not seen for long, and delete old refused deliveries. Exit code 1 while something is too old.

    \b
    Examples:
      custom-events retention
      custom-events retention --run
    """
    from datetime import UTC, datetime

    from custom_events.postgres import partitions
    from custom_events.redaction import retention as expiry
    from custom_events.redaction.archives import archive_due

    settings, now = prepared(), datetime.now(UTC)
    with connected(settings) as engine:
        if run:
            for week in archive_due(engine, settings, now):
                click.echo(f"Archived: {week.week}" if week.problem is None else f"{week.week}: {week.problem}")
            with engine.begin() as connection:
                dropped = partitions.drop_expired(connection, settings, now)
            expired = expiry.expire(engine, settings, now)
            click.echo(f"Partitions dropped: {len(dropped.names)}; kept: {len(dropped.kept)}.")
            for name, reason in dropped.kept.items():
                click.echo(f"  {name}: {reason}")
            click.echo(
                f"Conversions blanked: {expired.identifiers:,}; customers forgotten: {expired.customers:,}; "
                f"refused deliveries deleted: {expired.quarantine:,}."
            )
        with engine.connect() as connection:
            states = expiry.overdue(connection, settings, now)
    for state in states:
        since = "none" if state.since is None else f"since {state.since:%Y-%m-%d}"
        late = f", {state.overdue_days:.0f} days too old" if state.overdue_days else ""
        click.echo(f"{state.what}: {since}, kept for {state.days} days{late}")
    raise SystemExit(1 if any(state.overdue_days for state in states) else 0)
