"""The marts of which reports may be made: tables of the schema `reporting` that dbt builds, with the columns that a report may name.

This is the allow-list: SQL of reports is made of these names and of no others. `tests/reports/test_marts.py` holds it against dbt's YAML.
Left out on purpose is what leads to a person (customer keys): files of reports leave the house.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

import msgspec

ROW_COUNT: Final = "row_count"  # a column of every mart: how many of its rows were added up
_CURRENCY: Final = "currency"


class Kind(StrEnum):
    """What a column holds, which says how it is written, filtered and added up."""

    TEXT = "text"
    ID = "id"
    COUNT = "count"
    AMOUNT = "amount"
    RATIO = "ratio"
    DAY = "day"
    TIME = "time"

    @property
    def is_summed(self) -> bool:
        """Whether values of several rows are added up."""
        return self in (Kind.COUNT, Kind.AMOUNT)


class MartColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column: its name in the mart, its title for people. `parts` and `of`: of a ratio, the columns whose sums are divided."""

    name: str
    title: str
    kind: Kind
    parts: tuple[str, ...] = ()
    of: str = ""


class Mart(msgspec.Struct, frozen=True, kw_only=True):
    """A mart. `period`: the column of days or times that a report's period is about, "": it has none; `has_sites`: its rows are of sites;
    `apart`: columns whose rows count the same things again, so that rows that differ in one of them are never added up; `plain_amounts`:
    amounts that are not of the column `currency`."""

    name: str
    title: str
    grain: str
    columns: Mapping[str, MartColumn]
    period: str = "day"
    has_sites: bool = True
    apart: tuple[str, ...] = ()
    plain_amounts: tuple[str, ...] = ()

    def kept_apart(self, chosen: Collection[str]) -> tuple[str, ...]:
        """The columns by whose values sums over these columns have to stay apart: also the currency where amounts are added up."""
        is_money = any(self.columns[name].kind is Kind.AMOUNT and name not in self.plain_amounts for name in chosen)
        by_currency = is_money and _CURRENCY in self.columns and _CURRENCY not in self.apart
        return (*self.apart, _CURRENCY) if by_currency else self.apart


def _mart(
    name: str,
    title: str,
    grain: str,
    columns: str,
    *,
    period: str = "day",
    has_sites: bool = True,
    ratios: tuple[MartColumn, ...] = (),
    apart: tuple[str, ...] = (),
    plain_amounts: tuple[str, ...] = (),
) -> Mart:
    """`columns`: names with their kinds, `day:day orders:count`."""
    named = [
        MartColumn(name=column, title=_title(column), kind=Kind(kind))
        for column, kind in (pair.split(":") for pair in columns.split())
    ]
    counted = MartColumn(name=ROW_COUNT, title="Rows", kind=Kind.COUNT)
    every = {column.name: column for column in (*named, *ratios, counted)}
    return Mart(
        name=name,
        title=title,
        grain=grain,
        columns=every,
        period=period,
        has_sites=has_sites,
        apart=apart,
        plain_amounts=plain_amounts,
    )


def _title(name: str) -> str:
    words = name.replace("_", " ").replace("google", "Google")
    return words[:1].upper() + words[1:]


def _ratio(name: str, parts: tuple[str, ...], of: str) -> MartColumn:
    return MartColumn(name=name, title=_title(name), kind=Kind.RATIO, parts=parts, of=of)


_MARTS: Final = (
    _mart(
        "fct_accuracy_daily",
        "Accuracy by site and day",
        "One row per site and day of payment.",
        "site_id:id site_name:text day:day orders:count sent:count withheld:count waiting:count expired:count no_match:count",
        ratios=(_ratio("accuracy", ("sent", "withheld"), "orders"),),
    ),
    _mart(
        "fct_funnel_daily",
        "Funnel by site and day",
        "One row per site and day; one per day without a site for deliveries whose address named none.",
        "site_id:id site_name:text day:day received:count refused:count landed:count understood:count parked:count ignored:count "
        "commerce_events:count matched:count queued:count withheld:count sent:count accepted:count unmatched:count rejected:count "
        "waiting:count expired:count unknown:count",
        ratios=(_ratio("acceptance", ("accepted",), "queued"),),
    ),
    _mart(
        "fct_conversions_by_definition",
        "Conversions by definition, assignment, campaign, currency and day",
        "One row per definition, assignment, campaign, currency and day of conversion.",
        "definition_key:id definition_name:text site_id:id site_name:text assignment_label:text campaign:text currency:text day:day matched:count "
        "withdrawn:count withheld:count accepted:count unmatched:count lost:count open:count value_matched:amount value_at_google:amount",
        ratios=(_ratio("acceptance", ("accepted",), "matched"),),
    ),
    _mart(
        "fct_orders",
        "Orders with their outcome",
        "One row per order.",
        "site_id:id site_name:text order_id:id order_number:id status:text financial_status:text currency:text total:amount "
        "refunded:amount net_total:amount is_test:text commerce_events:count conversions:count accepted:count unmatched:count "
        "rejected:count waiting:count expired:count unknown:count withheld:count value_at_google:amount outcome:text reason:text "
        "ordered_at:time paid_at:time cancelled_at:time",
        period="ordered_at",
    ),
    _mart(
        "fct_reconciliation_daily",
        "Google's counts beside the ledger",
        "One row per ads account, conversion action and day of the call.",
        "customer_id:id account_name:text lane:text action_id:id action_name:text day:day sent:count accepted:count pending:count "
        "refused:count unknown:count again:count ended:count unattributable:count already_there:count without_click:count events:count "
        "unanswered:count matched:count google_failed:count google_pending:count difference:count outcome:text google_read_at:time",
        has_sites=False,
        ratios=(_ratio("success", ("accepted",), "sent"),),
    ),
    _mart(
        "fct_order_funnel_daily",
        "Orders from checkout to what is kept",
        "One row per site, day, definition, campaign, click kind and currency.",
        "site_id:id site_name:text day:day definition_key:id campaign:text click_kind:text currency:text checkouts:count "
        "orders_created:count orders_paid:count orders_matched:count orders_sent:count orders_accepted:count orders_kept:count "
        "checkout_value:amount created_value:amount paid_value:amount matched_value:amount sent_value:amount accepted_value:amount "
        "kept_value:amount",
        ratios=(
            _ratio("paid_of_created", ("orders_paid",), "orders_created"),
            _ratio("accepted_of_paid", ("orders_accepted",), "orders_paid"),
        ),
        # Rows without one count whole orders, the others the same orders by what matched them.
        apart=("definition_key",),
    ),
    _mart(
        "fct_upload_quality_daily",
        "Upload quality by site, action, outcome and reason",
        "One row per site, ads account, conversion action, kind of upload, day, outcome and reason.",
        "site_id:id site_name:text customer_id:id action_id:id kind:text day:day outcome:text reason:text uploads:count attempts:count "
        "sent:count sent_again:count lag_seconds:count lag_uploads:count slow_uploads:count",
        ratios=(_ratio("mean_lag_seconds", ("lag_seconds",), "lag_uploads"),),
    ),
    _mart(
        "fct_configuration_use",
        "Configuration in use",
        "One row per assignment.",
        "assignment_id:id site_id:id site_name:text definition_key:id definition_name:text assignment_label:text is_active:text usage:text "
        "matches:count withdrawn:count overlapping:count first_day:day last_day:day",
        period="",
    ),
    _mart(
        "fct_data_quality_daily",
        "Data quality by finding",
        "One row per site, day, finding and reason.",
        "site_id:id site_name:text day:day finding:text reason:text found:count",
    ),
    _mart(
        "fct_attribution_daily",
        "Attribution by model, source and campaign",
        "One row per site, day of payment, attribution model, source, medium, campaign, click kind and currency.",
        "site_id:id site_name:text day:day model:text source:text medium:text campaign:text click_kind:text currency:text "
        "orders_touched:count order_credit:amount value_credit:amount net_value_credit:amount touches:count",
        apart=("model",),  # each model gives all of the credit
        plain_amounts=("order_credit",),
    ),
    _mart(
        "fct_customer_cohorts",
        "Cohorts of customers",
        "One row per site, month of the first paid order, months since then and currency.",
        "site_id:id site_name:text cohort_month:day months_since:id currency:text cohort_customers:count customers:count orders:count "
        "revenue:amount",
        period="",
        apart=("months_since", "currency"),  # the customers of a cohort stand in each of its rows
    ),
    _mart(
        "dim_sites",
        "Sites",
        "One row per site.",
        "site_id:id site_name:text platform:text shop_domain:text currency:text time_zone:text is_active:text active_assignments:count "
        "created_at:time",
        period="",
    ),
)
MARTS: Final[Mapping[str, Mart]] = {mart.name: mart for mart in _MARTS}
