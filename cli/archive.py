"""`custom-events archive`: old raw events as files with checksums; what is there, whether it is sound, and bringing weeks back."""

from datetime import date, datetime

import click

from cli.author import author_option
from cli.session import connected, prepared

RESTORED_DAYS = 14  # that restored rows are kept: time to look, and to replay
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
_WEEKS = click.argument("weeks", metavar="WEEK...", nargs=-1, type=click.DateTime(["%Y-%m-%d"]))


@click.group(short_help="Old raw events as files: write, verify, restore.")
def archive() -> None:
    """Weeks of raw events as Parquet files, in the folder or storage of CUSTOM_EVENTS_ARCHIVE_URL (docs/how-to/archive.md). Dagster's job
    keep_partitions writes those whose retention is over, and drops nothing that is not there. A WEEK is named by its Monday (or any day of it).

    \b
    Examples:
      custom-events archive list
      custom-events archive verify
      custom-events archive write
      custom-events archive restore 2026-06-01
    """


@archive.command("list", short_help="The weeks that are archived, and what could not be.")
@_AS_JSON
def list_(*, as_json: bool) -> None:
    """Show each week with its rows, its size, and what is wrong with it. Exit code 1 while a week could not be archived.

    --json: weeks, each with week, manifest, problem, problem_since, restored_until.
    """
    import msgspec

    from custom_events.archive.reading import weeks

    settings = prepared()
    with connected(settings) as engine, engine.connect() as connection:
        archived_weeks = weeks(connection, settings)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"weeks": archived_weeks}), indent=2))
    for entry in () if as_json else archived_weeks:
        parts = [str(entry.week)]
        if (manifest := entry.manifest) is not None:
            parts.append(f"{manifest.rows:,} rows, {manifest.bytes:,} bytes, {len(manifest.files)} files")
        if entry.restored_until is not None:
            parts.append(f"restored until {entry.restored_until:%Y-%m-%d}")
        if entry.problem is not None:
            since = "" if entry.problem_since is None else f" (since {entry.problem_since:%Y-%m-%d})"
            parts.append(f"{entry.problem}{since}")
        click.echo("  ".join(parts))
    if not archived_weeks and not as_json:
        click.echo("Nothing is archived yet.")
    raise SystemExit(1 if any(entry.problem is not None for entry in archived_weeks) else 0)


@archive.command(short_help="Compare files with their checksums.")
@_WEEKS
def verify(*, weeks: tuple[datetime, ...]) -> None:
    """Read the files of these weeks, or of all, and compare each with the SHA-256, the rows and the columns of its manifest. Exit code 1 when
    something is wrong."""
    from custom_events.archive import reading
    from custom_events.archive.storage import opened

    settings = prepared()
    if weeks:
        chosen = _mondays(weeks)
    else:
        with opened(settings) as storage:
            chosen = storage.weeks()
    is_sound = True
    for week in chosen:
        verified = reading.verify(settings, week)
        is_sound = is_sound and not verified.problems
        state = "sound" if not verified.problems else "WRONG"
        click.echo(f"{week}  {state}  {verified.rows:,} rows in {verified.files} files")
        for problem in verified.problems:
            click.echo(f"  {problem}")
    if not chosen:
        click.echo("Nothing is archived yet.")
    raise SystemExit(0 if is_sound else 1)


@archive.command(short_help="Archive now what is due.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Weeks that ended on or before this day, and a day ago at least. Left out: those whose retention is over.",
)
def write(*, until: datetime | None) -> None:
    """Archive the weeks that are due and not in the archive. Nothing is dropped: `custom-events retention --run` does that. Exit code 1 when a
    week could not be archived.

    \b
    Examples:
      custom-events archive write
      custom-events archive write --until 2026-11-30     all that has ended, to replay it with --engine spark
    """
    from datetime import UTC, timedelta

    from custom_events.archive import writing
    from custom_events.redaction.archives import forgotten_check

    settings, now = prepared(), datetime.now(UTC)
    last_day = now.date() - timedelta(days=settings.raw_retention_days) if until is None else until.date()
    with connected(settings) as engine:
        results = writing.write(engine, settings, now, forgotten_check(engine, settings), until=last_day)
    for result in results:
        if (manifest := result.manifest) is None:
            click.echo(f"{result.week}  NOT ARCHIVED  {result.problem}")
        else:
            click.echo(f"{result.week}  {manifest.rows:,} rows, {manifest.bytes:,} bytes, {len(manifest.files)} files")
    if not results:
        click.echo(f"Everything that ended on or before {last_day} is in the archive.")
    raise SystemExit(1 if any(result.problem is not None for result in results) else 0)


@archive.command(short_help="Bring weeks back into the database for a while.")
@_WEEKS
@click.option(
    "--days",
    default=RESTORED_DAYS,
    show_default=True,
    type=click.IntRange(1, 366),
    help="Days for which they stay; they are dropped again afterwards.",
)
@author_option()
def restore(*, weeks: tuple[datetime, ...], days: int, author: str) -> None:
    """Bring archived weeks back, with their numbers and times: `custom-events raw` and `explain` show their bytes again, and `custom-events
    replay --since ... --until ...` puts them through today's understanding and rules. Of what the database does not know what became is queued as
    if it had just landed. People who were forgotten do not come back. May be interrupted and run again.

    \b
    Examples:
      custom-events archive restore 2026-06-01 2026-06-08
      custom-events replay --since 2026-06-01 --until 2026-06-15
    """
    from datetime import UTC

    from custom_events.archive import restoring
    from custom_events.catalog import audit
    from custom_events.redaction.archives import forgotten_check

    if not weeks:
        raise click.UsageError("say which weeks: `custom-events archive list` shows them.")
    settings = prepared()
    with connected(settings) as engine:
        is_forgotten = forgotten_check(engine, settings)
        for week in _mondays(weeks):
            restored = restoring.restore(engine, settings, week, datetime.now(UTC), is_forgotten, days=days)
            counts = {"rows": restored.landed, "waiting": restored.waiting, "until": restored.until.isoformat()}
            with engine.begin() as connection:
                audit.record(connection, actor=author, action="archive.restore", subject=f"week:{week}", detail=counts)
            blanked = f", {restored.blanked:,} of forgotten people without their content" if restored.blanked else ""
            click.echo(
                f"{week}  {restored.landed:,} of {restored.rows:,} rows came back{blanked}; {restored.waiting:,} wait to be understood; "
                f"they stay until {restored.until:%Y-%m-%d}"
            )


def _mondays(days: tuple[datetime, ...]) -> list[date]:
    from custom_events.postgres.spans import span_begin
    from custom_events.tables.registry import Span
    from custom_events.values.times import FIRST_YEAR, LAST_YEAR

    for day in days:
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise click.BadParameter(
                f"{day:%Y-%m-%d} is no week of the years {FIRST_YEAR} to {LAST_YEAR}", param_hint="WEEK"
            )
    return sorted({span_begin(Span.WEEK, day.date()) for day in days})
