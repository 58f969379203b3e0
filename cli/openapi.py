"""`custom-events openapi`: the API's document."""

import click


@click.command(
    short_help="The API's document (OpenAPI 3.1).", epilog="Example:\n\n  custom-events openapi > openapi.json"
)
def openapi() -> None:
    """Print the OpenAPI document of the API, as the console serves it at /openapi.json. No database is asked."""
    import msgspec

    from cli.session import prepared, server

    if (asked := server()) is not None:
        document = asked.document()
    else:
        from console.api.app import create_app

        document = create_app("postgresql://", prepared()).openapi()
    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2))
