"""The course of data teams: figures from the marts that are the console's, a replay, and where a failed run says why."""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from custom_events.backtest.replay import ACTION, replay_sync
from custom_events.browse import reports
from custom_events.browse.reports import Report
from custom_events.browse.uploads import UploadFilter
from custom_events.catalog import audit
from custom_events.errors import NeedsAction
from custom_events.values.conversions import UploadKind, UploadState
from orchestration import failed_runs
from orchestration.failed_runs import FailedRun
from sandbox.training.exercises import Exercise, Lesson, Verdict, number_in, right, wrong
from sandbox.training.figure_queries import figure_of
from sandbox.training.ledger_rows import newest_of_order, trace_of

ACCEPTED: Final = UploadFilter(state=UploadState.ACCEPTED, kind=UploadKind.CONVERSION)
SHARE: Final = Decimal("0.0001")  # to which shares are compared: a hundredth of a percent
WHY: Final = "training"  # stands in the reason of the replay that the exercise has people write
LEAST_OF_A_SENTENCE: Final = 12  # characters: fewer stand in most sentences


def _ask_deliveries(lesson: Lesson) -> str:
    row, site_key = newest_of_order(lesson, ACCEPTED)
    return f"How many deliveries of the store told something new of order {row.order_id} of site {site_key}?"


def _check_deliveries(lesson: Lesson, answer: str) -> Verdict:
    row, site_key = newest_of_order(lesson, ACCEPTED)
    if number_in(answer) == len(trace_of(lesson, row).deliveries):
        return right("What a store sends twice is stored once, and what shows nothing new makes no event.")
    return wrong(
        f"`custom-events explain {row.order_id} --site {site_key} --json` has them as a list: count its elements."
    )


def _ask_matched(lesson: Lesson) -> str:
    report, key, _ = _matched(lesson)
    return (
        f"The console's report of conversions says how many the definition {key} matched from {report.since} to {report.until}, both days "
        "included. Write the query of the marts that gives the same number."
    )


def _check_matched(lesson: Lesson, answer: str) -> Verdict:
    report, key, matched = _matched(lesson)
    if figure_of(lesson, answer) == matched:
        return right("The report and your query read the same mart, as of its last build.")
    return wrong(
        f"It gives another number than the report. Add up `matched` of reporting.fct_conversions_by_definition, where the definition's key is "
        f"{key}, and `day` lies from {report.since} to {report.until}."
    )


def _matched(lesson: Lesson) -> tuple[Report[Any], str, int]:
    """The report, the definition of it that matched most, and how many, whatever the currency."""
    report = _report(lesson, "conversions")
    sums = Counter[str]()
    for row in report.rows:
        sums[row.key] += row.matched
    key = max(sums, key=lambda name: (sums[name], name))
    return report, key, sums[key]


def _ask_accuracy(lesson: Lesson) -> str:
    report, site, _ = _accuracy(lesson)
    return (
        f"Write the query that gives the accuracy of site {site} from {report.since} to {report.until}, both days included, as a share from 0 "
        "to 1."
    )


def _check_accuracy(lesson: Lesson, answer: str) -> Verdict:
    _, _, accuracy = _accuracy(lesson)
    if abs(figure_of(lesson, answer) - accuracy) <= SHARE:
        return right("It is divided after adding up, so it stays right over days and sites.")
    return wrong(
        "It gives another share than the console's figures. reporting.fct_accuracy_daily has counts of each day: add up first, then divide; "
        "what was withheld with a reason counts as accurate."
    )


def _accuracy(lesson: Lesson) -> tuple[Report[Any], str, Decimal]:
    """The report, the site with most orders ("1 (Shop)"), and its share over all days."""
    report = _report(lesson, "accuracy-by-site")
    orders, accurate, names = Counter[int](), Counter[int](), dict[int, str]()
    for row in report.rows:
        orders[row.site_id] += row.orders
        accurate[row.site_id] += row.sent + row.withheld
        names[row.site_id] = row.site_name
    site_id = max(orders, key=lambda site: (orders[site], -site))
    return report, f"{site_id} ({names[site_id]})", Decimal(accurate[site_id]) / orders[site_id]


def _report(lesson: Lesson, name: str) -> Report[Any]:
    """A report of the thirty days until now, with rows. Raises NeedsAction where there are none."""
    with lesson.engine.connect() as connection:
        report = reports.read(connection, name, reports.wanted(lesson.now.date()), reports.EVERY)
    if not report.rows:
        raise NeedsAction(
            "The marts are not built, or have nothing of the last thirty days: have Dagster's job build_reports run (`make demo` does it after "
            "its figures)."
        )
    return report


def _ask_replay(lesson: Lesson) -> str:
    del lesson
    return (
        f"Replay the last seven days of one site, written, with the word {WHY} in its reason (`custom-events replay --site SITE --since 7d "
        f'--write --reason "{WHY}"`), after you have looked at what it would change.'
    )


def _check_replay(lesson: Lesson, answer: str) -> Verdict:
    del answer
    with lesson.engine.connect() as connection:
        entries = audit.search(connection, audit.Filter(action=ACTION))
    written = [entry.detail for entry in entries if WHY in str(entry.detail.get("reason", "")).lower()]
    if not written:
        return wrong(
            f"The audit trail has no replay with {WHY} in its reason. Without --write it only lists what would change."
        )
    detail = written[0]
    if not isinstance(detail["sites"], list):
        return wrong("The newest one was of all sites: name one with --site.")
    again = replay_sync(
        lesson.url,
        lesson.settings,
        since=datetime.fromisoformat(detail["since"]),
        until=datetime.fromisoformat(detail["until"]),
        sites=detail["sites"],
        samples=0,
    )
    if again.counts.differs or (again.reread is not None and again.reread.would_change):
        return wrong("A look at the same days says that something would change again: replay them once more.")
    return right("A second look at the same days changes nothing: nothing counts twice.")


def _ask_failed_run(lesson: Lesson) -> str:
    run = _failed(lesson)
    return f"Run {run.run_id[:8]} of the job {run.job} failed. Which sentence says why? Copy it."


def _check_failed_run(lesson: Lesson, answer: str) -> Verdict:
    run = _failed(lesson)
    typed = _plain(answer)
    if len(typed) < LEAST_OF_A_SENTENCE:
        return wrong(f"Copy a whole sentence, or {LEAST_OF_A_SENTENCE} characters of it at least.")
    if any(typed in _plain(sentence) for sentence in run.sentences):
        return right("The failure event of the step has the cause; the events above it say what was done until then.")
    return wrong(
        f"Open the run in Dagster (Runs, status Failure), then the step {run.step or 'that is red'}: its failure event has the sentence, and "
        "*View full message* all of it."
    )


def _plain(sentence: str) -> str:
    """Without what a shell may have taken off: quotes, and more than one space."""
    return " ".join(sentence.replace('"', "").replace("'", "").split()).lower()


def _failed(lesson: Lesson) -> FailedRun:
    run = failed_runs.newest(lesson.url)
    if run is None:
        raise NeedsAction(
            "No run of Dagster has failed here. Make one fail: launch the job `backtest` with a day that is none as its `since` "
            "(docs/training/data-team.md has the steps)."
        )
    return run


EXERCISES: Final = (
    Exercise(key="deliveries", title="What a store told of an order", answer="a number", question=_ask_deliveries, check=_check_deliveries),
    Exercise(key="matched-query", title="The console's figure by SQL", answer="a query", question=_ask_matched, check=_check_matched),
    Exercise(key="accuracy-query", title="A share by SQL", answer="a query", question=_ask_accuracy, check=_check_accuracy),
    Exercise(key="replay", title="Replay a site's week", answer=None, question=_ask_replay, check=_check_replay),
    Exercise(key="failed-run", title="Why a run failed", answer="a sentence", question=_ask_failed_run, check=_check_failed_run),
)  # fmt: skip
