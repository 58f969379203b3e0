"""`custom-events roles`: a login of its own for each program, which may what it needs and nothing else."""

import click

from cli.author import author_option
from cli.session import connected, prepared

PROGRAMS = ("receiver", "pipeline", "console", "reporting")


@click.command(short_help="A login for each program, with its own rights alone.")
@click.argument("programs", nargs=-1, type=click.Choice(PROGRAMS))
@click.option(
    "--sql",
    is_flag=True,
    help="Change nothing: print the SQL for somebody who may make roles, and the settings to standard error.",
)
@author_option()
def roles(*, programs: tuple[str, ...], sql: bool, author: str) -> None:
    """Make logins for PROGRAMS (all of them by default), and print the settings that hold their addresses.

    The receiver may land deliveries and find secrets of sites; the pipeline works on what landed and owns Dagster's schema; the console
    serves people; reporting owns the marts and reads no body. None of them may change tables, or a row of the audit trail. A login that
    exists gets a new password: start its program again with it. Migrations stay with the login of DATABASE_URL.

    \b
    Examples:
      custom-events roles >> .env             all four; `custom-events up` gives each program its own
      custom-events roles receiver            the receiver's alone, or a new password for it
      custom-events roles --sql | psql ...    by somebody who may make roles
    """
    import secrets

    from custom_events.catalog import audit
    from custom_events.postgres import role_logins
    from custom_events.postgres.role_logins import Program

    chosen = [Program(name) for name in programs or PROGRAMS]
    with connected(prepared()) as engine, engine.begin() as connection:
        if not sql:
            addresses = role_logins.make(connection, chosen)
            audit.record(
                connection, actor=author, action="roles.make", subject="roles", detail={"roles": list(addresses)}
            )
        else:
            addresses = {}
            for program in chosen:
                password = secrets.token_urlsafe(role_logins.PASSWORD_BYTES)
                for statement in role_logins.script(connection, program, password):
                    click.echo(f"{statement};")
                addresses[program] = role_logins.address(engine.url, program, password)
    for program, address in addresses.items():
        click.echo(f"{program.setting}={address}", err=sql)
