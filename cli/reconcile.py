"""`custom-events uploads reconcile`: what we sent, what Google counts, and why the two differ."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from cli.session import connected, here_only, prepared

if TYPE_CHECKING:
    import sqlalchemy as sa

    from custom_events.ledger.differences import Day

DAYS_SHOWN = 7
MOST_DAYS = 28
_STANDINGS = ("accepted", "pending", "refused", "unknown", "again", "ended")


@click.command(short_help="What we sent beside what Google counts, and why they differ.")
@click.argument("customer_id", required=False)
@click.option("--action", help="Only this conversion action (Google's number).")
@click.option("--days", default=DAYS_SHOWN, show_default=True, type=click.IntRange(1, MOST_DAYS), help="Days to show.")
@click.option("--read/--no-read", default=True, help="Read Google's summaries first, or show the last reading.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
def reconcile(*, customer_id: str | None, action: str | None, days: int, read: bool, as_json: bool) -> None:
    """Lay Google's own counts beside the ledger: per account (all, or CUSTOMER_ID), conversion action and day.

    The days are those of the ads account's time zone. No row is changed. A schedule does the same every day. Exit code 1
    when an account could not be read.

    \b
    Examples:
      custom-events uploads reconcile
      custom-events uploads reconcile 123-456-7890 --action 7001 --days 1
      custom-events uploads reconcile --json | jq '.days[] | select(.refused > 0)'
    """
    here_only("`uploads reconcile`", "it reads Google for minutes, longer than a request may take")
    import msgspec

    from custom_events.destinations.registry import destinations
    from custom_events.ledger import differences
    from custom_events.ledger.reconcile import Reading
    from custom_events.ledger.reconcile import reconcile as lay_beside

    settings = prepared()
    now = datetime.now(UTC)
    account = customer_id.replace("-", "") if customer_id else None
    with connected(settings) as engine:
        with engine.connect() as connection:
            _check(connection, account, action)
        reading = Reading()
        if read:
            reading = lay_beside(engine, destinations(settings), settings, now, account, min(days + 1, MOST_DAYS))
        with engine.connect() as connection:
            compared = differences.days(connection, (now - timedelta(days=days - 1)).date(), account, action)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"days": compared, "not_read": reading.not_read}), indent=2))
    else:
        for line in _lines(compared, reading.not_read):
            click.echo(line)
    click.get_current_context().exit(1 if reading.not_read else 0)


def _check(connection: "sa.Connection", customer_id: str | None, action: str | None) -> None:
    """Raises Permanent for an account, or a conversion action, that there is not."""
    from custom_events.ledger.operator_actions import account_id_of, check_action

    account_id = None if customer_id is None else account_id_of(connection, customer_id)
    if action is not None:
        check_action(connection, action, account_id)


def _lines(compared: "list[Day]", not_read: Mapping[str, str]) -> Iterator[str]:
    for customer_id, sentence in not_read.items():
        yield f"{customer_id} could not be read, so the last figures are shown: {sentence}"
    if not compared:
        yield "Nothing was sent on these days."
    for day in compared:
        yield f"{day.day}  {day.account} ({day.customer_id}), {day.action or 'unknown action'} ({day.action_id}), {day.lane}"
        parts = [f"{name} {count:,}" for name in _STANDINGS if (count := getattr(day, name))]
        yield f"  sent {day.sent:,}" + (f" = {' + '.join(parts)}" if parts else "")
        yield f"  Google: {_google(day)}"
        for cause in day.why:
            yield f"    - {cause}"


def _google(day: "Day") -> str:
    if day.google is None:
        return "not told yet"
    counted = f"{day.google.successful:,} taken, {day.google.failed:,} not taken, {day.google.pending:,} pending"
    counted += f"; calls of the day carried {day.events:,}"
    if day.google_status is not None:
        counted += f"; its verdict: {day.google_status}"
    return counted
