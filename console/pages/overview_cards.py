"""What stands below the picture of the pipeline: today beside last week, how conversions and orders fare, who went quiet, what is wrong. Each is an
operation of the API; each number leads to the rows that it counts."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec

from console.api.calls import Call
from console.api.routes import day_figures, reports
from console.pages import evidence
from console.pages.charts import Chart, Series, day_label, filled
from console.pages.formats import word
from console.pages.translations import N_, _, translated
from custom_events.access.roles import Role
from custom_events.browse.reports import AccuracyDay, Report
from custom_events.ledger.progress import UploadWeek
from custom_events.watching import state
from custom_events.watching.day_figures import Beside, Today
from custom_events.watching.status import event_totals

SHOWN_ALARMS: Final = 5
SHOWN_SITES: Final = 5  # of those with the least accurate days
ACCURACY_DAYS: Final = 14
_OUTCOMES: Final = (
    ("accepted", "accepted", "good"),
    ("unmatched", N_("no such click"), "warn"),
    ("rejected", "rejected", "bad"),
    ("expired", N_("too late"), "bad"),
    ("withheld", "withheld", "quiet"),
    ("waiting", "waiting", "info"),
)
_WORDS: Final = {"unmatched": N_("without such a click")}
_WHOLE: Final = 100  # per cent

_Figure = TypeVar("_Figure")


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A count of today beside last week's, with where both are listed."""

    name: str
    today: int
    week_ago: int
    address: str
    week_ago_address: str

    @property
    def change(self) -> str:
        """How much more or less, in per cent; "" where there was nothing to compare with."""
        if not self.week_ago:
            return ""
        return f"{_WHOLE * (self.today - self.week_ago) / self.week_ago:+.0f} %"


def cards(call: Call, site_id: int | None, *, has_many_sites: bool) -> dict[str, Any]:
    """What the cards are filled with. With many sites, what each of them adds to is kept for a while."""

    def of_all(name: str, count: Callable[[], _Figure]) -> _Figure:
        return call.kept.get(name, count) if has_many_sites and site_id is None else count()

    since = (datetime.now(UTC) - timedelta(days=ACCURACY_DAYS - 1)).date()
    progress = day_figures.read_upload_progress(call, site_id)
    accuracy = reports.read_accuracy(call, site_id, since)
    today = day_figures.read_today(call, site_id)
    content: dict[str, Any] = {
        "today": today,
        "comparisons": list(comparisons(today)),
        "progress": progress,
        "weeks": weeks_chart(progress.weeks) if progress.weeks else None,
        "accuracy": accuracy,
        "accuracy_chart": accuracy_chart(accuracy, site_id),
        "accuracy_sum": summed(accuracy.rows),
        "worst": least_accurate(reports.read_accuracy_by_site(call, site_id, since)) if site_id is None else (),
        "quiet": of_all("quiet", lambda: day_figures.read_quiet(call, site_id)),
        "events": of_all("events", lambda: event_totals(call.connection)) if site_id is None else None,
        "alarms": (),
    }
    if site_id is None and call.caller.may(Role.VIEWER):
        alarms = state.page(call.connection, is_open=True, limit=SHOWN_ALARMS)
        content["alarms"] = [(alarm, evidence.of(call, alarm, with_sample=True)) for alarm in alarms]
    return content


def comparisons(today: Today) -> Iterable[Comparison]:
    """What landed and what was made, in all and by what became of it; each with the list of the same hours."""
    site = {} if today.site_id is None else {"site_id": today.site_id}
    now = {"since": _moment(today.since), "until": _moment(today.until)}
    before = {"since": _moment(today.week_ago_since), "until": _moment(today.week_ago_until)}

    def row(name: str, counts: tuple[int, int], page: str, **only: str) -> Comparison:
        return Comparison(
            name=name,
            today=counts[0],
            week_ago=counts[1],
            address=f"{page}?{urlencode({**only, **site, **now})}",
            week_ago_address=f"{page}?{urlencode({**only, **site, **before})}",
        )

    yield row(_("deliveries"), _sum(today.deliveries), "deliveries")
    yield from (
        row(
            _("deliveries %(state)s", state=word(count.name)),
            (count.today, count.week_ago),
            "deliveries",
            outcome=count.name,
        )
        for count in today.deliveries
        if count.name != "understood"
    )
    yield row(_("conversions"), _sum(today.conversions), "uploads", kind="conversion")
    yield from (
        row(
            _(
                "conversions %(state)s",
                state=translated(_WORDS[count.name]) if count.name in _WORDS else word(count.name),
            ),
            (count.today, count.week_ago),
            "uploads",
            kind="conversion",
            state=count.name,
        )
        for count in today.conversions
    )


def weeks_chart(weeks: tuple[UploadWeek, ...]) -> Chart:
    """What became of conversions by week."""
    return Chart(
        id="weeks-chart",
        title=_("Conversions by week"),
        unit=_("by when they were made"),
        label_name=_("Week from"),
        labels=tuple(day_label(week.week) for week in weeks),
        links=tuple(
            f"uploads?kind=conversion&since={week.week}T00:00&until={week.week + timedelta(days=7)}T00:00"
            for week in weeks
        ),
        series=tuple(
            Series(name=translated(name), tone=tone, values=values)
            for key, name, tone in _OUTCOMES
            if any(values := tuple(getattr(week, key) for week in weeks))
        ),
    )


def accuracy_chart(report: Report[AccuracyDay], site_id: int | None) -> Chart:
    """The part of the orders of each day that was sent, or withheld with a reason."""
    mine = f"&site_id={site_id}" if site_id else ""
    days = filled(report.rows, report.since, report.until)
    return Chart(
        id="accuracy-chart",
        title=_("Day by day"),
        unit=_("(sent + withheld with a reason) / paid orders"),
        kind="lines",
        is_share=True,
        labels=tuple(day_label(day) for day, _ in days),
        links=tuple(f"reports?since={day}&until={day}{mine}#accuracy" for day, _ in days),
        series=(Series(name=_("accuracy"), values=tuple(None if row is None else row.accuracy for _, row in days)),),
    )


def summed(days: Iterable[AccuracyDay]) -> AccuracyDay | None:
    """All days as one; None: there are none."""
    listed = list(days)
    if not listed:
        return None
    names = ("orders", "sent", "withheld", "waiting", "expired", "no_match")
    sums: dict[str, Any] = {name: sum(getattr(day, name) for day in listed) for name in names}
    return AccuracyDay(day=listed[-1].day, **sums)


def least_accurate(report: Report[AccuracyDay], rows: int = SHOWN_SITES) -> tuple[AccuracyDay, ...]:
    """Sites and days of which the most is missing."""
    return tuple(row for row in report.rows if row.accuracy is not None and row.accuracy < 1)[:rows]


def _sum(counts: tuple[Beside, ...]) -> tuple[int, int]:
    return sum(count.today for count in counts), sum(count.week_ago for count in counts)


def _moment(at: datetime) -> str:
    """As a browser's field for a moment has it, in UTC; to the second, so that counts and list agree."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
