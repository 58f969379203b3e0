"""`custom-events site api-key` and `site recover-orders`: orders read from the store's own API."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from cli.author import author_option
from cli.session import connected, here_only, prepared

if TYPE_CHECKING:
    from custom_events.recovery.run import Recovery

TIME = "%Y-%m-%d %H:%M UTC"
_SITE = click.argument("name", metavar="SITE")
_API = "its secrets go by the API from afar (POST /api/v1/sites/{site_id}/store-api-key), or on the server"


@click.group(name="api-key", short_help="The key by which a store's orders are read.")
def api_key() -> None:
    """The key of the store's own API, by which orders are read that no delivery brought. Encrypted at rest, never shown again.

    In WooCommerce: Settings > Advanced > REST API > Add key, Permissions Read, of a user who may see orders. In BigCommerce: Settings >
    Store-level API accounts, scopes Orders and Order Transactions read-only; the key is the store's hash, the secret the access token.

    \b
    Examples:
      custom-events site api-key set shop.example --key ck_...    asks for the secret
      custom-events site api-key set 7 --key abc123               BigCommerce: asks for the access token
      custom-events site api-key show shop.example
      custom-events site api-key remove shop.example
    """


@api_key.command(name="set", short_help="Enter the key, in the place of the one before.")
@_SITE
@click.option("--key", "consumer_key", required=True, help="The consumer key, ck_...; of BigCommerce the store's hash.")
@click.option("--url", help="The address of its API. Left out: https and the site's domain, or BigCommerce's own.")
@author_option()
def set_(*, name: str, consumer_key: str, url: str | None, author: str) -> None:
    """Set the key of SITE's store. The consumer secret (BigCommerce: the access token) is asked for at the terminal, or read from standard input."""
    here_only("`site api-key`", _API)
    from custom_events import secrets
    from custom_events.catalog import sites, store_api_keys

    value = click.prompt("Secret", hide_input=True) if sys.stdin.isatty() else sys.stdin.read().strip()
    settings = prepared()
    with connected(settings) as engine, engine.begin() as connection:
        site = sites.called(connection, name)
        stored = store_api_keys.put(
            connection,
            site.id,
            store_url=url,
            consumer_key=consumer_key,
            consumer_secret=value,
            key=secrets.key(settings),
            actor=author,
            allow_private=settings.store_api_private,
        )
    click.echo(
        f"The orders of site {site.id} are read from {stored.store_url} by the key that ends in {stored.key_ending}."
    )
    click.echo(f"Try it: custom-events site recover-orders {site.id} --dry-run")


@api_key.command(short_help="Where the key is good, and how it ends.")
@_SITE
def show(*, name: str) -> None:
    """Show the key of SITE's store, without what it holds."""
    here_only("`site api-key`", _API)
    from custom_events.catalog import sites, store_api_keys

    with connected(prepared()) as engine, engine.connect() as connection:
        stored = store_api_keys.get(connection, sites.called(connection, name).id)
    click.echo(f"{stored.store_url}  key ...{stored.key_ending}, entered {stored.updated_at:{TIME}}")


@api_key.command(short_help="Read the store's orders no more.")
@_SITE
@author_option()
def remove(*, name: str, author: str) -> None:
    """Remove the key of SITE's store."""
    here_only("`site api-key`", _API)
    from custom_events.catalog import sites, store_api_keys

    with connected(prepared()) as engine, engine.begin() as connection:
        site = sites.called(connection, name)
        store_api_keys.remove(connection, site.id, actor=author)
    click.echo(f"The orders of site {site.id} are read no more. Revoke the key in the store, too.")


@click.command(name="recover-orders", short_help="Read orders from the store, and land what is missing.")
@_SITE
@click.option(
    "--since",
    type=click.DateTime(),
    help="From then on (UTC), also before the site was made. Left out: where the last reading ended.",
)
@click.option("--dry-run", is_flag=True, help="Only say what is missing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
def recover_orders(*, name: str, since: datetime | None, dry_run: bool, as_json: bool) -> None:
    """Read the orders that SITE's store has changed, lay them beside what landed, and land what is missing.

    A schedule does the same every hour. Exit code 1 when the store could not be read.

    \b
    Examples:
      custom-events site recover-orders shop.example --dry-run
      custom-events site recover-orders shop.example --since 2026-11-01
    """
    here_only("`site recover-orders`", "it reads a store for minutes, longer than a request may take")
    import msgspec

    from custom_events.catalog import sites
    from custom_events.recovery.run import recover
    from custom_events.values.times import as_utc

    settings, now = prepared(), datetime.now(UTC)
    with connected(settings) as engine:
        with engine.connect() as connection:
            site = sites.called(connection, name)
        recovery = recover(
            engine, settings, site.id, now, since=None if since is None else as_utc(since), dry_run=dry_run
        )
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(recovery), indent=2))
    else:
        _show(recovery, dry_run=dry_run)
    if recovery.problem is not None:
        raise SystemExit(1)


def _show(recovery: "Recovery", *, dry_run: bool) -> None:
    from custom_events.values.recovery import SENTENCES, GapKind

    click.echo(f"Changed from {recovery.since:{TIME}} to {recovery.until:{TIME}}: {recovery.read:,} orders read.")
    for kind, count in recovery.missing.items():
        click.echo(f"  {count:>6,}  {SENTENCES[GapKind(kind)]}")
    if recovery.sample_orders:
        click.echo(f"  for example order {', '.join(recovery.sample_orders)}")
    if not recovery.missing:
        click.echo("  Nothing is missing.")
    elif dry_run:
        click.echo("Nothing was landed: that was a dry run.")
    else:
        click.echo(f"{recovery.landed:,} landed now; the rest had landed and waits to be understood.")
    if recovery.problem is not None:
        click.echo(f"The store was not read to the end: {recovery.problem}", err=True)
