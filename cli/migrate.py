"""`custom-events migrate`: bring the database up or down."""

import click

from cli.session import prepared


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
    with address.database(settings) as url:
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
def current() -> None:
    """Which revision the database is at, and which one this version needs."""
    from custom_events.postgres import address
    from custom_events.postgres import migrate as migrations

    with address.database(prepared()) as url:
        revision, wanted = migrations.current(url), migrations.head()
    verdict = "up to date" if revision == wanted else "run: custom-events migrate"
    click.echo(f"database {revision or 'empty'}, this version {wanted}: {verdict}")
