"""The watcher's alarms as asset checks: one for each, beside the asset whose rows it measures."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from assets.database import reading
from custom_events.settings import settings
from custom_events.watching.alarms import WATCHES, Severity, Watch, raised
from custom_events.watching.measure import measure

_ASSETS: Final = {
    "custom_events_uploads": "conversion_uploads",
    "custom_events_pipeline": "commerce_events",
    "custom_events_privacy": "commerce_events",
    "custom_events_receiver": "raw_events",
    "custom_events_retention": "raw_events",
    "custom_events_archive": "raw_events",
    "custom_events_shopify_app": "raw_events",
    "custom_events_recovery": "raw_events",
    "custom_events_traffic_quiet": "raw_events",
    "custom_events_traffic_lane": "conversion_uploads",
    "custom_events_reconciliation": "reconciliation",
    "custom_events_reports": "report_exports",
    "custom_events_replica": "report_exports",
}


def asset_of(watch: Watch) -> str | None:
    """The asset whose rows an alarm is about; None for the sums, which have checks of their own, and for jobs that
    did not run: a check runs with one."""
    return next((asset for start, asset in _ASSETS.items() if watch.metric.startswith(start)), None)


def checks_of(asset: str) -> dg.AssetChecksDefinition:
    """Every alarm of one asset, from one measuring."""
    watches = [watch for watch in WATCHES if asset_of(watch) == asset]
    specs = [
        dg.AssetCheckSpec(_name(watch.name), asset=asset, description=f"{_in_general(watch.sentence)}. {watch.remedy}.")
        for watch in watches
    ]

    @dg.multi_asset_check(name=f"watch_{asset}", specs=specs)
    def watch_asset(database_url: dg.ResourceParam[str]) -> Iterator[dg.AssetCheckResult]:
        """One result for each alarm: passed while nothing is wrong."""
        with reading(database_url) as connection:
            alarms = list(raised(measure(connection, settings(), datetime.now(UTC))))
        for watch in watches:
            wrong = [alarm.sentence for alarm in alarms if alarm.name == watch.name]
            grave = watch.severity is Severity.CRITICAL
            yield dg.AssetCheckResult(
                asset_key=asset,
                check_name=_name(watch.name),
                passed=not wrong,
                severity=dg.AssetCheckSeverity.ERROR if grave else dg.AssetCheckSeverity.WARN,
                description="; ".join(wrong) or "Nothing is wrong.",
                metadata={"places": dg.MetadataValue.int(len(wrong))},
            )

    return watch_asset


ASSETS: Final = tuple(dict.fromkeys(_ASSETS.values()))


def _in_general(sentence: str) -> str:
    """A sentence without its case, in Markdown: `account {account}` -> `account *account*`."""
    return re.sub(r"\{(\w+)\}", r"*\1*", sentence)


def _name(alarm: str) -> str:
    """AccountParked -> account_parked."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in alarm).lstrip("_")
