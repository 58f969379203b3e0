"""`custom-events up`: receiver, console and Dagster on this machine, against the configured database and Google."""

import sys
import time

import click

from cli.session import prepared
from cli.signals import Terminated, terminable

LOOK_EVERY_S = 1.0


@click.command(
    short_help="Run receiver, console and Dagster.",
    epilog="Example:\n\n  DATABASE_URL=postgresql://... custom-events up",
)
def up() -> None:
    """Migrate the database, then run the receiver, the console's server and Dagster until Ctrl-C."""
    from custom_events.catalog.seed import bring_up_to_date
    from custom_events.errors import CustomEventsError
    from custom_events.postgres.address import database
    from orchestration import instance, programs
    from orchestration.processes import Supervisor, check_ports

    configured = prepared()
    wanted = [programs.receiver(configured), programs.console(configured), programs.dagster(configured)]
    code = 0
    try:
        with terminable(), database(configured) as url:
            check_ports(wanted)
            bring_up_to_date(url)
            supervisor = Supervisor(configured.local_directory / "logs", programs.environment(configured, url))
            try:
                for program in wanted:
                    supervisor.start(program)
                for name, address in programs.addresses(configured).items():
                    click.echo(f"  {name:12} {address}")
                click.echo("Running until Ctrl-C.")
                while True:
                    supervisor.check()
                    time.sleep(LOOK_EVERY_S)
            finally:
                instance.cancel_runs(instance.home(configured))
                supervisor.stop()
    except (KeyboardInterrupt, Terminated):
        click.echo("Ended; every process is stopped.")
    except CustomEventsError as error:
        click.echo(f"Error: {error}", err=True)
        code = 1
    sys.exit(code)
