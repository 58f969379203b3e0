"""`custom-events migrate`: bring the database up or down."""

from pathlib import Path

import click

from cli.session import noted, prepared


@click.group(invoke_without_command=True, short_help="Make or renew the tables.")
@click.pass_context
def migrate(context: click.Context) -> None:
    """Bring the database to this version: tables, partitions, roles, system definitions.

    Safe at any time and from several machines at once; gives up after seconds rather than block a busy table.

    \b
    Examples:
      custom-events migrate                  to the newest revision
      custom-events migrate current          where the database stands
      custom-events migrate downgrade 0002   back, after a release that must be undone
      custom-events migrate server           the embedded server, after its next major version came
    """
    if context.invoked_subcommand is None:
        context.invoke(upgrade, revision="head")


@migrate.command()
@click.argument("revision", default="head")
def upgrade(*, revision: str) -> None:
    """Up to REVISION, the newest one by default."""
    from custom_events.catalog.seed import bring_up_to_date
    from custom_events.errors import NeedsAction
    from custom_events.postgres import address, pooling
    from custom_events.postgres import migrate as migrations

    settings = prepared()
    with address.database(settings) as url, noted():
        if problem := pooling.problem(url):
            raise NeedsAction(problem)
        before = migrations.current(url)
        changed: list[str] = []
        if revision == "head":
            changed = bring_up_to_date(url)
        else:
            migrations.upgrade(url, revision)
        after = migrations.current(url)
        click.echo(
            f"The database is at revision {after}" + (f" (was {before or 'empty'})." if before != after else ".")
        )
        if changed:
            click.echo(f"System definitions made or renewed: {', '.join(changed)}.")
        if revision == "head" and settings.receiver_role and (problem := migrations.receiver_problem(url)):
            raise NeedsAction(problem)


@migrate.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask: what the newer revisions added is lost.")
def downgrade(*, revision: str, yes: bool) -> None:
    """Down to REVISION; "base" removes every table of ours."""
    from custom_events.postgres import address
    from custom_events.postgres import migrate as migrations

    settings = prepared()
    if not yes:
        click.confirm(f"What was added after revision {revision} will be lost, data too. Go on?", abort=True)
    with address.database(settings) as url:
        migrations.downgrade(url, revision)
        click.echo(f"The database is at revision {migrations.current(url) or 'base: nothing of ours is left'}.")


@migrate.command()
@click.option(
    "--programs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the programs (pg_ctl, postgres) of the PostgreSQL that the files belong to. Left out: looked for.",
)
def server(*, programs: Path | None) -> None:
    """Bring the embedded server's files to the PostgreSQL that is installed now, after an update brought its next major version.

    Everything is dumped, restored, counted on both sides, and put in its place; the old files stay beside it. End `custom-events up` or the demo before.
    """
    from custom_events.errors import NeedsAction
    from custom_events.postgres import address, major_version

    settings = prepared()
    if settings.database_url is not None:
        raise NeedsAction(
            "DATABASE_URL names a server of your own, which is upgraded by its own means (pg_upgrade, or your provider)."
        )
    moved = major_version.move(settings.local_directory / address.DIRECTORY, programs=programs)
    if moved is None:
        click.echo("The embedded server's files belong to the installed PostgreSQL: nothing to do.")
        return
    click.echo(f"Moved {moved.tables} tables with {moved.rows:,} rows from PostgreSQL {moved.before} to {moved.after}.")
    click.echo(f"The old files are in {moved.left}: remove them once all is well.")


@migrate.command()
def current() -> None:
    """Which revision the database is at, and which one this version needs."""
    from custom_events.postgres import address
    from custom_events.postgres import migrate as migrations

    with address.database(prepared()) as url:
        revision, wanted = migrations.current(url), migrations.head()
    verdict = "up to date" if revision == wanted else "run: custom-events migrate"
    click.echo(f"database {revision or 'empty'}, this version {wanted}: {verdict}")
