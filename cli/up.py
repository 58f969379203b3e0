"""`custom-events up`: receiver, console and Dagster on this machine, against the configured database and Google."""

import sys
from typing import TYPE_CHECKING

import click

from cli.session import prepared
from cli.signals import Terminated, terminable

if TYPE_CHECKING:
    from custom_events.settings import Settings


@click.command(
    short_help="Run receiver, console and Dagster.",
    epilog="Example:\n\n  DATABASE_URL=postgresql://... custom-events up",
)
def up() -> None:
    """Migrate the database, then run the receiver, the console's server and Dagster until Ctrl-C or SIGTERM.

    What dies or hangs is started again, and so is what leaves work undone; each time a line says so. As the main process of a systemd
    unit (Type=notify) it says when it is ready and, with WatchdogSec, that it still works.
    """
    from console.serve import check_exposure
    from custom_events.catalog.seed import bring_up_to_date
    from custom_events.errors import CustomEventsError, NeedsAction
    from custom_events.postgres import migrate, pooling
    from custom_events.postgres.address import database
    from supervisor import programs
    from supervisor.processes import check_ports
    from supervisor.service import Service

    configured = prepared()
    code = 0
    try:
        programs.check_exposure(configured)
        wanted = programs.product(configured)
        with terminable(), database(configured) as url:
            check_ports(wanted)
            if problem := pooling.problem(url):
                raise NeedsAction(problem)
            bring_up_to_date(url)
            if configured.receiver_role and (problem := migrate.receiver_problem(url)):
                raise NeedsAction(problem)
            _check_key(url, configured)
            check_exposure(url, configured)
            service = Service(configured, url, on_event=click.echo)
            try:
                service.start(wanted)
                for name, address in programs.addresses(configured).items():
                    click.echo(f"  {name:12} {address}")
                click.echo("Running until Ctrl-C.")
                service.run()
            finally:
                service.stop()
    except (KeyboardInterrupt, Terminated):
        click.echo("Ended; every process is stopped.")
    except CustomEventsError as error:
        click.echo(f"Error: {error}", err=True)
        code = 1
    sys.exit(code)


def _check_key(url: str, settings: "Settings") -> None:
    """Raises NeedsAction where the keys are not those of the database, or are missing."""
    from custom_events.catalog import key_ring
    from custom_events.postgres import connect

    engine = connect.engine(url, name="custom-events up")
    try:
        with engine.begin() as connection:
            key_ring.ensure(connection, settings)
    finally:
        engine.dispose()
