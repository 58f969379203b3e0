"""`custom-events watch`: what is wrong now, told to people when it changes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from cli.session import connected, here_only, prepared, server

if TYPE_CHECKING:
    from custom_events.watching.watch import Look


@click.command(short_help="What is wrong now; tells people when that changes.")
@click.option("--tell/--no-tell", default=True, help="Tell the channels that are set up, or only look.")
@click.option("--test", "trial", is_flag=True, help="Send a test message by every channel instead.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
def watch(*, tell: bool, trial: bool, as_json: bool) -> None:
    """Look once: show every alarm that is open, and tell e-mail, Slack and Teams of what opened, closed, or stands a day. What was just
    seen, and nobody is told of before it lasts, is shown as such.

    From afar it shows what the server's watcher saw last, which tells people itself. Dagster's sensor `watching` looks every minute; without Dagster, let cron run this. Settings: CUSTOM_EVENTS_ALARM_...
    The exit code is 1 while a critical alarm is open or a channel could not be told.

    \b
    Examples:
      custom-events watch
      custom-events watch --no-tell --json | jq '.open[].sentence'
      custom-events watch --test
    """
    import msgspec

    from custom_events.watching.alarms import Severity

    if trial:
        _try()
        return
    look = _look(tell=tell)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(look), indent=2))
    else:
        for line in _lines(look):
            click.echo(line)
    grave = any(episode.severity is Severity.CRITICAL for episode in look.open)
    click.get_current_context().exit(1 if grave or look.not_told else 0)


def _look(*, tell: bool) -> "Look":
    """Where --server says, what its watcher saw last; else a look of our own."""
    if (asked := server()) is not None:
        from cli.afar.reading import alarms

        return alarms(asked)
    from custom_events.watching.channels import channels
    from custom_events.watching.watch import look

    settings = prepared()
    with connected(settings) as engine:
        return look(engine, channels(settings) if tell else (), settings, datetime.now(UTC), with_sums=True)


def _try() -> None:
    from custom_events.errors import NeedsAction, Transient
    from custom_events.watching.channels import channels
    from custom_events.watching.messages import trial

    here_only("--test", "the server's own watcher tells people")
    settings = prepared()
    told_by, console_url = channels(settings), settings.console_url
    if not told_by:
        raise NeedsAction(
            "no channel is set up: CUSTOM_EVENTS_ALARM_EMAIL_TO with CUSTOM_EVENTS_ALARM_SMTP_URL, "
            "CUSTOM_EVENTS_ALARM_SLACK_URL or CUSTOM_EVENTS_ALARM_TEAMS_URL"
        )
    failed = 0
    for channel in told_by:
        try:
            channel.send(trial(console_url))
            click.echo(f"{channel.name}: sent")
        except Transient as error:
            failed += 1
            click.echo(f"{channel.name}: NOT sent, {error}")
    click.get_current_context().exit(1 if failed else 0)


def _lines(look: "Look") -> Iterator[str]:
    if look.other_watches:
        yield "Another watcher is looking right now."
        return
    for episode in look.open:
        yield f"{episode.severity.upper():<9}since {episode.opened_at:%Y-%m-%d %H:%M} UTC  {episode.name}: {episode.sentence}"
        yield f"{'':9}-> {episode.remedy}"
    for episode in look.young:
        yield f"{'seen':<9}since {episode.opened_at:%Y-%m-%d %H:%M} UTC  {episode.name}: {episode.sentence}"
        yield f"{'':9}told of from {episode.told_at:%H:%M} UTC on, if it lasts -> {episode.remedy}"
    if not look.open and not look.young:
        yield "Nothing is wrong."
    for channel, parts in look.told.items():
        yield f"{channel}: told of {parts}"
    for channel, reason in look.not_told.items():
        yield f"{channel}: NOT told, {reason}"
