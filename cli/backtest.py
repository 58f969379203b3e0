"""`custom-events backtest`: a draft against stored history, before it is published."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.drafts import draft_of, json_option, period_options, rule_options, site_ids, sites_option
from cli.progress import write_over
from cli.session import located, prepared, server

if TYPE_CHECKING:
    from custom_events.backtest.result import Progress


@click.command(short_help="What a draft would have made of stored history.")
@rule_options
@click.option("--stopped", is_flag=True, help="As if the definition or assignment were paused or retired.")
@sites_option
@period_options("30d")
@click.option(
    "--samples",
    default=3,
    show_default=True,
    type=click.IntRange(0, 50),
    help="Explained samples of each verdict and assignment.",
)
@json_option
def backtest(
    *,
    definition: tuple[str, int | None] | None,
    config_file: Path | None,
    assignment: tuple[str, int | None] | None,
    overrides_file: Path | None,
    stopped: bool,
    sites: tuple[str, ...],
    since: datetime,
    until: datetime,
    samples: int,
    as_json: bool,
) -> None:
    """Compare a draft with what is stored: what it would add, drop and change, the value by day, what Google would hear of it,
    and samples that explain themselves. Without a rule: the published rules, as a check of what is stored. Of a group one rule
    fires, so assignments that are or were in one group with what is asked about are counted too, each by itself.

    Nothing is written: it reads one snapshot in a read-only transaction. Ctrl-C ends it and leaves nothing behind. From afar it is a long
    operation of the server, followed to its end; Ctrl-C cancels it, a second one leaves it to itself.

    \b
    Examples:
      custom-events backtest --definition purchase                     its newest draft, 30 days, every site that has it
      custom-events backtest --definition purchase@3 --since 2026-10-01 --site shop.myshopify.com
      custom-events backtest --config vip.yaml --site 3                a definition that is nowhere stored yet
      custom-events backtest --assignment 12 --overrides stricter.yaml --json | jq .counts
      custom-events backtest --assignment 12 --stopped                 what the others of its group would win without it

    --json: draft, since, until, sites, events, seconds, is_complete, counts, assignments, days, effects, samples, notes
    (docs/reference/looking-back.md).
    """
    from custom_events.backtest.backtest import backtest_sync
    from custom_events.backtest.result import to_json
    from custom_events.backtest.result_lines import backtest_lines

    asked = draft_of(definition, config_file, assignment, overrides_file, stopped=stopped)
    if (afar := server()) is not None:
        from cli.afar.looking_back import backtest as backtest_afar

        result = backtest_afar(afar, asked, since=since, until=until, sites=sites, samples=samples)
    else:
        with located(prepared()) as url:
            chosen = site_ids(url, sites)
            result = backtest_sync(
                url, asked, since=since, until=until, sites=chosen, samples=samples, on_progress=tell
            )
        cleared()
    if as_json:
        click.echo(to_json(result))
        return
    for line in backtest_lines(result):
        click.echo(line)


def tell(progress: "Progress") -> None:
    """One line that is written over, for people only."""
    share = f"{progress.share:.0%}, site {progress.sites_done + 1} of {progress.sites}"
    write_over(f"{progress.events:,} events, {share}, {progress.reached:%Y-%m-%d}")


def cleared() -> None:
    """The line of `tell` is gone."""
    write_over("")
