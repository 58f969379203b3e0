"""`custom-events doctor`: what is missing, and what to do about it."""

import click

from cli.session import prepared

MARKS = {"ok": "ok      ", "warning": "warning ", "failed": "FAILED  "}


@click.command(short_help="What is missing, and what to do about it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
def doctor(*, as_json: bool) -> None:
    """Check settings, key, database, migrations, partitions, secrets, clock, ports and the way to Google.

    Each finding that is not well comes with what to do. The exit code is 1 when something has failed.

    \b
    Examples:
      custom-events doctor
      custom-events doctor --json | jq '.checks[] | select(.state != "ok")'
    """
    import msgspec

    settings = prepared()  # unreadable settings end here, with the name of the first
    from cli.check import Check, State
    from cli.checks import examine

    checks: list[Check] = []
    for check in examine(settings):
        checks.append(check)
        if not as_json:
            click.echo(f"{MARKS[check.state]} {check.name}: {check.found}")
            if check.remedy:
                click.echo(f"{'':9}  -> {check.remedy}")
    failed = sum(check.state is State.FAILED for check in checks)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"healthy": not failed, "checks": checks}), indent=2))
    else:
        click.echo(f"{failed} of {len(checks)} checks failed." if failed else "Nothing is wrong.")
    click.get_current_context().exit(1 if failed else 0)
