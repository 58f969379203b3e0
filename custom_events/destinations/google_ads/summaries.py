"""The upload summaries of the Google Ads API: per kind of client, and per conversion action (docs/reference/google-ads.md 1.6)."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from custom_events.destinations.google_ads.answers import code_in
from custom_events.destinations.google_ads.reading import rows
from custom_events.values.conversions import AdsAccount
from custom_events.values.summaries import Alert, Counts, Summaries, Summary

CLIENT: Final = "offline_conversion_upload_client_summary"
ACTION: Final = "offline_conversion_upload_conversion_action_summary"
_FIELDS: Final = [
    "client",
    "status",
    "total_event_count",
    "successful_event_count",
    "pending_event_count",
    "last_upload_date_time",
    "daily_summaries",
    "job_summaries",
    "alerts",
]


def query(resource: str) -> str:
    """GAQL for one of the two resources; the account's time zone, which cuts the days, comes along."""
    own = ["conversion_action_id"] if resource == ACTION else []
    names = [f"{resource}.{field}" for field in (*own, *_FIELDS)]
    return f"SELECT {', '.join(names)}, customer.time_zone FROM {resource}"


def read(service: Any, account: AdsAccount, timeout_s: float) -> Summaries:
    """Both summaries of an account. Raises what the client raises."""
    summaries: list[Summary] = []
    zone: str | None = None
    for resource in (CLIENT, ACTION):
        for row in rows(service, account, query(resource), timeout_s):
            message = getattr(row, resource)
            zone = row.customer.time_zone or zone
            summaries.append(_summary(message, str(message.conversion_action_id) if resource == ACTION else ""))
    return Summaries(time_zone=zone, summaries=tuple(summaries))


def _summary(message: Any, action_id: str) -> Summary:
    total, successful, pending = (
        int(message.total_event_count),
        int(message.successful_event_count),
        int(message.pending_event_count),
    )
    return Summary(
        action_id=action_id,
        client=_name(message, "client"),
        status=_name(message, "status"),
        counts=Counts(successful=successful, failed=max(0, total - successful - pending), pending=pending),
        last_upload_at=message.last_upload_date_time or None,
        days={date.fromisoformat(entry.upload_date): _counts(entry) for entry in message.daily_summaries},
        jobs={int(entry.job_id): _counts(entry) for entry in message.job_summaries},
        alerts=tuple(_alerts(message.alerts)),
    )


def _counts(entry: Any) -> Counts:
    return Counts(
        successful=int(entry.successful_count), failed=int(entry.failed_count), pending=int(entry.pending_count)
    )


def _alerts(alerts: Any) -> Iterator[Alert]:
    for alert in alerts:
        yield Alert(code=code_in(alert.error), share=float(alert.error_percentage))


def _name(message: Any, field: str) -> str:
    """An enum's own name; a number that the installed package does not know yet is UNKNOWN."""
    known = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(getattr(message, field))
    return "UNKNOWN" if known is None else str(known.name)
