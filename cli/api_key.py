"""`custom-events api-key`: keys for programs that use the API."""

from datetime import UTC, datetime, timedelta

import click

from cli.author import author_option
from cli.roles import role_option, shown

_AUTHOR = author_option()
TIME = "%Y-%m-%d %H:%M UTC"


@click.group(short_help="Keys for programs that use the API.")
def api_key() -> None:
    """Keys by which programs use the API: `Authorization: Bearer ...`.

    \b
    Examples:
      custom-events api-key make deploy --role publisher --days 90
      custom-events api-key make prometheus --role viewer
      custom-events api-key list
      custom-events api-key revoke ce_1a2b3c4d
    """


@api_key.command(short_help="A new key, shown once.")
@click.argument("name")
@role_option
@click.option("--owner", metavar="LOGIN", help="Whose key it is: it may no more than they, and ends with them.")
@click.option("--days", type=click.IntRange(1, 3650), help="Days after which it ends. Left out: never.")
@_AUTHOR
def make(*, name: str, roles: tuple[str, ...], owner: str | None, days: int | None, author: str) -> None:
    """Make a key and show it, now and never again. NAME says what it is for."""
    from cli.nouns.people import opened

    if not roles:
        raise click.BadParameter("say what it may: --role viewer, for example", param_hint="--role")
    expires_at = datetime.now(UTC) + timedelta(days=days) if days is not None else None
    with opened(author) as people:
        made, key = people.make_key(name, roles, owner, expires_at)
    click.echo(f"Key {made.prefix}: {shown(made.grants)}.\n\nKey (shown once): {key}")


@api_key.command(name="list", short_help="Every key, without what it is.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
def list_(*, as_json: bool) -> None:
    """Show every key: beginning, what it is for, what it may, when it was used last, when it ends."""
    import msgspec

    from cli.nouns.people import opened

    with opened() as people:
        keys = people.keys()
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"api_keys": keys}), indent=2))
        return
    for api_key in keys:
        used = "never used" if api_key.last_used_at is None else f"last used {api_key.last_used_at:{TIME}}"
        click.echo(
            f"{api_key.prefix}  {api_key.name}: {shown(api_key.grants)}; {used}{_end(api_key.expires_at, api_key.revoked_at)}"
        )
    if not keys:
        click.echo("There are no keys yet: custom-events api-key make NAME --role viewer")


@api_key.command(short_help="A key is good no longer.")
@click.argument("prefix")
@_AUTHOR
def revoke(*, prefix: str, author: str) -> None:
    """Revoke the key that begins with PREFIX (ce_ and eight digits), at once."""
    from cli.nouns.people import opened

    with opened(author) as people:
        key = people.revoke_key(prefix)
    click.echo(f"Key {key.prefix} ({key.name}) is good no longer.")


def _end(expires_at: datetime | None, revoked_at: datetime | None) -> str:
    if revoked_at is not None:
        return f"; revoked {revoked_at:{TIME}}"
    return "" if expires_at is None else f"; ends {expires_at:{TIME}}"
