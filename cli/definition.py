"""`custom-events definition`: revisions of definitions."""

import click

from cli.revisions import add_verbs


@click.group(short_help="Definitions: what differs, publish, roll back.")
def definition() -> None:
    """Definitions and their revisions. KEY is a definition's key.

    \b
    Examples:
      custom-events definition list
      custom-events definition diff purchase              the newest revision against what applies
      custom-events definition publish purchase 3
      custom-events definition rollback purchase 2 --reason "it fires too often"
    """


add_verbs(definition, "definition")
