"""`custom-events secrets`: the key by which secrets are encrypted at rest."""

from typing import TYPE_CHECKING

import click

from cli.author import author_option
from cli.progress import write_over
from cli.session import connected, prepared

if TYPE_CHECKING:
    from custom_events.access.key_rotation import Rotation

_LOST_SHOWN = 10  # of what no key decrypts


@click.group(short_help="The key of what is encrypted at rest: a new one, and rotation.")
def secrets() -> None:
    """Signing secrets of sites and kept answers are encrypted by the keys of CUSTOM_EVENTS_SECRET_KEY, or those of the key file: the first
    encrypts, each of them decrypts.

    \b
    To change the key, in this order:
      custom-events secrets new-key       a new key, before the others
      (start receiver and console again, so that they know it)
      custom-events secrets rotate        what is stored, encrypted by the new key
      (remove the old keys, start again; an old backup of the database still needs them)
    """


@secrets.command(name="new-key", short_help="A new key, before those there are.")
@click.option(
    "--print", "only_print", is_flag=True, help="Show a key, for CUSTOM_EVENTS_SECRET_KEY, and change nothing."
)
def new_key(*, only_print: bool) -> None:
    """Put a new key first in the key file. Where the keys stand in CUSTOM_EVENTS_SECRET_KEY it is shown, and you put it there."""
    from custom_events import secrets as ring

    settings = prepared()
    if only_print:
        click.echo(ring.generate().decode())
        return
    if settings.secret_key is not None:
        ring.key(settings)
        click.echo("Put this key first in CUSTOM_EVENTS_SECRET_KEY, with a comma before those there are:", err=True)
        click.echo(ring.generate().decode())
    else:
        click.echo(f"{ring.put_first(settings)} has a new key, before those it had.")
    click.echo("Start receiver and console again, then: custom-events secrets rotate", err=True)


@secrets.command(short_help="Encrypt all that is stored by the first key.")
@author_option()
def rotate(*, author: str) -> None:
    """Encrypt again, by the first key, whatever an older one has encrypted. It may run while everything runs, be ended, and run again.

    Exit code 1 when no key decrypts some of it: those sites need their secrets entered again.
    """
    from custom_events import secrets as ring
    from custom_events.access import key_rotation

    settings = prepared()
    key = ring.key(settings)
    with connected(settings) as engine:
        rotation = key_rotation.rotate(engine, key, actor=author, on_progress=_tell)
    write_over("")
    click.echo(f"{rotation.renewed:,} encrypted anew, {rotation.current:,} were already by the first key.")
    if rotation.lost:
        names = list(dict.fromkeys(rotation.lost))
        more = f" and {len(names) - _LOST_SHOWN} more" if len(names) > _LOST_SHOWN else ""
        click.echo(
            f"{len(rotation.lost):,} cannot be decrypted by any key: {', '.join(names[:_LOST_SHOWN])}{more}. Add the key they were "
            "encrypted with, or enter the secrets again (custom-events site secret add).",
            err=True,
        )
        raise SystemExit(1)
    if len(ring.parts(key)) > 1:
        click.echo(
            "The other keys are not needed any more, but for backups of the database: remove them, and start again."
        )


def _tell(rotation: "Rotation") -> None:
    write_over(f"{rotation.done:,} of {rotation.total:,}")
