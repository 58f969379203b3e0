"""`custom-events seed`: what an installation begins with."""

import click

from cli.session import connected, prepared


@click.command(short_help="Make the system definitions, or a sample to try.")
@click.option("--sample", is_flag=True, help="Also sample sites, ads accounts and assignments, to try things out.")
def seed(*, sample: bool) -> None:
    """Make the system definitions, as often as you like: what is there stays as it is.

    \b
    Examples:
      custom-events seed                     purchase, first purchase, refund ... (migrate does this, too)
      custom-events seed --sample            also three sites with their secrets, to post to
    """
    from custom_events.catalog.sample import seed_sample
    from custom_events.catalog.seed import seed_system_definitions
    from custom_events.platforms.registry import PLATFORMS

    settings = prepared()
    with connected(settings) as engine, engine.begin() as connection:
        changed = seed_system_definitions(connection)
        made = seed_sample(connection, settings) if sample else None
    click.echo(f"System definitions made or renewed: {', '.join(changed) or 'none, all are there'}.")
    if made is None:
        return
    click.echo(
        f"Sample: {len(made.sites)} sites, {made.assignments} assignments, ads accounts {', '.join(made.ads_customer_ids)}."
    )
    base = f"http://{settings.receiver_host}:{settings.receiver_port}/webhooks"
    for site in made.sites:
        found_by = (
            f" (or by its domain, {site.shop_domain}: {base}/{site.platform})"
            if PLATFORMS[site.platform].shop_domain is not None
            else ""
        )
        click.echo(
            f"  {site.platform:12} {base}/{site.platform}/{site.site_key}{found_by}\n{'':15}secret {site.secret}"
        )
