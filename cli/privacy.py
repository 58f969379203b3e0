"""`custom-events privacy`: what people asked about their data, until when it must be done, and the doing of it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.author import author_option
from cli.session import connected, here_only, prepared, server

if TYPE_CHECKING:
    from custom_events.catalog.privacy import Request
    from custom_events.redaction.carry_out import Carried

_AUTHOR = author_option("Who carried it out; kept in the audit trail.")
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
_NUMBER = click.argument("number", metavar="NUMBER", type=int)


@click.group(short_help="Requests of people about their data: forget them, or say what is stored.")
def privacy() -> None:
    """Shopify passes on who must be forgotten (customers/redact, shop/redact) and who asks what is stored (customers/data_request);
    `ask` enters the others. Those to forget are carried out each night, and an alarm stands until they are
    (docs/how-to/privacy-requests.md).

    \b
    Examples:
      custom-events privacy list
      custom-events privacy ask woo-shop --email ann@example.org
      custom-events privacy carry-out
      custom-events privacy export 77 --to answer.json
      custom-events privacy done 77 --note "sent to her by post"
    """


@privacy.command(name="list", short_help="Open requests, the most urgent first.")
@click.option("--all", "every", is_flag=True, help="Those that were carried out, too.")
@_AS_JSON
def list_(*, every: bool, as_json: bool) -> None:
    """Show the requests that were not carried out yet."""
    import msgspec

    if (asked := server()) is not None:
        from cli.afar.reading import privacy_requests

        listed = privacy_requests(asked, every=every)
    else:
        from custom_events.catalog.privacy import requests

        with connected(prepared()) as engine, engine.connect() as connection:
            listed = requests(connection, every=every)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"requests": listed}), indent=2))
        return
    for request in listed:
        click.echo(
            f"raw:{request.raw_id}  {request.kind.value:16} site {request.site_key}, received {request.received_at:%Y-%m-%d}, {_state(request)}"
        )
    if not listed:
        click.echo("No requests." if every else "No open requests.")


def _state(request: "Request") -> str:
    if request.done_at is not None:
        rows = f" ({sum(request.counts.values())} rows)" if request.counts else ""
        return f"done {request.done_at:%Y-%m-%d} by {request.done_by}: {request.note}{rows}"
    waiting = f", {request.waiting} events wait for Google's answer" if request.waiting else ""
    return f"due {request.due_at:%Y-%m-%d}{waiting}"


@privacy.command(short_help="Enter a request that no store's delivery brought.")
@click.argument("site_key", metavar="SITE")
@click.option(
    "--kind",
    type=click.Choice(["redact_customer", "redact_shop", "data_request"]),
    default="redact_customer",
    show_default=True,
    help="Forget a person, forget everybody of a site, or say what is stored.",
)
@click.option("--email", "emails", multiple=True, help="An e-mail address of the person; may be given again.")
@click.option("--phone", "phones", multiple=True, help="A phone number, with its country: +49 30 1234567.")
@click.option("--customer", "customers", multiple=True, help="The shop's id of the customer.")
@click.option("--order", "orders", multiple=True, help="The shop's id of an order.")
@author_option("Who enters it; kept in the audit trail.")
def ask(
    *,
    site_key: str,
    kind: str,
    emails: tuple[str, ...],
    phones: tuple[str, ...],
    customers: tuple[str, ...],
    orders: tuple[str, ...],
    author: str,
) -> None:
    """Enter a request about a customer of SITE. Who it is stands encrypted in the database until it was carried out."""
    here_only("`privacy ask`", "the API takes it as POST /api/v1/sites/SITE/privacy-requests")
    from datetime import UTC, datetime

    from custom_events import secrets
    from custom_events.catalog import sites
    from custom_events.redaction import requests
    from custom_events.redaction.person import Person, person
    from custom_events.values.deliveries import PrivacyRequest

    settings = prepared()
    wanted = PrivacyRequest(kind)
    with connected(settings) as engine, engine.begin() as connection:
        site = sites.by_key(connection, site_key)
        if wanted is PrivacyRequest.REDACT_SHOP and not (emails or phones or customers or orders):
            who = Person()
        else:
            country = site.settings.default_country
            who = person(emails=emails, phones=phones, customer_ids=customers, order_ids=orders, country=country)
        made = requests.ask(
            connection, secrets.key(settings), site.id, wanted, who, actor=author, now=datetime.now(UTC)
        )
    click.echo(f"Request {made.raw_id}, due {made.due_at:%Y-%m-%d}.")


@privacy.command(name="carry-out", short_help="Forget whom open requests name.")
@click.argument("number", metavar="[NUMBER]", type=int, required=False)
@_AS_JSON
@_AUTHOR
def carry_out(*, number: int | None, as_json: bool, author: str) -> None:
    """Carry out every open request to forget somebody, or that of NUMBER. May be stopped and run again at any time.

    Exits with 1 when something is left for a person to do.
    """
    here_only("`privacy carry-out`", "it works for minutes beside the database, and the nightly job does it as well")
    import msgspec

    from custom_events.redaction.carry_out import carry_out as one_request
    from custom_events.redaction.carry_out import carry_out_all

    settings = prepared()
    with connected(settings) as engine:
        if number is None:
            carried_out = carry_out_all(engine, settings, actor=author)
        else:
            carried_out = [one_request(engine, settings, number, actor=author)]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"requests": carried_out}), indent=2))
    else:
        for request in carried_out:
            click.echo(_line(request))
        if not carried_out:
            click.echo("No open requests to forget somebody.")
    if any(request.problem for request in carried_out):
        raise click.exceptions.Exit(1)


def _line(carried: "Carried") -> str:
    rows = ", ".join(f"{name} {rows}" for name, rows in sorted(carried.counts.items())) or "nothing was stored"
    if carried.problem is not None:
        return f"raw:{carried.raw_id}  {carried.problem}"
    state = "done" if carried.is_done else f"{carried.waiting} events wait for Google's answer, run it again later"
    return f"raw:{carried.raw_id}  {carried.kind.value} of site {carried.site_key}: {state} ({rows})"


@privacy.command(short_help="Write what is stored of a person into a file.")
@_NUMBER
@click.option(
    "--to",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file, JSON; readable by its owner only, and never written over.",
)
@author_option("Who reads it; kept in the audit trail.")
def export(*, number: int, file: Path, author: str) -> None:
    """Write what is stored of whom request NUMBER names. Give it to the person, then close the request with `done`."""
    here_only("`privacy export`", "the API answers GET /api/v1/privacy-requests/NUMBER/export")
    import msgspec

    from custom_events.redaction.export import export as export_request

    if file.exists():
        raise click.ClickException(f"{file} exists already: remove it, or choose another --to.")
    settings = prepared()
    with connected(settings) as engine, engine.begin() as connection:
        exported = export_request(connection, settings, number, actor=author)
    try:
        file.touch(mode=0o600)
        file.write_bytes(msgspec.json.format(msgspec.json.encode(exported), indent=2) + b"\n")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written ({error.strerror}): choose another --to.") from None
    click.echo(
        f"{file}: what is stored of whom request {number} names. It is personal data: delete it when it was handed over."
    )


@privacy.command(short_help="Note that a request was carried out by hand.")
@_NUMBER
@click.option("--note", required=True, help="What was done.")
@_AUTHOR
def done(*, number: int, note: str, author: str) -> None:
    """Note that request NUMBER was carried out: that its answer was handed over, or that somebody did it by hand. Deletes nothing."""
    if (asked := server()) is not None:
        from cli.afar.reading import close_request

        close_request(asked, number, note)
    else:
        from custom_events.catalog.privacy import done as note_done

        with connected(prepared()) as engine, engine.begin() as connection:
            note_done(connection, number, actor=author, note=note)
    click.echo(f"Request {number} is closed.")
