"""`custom-events uploads`: what is on its way to Google, and what a person can do about it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

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
