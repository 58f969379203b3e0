"""`custom-events report`: reports, their schedules, and the log of their runs."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.author import author_option
from cli.report_options import targets_options, when_options
from cli.session import connected, prepared

if TYPE_CHECKING:
    from custom_events.reports.runs import Run
    from custom_events.reports.schedules import Schedule

_AUTHOR = author_option()
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
_FORMATS = ("csv", "xlsx", "parquet", "html", "pdf")
_FORMAT = click.option("--format", "file_format", type=click.Choice(_FORMATS), help="In the place of the report's own.")
_KEY = click.argument("key", metavar="REPORT")
_MOST = 500  # reports, schedules or runs that are listed
_TIME = "%Y-%m-%d %H:%M UTC"


@click.group(short_help="Reports that go out by themselves: schedules, runs, files.")
def report() -> None:
    """Reports of the marts that dbt builds: built-in ones, and those that people saved in the console (docs/how-to/reports.md).

    \b
    Examples:
      custom-events report list
      custom-events report run daily_accuracy --to accuracy.xlsx
      custom-events report schedule funnel --every week --at 06:30 --zone Europe/Berlin --email team@example.org
      custom-events report runs --state failed
      custom-events report rerun 12
    """


@report.command(name="list", short_help="Reports and their schedules.")
@_AS_JSON
def list_(*, as_json: bool) -> None:
    """Show every report, built in or saved, with the schedules that send it."""
    from datetime import UTC, datetime

    import msgspec

    from custom_events.reports import planning, rules, schedules, specifications
    from custom_events.reports.built_in import BUILT_IN

    with connected(prepared()) as engine, engine.connect() as connection:
        listed = [*BUILT_IN.values(), *specifications.search(connection, limit=_MOST)]
        problems = planning.problems(connection, datetime.now(UTC))
        by_report: dict[str, list[Schedule]] = {}
        for schedule in schedules.search(connection, limit=_MOST):
            by_report.setdefault(schedule.report_key, []).append(schedule)
    if as_json:
        scheduled = [schedule for group in by_report.values() for schedule in group]
        click.echo(msgspec.json.format(msgspec.json.encode({"reports": listed, "schedules": scheduled}), indent=2))
        return
    for stored in listed:
        origin = "built in" if stored.is_built_in else f"by {stored.author}"
        click.echo(f"{stored.key}: {stored.name} ({stored.content.period}, {stored.content.format}, {origin})")
        for schedule in by_report.get(stored.key, ()):
            when = f"next {schedule.next_due_at:{_TIME}}" if schedule.is_active else "paused"
            click.echo(f"  schedule {schedule.id}: {rules.in_words(schedule.rule)}; {when}; {_targets(schedule)}")
    for schedule_id, sentence in problems.items():
        click.echo(f"schedule {schedule_id} is due and cannot be planned: {sentence}")


@report.command(short_help="What a report holds.")
@_KEY
def show(*, key: str) -> None:
    """Show the report REPORT as JSON: mart, columns, filters, order, period, format."""
    import msgspec

    from custom_events.reports import specifications

    with connected(prepared()) as engine, engine.connect() as connection:
        stored = specifications.get(connection, key)
    click.echo(msgspec.json.format(msgspec.json.encode(stored), indent=2))


@report.command(short_help="Make a report now.")
@_KEY
@click.option(
    "--site", "site_keys", multiple=True, metavar="SITE", help="Of this site; may be given again. Left out: all."
)
@click.option("--as-of", metavar="TIME", help="To which moment or day its period is relative. Left out: now.")
@click.option("--zone", metavar="NAME", help="Whose days the period is counted by (IANA name).")
@_FORMAT
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="Copy the file there; its ending chooses the format where --format is left out. A directory takes it under its own name.",
)
@_AUTHOR
def run(
    *,
    key: str,
    site_keys: tuple[str, ...],
    as_of: str | None,
    zone: str | None,
    file_format: str | None,
    to: Path | None,
    author: str,
) -> None:
    """Make the report REPORT now, on this machine. Its file is kept like those of schedules.

    Exits with 1 when it could not be made.
    """
    from datetime import UTC, datetime

    import msgspec

    from custom_events.catalog import sites
    from custom_events.catalog.configurations import refuse
    from custom_events.reports import content, runs, specifications
    from custom_events.reports.running import Exporter
    from custom_events.values import zones
    from custom_events.values.times import read_day_or_moment

    if as_of is not None and read_day_or_moment(as_of) is None:
        raise click.BadParameter(f'"{as_of}" is no time: 2026-11-30 or 2026-11-30T06:00+01:00', param_hint="--as-of")
    settings = prepared()
    overrides = {"format": file_format or _format_of(to), "time_zone": zone}
    changes = {name: value for name, value in overrides.items() if value is not None}
    with connected(settings) as engine:
        with engine.begin() as connection:
            stored = specifications.get(connection, key)
            changed: Any = msgspec.structs.replace(stored.content, **changes)
            refuse(content.problems(changed))
            # A day is one of the zone whose days the period is counted by: by UTC it would be the day before west of it.
            moment = None if as_of is None else read_day_or_moment(as_of, zones.zone(changed.time_zone))
            waiting = runs.ask(
                connection,
                msgspec.structs.replace(stored, content=changed),
                site_ids=tuple(sites.by_key(connection, site_key).id for site_key in site_keys) or None,
                actor=author,
                now=datetime.now(UTC),
                as_of=moment,
            )
        done = Exporter(engine, settings).run_next(waiting.id)
    _finish(done, settings, to)


@report.command(short_help="Let a report go out by itself.")
@_KEY
@when_options
@targets_options
@click.option("--name", help="What people call it. Left out: the report's name.")
@click.option(
    "--site", "site_keys", multiple=True, metavar="SITE", help="Of this site; may be given again. Left out: all."
)
@_FORMAT
@click.option(
    "--catch-up",
    type=click.Choice(("newest", "all", "none")),
    default="newest",
    show_default=True,
    help="Which missed runs are made up for.",
)
@click.option(
    "--retries", type=click.IntRange(0, 20), default=5, show_default=True, help="How often a run is tried again."
)
@click.option(
    "--keep-days", type=click.IntRange(1, 3650), help="Days that its files are kept. Left out: as the settings say."
)
@_AUTHOR
def schedule(
    *,
    key: str,
    name: str | None,
    site_keys: tuple[str, ...],
    file_format: str | None,
    catch_up: str,
    retries: int,
    keep_days: int | None,
    author: str,
    **options: Any,
) -> None:
    """Send the report REPORT by the clock, to each target that is named; without one its files stay on this machine."""
    from datetime import UTC, datetime

    from cli.report_options import rule_of, targets_of
    from custom_events.catalog import sites
    from custom_events.reports import rules, schedules, specifications, targets
    from custom_events.reports.schedules import CatchUp, ScheduleSettings

    settings = prepared()
    named_targets, new_secret = targets_of(options)
    listed, secrets = targets.read(named_targets)
    now = datetime.now(UTC)
    with connected(settings) as engine, engine.begin() as connection:
        chosen: dict[str, Any] = {
            "report_key": key,
            "name": name or specifications.get(connection, key).name,
            "rule": rule_of(options),
            "targets": listed,
            "format": file_format,
            "catch_up": CatchUp(catch_up),
            "retries": retries,
            "retention_days": keep_days,
            "site_ids": tuple(sites.by_key(connection, site_key).id for site_key in site_keys) or None,
        }
        stored = schedules.create(
            connection, ScheduleSettings(**chosen), secrets, settings=settings, actor=author, now=now
        )
    click.echo(f"Schedule {stored.id}: {rules.in_words(stored.rule)}; {_targets(stored)}. The next times:")
    for moment in rules.next_times(stored.rule, now, 5):
        click.echo(f"  {rules.moment_in_words(moment, stored.rule.time_zone)}")
    if new_secret is not None:
        click.echo(f"Signing secret of the webhook (shown once): {new_secret}")


@report.command(short_help="End a schedule.")
@click.argument("number", metavar="SCHEDULE", type=click.IntRange(min=1))
@_AUTHOR
def unschedule(*, number: int, author: str) -> None:
    """Remove the schedule of this number; runs that have not ended are skipped, the log stays."""
    from custom_events.reports import schedules

    with connected(prepared()) as engine, engine.begin() as connection:
        schedules.remove(connection, number, actor=author)
    click.echo(f"Schedule {number} is removed.")


@report.command(short_help="The log of runs, newest first.")
@click.option("--report", "key", metavar="REPORT", help="Only those of this report.")
@click.option("--schedule", "number", type=click.IntRange(min=1), help="Only those of this schedule.")
@click.option(
    "--state",
    type=click.Choice(("queued", "writing", "delivering", "delivered", "failed", "skipped")),
    help="Only those in this state.",
)
@click.option("--rows", type=click.IntRange(1, _MOST), default=20, show_default=True, help="How many.")
@_AS_JSON
def runs(*, key: str | None, number: int | None, state: str | None, rows: int, as_json: bool) -> None:
    """Show runs with their period, state, rows, digest, and where their files went."""
    import msgspec

    from custom_events.reports import runs as services
    from custom_events.reports.runs import RunState

    with connected(prepared()) as engine, engine.connect() as connection:
        run_state = RunState(state) if state is not None else None
        listed = services.search(connection, report_key=key, schedule_id=number, state=run_state, limit=rows)
    if as_json:
        plain = [
            {name: value for name, value in msgspec.to_builtins(listed_run).items() if name != "delivery_key"}
            for listed_run in listed
        ]
        click.echo(msgspec.json.format(msgspec.json.encode({"runs": plain}), indent=2))
        return
    for listed_run in listed:
        click.echo(_line(listed_run))
    if not listed:
        click.echo("There are no such runs yet.")


@report.command(short_help="Do a run that failed or was skipped again.")
@click.argument("number", metavar="RUN", type=click.IntRange(min=1))
@_AUTHOR
def rerun(*, number: int, author: str) -> None:
    """Do the run of this number again, now and on this machine; where its file was delivered already it does not go twice.

    Exits with 1 when it could not be done.
    """
    from datetime import UTC, datetime

    from custom_events.reports import runs as services
    from custom_events.reports.running import Exporter

    settings = prepared()
    with connected(settings) as engine:
        with engine.begin() as connection:
            services.rerun(connection, number, actor=author, now=datetime.now(UTC))
        done = Exporter(engine, settings).run_next(number)
    _finish(done, settings, None)


def _format_of(to: Path | None) -> str | None:
    """The format that a file's ending names, if it names one."""
    ending = "" if to is None or to.is_dir() else to.suffix.removeprefix(".").lower()
    return ending if ending in _FORMATS else None


def _finish(done: "Run | None", settings: Any, to: Path | None) -> None:
    """Say what came of a run that was done here; a copy of its file where `to` says."""
    from custom_events.reports import runs as services
    from custom_events.reports.runs import RunState

    if done is None:  # another worker was faster
        click.echo("Another worker does it: `custom-events report runs` says what comes of it.")
        return
    click.echo(_line(done))
    if done.state is not RunState.DELIVERED:
        raise SystemExit(1)
    path = services.path_of(settings, done)
    if to is not None:
        path = Path(shutil.copyfile(path, to / path.name if to.is_dir() else to))
    click.echo(f"File: {path}")


def _line(run: "Run") -> str:
    size = "" if run.rows is None else f", {run.rows:,} rows, {run.bytes:,} bytes, sha256 {(run.sha256 or '')[:12]}"
    places = "".join(f"\n  delivered: {receipt.where}" for receipt in run.receipts.values())
    warnings = "".join(f"\n  warning: {warning}" for warning in run.warnings)
    error = "" if run.error is None else f"\n  {run.error.kind}: {run.error.sentence}"
    return f"run {run.id}  {run.report_key}, {run.days}: {run.state}{size}{places}{warnings}{error}"


def _targets(schedule: "Schedule") -> str:
    from custom_events.reports import targets

    return (
        ", ".join(targets.in_words(target) for target in schedule.targets) or "no targets: files stay on this machine"
    )
