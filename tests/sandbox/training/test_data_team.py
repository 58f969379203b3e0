"""Each exercise of the data team's course, with a right and a wrong answer."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from custom_events.backtest.replay import Order, replay_sync
from custom_events.errors import InvalidConfiguration, NeedsAction
from orchestration import failed_runs, instance
from orchestration.backtests import backtest
from tests import marts
from tests.sandbox.training.conftest import SENT, Class

COURSE = "data-team"


def test_deliveries(taught: Class) -> None:
    taught.accept(SENT)
    assert f"order {SENT} of site shop-key-1" in taught.question(COURSE, "deliveries")
    assert taught.is_right(COURSE, "deliveries", "1")
    assert not taught.is_right(COURSE, "deliveries", "2")


@pytest.fixture
def reporting(empty_class: Class) -> Class:
    """The marts of two days, one of them long ago."""
    today = datetime.now(UTC).date()
    with empty_class.world.engine.begin() as connection:
        marts.make(connection)
        for day, currency, matched in ((today, "EUR", 5), (today, "USD", 2), (today - timedelta(days=90), "EUR", 100)):
            values: dict[str, Any] = {
                "day": day,
                "site_id": 1,
                "definition_key": "purchase",
                "definition_name": "Purchase",
            }
            marts.add(connection, "fct_conversions_by_definition", currency=currency, matched=matched, **values)
        for day, sent in ((today, 5), (today - timedelta(days=1), 0)):
            marts.add(
                connection, "fct_accuracy_daily", day=day, site_id=1, site_name="Shop", orders=8, sent=sent, withheld=2
            )
    return empty_class


def test_matched_query(reporting: Class) -> None:
    question = reporting.question(COURSE, "matched-query")
    first_day = datetime.now(UTC).date() - timedelta(days=29)
    assert f"the definition purchase matched from {first_day}" in question
    query = "SELECT sum(matched) FROM reporting.fct_conversions_by_definition WHERE definition_key = 'purchase'"
    assert reporting.is_right(COURSE, "matched-query", f"{query} AND day >= '{first_day}' -- 100 %")
    assert not reporting.is_right(COURSE, "matched-query", query)


def test_accuracy_query(reporting: Class) -> None:
    assert "the accuracy of site 1 (Shop)" in reporting.question(COURSE, "accuracy-query")
    mart = "FROM reporting.fct_accuracy_daily WHERE site_id = 1"
    assert reporting.is_right(COURSE, "accuracy-query", f"SELECT round(sum(sent + withheld) / sum(orders), 4) {mart}")
    assert not reporting.is_right(
        COURSE, "accuracy-query", f"SELECT avg((sent + withheld) / orders) {mart} AND sent > 0"
    )


@pytest.mark.parametrize(("query", "fault"), [
    ("SELECT 7", "it reads no mart"),
    ("SELECT day, matched FROM reporting.fct_conversions_by_definition", "does not give one number"),
    ("SELECT max(definition_key) FROM reporting.fct_conversions_by_definition", "is no number"),
    ("SELECT sum(matched) FROM reporting.nothing", 'the database refuses it: relation "reporting.nothing" does not exist'),
    ("DELETE FROM reporting.fct_accuracy_daily", "read-only transaction"),
    ("SELECT 1; DELETE FROM reporting.fct_accuracy_daily", "multiple commands"),
    ("-- reporting.", "does not give one number"),
])  # fmt: skip
def test_a_query_may_only_read_and_gives_one_number(reporting: Class, query: str, fault: str) -> None:
    with pytest.raises(InvalidConfiguration, match=f"ANSWER: .*{fault}"):
        reporting.verdict(COURSE, "matched-query", query)


def test_without_marts_it_says_so(empty_class: Class) -> None:
    for key in ("matched-query", "accuracy-query"):
        with pytest.raises(NeedsAction, match="build_reports"):
            empty_class.question(COURSE, key)


def test_replay(taught: Class) -> None:
    assert "custom-events replay" in taught.question(COURSE, "replay")
    assert "no replay" in taught.verdict(COURSE, "replay").sentence
    world, now = taught.world, taught.lesson.now
    asked: dict[str, Any] = {"since": now - timedelta(days=7), "until": now}
    order = Order(actor="ana", reason="A training")
    replay_sync(world.url, world.settings, **asked, order=order)
    assert "of all sites" in taught.verdict(COURSE, "replay").sentence
    replay_sync(world.url, world.settings, **asked, sites=[taught.shop], order=order)
    assert taught.is_right(COURSE, "replay")
    world.assign(taught.shop, world.define("later"))
    assert "would change again" in taught.verdict(COURSE, "replay").sentence


def test_failed_run(empty_class: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NeedsAction, match="Make one fail"):
        empty_class.question(COURSE, "failed-run")
    url = empty_class.world.url
    for name, value in instance.prepare(tmp_path, url).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.from_config(str(tmp_path)) as dagster:
        assert failed_runs.newest(url) is None
        result = backtest.execute_in_process(
            run_config={"ops": {"look_back": {"config": {"since": "yesterday"}}}},
            resources={"database_url": url},
            instance=dagster,
            raise_on_error=False,
        )
    assert not result.success
    assert f"Run {result.run_id[:8]} of the job backtest failed" in empty_class.question(COURSE, "failed-run")
    assert empty_class.is_right(COURSE, "failed-run", "since: yesterday  is no time")
    assert not empty_class.is_right(COURSE, "failed-run", 'Execution of step "look_back" failed.')
    assert "at least" in empty_class.verdict(COURSE, "failed-run", "time").sentence
    hint = empty_class.verdict(COURSE, "failed-run", "The database does not answer").sentence
    assert "look_back" in hint
    assert "is no time" not in hint


def test_a_run_that_failed_before_its_first_step_has_dagsters_own_sentence(
    empty_class: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = empty_class.world.url
    for name, value in instance.prepare(tmp_path, url).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.from_config(str(tmp_path)) as dagster:
        run = dagster.add_run(dg.DagsterRun(job_name="backtest", status=dg.DagsterRunStatus.STARTED))
        dagster.report_run_failed(run, "The machine was switched off.")
    failed = failed_runs.newest(url)
    assert failed is not None
    assert (failed.step, failed.sentences) == ("", ("The machine was switched off.",))
    assert "that is red" in empty_class.verdict(COURSE, "failed-run", "the database was gone").sentence
