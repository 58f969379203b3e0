"""Reports: dashboards on the marts that dbt builds, by period, site and currency; what is seen can be exported."""

from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from console.api.calls import Call
from console.api.routes import reports as operations
from console.pages.ask import Ask
from console.pages.charts import Chart, Funnel, Series, Step, day_label, filled, of_rows
from console.pages.navigation import READ
from console.pages.overview_cards import accuracy_chart, least_accurate, summed
from console.pages.page import Pages, Shown
from console.pages.translations import N_, _, translated
from console.pages.visible import chosen_site, site_choice
from custom_events.browse.reports import GROUPS, ConversionGroup, FunnelDay, Report

PAGES: Final = Pages()
_STEPS: Final = (
    ("received", N_("Deliveries received"), "deliveries", ""),
    ("landed", N_("Landed"), "deliveries", ""),
    ("understood", N_("Understood"), "deliveries?outcome=understood", ""),
    ("commerce_events", N_("Commerce events"), "orders", ""),
    ("matched", N_("Conversions matched"), "custom-events", ""),
    ("queued", N_("Meant for Google"), "uploads?kind=conversion", ""),
    ("sent", N_("Sent"), "uploads?kind=conversion", ""),
    ("accepted", N_("Accepted"), "uploads?kind=conversion&state=accepted", "good"),
)
_OUTCOMES: Final = (
    ("accepted", "accepted", "good"),
    ("unmatched", N_("no such click"), "warn"),
    ("rejected", "rejected", "bad"),
    ("expired", N_("too late"), "bad"),
    ("withheld", "withheld", "quiet"),
    ("waiting", "waiting", "info"),
    ("unknown", N_("without an answer"), "warn"),
)

_LEAST_ACCURATE: Final = 10  # sites and days that are shown; an export has all of them


@PAGES.show("/reports", right=READ, template="reports.html")
def reports_page(call: Call, ask: Ask) -> Shown:
    """Funnel, accuracy, conversions with their worth, and configuration, of the same days, site and currency."""
    site_id = chosen_site(call, ask)
    since, until, currency = ask.day("since"), ask.day("until"), _currency(ask)
    by = ask.choice("by", GROUPS) or GROUPS[0]
    funnel = operations.read_funnel(call, site_id, since, until)
    accuracy = operations.read_accuracy(call, site_id, since, until)
    groups = operations.read_conversions(call, site_id=site_id, since=since, until=until, currency=currency, by=by)
    days = operations.read_conversions(call, site_id=site_id, since=since, until=until, currency=currency, by="day")
    content: dict[str, Any] = {
        "ask": ask,
        "sites": site_choice(call),
        "site_id": site_id,
        "since": funnel.since,
        "until": funnel.until,
        "currencies": operations.list_currencies(call, site_id),
        "by": by,
        "groups": GROUPS,
        "funnel": funnel,
        "funnel_bars": funnel_bars(funnel, site_id),
        "outcomes": outcomes_chart(funnel),
        "accuracy": accuracy,
        "accuracy_sum": summed(accuracy.rows),
        "accuracy_chart": accuracy_chart(accuracy, site_id),
        "worst": least_accurate(operations.read_accuracy_by_site(call, site_id, since, until), _LEAST_ACCURATE),
        "conversions": groups,
        "worth": worth_charts(days),
        "use": operations.read_configuration_use(call, site_id, since, until),
        "export_query": _export(funnel, site_id, currency),
    }
    return Shown(title=_("Reports"), content=content)


def funnel_bars(report: Report[FunnelDay], site_id: int | None) -> Funnel:
    """The days together, stage by stage. Events are what deliveries tell of: there may be more of them."""
    span = f"since={report.since}T00:00&until={report.until}T23:59:59"
    mine = f"{span}&site_id={site_id}" if site_id else span
    return Funnel(
        id="funnel-bars",
        title=_("From the store to Google"),
        steps=tuple(
            Step(
                name=translated(name),
                rows=sum(getattr(day, key) for day in report.rows),
                address=f"{address}{'&' if '?' in address else '?'}{mine}",
                tone=tone,
            )
            for key, name, address, tone in _STEPS
        ),
    )


def outcomes_chart(report: Report[FunnelDay]) -> Chart:
    """What became of the conversions of each day."""
    shown = [outcome for outcome in _OUTCOMES if any(getattr(row, outcome[0]) for row in report.rows)]
    days = filled(report.rows, report.since, report.until)
    return Chart(
        id="outcomes",
        title=_("Conversions by day"),
        unit=_("by what became of them"),
        labels=tuple(day_label(day) for day, _ in days),
        links=tuple(f"uploads?kind=conversion&since={day}T00:00&until={day}T23:59:59" for day, _ in days),
        series=of_rows(shown, [row for _, row in days]),
    )


def worth_charts(report: Report[ConversionGroup]) -> list[Chart]:
    """For each currency what conversions of each day are worth, and what of it stands at Google."""
    currencies = sorted({row.currency for row in report.rows if row.currency})
    return [_worth(currency, report) for currency in currencies]


def _worth(currency: str, report: Report[ConversionGroup]) -> Chart:
    days = filled((row for row in report.rows if row.currency == currency), report.since, report.until)
    return Chart(
        id=f"worth-{currency}",
        title=_("Revenue, %(currency)s", currency=currency),
        unit=_("by day of the conversion"),
        kind="lines",
        labels=tuple(day_label(day) for day, _ in days),
        series=(
            Series(name=_("matched, before refunds"), values=tuple(_amount(row, "value_matched") for _, row in days)),
            Series(
                name=_("stands at Google, adjusted"), values=tuple(_amount(row, "value_at_google") for _, row in days)
            ),
        ),
    )


def _amount(row: ConversionGroup | None, name: str) -> Decimal:
    return Decimal(0) if row is None else getattr(row, name) or Decimal(0)


def _export(report: Report[FunnelDay], site_id: int | None, currency: str | None) -> str:
    """The end of an export's address: what is seen."""
    filters = {"since": report.since, "until": report.until, "site_id": site_id, "currency": currency}
    return urlencode({name: value for name, value in filters.items() if value is not None})


def _currency(ask: Ask) -> str | None:
    currency = ask.text("currency", longest=3)
    return currency.upper() if currency is not None else None
