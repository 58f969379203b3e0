"""`custom-events config`: the rules as files: export, validate, plan, apply."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.author import author_option
from cli.paths import readable, writing
from cli.session import connected, located, prepared

if TYPE_CHECKING:
    from custom_events.backtest.plan_effects import Foreseen, Outlook
    from custom_events.backtest.result import Counts
    from custom_events.backtest.rule_conflict_counts import Counted
    from custom_events.catalog.files.folder import Finding
    from custom_events.catalog.files.plan import Plan
    from custom_events.catalog.files.stored import Stored

HISTORY_DAYS = 30  # looked back at for conflicts and effects
MAX_HISTORY_DAYS = 3_650  # ten years; events are kept for two unless somebody set more
LOOK_LIMIT_S = 60.0  # for all looks back of one plan together

_FOLDER = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
_DAYS = click.option(
    "--days",
    default=HISTORY_DAYS,
    show_default=True,
    type=click.IntRange(0, MAX_HISTORY_DAYS),
    help="History to count conflicts and effects on; 0: none.",
)


@click.group(short_help="The rules as files: export, validate, plan, apply.")
def config() -> None:
    """Definitions, sites (without secrets), assignments and ads accounts as YAML files in a folder.

    A folder changes what it names and nothing else. The format: docs/reference/config-files.md.

    \b
    Examples:
      custom-events config export rules                     write what is configured
      custom-events config validate rules                   check the files alone, without a database
      custom-events config plan rules --out plan.json       what would change, and what that would have made of history
      custom-events config apply --plan plan.json           just that, in one transaction
    """


@config.command(short_help="Write what is configured as files.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--prune", is_flag=True, help="Remove files of FOLDER that hold nothing of the database.")
def export(folder: Path, *, prune: bool) -> None:
    """Write definitions, sites, assignments and ads accounts into FOLDER, one file each; drafts and secrets are left out.

    What the product ships unchanged is left out, too. Files that say the same already are not touched.
    """
    from custom_events.catalog.files import folder as files
    from custom_events.catalog.files import stored

    with located(prepared()) as url:
        catalog = stored.exported(_stored(url).catalog)
    texts = files.texts(catalog)
    with writing(folder):
        changed, others = files.write(folder, texts, prune=prune)
    click.echo(f"{len(texts)} files in {folder}, {len(changed)} written.")
    for name in others:
        click.echo(f"  {name}: {'removed' if prune else 'not in the database (--prune removes it)'}")


@config.command(short_help="Check files, or what is stored; all errors at once.")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@_JSON
@_DAYS
@click.option("--strict", is_flag=True, help="Warnings are errors: exit code 1 for them, too.")
def validate(folder: Path | None, *, as_json: bool, days: int, strict: bool) -> None:
    """Check the files of FOLDER alone, without a database. Without FOLDER: what the database holds, with conflicts counted.

    Each line names the file, the line, the path in it, what is wrong and what would be right. An error cannot be applied and gives
    exit code 1; a warning (a setting without effect, a file that is not read) is shown.
    """
    findings, counted = _stored_findings(days) if folder is None else (_folder_findings(folder), ())
    if strict:
        findings = [_as_error(finding) for finding in findings]
    if as_json:
        _show_json({**_findings_json(findings), "conflicts": _counted_json(counted)})
    else:
        for finding in findings:
            click.echo(f"{finding.severity:<8} {finding}")
        for conflict in counted:
            click.echo(f"conflict {conflict.conflict.site_key}: {conflict.sentence}")
        for sentence in _consent_sentences(folder):
            click.echo(f"consent  {sentence}.")
    errors = sum(finding.severity == "error" for finding in findings)
    if not as_json:
        click.echo(f"{errors} errors, {len(findings) - errors} warnings." if findings else "Nothing is wrong.")
    click.get_current_context().exit(1 if errors else 0)


def _consent_sentences(folder: Path | None) -> list[str]:
    """What becomes of conversions whose customer said nothing, as the files of a folder have it, or as it is stored."""
    from custom_events.catalog import consent_policies
    from custom_events.catalog.files import folder as files

    if folder is not None:
        return consent_policies.sentences_of(files.read(folder).catalog)
    with connected(prepared()) as engine, engine.connect() as connection:
        return consent_policies.sentences(connection)


@config.command(short_help="What applying files would change.")
@_FOLDER
@_JSON
@_DAYS
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan, to be applied as it is.")
@author_option("Who makes the change.")
@click.option("--reason", default="", help="Why; kept with each revision.")
def plan(folder: Path, *, as_json: bool, days: int, out: Path | None, author: str, reason: str) -> None:
    """Show what applying FOLDER would change, setting by setting, and what that would have made of the last days.

    Nothing is changed. The saved plan is refused once the configuration has changed in between. Exit code 1 when there are
    errors.
    """
    import msgspec

    from custom_events.catalog.files import apply as applying

    plan, seen = _planned(folder, days)
    if as_json:
        outlook = None if seen is None else {**msgspec.to_builtins(seen), "conflicts": _counted_json(seen.conflicts)}
        findings = _findings_json(plan.findings)
        _show_json({"steps": plan.steps, **findings, "left_alone": plan.left_alone, "outlook": outlook})
    else:
        for line in (*_plan_lines(plan), *(() if seen is None else outlook_lines(seen))):
            click.echo(line)
    if out is not None and plan.can_be_applied:
        with writing(out):
            out.write_bytes(applying.save(plan, author=author, reason=reason, now=datetime.now(UTC)))
        click.echo(f"Saved. Apply it with: custom-events config apply --plan {out}", err=as_json)
    click.get_current_context().exit(0 if plan.can_be_applied else 1)


@config.command(short_help="Apply a plan, in one transaction.")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--plan",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A plan that `plan --out` saved.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@author_option("Who applies, and so publishes; of a FOLDER also who makes the change.")
@click.option("--reason", default="", help="Why; kept with each revision. A plan has its own.")
def apply(folder: Path | None, *, file: Path | None, yes: bool, author: str, reason: str) -> None:
    """Apply a saved plan, or plan FOLDER and apply it after a question. All of it, or nothing.

    Refused when the configuration has changed since the plan, and, where publishing needs a second person, when the plan's
    author applies it.
    """
    from custom_events.catalog.files import apply as applying

    if (folder is None) is (file is None):
        raise click.UsageError("Name a FOLDER, or a plan with --plan FILE.")
    if folder is not None:
        plan, _ = _planned(folder, 0)
        for line in _plan_lines(plan):
            click.echo(line)
        if plan.steps and plan.can_be_applied and not yes:
            click.confirm("Apply this?", abort=True)
        saved = applying.load(applying.save(plan, author=author, reason=reason, now=datetime.now(UTC)))
    else:
        assert file is not None  # noqa: S101 - one of the two, as was just asked
        with readable(file):
            saved = applying.load(file.read_bytes())
        for warning in saved.warnings:
            click.echo(f"warning  {warning}")
        for step in saved.steps:
            click.echo(str(step))
    with connected(prepared()) as engine, engine.begin() as connection:
        steps = applying.apply(connection, saved, by=author)
    click.echo(f"Applied: {len(steps)} steps." if steps else "Nothing to apply: it is so already.")


def _folder_findings(folder: Path) -> "list[Finding]":
    from custom_events.catalog.files import checks, effects
    from custom_events.catalog.files import folder as files

    read = files.read(folder)
    problems = [*checks.check(read.catalog, read.unread), *effects.warnings(read.catalog)]
    return [*read.findings, *read.located_all(problems)]


def _stored_findings(days: int) -> "tuple[list[Finding], tuple[Counted, ...]]":
    from custom_events.backtest.plan_effects import conflicts
    from custom_events.catalog.files import checks
    from custom_events.catalog.files.folder import Folder

    with located(prepared()) as url:
        configured = _stored(url)
        counted = conflicts(url, configured, until=datetime.now(UTC), period=timedelta(days=days))
    nowhere = Folder(configured.catalog, [], {}, set())
    return nowhere.located_all(checks.check(configured.catalog)), counted


def _planned(folder: Path, days: int) -> "tuple[Plan, Outlook | None]":
    from custom_events.backtest.plan_effects import outlook
    from custom_events.catalog.files import folder as files
    from custom_events.catalog.files import plan as planning

    with located(prepared()) as url:
        configured = _stored(url)
        plan = planning.make(configured, files.read(folder))
        if not (days and plan.steps and plan.can_be_applied):
            return plan, None
        return plan, outlook(
            url,
            configured,
            plan.wanted,
            until=datetime.now(UTC),
            period=timedelta(days=days),
            limit_s=LOOK_LIMIT_S,
            tell=lambda sentence: click.echo(f"... {sentence}", err=True) if sys.stderr.isatty() else None,
        )


def _stored(url: str) -> "Stored":
    from custom_events.catalog.files import stored
    from custom_events.postgres import connect

    engine = connect.engine(url, name="custom-events cli")
    try:
        with engine.connect() as connection:
            return stored.read(connection)
    finally:
        engine.dispose()


def _plan_lines(plan: "Plan") -> Iterator[str]:
    for finding in plan.findings:
        yield f"{finding.severity:<8} {finding}"
    for step in plan.steps:
        yield str(step)
        yield from (f"    {line}" for line in step.lines)
    if plan.left_alone:
        yield "Not in the files, left as they are:"
        yield from (f"    {name}" for name in plan.left_alone)
    yield f"{len(plan.steps)} steps." if plan.steps else "Nothing would change."


def outlook_lines(seen: "Outlook") -> Iterator[str]:
    """What a plan would have made of the past, and what gets into whose way."""
    from custom_events.backtest.result_lines import effect_line

    if seen.foreseen:
        yield f"Had it applied since {seen.since:%Y-%m-%d}:"
    for foreseen in seen.foreseen:
        part = "" if foreseen.is_complete else " (the time was up: a part of the period)"
        yield f"    {foreseen.subject}: {_counts_line(foreseen.counts)}{part}"
        yield from (f"        {line}" for line in _share_lines(foreseen))
        yield from (f"        at Google, {effect_line(effect)}" for effect in foreseen.effects)
    if seen.left_out:
        yield f"    {seen.left_out} changes were not looked back at: the time was up (`custom-events backtest` has more)"
    for foreseen in seen.conflicts:
        yield f"conflict {foreseen.conflict.site_key}: {foreseen.sentence}"


def _share_lines(foreseen: "Foreseen") -> Iterator[str]:
    """Each assignment's share, where several were looked at: the one that has it may be another than the one that changes."""
    if foreseen.covered < 2:  # noqa: PLR2004
        return
    from custom_events.backtest.result_lines import MAX_SHOWN_ASSIGNMENTS

    for share in foreseen.shares[:MAX_SHOWN_ASSIGNMENTS]:
        name = f'{share.definition} "{share.label}"' + ("" if share.assignment_id > 0 else ", new,")
        yield f"{name} on site {share.site_id}: {_counts_line(share.counts)}"
    if len(foreseen.shares) > MAX_SHOWN_ASSIGNMENTS:
        yield f"... and {len(foreseen.shares) - MAX_SHOWN_ASSIGNMENTS:,} more assignments (--json has all)"


def _counts_line(counts: "Counts") -> str:
    return f"{counts.would_add:,} more, {counts.would_drop:,} fewer, {counts.would_change:,} of another value, {counts.unchanged:,} as they are"


def _as_error(finding: "Finding") -> "Finding":
    import msgspec

    from custom_events.conditions.problems import Severity

    return msgspec.structs.replace(finding, severity=Severity.ERROR)


def _findings_json(findings: "Sequence[Finding]") -> dict[str, Any]:
    """Every finding with its severity, and how many there are of each."""
    errors = sum(finding.severity == "error" for finding in findings)
    names = ("severity", "file", "line", "path", "wrong", "right")
    rows = [{name: getattr(finding, name) for name in names} for finding in findings]
    return {"findings": rows, "errors": errors, "warnings": len(rows) - errors}


def _counted_json(counted: "tuple[Counted, ...]") -> list[Any]:
    import msgspec

    return [{**msgspec.to_builtins(conflict), "sentence": conflict.sentence} for conflict in counted]


def _show_json(document: dict[str, Any]) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2))
