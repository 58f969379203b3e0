"""The `custom-events` command. One file per verb; what is heavy is imported when a verb runs, so that help comes at once."""

import click

from cli.backtest import backtest
from cli.config import config
from cli.demo import demo
from cli.doctor import doctor
from cli.explain import explain
from cli.faults import TellingGroup
from cli.migrate import migrate
from cli.replay import replay
from cli.sandbox import sandbox
from cli.seed import seed
from cli.status import status
from cli.test_rule import rule_test
from cli.understand import understand
from cli.up import up
from cli.uploads import uploads
from cli.watch import watch


@click.group(cls=TellingGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("-v", "--verbose", is_flag=True, help="Log what happens, and show tracebacks.")
@click.version_option(package_name="custom-events", prog_name="custom-events")
def main(*, verbose: bool) -> None:
    """From a store's webhook to Google's answer.

    \b
    First steps:
      custom-events demo                     everything on this machine, with traffic
      custom-events doctor                   what is missing, and what to do about it
    \b
    On a server of your own (DATABASE_URL, or the embedded PostgreSQL):
      custom-events migrate                  make or renew the tables
      custom-events up                       receiver, console and Dagster
      custom-events status                   what came in, what went out, do the sums agree
      custom-events explain 1001             one order, from the webhook to Google's answer
      custom-events watch                    what is wrong now, and who is told
    \b
    Rules:
      custom-events test-rule ...            one event under a rule, leaf by leaf
      custom-events backtest ...             what a draft would have made of history
      custom-events replay ...               the past through today's understanding and rules
      custom-events config ...               the rules as files

    Settings come from the environment and .env: docs/reference/settings.md.
    """
    del verbose  # read by the verbs from the context


for _verb in (
    demo,
    up,
    migrate,
    seed,
    understand,
    status,
    explain,
    rule_test,
    backtest,
    replay,
    uploads,
    config,
    watch,
    doctor,
    sandbox,
):
    main.add_command(_verb)

if __name__ == "__main__":  # pragma: no cover
    main()
