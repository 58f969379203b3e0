"""`custom-events privacy`: what people asked about their data, and until when it must be done."""

import click

from cli.author import author_option
from cli.session import connected, prepared, server

_AUTHOR = author_option("Who carried it out; kept in the audit trail.")


@click.group(short_help="Requests of people about their data, and their due dates.")
def privacy() -> None:
    """Shopify passes on who must be forgotten (customers/redact, shop/redact) and who asks what is stored (customers/data_request). They
    are parked with a due date, and an alarm stands until somebody has carried them out.

    \b
    Examples:
      custom-events privacy list
      custom-events raw show 77                                 who it is
      custom-events privacy done 77 --note "deleted by script"
    """


@privacy.command(name="list", short_help="Open requests, the most urgent first.")
@click.option("--all", "every", is_flag=True, help="Those that were carried out, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
def list_(*, every: bool, as_json: bool) -> None:
    """Show the requests that were not carried out yet."""
    import msgspec

    if (asked := server()) is not None:
        from cli.afar.reading import privacy_requests

        found = privacy_requests(asked, every=every)
    else:
        from custom_events.catalog.privacy import requests

        with connected(prepared()) as engine, engine.connect() as connection:
            found = requests(connection, every=every)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"requests": found}), indent=2))
        return
    for one in found:
        state = (
            f"due {one.due_at:%Y-%m-%d}"
            if one.done_at is None
            else f"done {one.done_at:%Y-%m-%d} by {one.done_by}: {one.note}"
        )
        click.echo(
            f"raw:{one.raw_id}  {one.kind.value:16} site {one.site_key}, received {one.received_at:%Y-%m-%d}, {state}"
        )
    if not found:
        click.echo("No requests." if every else "No open requests.")


@privacy.command(short_help="Note that a request was carried out.")
@click.argument("number", metavar="RAW_ID", type=int)
@click.option("--note", required=True, help="What was done.")
@_AUTHOR
def done(*, number: int, note: str, author: str) -> None:
    """Note that the request of delivery RAW_ID was carried out. This version deletes nothing by itself."""
    if (asked := server()) is not None:
        from cli.afar.reading import close_request

        close_request(asked, number, note)
    else:
        from custom_events.catalog.privacy import done as note_done

        with connected(prepared()) as engine, engine.begin() as connection:
            note_done(connection, number, actor=author, note=note)
    click.echo(f"Request {number} is closed.")
