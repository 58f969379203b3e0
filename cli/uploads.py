"""`custom-events uploads`: what is on its way to Google, and what a person can do about it."""

import getpass
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from cli.config import AUTHOR_VARIABLE
from cli.reconcile import reconcile
from cli.session import connected, prepared


@click.group(short_help="What is on its way to Google, and what to do about it.")
def uploads() -> None:
    """Conversions and adjustments on their way to Google: where they stand, what an account allows, what may go on.

    \b
    Examples:
      custom-events uploads list                      accounts, what waits, why
      custom-events uploads probe 123-456-7890        may we import there, are the actions right
      custom-events uploads release 123-456-7890      go on, after what was wrong is mended
      custom-events uploads hold 123-456-7890 "..."   send nothing until somebody releases it
      custom-events uploads retry 123-456-7890        what Google refused goes once more
      custom-events uploads reconcile                 what we sent beside what Google counts, and why they differ
    """


uploads.add_command(reconcile)


@uploads.command(name="list", short_help="Accounts, what waits for each, and why.")
def list_() -> None:
    """Show each ads account: parked or paused and why, rows by state, and what expires within 48 hours."""
    from custom_events.ledger.overview import overview

    with connected(prepared()) as engine, engine.connect() as connection:
        for account in overview(connection, datetime.now(UTC)):
            for line in _lines(account):
                click.echo(line)


@uploads.command(short_help="Ask Google what an account allows.")
@click.argument("customer_id")
def probe(customer_id: str) -> None:
    """Ask Google, without effect, whether conversions of account CUSTOMER_ID would be taken. Exit code 1 when they would not."""
    from custom_events.destinations.registry import destinations
    from custom_events.ledger.probe import probe_account

    settings = prepared()
    with connected(settings) as engine:
        found = probe_account(engine, destinations(settings), settings, _digits(customer_id), datetime.now(UTC))
    for finding in found.findings:
        mark = {True: "yes", False: "NO", None: "?"}[finding.fine]
        click.echo(f"{mark:<4}{finding.action_id or '':<12}{finding.sentence}")
    if not found.fine:
        raise SystemExit(1)


@uploads.command(short_help="Let a parked account, or held rows, go on.")
@click.argument("customer_id")
@click.option("--held", is_flag=True, help="Held rows go now as well, not at their hour.")
@click.option("--reason", help="With --held: only rows that are held for this reason.")
def release(customer_id: str, *, held: bool, reason: str | None) -> None:
    """Resume account CUSTOMER_ID and its conversion actions after what was wrong is mended."""
    from custom_events.ledger.release import account_id_of, release_account, release_held

    now = datetime.now(UTC)
    with connected(prepared()) as engine, engine.begin() as connection:
        account = account_id_of(connection, _digits(customer_id))
        release_account(connection, account, now)
        rows = release_held(connection, account, now, reason) if held else 0
    click.echo(f"{customer_id} goes on." + (f" {rows} rows go now." if held else ""))


@uploads.command(short_help="Send nothing for an account until it is released.")
@click.argument("customer_id")
@click.argument("reason")
@click.option(
    "--author", default=getpass.getuser, envvar=AUTHOR_VARIABLE, show_default="the login", help="Who holds it."
)
def hold(customer_id: str, reason: str, author: str) -> None:
    """Hold account CUSTOMER_ID because of REASON, in words; what is under way is finished. `uploads release` lets it go on."""
    from custom_events.ledger.release import account_id_of, hold_account

    with connected(prepared()) as engine, engine.begin() as connection:
        account = account_id_of(connection, _digits(customer_id))
        hold_account(connection, account, reason, actor=author, now=datetime.now(UTC))
    click.echo(f"{customer_id} is held. Its conversions wait: custom-events uploads release {customer_id}")


@uploads.command(short_help="What Google refused goes once more.")
@click.argument("customer_id")
@click.option("--reason", help="Only rows that were refused with this code, as `uploads list` and the marts show it.")
@click.option("--order", "order_id", help="Only rows of this order.")
@click.option("--author", default=getpass.getuser, envvar=AUTHOR_VARIABLE, show_default="the login", help="Who asks.")
def retry(customer_id: str, reason: str | None, order_id: str | None, author: str) -> None:
    """Send refused conversions of account CUSTOMER_ID again, after what was wrong is mended; those that are too late stay."""
    from custom_events.ledger.release import account_id_of, retry_refused

    with connected(prepared()) as engine, engine.begin() as connection:
        account = account_id_of(connection, _digits(customer_id))
        rows = retry_refused(connection, account, actor=author, now=datetime.now(UTC), reason=reason, order_id=order_id)
    click.echo(f"{rows} rows go once more.")


def _digits(customer_id: str) -> str:
    return customer_id.replace("-", "")


def _lines(account: Any) -> Iterator[str]:
    yield f"{account.customer_id}  {account.name}  ({account.lane})"
    if account.parked_reason is not None:
        yield f"  PARKED since {account.parked_at:%Y-%m-%d %H:%M}: {account.parked_reason}"
    if account.paused_until is not None:
        yield f"  paused until {account.paused_until:%Y-%m-%d %H:%M:%S}: {account.paused_reason}"
    for state, count in account.states.items():
        yield f"  {state:<12}{count:>10}"
    if account.expiring:
        yield f"  {account.expiring} expire within 48 hours"
