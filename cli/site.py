"""`custom-events site`: connect a store, change its secrets, see whether it sends."""

import sys
import time
from typing import TYPE_CHECKING

import click

from cli.author import author_option
from cli.site_orders import api_key, recover_orders
from custom_events.values.platforms import Platform

if TYPE_CHECKING:
    from cli.nouns.sites import SiteRow, Sites

TIME = "%Y-%m-%d %H:%M UTC"
WAIT_S = 600
WAIT_LIMIT_S = 86_400  # a day: longer, and nobody looks at the terminal any more
LOOK_EVERY_S = 1.0

_AUTHOR = author_option()
_SITE = click.argument("name", metavar="SITE")


@click.group(short_help="Connect a store: address, secrets, first delivery.")
def site() -> None:
    """The stores that send us events. SITE is an id, a key or a shop domain.

    \b
    Examples:
      custom-events site add --platform woocommerce --name "My shop" --domain shop.example --currency EUR
      custom-events site add --platform shopify --name "My shop" --domain my-shop.myshopify.com
      custom-events site list
      custom-events site wait shop.example         until its first signed delivery; says what is wrong meanwhile
      custom-events site secret add shop.example   one more secret, pasted from the store
      custom-events site recover-orders shop.example --dry-run   orders of the store that no delivery brought
    """


site.add_command(api_key)
site.add_command(recover_orders)


@site.command(short_help="Make a site, its address and its secret.")
@click.option(
    "--platform", required=True, type=click.Choice([platform.value for platform in Platform]), help="The store's."
)
@click.option("--name", required=True, help="Its name for people.")
@click.option("--domain", help="The shop's host name; Shopify: my-shop.myshopify.com.")
@click.option("--currency", help="The shop's own currency (ISO 4217), EUR for example.")
@click.option("--time-zone", default="UTC", show_default=True, help="IANA name; its days and weeks count.")
@click.option("--country", help="Of national phone numbers (ISO 3166), DE for example.")
@click.option("--wait", is_flag=True, help="Wait for the first signed delivery, and say what is wrong until it comes.")
@_AUTHOR
def add(
    *,
    platform: str,
    name: str,
    domain: str | None,
    currency: str | None,
    time_zone: str,
    country: str | None,
    wait: bool,
    author: str,
) -> None:
    """Make a site and show what to enter in the store. The secret is shown now and never again."""
    from cli.nouns.sites import opened
    from custom_events.catalog import connecting

    fields = {
        "platform": platform,
        "name": name,
        "shop_domain": domain,
        "currency": currency,
        "time_zone": time_zone,
        "settings": {} if country is None else {"default_country": country},
    }
    with opened(author) as sites:
        made = sites.add(fields)
        click.echo(f"Site {made.site.id}, key {made.site.site_key}.\n")
        for line in made.lines:
            click.echo(line)
        if made.secret is not None:
            _show(made.secret)
            line = connecting.connection_string(made.site.platform, made.site.address, made.secret, None)
            if line is not None:
                click.echo(f"Connection string for our plugin (it holds the secret): {line}")
        if wait:
            _wait(sites, made.site, WAIT_S)


def _show(secret: str) -> None:
    click.echo(f"\nSecret (shown once): {secret}")


@site.command(name="list", short_help="Every site, and when it last sent.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
def list_(*, as_json: bool) -> None:
    """Show every site with its address and its last delivery."""
    import msgspec

    from cli.nouns.sites import opened

    with opened() as sites:
        every = sites.every()
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"sites": every}), indent=2))
        return
    for site in every:
        sent = f"last sent {site.last_delivery_at:{TIME}}" if site.last_delivery_at is not None else "never sent"
        state = "" if site.is_active else ", removed" if site.removed_at else ", paused"
        click.echo(f"{site.id:>4}  {site.platform.value:12} {site.name} ({site.shop_domain or site.site_key}){state}")
        click.echo(f"      {site.address}   {sent}")
    if not every:
        click.echo("There are no sites yet: custom-events site add")


@site.command(short_help="Wait for the first signed delivery.")
@_SITE
@click.option(
    "--seconds", default=WAIT_S, show_default=True, type=click.IntRange(0, WAIT_LIMIT_S), help="How long to wait."
)
def wait(*, name: str, seconds: int) -> None:
    """Wait until a signed delivery of SITE lands; say why others were refused meanwhile. Exit code 1 when none came."""
    from cli.nouns.sites import opened

    with opened() as sites:
        _wait(sites, sites.called(name), seconds)


def _wait(sites: "Sites", site: "SiteRow", seconds: int) -> None:
    from custom_events.catalog import connecting

    click.echo(f"\nWaiting for a delivery at {site.address} (Ctrl-C ends the waiting) ...")
    deadline = time.monotonic() + seconds
    since = sites.now()
    shown: dict[str, int] = {}
    while True:
        seen = sites.arrivals(site, since)
        for reason, count in seen.refused.items():
            if shown.get(reason) != count:
                click.echo(f"  refused ({reason}, {count} times): {connecting.refusal_sentence(reason)}")
        shown = seen.refused
        if seen.raw_id is not None:
            click.echo(
                f"  landed: {seen.topic or 'no topic'}, raw:{seen.raw_id}. `custom-events explain raw:{seen.raw_id}`"
            )
            return
        if time.monotonic() > deadline:
            click.echo("  nothing landed. Does the store reach this address from outside?", err=True)
            sys.exit(1)
        time.sleep(LOOK_EVERY_S)


@site.command(short_help="Take what it sends, and match nothing.")
@_SITE
@click.option("--reason", default="", help="Why; kept in the audit trail.")
@_AUTHOR
def pause(*, name: str, reason: str, author: str) -> None:
    """Pause SITE until `site resume`: what it sends lands and is understood, and matches nothing."""
    _switch(name, "pause", "is paused: what it sends is taken, and matches nothing", reason, author)


@site.command(short_help="Match what it sends again.")
@_SITE
@click.option("--reason", default="", help="Why; kept in the audit trail.")
@_AUTHOR
def resume(*, name: str, reason: str, author: str) -> None:
    """End the pause of SITE, or bring it back when it was removed. `custom-events replay` matches what came meanwhile."""
    _switch(name, "resume", "is active", reason, author)


@site.command(short_help="Refuse what it sends from now on.")
@_SITE
@click.option("--reason", default="", help="Why; kept in the audit trail.")
@_AUTHOR
def remove(*, name: str, reason: str, author: str) -> None:
    """Refuse what SITE sends (410), so that its store gives the webhooks up. What is stored stays; `site resume` brings it back."""
    _switch(name, "remove", "is removed: what it sends is refused", reason, author)


def _switch(name: str, verb: str, outcome: str, reason: str, author: str) -> None:
    from cli.nouns.sites import opened

    with opened(author) as sites:
        site = sites.switch(name, verb, reason)
    click.echo(f"Site {site.id} ({site.name}) {outcome}.")


@site.group(short_help="A site's signing secrets.")
def secret() -> None:
    """The secrets that prove a delivery to be from the store. They are encrypted at rest and never shown again.

    \b
    Examples:
      custom-events site secret add shop.example      pasted from the store, beside those there are
      custom-events site secret rotate shop.example   a new one of ours; the old ones stay good for a day
      custom-events site secret list shop.example
      custom-events site secret revoke shop.example 3
    """


@secret.command(name="add", short_help="One more secret, pasted from the store.")
@_SITE
@click.option("--key-id", help="Name of the secret, for senders that name theirs.")
@_AUTHOR
def add_secret(*, name: str, key_id: str | None, author: str) -> None:
    """Add a secret of SITE: asked for at the terminal, or read from standard input."""
    from cli.nouns.site_secrets import opened

    value = click.prompt("Secret", hide_input=True) if sys.stdin.isatty() else sys.stdin.read().strip()
    with opened(author) as secrets:
        site_id, number = secrets.add(name, value, key_id)
    click.echo(f"Secret {number} of site {site_id} is good as soon as the receiver looks again, within seconds.")


@secret.command(short_help="A new secret of ours; the old ones stay good for a day.")
@_SITE
@click.option("--key-id", help="Name of the secret, for senders that name theirs.")
@_AUTHOR
def rotate(*, name: str, key_id: str | None, author: str) -> None:
    """Make a new secret of SITE and show it once. Those before it stay good for 24 hours."""
    from cli.nouns.site_secrets import opened

    with opened(author) as secrets:
        site_id, value = secrets.rotate(name, key_id)
    click.echo(f"Enter the new secret of site {site_id} in the store; the old ones are good for 24 hours more.")
    _show(value)


@secret.command(name="list", short_help="The secrets of a site, without what they hold.")
@_SITE
def list_secrets(*, name: str) -> None:
    """Show the secrets of SITE: number, name, age, end."""
    from cli.nouns.site_secrets import opened

    with opened() as secrets:
        listed = secrets.of(name)
    for secret in listed:
        until = "until removed" if secret.valid_until is None else f"until {secret.valid_until:{TIME}}"
        click.echo(f"{secret.id:>4}  {secret.key_id or '-':12} since {secret.created_at:{TIME}}, good {until}")


@secret.command(short_help="A secret is good no longer.")
@_SITE
@click.argument("number", type=int)
@_AUTHOR
def revoke(*, name: str, number: int, author: str) -> None:
    """Remove secret NUMBER of SITE at once."""
    from cli.nouns.site_secrets import opened

    with opened(author) as secrets:
        site_id = secrets.revoke(name, number)
    click.echo(f"Secret {number} of site {site_id} is good no longer.")
