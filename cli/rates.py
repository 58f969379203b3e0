"""`custom-events rates`: exchange rates by day, by which reports add up several currencies."""

from pathlib import Path

import click

from cli.author import author_option
from cli.session import connected, prepared


@click.group(short_help="Exchange rates by day, for reports in one currency.")
def rates() -> None:
    """Reports have each amount in its own currency, and in the reporting currency (CUSTOM_EVENTS_REPORTING_CURRENCY) where a rate of its
    day was loaded, or of one of the days before (CUSTOM_EVENTS_EXCHANGE_RATE_DAYS). Without one the amount is empty and counted as a gap.
    """


@rates.command(short_help="Load rates from a CSV file.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@author_option()
def load(*, file: Path, author: str) -> None:
    """Load the rates of FILE; those of the same day and currencies are replaced. Nothing is loaded where a line cannot be used.

    \b
    The file is CSV with these columns:
      day,currency,reporting_currency,rate,source
      2026-11-02,USD,EUR,0.92,ECB
    rate: units of the reporting currency for one unit of the other.

    \b
    Examples:
      custom-events rates load rates.csv
    """
    from custom_events.catalog import exchange_rates
    from custom_events.errors import InvalidConfiguration

    try:
        text = file.read_text(encoding="utf-8-sig")  # spreadsheets begin files with a byte order mark
    except UnicodeDecodeError as error:
        raise InvalidConfiguration(
            f"it is no text in UTF-8 ({error.reason} at byte {error.start}); save it as CSV UTF-8", path=str(file)
        ) from None
    read = exchange_rates.read(text)
    with connected(prepared()) as engine, engine.begin() as connection:
        loaded = exchange_rates.load(connection, read, actor=author)
    click.echo(
        f"{loaded.new} new rates, {loaded.changed} changed, {loaded.unchanged} as they were. The next build of the reports has them."
    )


@rates.command("list", short_help="Of which days rates are there.")
def list_rates() -> None:
    """Each pair of currencies with its days."""
    from custom_events.queries import exchange_rates as queries

    with connected(prepared()) as engine, engine.connect() as connection:
        spans = queries.spans(connection)
    for span in spans:
        click.echo(
            f"{span.currency} in {span.reporting_currency}  {span.first_day} to {span.last_day}  {span.days} days"
        )
    if not spans:
        click.echo("No rates are loaded: `custom-events rates load FILE` does that.")
