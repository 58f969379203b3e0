"""Reports that ship with the product, of which people choose sites and a moment."""

from collections.abc import Mapping
from typing import Any, Final

from custom_events.reports.content import Operator, ReportContent, RowFilter, RowOrder
from custom_events.reports.periods import PeriodName
from custom_events.reports.report import Report


def _report(key: str, name: str, columns: str, **content: Any) -> Report:
    """`columns`: their names, with blanks between."""
    return Report(
        key=key, name=name, content=ReportContent(columns=tuple(columns.split()), **content), is_built_in=True
    )


_REPORTS: Final = (
    _report(
        "daily_accuracy",
        "Accuracy by site and day",
        mart="fct_accuracy_daily",
        columns="day site_id site_name orders sent withheld waiting expired no_match accuracy",
        period=PeriodName.YESTERDAY,
        format="xlsx",
    ),
    _report(
        "funnel",
        "Funnel by day",
        mart="fct_funnel_daily",
        columns="day received refused landed understood parked commerce_events matched queued sent accepted "
        "unmatched rejected withheld",
        added_up=True,
        period=PeriodName.LAST_7_DAYS,
        format="xlsx",
        plot=("received", "matched", "accepted"),
    ),
    _report(
        "conversions_by_definition",
        "Conversions by definition and currency",
        mart="fct_conversions_by_definition",
        columns="definition_key definition_name currency matched accepted unmatched withheld lost open acceptance "
        "value_matched value_at_google",
        added_up=True,
        order=(RowOrder(column="matched", descending=True),),
        period=PeriodName.LAST_7_DAYS,
        format="xlsx",
        plot=("matched", "accepted"),
    ),
    _report(
        "conversions_by_campaign",
        "Conversions by definition, site, day and campaign",
        mart="fct_conversions_by_definition",
        columns="definition_key definition_name site_name day campaign currency matched accepted unmatched withheld lost open "
        "acceptance value_matched value_at_google",
        added_up=True,
        order=(RowOrder(column="day"), RowOrder(column="matched", descending=True)),
        period=PeriodName.LAST_7_DAYS,
        format="xlsx",
    ),
    _report(
        "upload_quality",
        "Upload quality by account and action",
        mart="fct_reconciliation_daily",
        columns="customer_id account_name action_id action_name sent accepted pending refused unknown "
        "without_click matched google_failed difference success",
        added_up=True,
        period=PeriodName.LAST_7_DAYS,
        format="xlsx",
    ),
    _report(
        "upload_outcomes",
        "Uploads by action, outcome and reason",
        mart="fct_upload_quality_daily",
        columns="site_name customer_id action_id kind outcome reason uploads attempts sent_again slow_uploads "
        "mean_lag_seconds",
        added_up=True,
        order=(RowOrder(column="uploads", descending=True),),
        period=PeriodName.LAST_7_DAYS,
        format="xlsx",
    ),
    _report(
        "withheld_by_reason",
        "Withheld orders by reason",
        mart="fct_orders",
        columns="reason currency row_count withheld net_total",
        added_up=True,
        filters=(RowFilter(column="outcome", operator=Operator.IS, values=("withheld",)),),
        order=(RowOrder(column="row_count", descending=True),),
        period=PeriodName.LAST_7_DAYS,
        format="xlsx",
    ),
    _report(
        "orders_with_outcome",
        "Orders with what became of them",
        mart="fct_orders",
        columns="site_id site_name order_id order_number currency total refunded net_total outcome reason "
        "value_at_google ordered_at paid_at cancelled_at",
        filters=(RowFilter(column="is_test", operator=Operator.IS, values=("false",)),),  # as in every other report
        order=(RowOrder(column="ordered_at"),),
        period=PeriodName.YESTERDAY,
    ),
    _report(
        "configuration_use",
        "Configuration in use",
        mart="fct_configuration_use",
        columns="definition_key definition_name site_name assignment_label is_active usage matches overlapping "
        "first_day last_day",
        order=(RowOrder(column="matches", descending=True),),
        period=PeriodName.LAST_MONTH,
        format="xlsx",
    ),
)
BUILT_IN: Final[Mapping[str, Report]] = {report.key: report for report in _REPORTS}
