"""What is wrong when: one list, from which the watcher tells people and from which Prometheus' rules are written."""

from collections.abc import Iterator
from typing import Final

from custom_events.values.deliveries import PrivacyRequest
from custom_events.watching.alarm_types import EXAMPLE, Alarm, Severity, Watch
from custom_events.watching.metrics import METRICS, Reading, Sample

HOUR_S: Final = 3_600


WATCHES: Final = (
    Watch(
        name="AccountParked",
        metric="custom_events_uploads_account_parked",
        severity=Severity.CRITICAL,
        limit=0,
        for_s=0,
        sentence="Nothing is sent to ads account {account}: it waits until a person acts",
        remedy="`custom-events uploads list` says why; mend it at Google, then `custom-events uploads release`",
    ),
    Watch(
        name="ActionParked",
        metric="custom_events_uploads_action_parked",
        severity=Severity.CRITICAL,
        limit=0,
        for_s=0,
        sentence="Nothing is sent to conversion action {action} of account {account}: it waits until a person acts",
        remedy="`custom-events uploads list` says why; mend it at Google, then `custom-events uploads release`",
    ),
    Watch(
        name="ConversionsExpireSoon",
        metric="custom_events_uploads_expiring_rows",
        severity=Severity.CRITICAL,
        limit=0,
        only=(("within_hours", "48"),),
        for_s=900,
        sentence="Conversions of account {account} that expire within 48 hours and are not at Google: {value}",
        remedy="`custom-events uploads list` says what they wait for",
    ),
    Watch(
        name="SuccessRateLow",
        metric="custom_events_uploads_success_ratio",
        severity=Severity.CRITICAL,
        limit=0.99,
        below=True,
        for_s=900,
        sentence="Google refused more than 1 % of what was sent to account {account} in 24 hours (taken: {value})",
        remedy="`custom-events uploads reconcile` names the codes; docs/reference/google-errors.md says what each means",
    ),
    Watch(
        name="AnswersMissing",
        metric="custom_events_uploads_unknown_rows",
        severity=Severity.CRITICAL,
        limit=0,
        sentence="Rows of account {account} that were sent and have had no answer for more than an hour: {value}",
        remedy="They go again under the same order ids by themselves; look whether uploads run, and whether Google answers",
    ),
    Watch(
        name="UploadsStalled",
        metric="custom_events_uploads_due_age_seconds",
        severity=Severity.CRITICAL,
        limit=HOUR_S,
        sentence="Conversions of account {account} have been due for {value} s and are not sent",
        remedy="Look whether Dagster's sensor upload_backlog runs, and whether the account is paused (`uploads list`)",
    ),
    Watch(
        name="ActionNeededAtGoogle",
        metric="custom_events_uploads_needing_action_rows",
        severity=Severity.WARNING,
        limit=0,
        sentence="Rows of account {account} that wait until something is changed at Google ({reason}): {value}",
        remedy="docs/reference/google-errors.md says what to change for this code; then `uploads release --held`",
    ),
    Watch(
        name="ReasonNotKnown",
        metric="custom_events_uploads_not_understood_rows",
        severity=Severity.CRITICAL,
        limit=0,
        for_s=0,
        sentence="Google refuses rows of account {account} for a reason that this version does not know ({reason}): {value} wait",
        remedy="They are sent again up to once an hour and none is lost before its deadline: update, or ask Google with the request id",
    ),
    Watch(
        name="PartStopped",
        metric="custom_events_uploads_part_stopped",
        severity=Severity.CRITICAL,
        limit=0,
        for_s=0,
        sentence="Of ads account {account} nothing is sent that concerns {part}: it waits until a person acts; the rest goes on",
        remedy="`custom-events uploads list` says why; it goes on by itself within a quarter of an hour after it is mended at Google",
    ),
    Watch(
        name="VerdictsOverdue",
        metric="custom_events_uploads_overdue_verdicts",
        severity=Severity.WARNING,
        limit=0,
        sentence="Verdicts of the Data Manager API that nobody has asked for, an hour after they were due: {value}",
        remedy="Look whether Dagster's sensor upload_backlog runs",
    ),
    Watch(
        name="VerdictsMissing",
        metric="custom_events_uploads_undecided_requests",
        severity=Severity.WARNING,
        limit=0,
        sentence="Requests on which the Data Manager API has given no verdict for more than a day: {value}",
        remedy="It is asked again every six hours; `upload_requests` has Google's request ids for its support",
    ),
    Watch(
        name="RefundsStalled",
        metric="custom_events_uploads_value_change_age_seconds",
        severity=Severity.WARNING,
        limit=HOUR_S,
        sentence="Refunds or cancellations have waited for {value} s to be brought to the ledger",
        remedy="Look whether Dagster's sensor upload_backlog runs",
    ),
    Watch(
        name="CallsNearlyUsedUp",
        metric="custom_events_uploads_daily_calls_left_ratio",
        severity=Severity.WARNING,
        limit=0.05,
        below=True,
        sentence="Less than 5 % of the calls that Google allows in 24 hours are left to {bucket} (left: {value})",
        remedy="Conversions wait for the next hours; ask Google for a higher access level, or let a replay rest",
    ),
    Watch(
        name="PipelineStalled",
        metric="custom_events_pipeline_backlog_age_seconds",
        severity=Severity.CRITICAL,
        limit=900,
        sentence="The oldest delivery that nobody has understood landed {value} s ago",
        remedy="Look whether Dagster's sensor raw_backlog runs, and at the newest run of understand_and_match",
    ),
    Watch(
        name="DeliveriesParked",
        metric="custom_events_pipeline_parked_rows",
        severity=Severity.WARNING,
        limit=0,
        but=(("reason", "rest_forbidden"), *(("reason", kind.value) for kind in PrivacyRequest)),
        sentence="Deliveries of site {site} in 24 hours that could not be understood ({reason}): {value}",
        remedy="They are kept with their bytes; `custom-events status` counts them by reason",
    ),
    Watch(
        name="StoreForbidsReading",
        metric="custom_events_pipeline_parked_rows",
        severity=Severity.CRITICAL,
        limit=0,
        only=(("reason", "rest_forbidden"),),
        for_s=0,
        sentence="WooCommerce sent errors in place of orders: the user of a webhook of site {site} may not read them: {value}",
        remedy="WooCommerce, Settings, Advanced, Webhooks: give the webhook to an administrator or a shop manager; what came is lost, "
        "so save those orders once more in the shop",
    ),
    Watch(
        name="PrivacyRequestOpen",
        metric="custom_events_privacy_requests_open",
        severity=Severity.WARNING,
        limit=0,
        for_s=0,
        sentence="Requests of people about their own data that were not carried out ({kind}): {value}",
        remedy="`custom-events privacy list` has their due dates; `privacy carry-out` forgets people, `privacy export` writes what is stored, then `privacy done`",
    ),
    Watch(
        name="PrivacyRequestDue",
        metric="custom_events_privacy_request_left_seconds",
        severity=Severity.CRITICAL,
        limit=7 * 24 * HOUR_S,
        below=True,
        for_s=0,
        sentence="A request of a person about their own data ({kind}) must be carried out within {value} s (below 0: it is late)",
        remedy="`custom-events privacy list` has their due dates; `privacy carry-out` forgets people, `privacy export` writes what is stored, then `privacy done`",
    ),
    Watch(
        name="BodiesOlderThanAllowed",
        metric="custom_events_retention_overdue_days",
        severity=Severity.CRITICAL,
        limit=0,
        for_s=0,
        sentence="What should have been deleted is still there ({what}), for {value} days too long",
        remedy="`custom-events retention --run` deletes it and says what stands in the way; see that Dagster's job keep_partitions runs daily",
    ),
    Watch(
        name="ArchiveFailing",
        metric="custom_events_archive_problems",
        severity=Severity.WARNING,
        limit=0,
        for_s=0,
        sentence="Weeks of raw events that could not be archived: {value}; they are not dropped before they are",
        remedy="`custom-events archive list` says why; mend that, then `custom-events archive write`",
    ),
    Watch(
        name="DeliveriesRefused",
        metric="custom_events_receiver_quarantined_rows",
        severity=Severity.WARNING,
        limit=20,
        sentence="Deliveries that the receiver refused in the last hour ({reason}): {value}",
        remedy="A wrong signature means a changed secret, or a stranger; docs/reference/receiver.md explains each reason",
    ),
    Watch(
        name="GoogleCountsFewer",
        metric="custom_events_reconciliation_short_days",
        severity=Severity.WARNING,
        limit=0,
        for_s=0,
        sentence="Days on which Google counts fewer events of account {account} than it answered: {value}",
        remedy="`custom-events uploads reconcile` shows the days side by side",
    ),
    Watch(
        name="GoogleCountsMissing",
        metric="custom_events_reconciliation_age_seconds",
        severity=Severity.WARNING,
        limit=50 * HOUR_S,
        for_s=0,
        sentence="Google's own counts of account {account} were read {value} s ago; they are due daily",
        remedy="Look at the newest run of reconcile_uploads",
    ),
    Watch(
        name="ShopifyAppNeedsAction",
        metric="custom_events_shopify_app_problems",
        severity=Severity.CRITICAL,
        limit=0,
        but=(("problem", "registered_again"),),
        for_s=0,
        sentence="Our app in the shop {shop} needs somebody ({problem}): events of the shop are missing, or will be",
        remedy="`custom-events shopify status` says what to do; docs/how-to/connect-shopify.md has each problem",
    ),
    Watch(
        name="ShopifyRegisteredAgain",
        metric="custom_events_shopify_app_problems",
        severity=Severity.WARNING,
        limit=0,
        only=(("problem", "registered_again"),),
        for_s=0,
        sentence="Webhooks or the pixel of our app in the shop {shop} were gone or changed, and were registered again",
        remedy="Shopify deletes webhooks whose deliveries fail: was the receiver away? What was missed meanwhile is read from the shop",
    ),
    Watch(
        name="ShopNotWatched",
        metric="custom_events_shopify_app_unwatched_seconds",
        severity=Severity.WARNING,
        limit=6 * HOUR_S,
        for_s=0,
        sentence="Nobody has looked for {value} s whether our app's webhooks in the shop {shop} are there",
        remedy="`custom-events shopify register` looks now, and says why it cannot",
    ),
    Watch(
        name="OrdersMissing",
        metric="custom_events_recovery_missing_orders",
        severity=Severity.WARNING,
        limit=0,
        for_s=0,
        sentence="Orders of site {site} that no delivery had brought, or not whole ({kind}), found in 24 hours: {value}",
        remedy="They were read from the store and landed; look why its deliveries do not come: docs/how-to/lost-orders.md",
    ),
    Watch(
        name="OrdersNotRead",
        metric="custom_events_recovery_unread_seconds",
        severity=Severity.WARNING,
        limit=6 * HOUR_S,
        for_s=0,
        sentence="The orders of site {site} have not been read from its store for {value} s",
        remedy="`custom-events site recover-orders --dry-run` says why; its key may have been revoked",
    ),
    Watch(
        name="SiteWentQuiet",
        metric="custom_events_traffic_quiet_hours",
        severity=Severity.CRITICAL,
        limit=0,
        only=(("subject", "store"),),
        for_s=0,
        sentence="Site {site} sends nothing, or less than half of what is usual, for {value} hours",
        remedy="Look whether the shop sells and whether its webhooks or our plugin are on: docs/how-to/lost-orders.md",
    ),
    Watch(
        name="PartOfSiteWentQuiet",
        metric="custom_events_traffic_quiet_hours",
        severity=Severity.WARNING,
        limit=0,
        but=(("subject", "store"),),
        for_s=0,
        sentence="Of site {site} comes less than half of what is usual for {value} hours: {subject}",
        remedy="A topic: is its webhook on? Clicks or consent: does the shop's theme, cookie banner or plugin still write them?",
    ),
    Watch(
        name="LaneWentQuiet",
        metric="custom_events_traffic_lane_quiet_hours",
        severity=Severity.CRITICAL,
        limit=0,
        for_s=0,
        sentence="Less than half of what is usual is sent to account {account} by {lane} for {value} hours",
        remedy="`custom-events status` says where conversions stand: not matched, held, or waiting to be sent",
    ),
    Watch(
        name="ScheduledJobMissed",
        metric="custom_events_scheduled_job_late_seconds",
        severity=Severity.WARNING,
        limit=0,
        sentence="The job {job} runs by the clock and has been missed for {value} s",
        remedy="Look at its schedule and its newest run on Dagster's page; start it there, or by `dagster job execute`",
    ),
    Watch(
        name="ReportFailed",
        metric="custom_events_reports_failed",
        severity=Severity.WARNING,
        limit=0,
        for_s=0,
        sentence="The newest run of schedule {schedule} of the report {report} has failed",
        remedy="`custom-events report runs` says why; mend that, then `custom-events report rerun`: what was delivered is not delivered twice",
    ),
    Watch(
        name="ReportLate",
        metric="custom_events_reports_late_seconds",
        severity=Severity.WARNING,
        limit=HOUR_S,
        for_s=0,
        sentence="A run of schedule {schedule} of the report {report} was due {value} s ago and has not ended",
        remedy="`custom-events report runs` says what it waits for, `custom-events report list` whether its schedule cannot be planned; look whether "
        "Dagster's sensor scheduled_reports runs",
    ),
    Watch(
        name="ReplicaNotRead",
        metric="custom_events_replica_not_read",
        severity=Severity.WARNING,
        limit=0,
        sentence="Nothing is read from the replica ({problem}): the primary answers in its place",
        remedy="`custom-events status` says how far it is behind; docs/how-to/read-from-a-replica.md says what to look at",
    ),
    Watch(
        name="SumsDisagree",
        metric="custom_events_sums_gaps",
        severity=Severity.CRITICAL,
        limit=0,
        for_s=0,
        sentence="The sum of what was {sum} does not agree",
        remedy="`custom-events status` shows both sides and what to do; nothing may be lost or counted twice: report it with what `custom-events status --json` shows",
    ),
)


def raised(reading: Reading) -> Iterator[Alarm]:
    """Everything that is wrong in a reading. How long it has been so is the watcher's to know."""
    by_metric: dict[str, list[Sample]] = {}
    for sample in reading.samples:
        if sample.metric in reading.measured:
            by_metric.setdefault(sample.metric, []).append(sample)
    for watch in WATCHES:
        for sample in by_metric.get(watch.metric, ()):
            if watch.holds(sample):
                yield _alarm(watch, sample)


def _alarm(watch: Watch, sample: Sample) -> Alarm:
    where = dict(zip(METRICS[watch.metric].labels, sample.labels, strict=True))
    inside = ",".join(f"{name}={value}" for name, value in where.items())
    return Alarm(
        key=f"{watch.name}{{{inside}}}",
        name=watch.name,
        severity=watch.severity,
        where=where if sample.example is None else {**where, EXAMPLE: sample.example},
        sentence=watch.sentence.format(value=number(sample.value), **where),
        remedy=watch.remedy,
    )


def number(value: float) -> str:
    """12,345 or 98.70 %-like shares as 0.987."""
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.3f}"  # noqa: PLR2004  (large ones whole)
