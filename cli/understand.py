"""`custom-events understand`: what a webhook body means, without storing anything."""

from pathlib import Path

import click

from custom_events.values.platforms import Platform


@click.command(short_help="Say what a webhook's body means.")
@click.option(
    "--platform",
    required=True,
    type=click.Choice([platform.value for platform in Platform]),
    help="Whose body it is.",
)
@click.option("--topic", required=True, help="The topic, as the store's header names it.")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def understand(*, platform: str, topic: str, files: tuple[Path, ...]) -> None:
    """Show what each body is understood as: one line of JSON per file, in the order given.

    A line holds the commerce events, or {"parked": reason} for a body that cannot be understood; both are answers, so the
    exit code is 0. Nothing is stored and no database is needed.

    \b
    Examples:
      custom-events understand --platform shopify --topic orders/paid order.json
      custom-events understand --platform woocommerce --topic order.updated *.json | jq -c '.events[].type'
    """
    from custom_events.platforms.lines import understood_line

    for file in files:
        try:
            body = file.read_bytes()
        except OSError as error:
            raise click.BadParameter(f"{file} cannot be read: {error.strerror}", param_hint="FILE") from None
        click.echo(understood_line(Platform(platform), topic, body))
