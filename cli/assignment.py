"""`custom-events assignment`: revisions of assignments."""

import click

from cli.revisions import add_verbs


@click.group(short_help="Assignments: what differs, publish, roll back.")
def assignment() -> None:
    """Assignments, which apply definitions to sites, and the revisions of what they override. ID is an assignment's number.

    \b
    Examples:
      custom-events assignment list --site shop.example
      custom-events assignment diff 12 --from 1 --to 3
      custom-events assignment publish 12
      custom-events assignment rollback 12 1
    """


add_verbs(assignment, "assignment")
