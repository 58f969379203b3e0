"""The `custom-events` command. One file per verb; a verb's file is imported when the verb is used, and what is heavy when it runs, so
that help comes at once."""

from importlib import import_module
from pathlib import Path

import click

from cli.faults import TellingGroup

# Each verb: its module, and what the list of verbs says of it (its `short_help`, a test compares).
VERBS = {
    "demo": ("cli.demo", "Everything on this machine, with traffic."),
    "up": ("cli.up", "Run receiver, console and Dagster."),
    "roles": ("cli.database_roles", "A login for each program, with its own rights alone."),
    "migrate": ("cli.migrate", "Make or renew the tables."),
    "seed": ("cli.seed", "Make the system definitions, or a sample to try."),
    "site": ("cli.site", "Connect a store: address, secrets, first delivery."),
    "shopify": ("cli.shopify", "Our app in Shopify's shops: install it, see it, register again."),
    "user": ("cli.user", "People who sign in, and what they may."),
    "api-key": ("cli.api_key", "Keys for programs that use the API."),
    "secrets": ("cli.secrets", "The key of what is encrypted at rest: a new one, and rotation."),
    "understand": ("cli.understand", "Say what a webhook's body means."),
    "status": ("cli.status", "What came in, what went out, do the sums agree."),
    "explain": ("cli.explain", "One order's way from the webhook to Google's answer."),
    "raw": ("cli.raw", "A stored delivery: its headers and exact bytes."),
    "privacy": ("cli.privacy", "Requests of people about their data: forget them, or say what is stored."),
    "archive": ("cli.archive", "Old raw events as files: write, verify, restore."),
    "retention": ("cli.retention", "What is older than it may be; delete it now."),
    "test-rule": ("cli.test_rule", "One event under a rule, leaf by leaf."),
    "backtest": ("cli.backtest", "What a draft would have made of stored history."),
    "replay": ("cli.replay", "The past through today's understanding and rules."),
    "definition": ("cli.definition", "Definitions: what differs, publish, roll back."),
    "assignment": ("cli.assignment", "Assignments: what differs, publish, roll back."),
    "bulk": ("cli.bulk", "Many assignments changed at once, tried before, undone afterwards."),
    "uploads": ("cli.uploads", "What is on its way to Google, and what to do about it."),
    "config": ("cli.config", "The rules as files: export, validate, plan, apply."),
    "report": ("cli.report", "Reports that go out by themselves: schedules, runs, files."),
    "rates": ("cli.rates", "Exchange rates by day, for reports in one currency."),
    "watch": ("cli.watch", "What is wrong now; tells people when that changes."),
    "openapi": ("cli.openapi", "The API's document (OpenAPI 3.1)."),
    "sizing": ("cli.sizing", "What a number of events a day takes: processors, memory, disk."),
    "doctor": ("cli.doctor", "What is missing, and what to do about it."),
    "training": ("cli.training", "Courses on the demo's data: their questions, and whether an answer is right."),
    "sandbox": ("cli.sandbox", "Stand-ins for Google and Shopify, to develop against."),
}

# Verbs that do not go by --server, and why.
HERE_ONLY = {
    "demo": "it starts the whole product on this machine",
    "up": "it starts the programs of this machine",
    "migrate": "tables are changed by the login that owns them, before a server can run",
    "roles": "logins are made by the login that owns the tables",
    "seed": "the first definitions are made before a server can run",
    "understand": "it asks neither a database nor a server",
    "sizing": "it asks neither a database nor a server",
    "archive": "files are written and read beside the database",
    "retention": "expired partitions are dropped beside the database",
    "doctor": "it looks at this machine and its way to the database",
    "sandbox": "it starts stand-ins on this machine",
    "training": "answers are compared with the demo's database, beside it",
    "shopify": "it works with the app's secret and its tokens, which leave no server",
    "report": "files are written and brought where they go by this machine; from afar the API has the same (/api/v1/report-specifications)",
    "rates": "rates are loaded by whoever runs the reports, beside their database",
    "config": "a folder is planned and applied in one transaction, which no request can span",
}


class Verbs(TellingGroup):
    """The verbs, each imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click gives it)
        """Their names."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (click gives it)
        """The verb of this name; its function is named as its module."""
        if cmd_name not in VERBS:
            return None
        module = VERBS[cmd_name][0]
        name = (
            "rule_test" if cmd_name == "test-rule" else cmd_name.replace("-", "_")
        )  # pytest would take test_rule for a test
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, without importing one of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, VERBS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("-v", "--verbose", is_flag=True, help="Log what happens, and show tracebacks.")
@click.option(
    "--server", metavar="URL", help="Ask this console by its API, from anywhere, instead of the database beside us."
)
@click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the API key for --server. Left out: the variable CUSTOM_EVENTS_API_KEY.",
)
@click.version_option(package_name="custom-events", prog_name="custom-events")
@click.pass_context
def main(context: click.Context, *, verbose: bool, server: str | None, key_file: Path | None) -> None:
    """From a store's webhook to Google's answer.

    \b
    First steps:
      custom-events demo                     everything on this machine, with traffic
      custom-events doctor                   what is missing, and what to do about it
    \b
    On a server of your own (DATABASE_URL, or the embedded PostgreSQL):
      custom-events migrate                  make or renew the tables
      custom-events site add ...             connect a store: its address, its secret, what to enter there
      custom-events up                       receiver, console and Dagster
      custom-events status                   what came in, what went out, do the sums agree
      custom-events explain 1001             one order, from the webhook to Google's answer
      custom-events watch                    what is wrong now, and who is told
      custom-events user add ...             somebody who signs in to the console
    \b
    Rules:
      custom-events test-rule ...            one event under a rule, leaf by leaf
      custom-events backtest ...             what a draft would have made of history
      custom-events replay ...               the past through today's understanding and rules
      custom-events definition ...           revisions: what differs, publish, roll back
      custom-events bulk ...                 many assignments at once, tried and undone
      custom-events config ...               the rules as files
    \b
    From afar, with an API key in a file or in CUSTOM_EVENTS_API_KEY:
      custom-events --server https://events.example explain 1001

    Settings come from the environment and .env: docs/reference/settings.md.
    """
    del verbose, key_file  # read by the verbs from the context
    verb = context.invoked_subcommand or ""
    if server is not None and verb in HERE_ONLY:
        raise click.UsageError(f"`custom-events {verb}` does not go by --server: {HERE_ONLY[verb]}.")


if __name__ == "__main__":  # pragma: no cover
    main()
