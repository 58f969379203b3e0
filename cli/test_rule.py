"""`custom-events test-rule`: one event under a rule, leaf by leaf."""

from pathlib import Path

import click

from cli.drafts import draft_of, json_option, rule_options
from cli.session import located, prepared, server
from custom_events.values.platforms import Platform


@click.command(name="test-rule", short_help="One event under a rule, leaf by leaf.")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--platform", type=click.Choice([platform.value for platform in Platform]), help="Whose body FILE is.")
@click.option("--topic", help="The topic of FILE, as the store's header names it.")
@click.option("--event", metavar="KEY", help="A stored event instead of FILE (order.paid:1001).")
@rule_options
@click.option("--site", metavar="SITE", help="The site (id, key or shop domain): its customers and history count.")
@json_option
def rule_test(
    *,
    file: Path | None,
    platform: str | None,
    topic: str | None,
    event: str | None,
    definition: tuple[str, int | None] | None,
    config_file: Path | None,
    assignment: tuple[str, int | None] | None,
    overrides_file: Path | None,
    site: str | None,
    as_json: bool,
) -> None:
    """Show for one event every leaf of a rule's conditions with its value and verdict, and what a match would look like.

    The event is a webhook's body in FILE, or a stored one. With --config and no --site no database is needed. Nothing is
    stored. Exit code 0 whether it fires or not: both are answers.

    \b
    Examples:
      custom-events test-rule order.json --platform shopify --topic orders/paid --config vip.yaml
      custom-events test-rule order.json --platform shopify --topic orders/paid --definition purchase --site 3
      custom-events test-rule --event order.paid:1001 --site 3 --assignment 12@4
      custom-events test-rule --event order.paid:1001 --site 3 --json | jq '.tried[].explanation.conditions'

    --json: site_id, outcome, reason, detail, tried (with explanation), notes (docs/reference/looking-back.md).
    """
    from custom_events.explain.rule_test import Body, RuleTest, rule_test_json, run_on_body, run_sync
    from custom_events.explain.rule_test_lines import rule_test_lines

    asked = draft_of(definition, config_file, assignment, overrides_file)
    subject = _subject(file, platform, topic, event)
    tested: RuleTest
    if (afar := server()) is not None:
        from cli.afar.reading import rule_test as test_afar

        tested = test_afar(afar, subject, asked, site=site)
    elif isinstance(subject, tuple):
        body = Body(platform=Platform(subject[0]), topic=subject[1], body=subject[2])
        if asked.config is not None and asked.definition is None and asked.assignment is None and site is None:
            tested = run_on_body(body, asked.config)
        else:
            with located(prepared()) as url:
                tested = run_sync(url, body, asked, site=site)
    else:
        with located(prepared()) as url:
            tested = run_sync(url, subject, asked, site=site)
    if as_json:
        click.echo(rule_test_json(tested))
        return
    for line in rule_test_lines(tested):
        click.echo(line)


def _subject(
    file: Path | None, platform: str | None, topic: str | None, event: str | None
) -> str | tuple[str, str, bytes]:
    """A stored event's key, or (platform, topic, body). Raises BadParameter."""
    if (file is None) == (event is None):
        raise click.BadParameter(
            "give the event once: a body in FILE, or --event with the key of a stored one", param_hint="FILE"
        )
    if event is not None:
        return event
    if file is None or platform is None or topic is None:
        raise click.BadParameter("a body needs --platform and --topic: they say how to read it", param_hint="FILE")
    return platform, topic, file.read_bytes()
