"""`custom-events user`: people who sign in to the console and the API."""

import sys

import click

from cli.author import author_option
from cli.roles import role_option, shown

_AUTHOR = author_option()
_LOGIN = click.argument("login")


@click.group(short_help="People who sign in, and what they may.")
def user() -> None:
    """People who sign in to the console. LOGIN is an e-mail address or a name.

    \b
    A viewer reads. An editor changes sites and drafts rules. A publisher lets drafts apply and releases uploads.
    An administrator manages people, keys and secrets. Each may what those before may.

    \b
    Examples:
      custom-events user add ana@example.org --role administrator     asks for a password
      custom-events user add ben@example.org --role editor@shop.example --role viewer@12
      custom-events user list
      custom-events user password ben@example.org                     and ends his sessions
      custom-events user disable ben@example.org
    """


@user.command(short_help="Somebody who signs in.")
@_LOGIN
@role_option
@click.option("--name", help="Name for people. Left out: the login.")
@_AUTHOR
def add(*, login: str, roles: tuple[str, ...], name: str | None, author: str) -> None:
    """Make somebody who signs in as LOGIN. The password is asked for, or read from standard input."""
    from cli.nouns.people import opened

    if not roles:
        raise click.BadParameter("say what they may: --role viewer, for example", param_hint="--role")
    password = _password()
    with opened(author) as people:
        made = people.add(login, roles, name or login, password)
    click.echo(f"{made.login} may sign in: {shown(made.grants)}.")


@user.command(name="list", short_help="Everybody who signs in.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
def list_(*, as_json: bool) -> None:
    """Show everybody with their roles."""
    import msgspec

    from cli.nouns.people import opened

    with opened() as people:
        everybody = people.every()
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"people": everybody}), indent=2))
        return
    for person in everybody:
        state = "" if person.disabled_at is None else f" (disabled since {person.disabled_at:%Y-%m-%d})"
        click.echo(f"{person.login:32} {shown(person.grants)}{state}")
    if not everybody:
        click.echo("Nobody can sign in yet: custom-events user add LOGIN --role administrator")


@user.command(short_help="Other roles than before.")
@_LOGIN
@role_option
@_AUTHOR
def role(*, login: str, roles: tuple[str, ...], author: str) -> None:
    """Give LOGIN these roles in the place of all they had; none: they sign in and see nothing."""
    from cli.nouns.people import opened

    with opened(author) as people:
        changed = people.give(login, roles)
    click.echo(f"{changed.login}: {shown(changed.grants)}.")


@user.command(short_help="A new password; ends the sessions.")
@_LOGIN
@_AUTHOR
def password(*, login: str, author: str) -> None:
    """Set a new password of LOGIN: asked for, or read from standard input. Whoever was signed in is not any more."""
    from cli.nouns.people import opened

    new_password = _password()
    with opened(author) as people:
        person = people.set_password(login, new_password)
    click.echo(f"{person.login} signs in with the new password from now on.")


@user.command(short_help="Nobody signs in as this person.")
@_LOGIN
@_AUTHOR
def disable(*, login: str, author: str) -> None:
    """End the sessions of LOGIN and refuse their API keys, until `user enable`."""
    from cli.nouns.people import opened

    with opened(author) as people:
        person = people.switch(login, enabled=False)
    click.echo(f"Nobody signs in as {person.login} any more.")


@user.command(short_help="They may sign in again.")
@_LOGIN
@_AUTHOR
def enable(*, login: str, author: str) -> None:
    """Let LOGIN sign in again."""
    from cli.nouns.people import opened

    with opened(author) as people:
        person = people.switch(login, enabled=True)
    click.echo(f"{person.login} may sign in: {shown(person.grants)}.")


@user.command(short_help="No OpenID provider signs in as this person.")
@_LOGIN
@_AUTHOR
def unlink(*, login: str, author: str) -> None:
    """Forget which account of the OpenID provider signs in as LOGIN: the next one with this verified address does."""
    from cli.nouns.people import opened

    with opened(author) as people:
        person = people.unlink(login)
    click.echo(
        f"No account of an OpenID provider signs in as {person.login}, until one with this verified address does."
    )


def _password() -> str:
    if sys.stdin.isatty():
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return asked
    return sys.stdin.readline().rstrip("\n")
