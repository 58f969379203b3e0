"""`custom-events bulk`: many assignments changed at once, tried before, undone afterwards."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.bulk_options import (
    action_of,
    assignment_options,
    chosen_assignments,
    chosen_sites,
    how_of,
    how_options,
    overrides_option,
    publish_option,
    reading_options,
    site_options,
)
from cli.drafts import json_option
from cli.progress import write_over
from cli.revisions import LAST_ID, TIME, Name

if TYPE_CHECKING:
    from custom_events.catalog.bulk.outcomes import BulkResult, RowOutcome

_NUMBER = click.IntRange(1, LAST_ID)


@click.group(short_help="Many assignments changed at once, tried before, undone afterwards.")
def bulk() -> None:
    """Assign a definition to many sites, change, enable, disable or move many assignments, copy a site's whole set to others; 10,000 rows
    at most. --dry-run says of each row what would become of it. All rows are done or, where one fails, none; --row-by-row does each by
    itself. What applied before is brought back by `undo`, for 30 days.

    \b
    Examples:
      custom-events bulk assign purchase --label "all orders" --platform shopify --dry-run
      custom-events bulk change --definition purchase --overrides stricter.yaml --publish
      custom-events bulk disable --site shop.example --reason "a move"
      custom-events bulk copy shop.example --search outlet --publish
      custom-events bulk undo
      custom-events bulk export --definition purchase > assignments.csv
      custom-events bulk import assignments.csv --dry-run

    Exit code 1 when a row failed.
    """


@bulk.command(short_help="Assign a definition to sites.")
@click.argument("key", type=Name("definition"))
@click.option("--label", required=True, help="Tells its assignments on one site apart.")
@site_options
@overrides_option
@publish_option
@how_options
def assign(*, key: str, label: str, overrides_file: Path | None, publish: bool, **options: Any) -> None:
    """Assign the definition KEY to sites."""
    fields = {"definition_key": key, "label": label, "publish": publish}
    _do("assign", options, chosen_sites, overrides_file=overrides_file, **fields)


@bulk.command(short_help="Change the overrides of assignments.")
@assignment_options
@overrides_option
@click.option("--inherit", multiple=True, metavar="SETTING", help="A setting that is overridden no longer.")
@publish_option
@how_options
def change(*, overrides_file: Path | None, inherit: tuple[str, ...], publish: bool, **options: Any) -> None:
    """Change the overrides that a file names, one by one; the others stay. With --publish alone what is drafted applies."""
    _do("change", options, chosen_assignments, overrides_file=overrides_file, inherit=inherit, publish=publish)


@bulk.command(short_help="Let assignments match again.")
@assignment_options
@how_options
def enable(**options: Any) -> None:
    """Let assignments match again."""
    _do("enable", options, chosen_assignments)


@bulk.command(short_help="Let assignments match nothing.")
@assignment_options
@how_options
def disable(**options: Any) -> None:
    """Let assignments match nothing, until they are enabled."""
    _do("disable", options, chosen_assignments)


@bulk.command(short_help="Move assignments to another site.")
@click.option("--to", "target", required=True, metavar="SITE", help="The site (id, key or shop domain).")
@assignment_options
@how_options
def move(*, target: str, **options: Any) -> None:
    """Make assignments on another site as they are here, and disable them here: what they made refers to them."""
    _do("move", options, chosen_assignments, to_site=target)


@bulk.command(name="copy", short_help="Copy a site's whole set to others.")
@click.argument("source", metavar="SITE")
@site_options
@publish_option
@how_options
def copy_(*, source: str, publish: bool, **options: Any) -> None:
    """Copy every assignment of SITE to other sites, as it is published there, or else drafted."""
    _do("copy", options, chosen_sites, from_site=source, publish=publish)


@bulk.command(short_help="Bring back what applied before a bulk change.")
@click.argument("number", required=False, type=_NUMBER)
@how_options
def undo(*, number: int | None, **options: Any) -> None:
    """Undo bulk change NUMBER, the last one unless it is named: what applied before applies again, as new revisions; what it made is
    removed, or applies no more. What was changed since is a row that fails. An undo can be undone by its number."""
    from cli.nouns.bulk import opened
    from custom_events.errors import NeedsAction

    with opened(options.pop("author"), _tell) as rules:
        if number is None:
            last = next(
                (
                    bulk_change
                    for bulk_change in rules.every()
                    if bulk_change.undoes is None and bulk_change.undone_by is None
                ),
                None,
            )
            if last is None:
                raise NeedsAction("There is no bulk change of the last 30 days to undo: `custom-events bulk list`.")
            number = last.id
        result = rules.undo(number, how_of(options))
    _show(result, as_json=options["as_json"])


@bulk.command(name="list", short_help="The bulk changes of the last 30 days.")
@json_option
def list_(*, as_json: bool) -> None:
    """Show the bulk changes of the last 30 days, the newest first: by whom, why, and whether they were undone."""
    import msgspec

    from cli.nouns.bulk import opened

    with opened() as rules:
        listed = list(rules.every())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"bulk_changes": listed}), indent=2).decode())
        return
    for bulk_change in listed:
        what = "" if bulk_change.undoes is None else f"; undoes {bulk_change.undoes}"
        what += "" if bulk_change.undone_by is None else f"; undone by {bulk_change.undone_by}"
        what += (
            "; under way"
            if bulk_change.is_under_way
            else "; ended before its last row"
            if bulk_change.ended_at is None
            else ""
        )
        reason = f": {bulk_change.reason}" if bulk_change.reason else ""
        click.echo(
            f"{bulk_change.id:>6}  {bulk_change.created_at:{TIME}} by {bulk_change.asked_by}{reason}; {bulk_change.rows:,} rows{what}"
        )
    if not listed:
        click.echo("No bulk changes in the last 30 days.")


@bulk.command(short_help="What became of the rows of a bulk change.")
@click.argument("number", type=_NUMBER)
@json_option
def show(*, number: int, as_json: bool) -> None:
    """Show what became of each row of bulk change NUMBER."""
    import msgspec

    from cli.nouns.bulk import opened

    with opened() as rules:
        listed = rules.rows(number)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"rows": listed}), indent=2).decode())
        return
    for row in listed:
        _show_row(row)


@bulk.command(short_help="Assignments as CSV.")
@reading_options
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Into this file instead of standard output."
)
def export(*, out: Path | None, site: str | None, **chosen: Any) -> None:
    """Write assignments as CSV: what is published of each, or else drafted. `bulk import` reads it again."""
    from cli.nouns.bulk import opened

    with opened() as rules, click.open_file(str(out or "-"), "wb") as file:
        for lines in rules.export(site_id=None if site is None else rules.site_id(site), **chosen):
            file.write(lines)


@bulk.command(name="import", short_help="Assignments from CSV.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@how_options
def import_(*, file: Path, **options: Any) -> None:
    """Let assignments be as FILE says (-: standard input), line by line: site_id, definition_key and label name one, which is made where
    it is not there; is_active, is_published and overrides (JSON) say how it shall be. What is not in the file stays."""
    from cli.nouns.bulk import opened

    with click.open_file(str(file), "rb") as opened_file:
        content = opened_file.read()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"it is no UTF-8 (byte {error.start}): save it as such", param_hint="FILE") from None
    with opened(options.pop("author"), _tell) as rules:
        result = rules.bring_in(text, how_of(options))
    _show(result, as_json=options["as_json"])


def _do(action: str, options: dict[str, Any], choose: Any, **fields: Any) -> None:
    from cli.nouns.bulk import opened

    with opened(options.pop("author"), _tell) as rules:
        result = rules.do(action_of(action, choose(rules.site_id, options), rules.site_id, **fields), how_of(options))
    _show(result, as_json=options["as_json"])


def _tell(done: int, total: int) -> None:
    """One line that is written over, for people only; gone when all is done."""
    write_over(f"{done:,} of {total:,} rows" if done < total else "")


def _show(result: "BulkResult", *, as_json: bool) -> None:
    import msgspec

    if as_json:
        click.echo(msgspec.json.encode(result))
    else:
        for row in result.rows:
            _show_row(row)
        counts = ", ".join(f"{number:,} {word}" for word, number in msgspec.structs.asdict(result.counts).items())
        click.echo(_end(result).format(counts=counts))
    if result.counts.failed or len(result.rows) < result.rows_asked:
        raise SystemExit(1)


def _end(result: "BulkResult") -> str:
    if result.is_dry_run:
        return "Tried: {counts}. Nothing was changed."
    undone = "" if result.bulk_change_id is None else f" Undo: custom-events bulk undo {result.bulk_change_id}"
    rows_left = result.rows_asked - len(result.rows)
    return "Done: {counts}" + (f"; ended before the last {rows_left:,} rows." if rows_left else ".") + undone


def _show_row(row: "RowOutcome") -> None:
    named = [f"site {row.site_id}"] if row.site_id is not None else []
    named += [f"assignment {row.assignment_id}"] if row.assignment_id is not None else []
    named += [f"{row.definition_key} ({row.label or 'no label'})"] if row.definition_key is not None else []
    click.echo(f"{row.outcome:<10} {', '.join(named) or row.place}")
    for line in row.changes:
        click.echo(f"{'':10}   {line}")
    if row.sentence:
        click.echo(f"{'':10}   {row.place}: {row.sentence}")
