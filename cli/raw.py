"""`custom-events raw`: a stored delivery, as it was received."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.author import author_option
from cli.session import connected, prepared, server

if TYPE_CHECKING:
    from custom_events.catalog.raw_events import RawEvent

_AUTHOR = author_option("Who reads it; kept in the audit trail.")
_NUMBER = click.argument("number", metavar="ID", type=int)


@click.group(short_help="A stored delivery: its headers and exact bytes.")
def raw() -> None:
    """Deliveries as they were received. Bodies hold personal data: who reads one is kept in the audit trail.

    \b
    Examples:
      custom-events raw show 77                    headers and body
      custom-events raw save 77 --folder evidence  77.json with the exact bytes, 77.headers.json beside it
    """


@raw.command(short_help="Show headers and body.")
@_NUMBER
@_AUTHOR
def show(*, number: int, author: str) -> None:
    """Show raw event ID (`explain` names them: raw:ID)."""
    raw = _read(number, author, "show")
    click.echo(f"raw:{raw.id} of site {raw.site_id}, received {raw.received_at:%Y-%m-%d %H:%M:%S UTC}, {raw.signature}")
    for name, value in raw.headers.items():
        click.echo(f"{name}: {value}")
    click.echo()
    click.echo(raw.body.decode("utf-8", errors="backslashreplace"))


@raw.command(short_help="Write the exact bytes into a file.")
@_NUMBER
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to write; made if it is not there. Default: here.",
)
@_AUTHOR
def save(*, number: int, folder: Path, author: str) -> None:
    """Write the body of raw event ID to ID.json, byte for byte, and its headers to ID.headers.json. Existing files are kept."""
    import msgspec

    files = folder / f"{number}.json", folder / f"{number}.headers.json"
    for file in files:
        if file.exists():
            raise click.ClickException(f"{file} exists already: remove it, or choose another --folder.")
    raw = _read(number, author, "save")
    headers = msgspec.json.format(msgspec.json.encode(raw.headers), indent=2) + b"\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in zip(files, (raw.body, headers), strict=True):
            file.touch(mode=0o600)
            file.write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written ({error.strerror}): choose another --folder.") from None
    click.echo(f"{files[0]}: {len(raw.body)} bytes of site {raw.site_id}, topic {raw.topic or 'none'}")


def _read(number: int, author: str, verb: str) -> "RawEvent":
    if (asked := server()) is not None:
        from cli.afar.reading import raw_event

        return raw_event(asked, number)
    from custom_events.catalog import raw_events

    with connected(prepared()) as engine, engine.begin() as connection:
        return raw_events.read(connection, number, actor=author, verb=verb)
