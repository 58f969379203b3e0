"""`custom-events uploads`: what is on its way to Google, and what a person can do about it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from cli.author import author_option
from cli.reconcile import reconcile

if TYPE_CHECKING:
    from custom_events.ledger.overview import AccountOverview, Standing

TIME = "%Y-%m-%d %H:%M UTC"

_AUTHOR = author_option()


@click.group(short_help="What is on its way to Google, and what to do about it.")
def uploads() -> None:
    """Conversions and adjustments on their way to Google: where they stand, what an account allows, what may go on.

    \b
    Examples:
      custom-events uploads list                      accounts, what waits, why
      custom-events uploads probe 123-456-7890        may we import there, are the actions right
      custom-events uploads release 123-456-7890      go on, after what was wrong is mended
      custom-events uploads hold 123-456-7890 "..."   send nothing until released; --action, --order, --site: of that only
      custom-events uploads withhold 123-456-7890 "..." --order 10023     what waits of it is never sent
      custom-events uploads retry 123-456-7890        what Google refused goes once more
      custom-events uploads reconcile                 what we sent beside what Google counts, and why they differ
    """


uploads.add_command(reconcile)


@uploads.command(name="list", short_help="Accounts, what waits for each, and why.")
def list_() -> None:
    """Show each ads account: what is parked, held or paused and why, conversions and adjustments by state and reason, and what expires
    within 48 hours. Together they are what `custom-events status` counts.

    `unmatched` are conversions of which Google took the call and has no such click; remarks of Google's about accepted rows stand with
    them as their reason.
    """
    from cli.nouns.uploads import opened

    with opened() as ledger:
        standings = ledger.standings()
    accounts, conversions = standings.items, standings.conversions_without_account
    adjustments = standings.adjustments_without_account
    for account in accounts:
        for line in _lines(account):
            click.echo(line)
    if conversions or adjustments:
        click.echo("No ads account  (nothing says where they go)")
        for line in (*_states("conversions", conversions, ()), *_states("adjustments", adjustments, ())):
            click.echo(line)
    if not accounts:
        click.echo(
            "There are no ads accounts yet: `custom-events config apply` makes those of a folder (docs/reference/config-files.md)"
        )


@uploads.command(short_help="Ask Google what an account allows.")
@click.argument("customer_id")
def probe(customer_id: str) -> None:
    """Ask Google, without effect, whether conversions of account CUSTOMER_ID would be taken. Exit code 1 when they would not."""
    from cli.nouns.uploads import opened

    with opened() as ledger:
        probed = ledger.probe(_digits(customer_id))
    for finding in probed.findings:
        mark = {True: "yes", False: "NO", None: "?"}[finding.fine]
        click.echo(f"{mark:<4}{finding.action_id or '':<12}{finding.sentence}")
    if not probed.fine:
        raise SystemExit(1)


@uploads.command(short_help="Let a stopped account, or held rows, go on.")
@click.argument("customer_id")
@click.option("--action", "action_id", help="Only this conversion action (Google's number).")
@click.option("--held", is_flag=True, help="Held rows go now as well, not at their hour.")
@click.option("--reason", help="Held rows with this reason go now.")
@click.option("--order", "order_id", help="Held rows of this order go now; the account stays as it is.")
@click.option("--site", help="Held rows of this site (id, key or shop domain) go now; the account stays as it is.")
@_AUTHOR
def release(
    customer_id: str,
    *,
    action_id: str | None,
    held: bool,
    reason: str | None,
    order_id: str | None,
    site: str | None,
    author: str,
) -> None:
    """Resume account CUSTOMER_ID and its conversion actions after what was wrong is mended.

    Rows that wait for a customer's consent go only with `--reason consent_unknown_in_europe`: whoever says so answers for it.
    """
    from cli.nouns.uploads import opened

    account, only_rows = _digits(customer_id), order_id is not None or site is not None
    said: list[str] = []
    with opened(author) as ledger:
        if action_id is not None:
            ledger.release_action(account, action_id)
            said.append(f"Action {action_id} of {customer_id} goes on.")
        elif not only_rows:
            ledger.release_account(account)
            said.append(f"{customer_id} goes on.")
        if held or only_rows or reason is not None:
            rows = ledger.release_rows(account, reason, order_id, site)
            said.append(f"{rows} rows go now.")
    click.echo(" ".join(said))


@uploads.command(short_help="Send nothing for an account, or part of it, until released.")
@click.argument("customer_id")
@click.argument("reason")
@click.option("--action", "action_id", help="Only this conversion action (Google's number).")
@click.option("--order", "order_id", help="Only what waits of this order.")
@click.option(
    "--site", help="Only what waits of this site (id, key or shop domain) now; what it makes later is not held."
)
@_AUTHOR
def hold(
    customer_id: str, reason: str, *, action_id: str | None, order_id: str | None, site: str | None, author: str
) -> None:
    """Hold account CUSTOMER_ID, or a part of it, because of REASON, in words; what is under way is finished.

    \b
    Examples:
      custom-events uploads hold 123-456-7890 "prices are wrong"
      custom-events uploads hold 123-456-7890 "wrong action" --action 7001
      custom-events uploads hold 123-456-7890 "a test order" --order 10023
    """
    from cli.nouns.uploads import opened

    account, again = _digits(customer_id), f"custom-events uploads release {customer_id}"
    with opened(author) as ledger:
        if action_id is not None:
            ledger.hold_action(account, action_id, reason)
            click.echo(f"Action {action_id} of {customer_id} is held: {again} --action {action_id}")
        elif order_id is not None or site is not None:
            rows = ledger.hold_rows(account, reason, order_id, site)
            chosen = f" --order {order_id}" if order_id is not None else ""
            chosen += f" --site {site}" if site is not None else ""
            click.echo(f"{rows} rows are held: {again}{chosen}")
        else:
            ledger.hold_account(account, reason)
            click.echo(f"{customer_id} is held. Its conversions wait: {again}")


@uploads.command(short_help="Never send what waits of an order, an action or a site.")
@click.argument("customer_id")
@click.argument("reason")
@click.option("--order", "order_id", help="What waits of this order.")
@click.option("--action", "action_id", help="What waits for this conversion action (Google's number).")
@click.option("--site", help="What waits of this site (id, key or shop domain).")
@_AUTHOR
def withhold(
    customer_id: str, reason: str, *, order_id: str | None, action_id: str | None, site: str | None, author: str
) -> None:
    """Withhold conversions of account CUSTOMER_ID that wait now, because of REASON, in words: they are not sent, and what comes later is.

    What Google has, or may have, is left alone: hold the account, and correct the order in the store. To send them after all:
    `custom-events uploads retry CUSTOMER_ID --reason withheld_by_hand`.

    \b
    Examples:
      custom-events uploads withhold 123-456-7890 "a test order" --order 10023
      custom-events uploads withhold 123-456-7890 "imported twice" --site shop.example --action 7001
    """
    from cli.nouns.uploads import opened

    if order_id is None and action_id is None and site is None:
        raise click.UsageError("say what is withheld: --order, --action or --site. To stop a whole account, hold it.")
    with opened(author) as ledger:
        rows = ledger.withhold_rows(_digits(customer_id), reason, order_id=order_id, action_id=action_id, site=site)
    again = f"custom-events uploads retry {customer_id} --reason withheld_by_hand"
    click.echo(f"{rows} rows are withheld. To send them after all: {again}")


@uploads.command(short_help="What Google refused goes once more.")
@click.argument("customer_id")
@click.option("--reason", help="Only rows that were refused with this code, as `uploads list` and the marts show it.")
@click.option("--order", "order_id", help="Only rows of this order.")
@_AUTHOR
def retry(customer_id: str, reason: str | None, order_id: str | None, author: str) -> None:
    """Send refused conversions of account CUSTOMER_ID again, after what was wrong is mended; those that are too late stay.

    With `--reason withheld_by_hand`: what somebody has withheld and that still stands.
    """
    from cli.nouns.uploads import opened

    with opened(author) as ledger:
        rows = ledger.retry(_digits(customer_id), reason, order_id)
    click.echo(f"{rows} rows go once more.")


def _digits(customer_id: str) -> str:
    return customer_id.replace("-", "")


_PARTS = {
    "user_data": "what carries hashed e-mail or phone",
    "adjustments": "restatements and retractions",
    "google_ads": "what has to go by the Google Ads API, which it used before,",
    "data_manager": "what has to go by the Data Manager API, which it used before,",
}


def _lines(account: "AccountOverview") -> Iterator[str]:
    from custom_events.ledger.codes import sentence_of

    yield f"{account.customer_id}  {account.name}  ({account.lane})"
    if account.parked_reason is not None:
        yield f"  PARKED since {_time(account.parked_at)}: {account.parked_reason}"
    for action in account.parked_actions:
        yield f"  action {action.action_id} ({action.name}) PARKED since {_time(action.since)}: {action.reason}"
    for part in account.stopped_parts:
        yield f"  {_PARTS.get(part.concerns, part.concerns)} STOPPED since {_time(part.since)}, the rest goes on: {part.reason}"
    if account.paused_until is not None:
        why = f"{account.paused_reason}: {sentence_of(account.paused_reason)}" if account.paused_reason else "?"
        yield f"  paused until {account.paused_until:%Y-%m-%d %H:%M:%S} UTC: {why}"
    yield from _states(
        "conversions", account.conversions, [standing for standing in account.standings if standing.is_conversion]
    )
    yield from _states(
        "adjustments", account.adjustments, [standing for standing in account.standings if not standing.is_conversion]
    )
    if account.expiring:
        yield f"  {account.expiring} expire within 48 hours"


def _states(kind: str, states: Mapping[str, int], standings: "Sequence[Standing]") -> Iterator[str]:
    if states:
        yield f"  {kind:<12}{sum(states.values()):>10,}"
    for state, count in sorted(states.items()):
        yield f"    {state:<12}{count:>8,}"
        for standing in standings:
            if standing.state == state:
                following = f"; the next at {_time(standing.next_at)}" if standing.next_at is not None else ""
                yield f"{standing.rows:>24,}  {standing.reason}: {standing.sentence}{following}"


def _time(moment: datetime | None) -> str:
    return "?" if moment is None else f"{moment.astimezone(UTC):{TIME}}"
