"""`custom-events replay`: the past through today's understanding and rules."""

from datetime import datetime

import click

from cli.author import author_option
from cli.backtest import cleared, tell
from cli.drafts import json_option, period_options, site_ids, sites_option
from cli.session import located, prepared


@click.command(short_help="The past through today's understanding and rules.")
@sites_option
@period_options("30d")
@click.option("--definition", metavar="KEY", help="Only this definition and its groups, and no raw events.")
@click.option("--assignment", type=int, metavar="ID", help="Only this assignment and its groups, and no raw events.")
@click.option("--write", is_flag=True, help="Change just what a dry run lists. Needs --reason.")
@click.option("--reason", default="", help="Why, for the audit trail.")
@author_option("Who, for the audit trail.", "--by", "actor")
@click.option(
    "--samples", default=3, show_default=True, type=click.IntRange(0, 50), help="Explained samples of a dry run."
)
@json_option
def replay(
    *,
    sites: tuple[str, ...],
    since: datetime,
    until: datetime,
    definition: str | None,
    assignment: int | None,
    write: bool,
    reason: str,
    actor: str,
    samples: int,
    as_json: bool,
) -> None:
    """Put the raw events of a period through today's understanding, and its stored events through today's published rules. Without
    --write it only lists what would change, in a read-only transaction. With --definition or --assignment also those assignments are
    covered that are or were in one group with it: they win or lose by it. Of one that is paused or retired what it made stays.

    With --write just that is changed: events and custom events are added, corrected or withdrawn, conversions queued, taken back
    or retracted. Nothing is sent twice: keys and transactions stay taken. Matching begins where the rules' click windows do, since
    Google takes nothing older. Ended by Ctrl-C, what is done stays and is right; the next run finds the rest.

    \b
    Examples:
      custom-events replay --site 3 --since 7d                                       what would change, after a fix
      custom-events replay --site 3 --since 7d --write --reason "Shopify 2026-10"    just that
      custom-events replay --definition vip --since 30d --write --reason "also for last month"
      custom-events replay --since 2026-11-01 --json | jq '{reread, counts}'

    --json: since, until, sites, is_written, name, reread, events, seconds, counts, assignments, effects, samples,
    notes
    (docs/reference/looking-back.md).
    """
    from custom_events.backtest.replay import Order, replay_sync, to_json
    from custom_events.backtest.result_lines import replay_lines

    if write and not reason.strip():
        raise click.BadParameter(
            'a replay that writes needs a reason: --reason "the parser was mended"', param_hint="--reason"
        )
    settings = prepared()
    with located(settings) as url:
        result = replay_sync(
            url,
            settings,
            since=since,
            until=until,
            sites=site_ids(url, sites),
            definition=definition,
            assignment=assignment,
            order=Order(actor=actor, reason=reason) if write else None,
            samples=samples,
            on_progress=tell,
        )
    cleared()
    if as_json:
        click.echo(to_json(result))
        return
    for line in replay_lines(result):
        click.echo(line)
