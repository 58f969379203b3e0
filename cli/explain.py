"""`custom-events explain`: one order from the store's webhook to Google's answer."""

import click

from cli.drafts import json_option
from cli.session import located, prepared, server


@click.command(short_help="One order's way from the webhook to Google's answer.")
@click.argument("subject")
@click.option(
    "--site", metavar="SITE", help="The site (id, key or shop domain); needed where several have such an order."
)
@click.option("--assignment", type=int, metavar="ID", help="Only what this assignment made of it.")
@click.option(
    "--rules",
    type=click.Choice(["then", "now"]),
    default="then",
    show_default=True,
    help="Revisions of that time, or what is published now.",
)
@json_option
def explain(*, subject: str, site: str | None, assignment: int | None, rules: str, as_json: bool) -> None:
    """Tell what became of SUBJECT: when it was delivered, whether its signature was right, what was understood, and for each
    assignment why it matched or not: conditions leaf by leaf, the threshold with the events it counted, the deduplication key
    with who has it, group, value, consent and clicks; then the conversion, its adjustments, and what Google answered.

    SUBJECT is an order's number or id, a commerce event (order.paid:1001), or a raw event (raw:77).

    \b
    Examples:
      custom-events explain 1001
      custom-events explain '#1001' --site shop.myshopify.com
      custom-events explain order.paid:1001 --assignment 12 --rules now
      custom-events explain raw:77 --json | jq '.events[].decisions[].verdict'

    --json: site_id, site_key, site_name, platform, order, deliveries, events (with decisions), silent
    (docs/reference/looking-back.md).
    """
    from custom_events.explain.trace import to_json
    from custom_events.explain.trace_lines import trace_lines

    if (asked := server()) is not None:
        from cli.afar.reading import trace

        traced = trace(asked, subject, site=site, rules=rules, assignment=assignment)
    else:
        from custom_events.explain.find import explain_sync

        with located(prepared()) as url:
            traced = explain_sync(url, subject, site=site, rules=rules, assignment=assignment)
    if as_json:
        click.echo(to_json(traced))
        return
    for line in trace_lines(traced):
        click.echo(line)
