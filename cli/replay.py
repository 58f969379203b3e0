"""`custom-events replay`: the past through today's understanding and rules."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from cli.author import author_option
from cli.backtest import cleared, tell
from cli.drafts import json_option, period_options, site_ids, sites_option
from cli.session import connected, here_only, located, prepared, server

if TYPE_CHECKING:
    from custom_events.backtest.replay import Order


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
@click.option(
    "--engine",
    "engine_name",
    type=click.Choice(["workers", "spark"]),
    default="workers",
    show_default=True,
    help="spark: archived raw events, on CUSTOM_EVENTS_SPARK_MASTER.",
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
    engine_name: str,
    as_json: bool,
) -> None:
    """Put the raw events of a period through today's understanding, and its stored events through today's published rules. Without
    --write it only lists what would change, in a read-only transaction. With --definition or --assignment also those assignments are
    covered that are or were in one group with it: they win or lose by it. Of one that is paused or retired what it made stays.

    With --write just that is changed: events and custom events are added, corrected or withdrawn, conversions queued, taken back
    or retracted. Nothing is sent twice: keys and transactions stay taken. Matching begins where the rules' click windows do, since
    Google takes nothing older. Ended by Ctrl-C, what is done stays and is right; the next run finds the rest. From afar it is a long operation of the
    server, followed to its end; Ctrl-C cancels it and shows what was done, a second one leaves it to itself.

    With --engine spark the raw events come from the archive (`custom-events archive`) and are understood by Spark: for years of them. It says
    which would say something else; with --write these are brought back and go through the drain, which matches them as it does whatever
    lands. Events that are stored already are not matched again.

    \b
    Examples:
      custom-events replay --site 3 --since 7d                                       what would change, after a fix
      custom-events replay --site 3 --since 7d --write --reason "Shopify 2026-10"    just that
      custom-events replay --definition vip --since 30d --write --reason "also for last month"
      custom-events replay --engine spark --since 2025-01-01
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
    if engine_name == "spark":
        if definition is not None or assignment is not None:
            raise click.UsageError("--engine spark reads raw events: leave out --definition and --assignment.")
        here_only("`replay --engine spark`", "it reads the archive beside the database")
        _on_spark(sites, since, until, Order(actor=actor, reason=reason) if write else None, as_json=as_json)
        return
    is_whole = True
    if (afar := server()) is not None:
        from cli.afar.looking_back import replay as replay_afar

        result, is_whole = replay_afar(
            afar,
            since=since,
            until=until,
            sites=sites,
            definition=definition,
            assignment=assignment,
            write=write,
            reason=reason,
            samples=samples,
        )
    else:
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
    else:
        for line in replay_lines(result):
            click.echo(line)
    if not is_whole:
        raise click.ClickException("It was cancelled: what it lists is done, and stays. Replay again for the rest.")


def _on_spark(
    sites: tuple[str, ...], since: datetime, until: datetime, order: "Order | None", *, as_json: bool
) -> None:
    import msgspec

    from custom_events.postgres import connect
    from custom_events.redaction.archives import forgotten_check
    from custom_events.spark.replay import replay as on_spark

    settings = prepared()
    with connected(settings) as engine:
        result = on_spark(
            engine,
            settings,
            forgotten_check(engine, settings),
            since=since,
            until=until,
            sites=site_ids(connect.libpq_url(engine), sites),
            order=order,
        )
    if as_json:
        click.echo(msgspec.json.encode(result))
        return
    reread = result.reread
    first, last = result.weeks[0], result.weeks[-1]
    click.echo(
        f"{reread.raw_events:,} raw events of {len(result.weeks)} archived weeks ({first} to {last}) in {result.seconds:.0f} s"
    )
    for name, counts in (("new", reread.new_events), ("revised", reread.revised_events), ("outcomes", reread.outcomes)):
        for kind, count in counts.items():
            click.echo(f"  {name}: {kind} {count:,}")
    click.echo(f"{reread.would_change:,} would say something else.")
    if result.is_written:
        click.echo(f"{result.queued:,} were brought back, and understood and matched again.")
