"""What is measured, by name. The alarms, the rules for Prometheus and the reference name nothing else."""

from typing import Final, NamedTuple

import msgspec


class Metric(NamedTuple):
    """A gauge: a sentence that says what it counts, and its labels. `only_rises`: a counter."""

    sentence: str
    labels: tuple[str, ...] = ()
    only_rises: bool = False


class Sample(NamedTuple):
    """One value of one metric; `labels` in the order of the metric's. `example`: one of what is counted, raw:<id> for example."""

    metric: str
    labels: tuple[str, ...]
    value: float
    example: str | None = None


class Reading(msgspec.Struct, frozen=True):
    """All samples of one moment. A metric that was measured and has no sample stands at nothing; one that was not is given as
    it is remembered, and says nothing new."""

    samples: tuple[Sample, ...]
    measured: frozenset[str]


_ACCOUNT: Final = ("account",)

METRICS: Final[dict[str, Metric]] = {
    "custom_events_uploads_waiting_rows": Metric("Rows of the ledger that wait, by state.", ("account", "state")),
    "custom_events_uploads_held_rows": Metric("Rows that are held or go again, by reason.", ("account", "reason")),
    "custom_events_uploads_due_rows": Metric("Rows that may be sent now.", _ACCOUNT),
    "custom_events_uploads_due_age_seconds": Metric("How long the oldest due row has been due.", _ACCOUNT),
    "custom_events_uploads_expiring_rows": Metric(
        "Waiting rows that Google will no longer take after so many hours.", ("account", "within_hours")
    ),
    "custom_events_uploads_unknown_rows": Metric(
        "Rows whose call had no answer, and that stand so for more than an hour.", _ACCOUNT
    ),
    "custom_events_uploads_needing_action_rows": Metric(
        "Rows that wait until a person changes something at Google.", ("account", "reason")
    ),
    "custom_events_uploads_not_understood_rows": Metric(
        "Rows that Google refused for a reason that this version does not know; held, and sent again.",
        ("account", "reason"),
    ),
    "custom_events_uploads_part_stopped": Metric(
        "1: nothing is sent of this part of the account, while the rest goes on.", ("account", "part")
    ),
    "custom_events_uploads_answered_rows": Metric("Answers of the last 24 hours, by verdict.", ("account", "verdict")),
    "custom_events_uploads_refused_rows": Metric("Rows refused for good in 24 hours, by code.", ("account", "code")),
    "custom_events_uploads_success_ratio": Metric(
        "Rows that Google took, of those it took or refused for good in 24 hours; given from 100 such rows on.",
        _ACCOUNT,
    ),
    "custom_events_uploads_account_parked": Metric("1 while an account is stopped until a person acts.", _ACCOUNT),
    "custom_events_uploads_action_parked": Metric(
        "1 while a conversion action is stopped until a person acts.", ("account", "action")
    ),
    "custom_events_uploads_paused_seconds": Metric("How long an account still waits by itself.", _ACCOUNT),
    "custom_events_uploads_overdue_verdicts": Metric("Data Manager verdicts that are an hour overdue."),
    "custom_events_uploads_undecided_requests": Metric(
        "Requests on which the Data Manager has given no verdict for more than the day it may take."
    ),
    "custom_events_uploads_value_changes": Metric("Orders whose conversions wait for another value."),
    "custom_events_uploads_value_change_age_seconds": Metric("How long the oldest of them has waited."),
    "custom_events_uploads_tokens": Metric("Calls to Google that may go at once now, by bucket.", ("bucket",)),
    "custom_events_uploads_calls": Metric("Calls to Google of the last 24 hours, by bucket.", ("bucket",)),
    "custom_events_uploads_daily_calls_left_ratio": Metric("Part of the day's calls that is left.", ("bucket",)),
    "custom_events_pipeline_backlog_rows": Metric("Landed deliveries that nobody has understood yet."),
    "custom_events_pipeline_backlog_age_seconds": Metric("How long ago the oldest of them landed."),
    "custom_events_pipeline_parked_rows": Metric(
        "Deliveries of 24 hours that nobody understands, by reason.", ("site", "reason")
    ),
    "custom_events_odd_leaves_total": Metric(
        "Bodies with a leaf of another type than its own, by its path; the 200 that were met last.",
        ("site", "path"),
        only_rises=True,
    ),
    "custom_events_privacy_requests_open": Metric(
        "Requests of people about their data, not carried out yet.", ("kind",)
    ),
    "custom_events_privacy_request_left_seconds": Metric(
        "How long the most urgent of them may still wait; below 0: it is late.", ("kind",)
    ),
    "custom_events_retention_overdue_days": Metric(
        "For how many days the oldest is there that should have been deleted; 0: it is not.", ("what",)
    ),
    "custom_events_archive_problems": Metric("Weeks of raw events that could not be archived when it was tried last."),
    "custom_events_receiver_quarantined_rows": Metric("Deliveries refused in the last hour, by reason.", ("reason",)),
    "custom_events_reconciliation_age_seconds": Metric("How long ago Google's counts were read.", _ACCOUNT),
    "custom_events_reconciliation_short_days": Metric(
        "Days on which Google counts fewer events than it answered, two days later still.", _ACCOUNT
    ),
    "custom_events_recovery_missing_orders": Metric(
        "Orders of which a reading of the store found something in 24 hours that no delivery had brought.",
        ("site", "kind"),
    ),
    "custom_events_recovery_unread_seconds": Metric("For how long a store's orders could not be read.", ("site",)),
    "custom_events_traffic_quiet_hours": Metric(
        "In so many hours a site sent less than half of the usual: all of it (store), of a topic, with clicks, with an answer about consent.",
        ("site", "subject"),
    ),
    "custom_events_traffic_lane_quiet_hours": Metric(
        "In so many hours less than half of the usual was sent to an ads account.", ("account", "lane")
    ),
    "custom_events_scheduled_job_late_seconds": Metric(
        "For how long a job that runs by the clock has been missed; 0: it has not.", ("job",)
    ),
    "custom_events_shopify_app_problems": Metric(
        "1: something is wrong with our app in a Shopify shop, by problem.", ("shop", "problem")
    ),
    "custom_events_shopify_app_unwatched_seconds": Metric(
        "How long ago what our app has registered in a shop was looked at.", ("shop",)
    ),
    "custom_events_reports_failed": Metric(
        "1 while the newest run of a schedule that ended has failed.", ("report", "schedule")
    ),
    "custom_events_reports_late_seconds": Metric(
        "How long ago the oldest run of a schedule was due that has not ended; 0: none is.", ("report", "schedule")
    ),
    "custom_events_replica_behind_seconds": Metric("How far the replica is behind the primary."),
    "custom_events_replica_not_read": Metric(
        "1 while all is read from the primary: the replica does not answer (away), is no standby of it (no_standby), or is behind.",
        ("problem",),
    ),
    "custom_events_sums_gaps": Metric(
        "Sums that do not agree (received, landed, matched, queued, withdrawn), or tallies that counting denies.",
        ("sum",),
    ),
}
