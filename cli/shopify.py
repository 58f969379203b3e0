"""`custom-events shopify`: our app in Shopify's shops."""

from typing import TYPE_CHECKING

import click

from cli.author import author_option
from cli.session import connected, prepared

if TYPE_CHECKING:
    from custom_events.shopify_app.installation import Installation
    from custom_events.shopify_app.watching import Look

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
_SITE = click.argument("site", metavar="SITE")


@click.group(short_help="Our app in Shopify's shops: install it, see it, register again.")
def shopify() -> None:
    """A shop whose owner installs our app is a site by that: with its secret, its webhooks and its pixel, which are watched hourly
    (docs/how-to/connect-shopify.md). SITE is an id, a key or a shop domain.

    \b
    Examples:
      custom-events shopify install-url northlight-demo.myshopify.com
      custom-events shopify status
      custom-events shopify register northlight-demo.myshopify.com
    """


@shopify.command(name="install-url", short_help="The link by which a shop's owner installs the app.")
@click.argument("shop", metavar="SHOP")
def install_url(*, shop: str) -> None:
    """Print the link for SHOP, name.myshopify.com. Whoever opens it must be the shop's owner, or may install apps there."""
    from custom_events.shopify_app.installing import install_url as link

    click.echo(link(prepared(), shop))


@shopify.command(short_help="Every installation, with what is wrong.")
@click.argument("site", metavar="[SITE]", required=False)
@_AS_JSON
def status(*, site: str | None, as_json: bool) -> None:
    """Show where the app is installed, how old its tokens are, and which webhooks are there. The exit code is 1 when something is wrong."""
    import msgspec

    from custom_events.catalog import sites
    from custom_events.shopify_app import installation

    with connected(prepared()) as engine, engine.connect() as connection:
        if site is None:
            listed = installation.everything(connection)
        else:
            listed = [installation.get(connection, sites.called(connection, site).id)]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"installations": listed}), indent=2))
    else:
        for entry in listed:
            _tell(entry)
        if not listed:
            click.echo("The app is installed nowhere: `custom-events shopify install-url SHOP` gives the link.")
    click.get_current_context().exit(1 if any(entry.problems or not entry.is_installed for entry in listed) else 0)


@shopify.command(short_help="Look at shops now, and register what is missing.")
@click.argument("site", metavar="[SITE]", required=False)
@author_option()
def register(*, site: str | None, author: str) -> None:
    """Compare webhooks and pixel with what is to be registered, in one shop or in all, and set right what differs. The exit code is 1 when something is
    left for a person to do."""
    from custom_events.catalog import sites
    from custom_events.shopify_app import watching

    settings = prepared()
    with connected(settings) as engine:
        if site is None:
            looks = watching.watch_all(engine, settings, actor=author)
        else:
            with engine.connect() as connection:
                site_id = sites.called(connection, site).id
            looks = [watching.watch(engine, settings, site_id, actor=author)]
    for look in looks:
        _tell_look(look)
    if not looks:
        click.echo("The app is installed nowhere.")
    click.get_current_context().exit(1 if any(_left(look) for look in looks) else 0)


@shopify.command(short_help="New tokens for a shop, now.")
@_SITE
def refresh(*, site: str) -> None:
    """Renew the tokens of a shop, or exchange one that never expires. They are renewed by themselves whenever they are needed; this shows
    whether Shopify still gives any."""
    from custom_events.catalog import sites
    from custom_events.shopify_app import installation, tokens

    settings = prepared()
    with connected(settings) as engine:
        with engine.connect() as connection:
            site_id = sites.called(connection, site).id
        if not tokens.migrate(engine, settings, site_id):
            tokens.access_token(engine, settings, site_id, renew=True)
        with engine.connect() as connection:
            _tell(installation.get(connection, site_id))


def _tell(entry: "Installation") -> None:
    click.echo(
        f"site {entry.site_id}  {entry.shop}  {entry.state} since {entry.uninstalled_at or entry.installed_at:%Y-%m-%d %H:%M}"
    )
    if entry.is_installed:
        end = (
            "never expires"
            if entry.refresh_expires_at is None
            else f"can be renewed until {entry.refresh_expires_at:%Y-%m-%d}"
        )
        looked = "not looked at yet" if entry.watched_at is None else f"looked at {entry.watched_at:%Y-%m-%d %H:%M}"
        click.echo(f"  token from {entry.tokens_at:%Y-%m-%d %H:%M}, {end}")
        click.echo(
            f"  webhooks {_webhooks(entry)}, pixel {'there' if entry.registered.pixel else 'not there'}, {looked}"
        )
        click.echo(f"  may: {', '.join(entry.scopes) or 'nothing'}")
    else:
        click.echo(f"  Its owner installs it again by: custom-events shopify install-url {entry.shop}")
    for problem in entry.problems:
        click.echo(f"  {problem.what}: {problem.sentence}")


def _webhooks(entry: "Installation") -> str:
    return (
        "in the app's settings"
        if entry.registered.by_app
        else f"{len(entry.registered.webhooks)} of {len(entry.topics)}"
    )


def _tell_look(look: "Look") -> None:
    done = look.repaired
    parts = [
        *(
            f"{len(topics)} {word}"
            for topics, word in ((done.made, "made"), (done.changed, "changed"), (done.removed, "removed"))
            if topics
        ),
        *([f"pixel {done.pixel}"] if done.pixel else []),
    ]
    click.echo(f"{look.shop}: {', '.join(parts) or 'nothing to do'}")
    for problem in look.problems:
        click.echo(f"  {problem.what}: {problem.sentence}")


def _left(look: "Look") -> bool:
    from custom_events.shopify_app.watching import REGISTERED_AGAIN

    return any(problem.what != REGISTERED_AGAIN for problem in look.problems)
