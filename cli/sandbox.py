"""`custom-events sandbox`: stand-ins for the outside world."""

from pathlib import Path

import click

from cli.session import prepared

PORT = click.IntRange(0, 65_535)
CUSTOMER_DIGITS = 10  # of Google's customer ids
OLDEST_CLICK_HOURS = 365 * 24  # four times as old as the oldest click that Google takes


@click.group(short_help="Stand-ins for Google and Shopify, to develop against.")
def sandbox() -> None:
    """Stand-ins for the outside world, to develop and test against."""


@sandbox.command("google-ads")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Certificates and key file; default: .local/sandbox.",
)
@click.option("--grpc-port", type=PORT, help="TCP port of gRPC with TLS; 0: a free one. Default: the setting.")
@click.option(
    "--http-port", type=PORT, help="TCP port of REST, token endpoint and control; 0: a free one. Default: the setting."
)
@click.option(
    "--seed",
    "seed_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with accounts, actions, tokens and switches.",
)
@click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File from which one that was killed knows again what it acknowledged. Default: none, it forgets.",
)
def google_ads(
    *,
    directory: Path | None,
    grpc_port: int | None,
    http_port: int | None,
    seed_file: Path | None,
    journal: Path | None,
) -> None:
    """Google Ads API and Data Manager API, as far as conversions go, until Ctrl-C.

    Prints the variables that turn a client to it.

    \b
    Example:
      custom-events sandbox google-ads --grpc-port 0 --http-port 0
    """
    from sandbox.google_ads.seed import read_seed_file
    from sandbox.google_ads.server import serve

    settings = prepared()
    seed = read_seed_file(seed_file) if seed_file is not None else None
    place = directory if directory is not None else settings.local_directory / "sandbox"
    code = serve(
        place,
        settings.sandbox_grpc_port if grpc_port is None else grpc_port,
        settings.sandbox_http_port if http_port is None else http_port,
        seed,
        journal,
    )
    click.get_current_context().exit(code)


@sandbox.command("click-id")
@click.option("--customer", default="1234567890", show_default=True, help="Id of the ads account whose ad was clicked.")
@click.option(
    "--hours-ago",
    type=click.IntRange(0, OLDEST_CLICK_HOURS),
    default=24,
    show_default=True,
    help="How old the click is.",
)
def click_id(*, customer: str, hours_ago: int) -> None:
    """A gclid that the stand-in for Google takes for a click on an ad of the account.

    \b
    Example:
      custom-events sandbox click-id
    """
    from datetime import UTC, datetime, timedelta
    from secrets import randbits

    from sandbox.google_ads.click_ids import make_click_id

    digits = customer.replace("-", "")
    if not digits.isdecimal() or len(digits) != CUSTOMER_DIGITS:
        raise click.BadParameter("the id of an ads account has ten digits", param_hint="--customer")
    clicked_at = datetime.now(UTC) - timedelta(hours=hours_ago)
    click.echo(make_click_id("gclid", digits, clicked_at, randbits(32)))


@sandbox.command("shopify")
@click.option("--port", type=PORT, default=0, show_default=True, help="TCP port; 0: a free one.")
@click.option(
    "--shop",
    "shops",
    multiple=True,
    metavar="SHOP",
    help="A shop whose owner agrees to everything; may be given again.",
)
def shopify(*, port: int, shops: tuple[str, ...]) -> None:
    """Shopify's OAuth and GraphQL Admin API for an app, until Ctrl-C.

    Prints the variables that turn our programs to it.

    \b
    Example:
      custom-events sandbox shopify --shop northlight-demo.myshopify.com
    """
    from sandbox.stores.shopify_admin.server import serve

    click.get_current_context().exit(serve(port, shops or ("northlight-demo.myshopify.com",)))
