"""`custom-events demo`: the whole product on this machine, with traffic, until Google has answered."""

import sys

import click

from cli.session import prepared
from cli.signals import Terminated, terminable


@click.command(
    short_help="Everything on this machine, with traffic.",
    epilog="Examples:\n\n  custom-events demo          stay up afterwards, until Ctrl-C\n\n"
    "  custom-events demo --once   end by itself: exit 0 when all is settled and the sums agree",
)
@click.option("--once", is_flag=True, help="End when settled: exit 0 if the sums agree, else 1 with the reason.")
@click.option("--reports", is_flag=True, help="With --once: build the reports as well, as a demo that stays up does.")
def demo(*, once: bool, reports: bool) -> None:
    """Start everything with sandbox stores and a sandbox Google, and follow 860 webhooks to the answer.

    Figures go to demo.json in the local directory. Ports and directory are settings (docs/reference/settings.md).
    """
    from rich.console import Console

    from custom_events.errors import CustomEventsError
    from custom_events.postgres.address import database
    from sandbox.demo.run import run

    console = Console()
    configured = prepared()
    console.print("Starting the database.")  # so that something is seen from the first second
    try:
        with terminable(), database(configured) as url:
            code = run(configured, url, console, once=once, with_reports=reports)
    except (KeyboardInterrupt, Terminated):
        console.print("Ended; every process is stopped.")
        code = 0
    except CustomEventsError as error:
        click.echo(f"Error: {error}", err=True)
        code = 1
    sys.exit(code)
