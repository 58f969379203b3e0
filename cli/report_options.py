"""Options of `custom-events report schedule`: when, and where to."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from custom_events.reports.rules import ScheduleRule
    from custom_events.reports.targets import NewReportTarget

_Command = TypeVar("_Command", bound=Callable[..., Any])
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SECRET_BYTES = 32


def when_options(command: _Command) -> _Command:
    """When a schedule is due."""
    return _with(
        command,
        click.option("--every", type=click.Choice(("hour", "day", "week", "month")), required=True, help="How often."),
        click.option(
            "--at",
            default="06:00",
            show_default=True,
            metavar="HH:MM",
            help="Local time; of an hourly one the minutes count.",
        ),
        click.option("--zone", default="UTC", show_default=True, metavar="NAME", help="By whose clocks (IANA name)."),
        click.option(
            "--weekday", type=click.Choice(WEEKDAYS), default="monday", show_default=True, help="Of a weekly one."
        ),
        click.option(
            "--month-day",
            type=click.IntRange(1, 31),
            default=1,
            show_default=True,
            help="Of a monthly one; 31: its last day.",
        ),
    )


def targets_options(command: _Command) -> _Command:
    """Where files go. Each may be given again."""
    return _with(
        command,
        click.option(
            "--folder", "folders", multiple=True, metavar="PATH", help="A folder below CUSTOM_EVENTS_REPORT_FOLDER."
        ),
        click.option("--email", "emails", multiple=True, metavar="ADDRESS", help="An e-mail address."),
        click.option(
            "--webhook", "webhooks", multiple=True, metavar="URL", help="An address that takes the signed file."
        ),
        click.option(
            "--s3", "buckets", multiple=True, metavar="BUCKET[/PREFIX]", help="A bucket of S3-compatible storage."
        ),
        click.option("--s3-endpoint", metavar="URL", help="Its address. Left out: Amazon's."),
        click.option("--s3-region", metavar="NAME", help="Its region."),
        click.option(
            "--secrets",
            "secrets_file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="JSON file with access_key_id, secret_access_key, signing_secret. Without a signing_secret one is made for webhooks.",
        ),
    )


def rule_of(options: Mapping[str, Any]) -> "ScheduleRule":
    """The rule that the options say."""
    from custom_events.reports.rules import Every, ScheduleRule

    return ScheduleRule(
        every=Every(options["every"]),
        at=options["at"],
        weekday=WEEKDAYS.index(options["weekday"]) + 1,
        month_day=options["month_day"],
        time_zone=options["zone"],
    )


def targets_of(options: Mapping[str, Any]) -> tuple[list["NewReportTarget"], str | None]:
    """The targets that the options name, and the signing secret that was made for them, if one was. Raises BadParameter."""
    import secrets as tokens

    import msgspec

    from custom_events.report_delivery.targets import DeliverySecrets
    from custom_events.reports.targets import NewReportTarget

    file_secrets = DeliverySecrets()
    if (file := options["secrets_file"]) is not None:
        try:
            file_secrets = msgspec.json.decode(file.read_bytes(), type=DeliverySecrets)
        except msgspec.DecodeError as error:
            raise click.BadParameter(f"{file} cannot be read: {error}", param_hint="--secrets") from None
    new_secret = (
        tokens.token_urlsafe(_SECRET_BYTES) if options["webhooks"] and file_secrets.signing_secret is None else None
    )
    listed = [NewReportTarget(kind="folder", folder=folder) for folder in options["folders"]]
    if options["emails"]:
        listed.append(NewReportTarget(kind="email", to=tuple(options["emails"])))
    for bucket in options["buckets"]:
        name, _, prefix = bucket.partition("/")
        listed.append(
            NewReportTarget(
                kind="s3",
                bucket=name,
                prefix=prefix or None,
                endpoint=options["s3_endpoint"],
                region=options["s3_region"],
                access_key_id=file_secrets.access_key_id,
                secret_access_key=file_secrets.secret_access_key,
            )
        )
    signing_secret = file_secrets.signing_secret or new_secret
    listed += [NewReportTarget(kind="webhook", url=url, signing_secret=signing_secret) for url in options["webhooks"]]
    return listed, new_secret


def _with(command: _Command, *options: Callable[[Any], Any]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command
