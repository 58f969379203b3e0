"""What a number of events takes: the arithmetic, the command, and the page that shows it."""

import json
import re
from math import log10
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import measured_costs as cost
from cli.sizing_arithmetic import MIB, RESERVE, Load, run_mib, size
from tests.cli.conftest import Run

PAGE = Path(__file__).parents[2] / "docs/how-to/sizing.md"
EXAMPLE = "custom-events sizing --events-a-day 400000 --sites 1000 --assignments 5000"


# Events a day, sites and assignments of the page's table.
LADDER = [
    (0, 10, 10),
    (1_000, 10, 50),
    (10_000, 100, 500),
    (100_000, 1_000, 5_000),
    (260_000, 10_000, 100_000),
]
SHOWN = (
    *("RECEIVER_US", "LANDING_POSTGRES_US", "PIPELINE_US", "PIPELINE_POSTGRES_US", "SENDER_US", "SENDER_POSTGRES_US"),
    *("POSTGRES_BATCHES_CORES", "PIPELINE_BATCHES_CORES", "SENDER_BATCHES_CORES"),
    *("REPORTS_US", "RUN_MIB", "SITE_BYTES", "ASSIGNMENT_BYTES", "RAW_BYTES", "ORDER_BYTES"),
    *("RULE_US", "LANDING_LOG_BYTES", "PIPELINE_LOG_BYTES", "PIPELINE_LOG_ORDERS", "TENFOLD_LOG_BYTES"),
    *("GROWS_FROM_ORDERS", "TENFOLD_PIPELINE_SHARE", "TENFOLD_POSTGRES_SHARE", "TENFOLD_LOG_BYTES_BEYOND"),
    *("RECEIVER_CONNECTIONS", "CONSOLE_CONNECTIONS", "RUN_CONNECTIONS", "DAGSTER_CONNECTIONS"),
)


def row(events: int, sites: int, assignments: int) -> str:
    """A line of the page's table."""
    sized, month = size(load(events, sites, assignments)), size(load(events, sites, assignments, 30, raw_days=30))
    cells = (
        *(f"{events:,}", f"{sites:,}", f"{sized.cores}", f"{sized.memory_mib / 1024:,.0f}"),
        *(f"{sized.disk_bytes / 1e9:,.0f}", f"{month.disk_bytes / 1e9:,.0f}", f"{sized.log_a_day_bytes / 1e9:,.1f}"),
        *(f"{sized.connections}", f"{sized.rows['orders']:,}"),
    )
    return f"| {' | '.join(cells)} |"


def load(
    events: int, sites: int = 100, assignments: int = 500, event_days: int = 760, raw_days: int = 90, log_days: int = 0
) -> Load:
    return Load(
        events_a_day=events,
        sites=sites,
        assignments=assignments,
        raw_days=raw_days,
        event_days=event_days,
        log_days=log_days,
    )


def test_nothing_takes_what_is_there_at_rest() -> None:
    sized = size(load(0))
    assert (sized.cores, sized.peak_a_second, sized.log_a_day_bytes) == (2, 0.0, 0)
    assert sized.rows == {"raw events": 0, "orders": 0, "custom events": 0}
    assert [program.processes for program in sized.programs] == [1] * len(sized.programs)


def test_the_arithmetic_by_hand() -> None:
    sized = size(load(864_000, log_days=7))
    tenfolds = log10(216_000 * 760 / 10**6)
    assert (sized.mean_a_second, sized.peak_a_second) == (10.0, 50.0)
    assert sized.disk["raw events"] == 864_000 * 90 * cost.RAW_BYTES
    assert sized.disk["orders, events, conversions"] == 216_000 * 760 * cost.ORDER_BYTES
    assert sized.disk["archived log"] == 7 * sized.log_a_day_bytes
    assert sized.disk_bytes == round(sum(sized.disk.values()) / (1 - RESERVE))
    assert sized.memory_mib > sized.postgres_memory_mib
    drains = next(program for program in sized.programs if program.name == "runs that drain")
    us = cost.PIPELINE_US * (1 + cost.TENFOLD_PIPELINE_SHARE * tenfolds)
    assert drains.cores == pytest.approx(50 * us / 1e6 / 0.6 + cost.PIPELINE_BATCHES_CORES, abs=0.001)


def test_log_grows_with_the_orders_that_are_there() -> None:
    few, some = size(load(40_000, event_days=30)), size(load(40_000, event_days=100))
    assert some.log_a_day_bytes - few.log_a_day_bytes == pytest.approx(
        40_000 * log10(100 / 30) * cost.TENFOLD_LOG_BYTES, rel=0.001
    )
    one, ten = size(load(864_000, event_days=10)), size(load(864_000, event_days=100))
    assert ten.log_a_day_bytes - one.log_a_day_bytes == pytest.approx(
        864_000 * (cost.TENFOLD_LOG_BYTES + cost.TENFOLD_LOG_BYTES_BEYOND), rel=0.001
    )
    assert size(load(1_000, event_days=1)).log_a_day_bytes == size(load(1_000)).log_a_day_bytes


@pytest.mark.parametrize(("days", "times"), [(1, 1.0), (100, 1.0), (1_000, 2.0)])
def test_postgres_has_more_work_with_more_than_a_million_orders(days: int, times: float) -> None:
    """40,000 deliveries a day are 10,000 orders: 100 days hold the million up to which nothing grows; reports are counted by the orders that are kept."""
    reports_s = cost.BUILDS_A_DAY * (cost.REPORTS_BUILD_S + 10_000 * days * cost.REPORTS_US / 1e6)
    peak = 5 * 40_000 / 86_400
    grown = cost.PIPELINE_POSTGRES_US * (1 + cost.TENFOLD_POSTGRES_SHARE * (times - 1))
    conversions_us = cost.CONVERSIONS_AN_ORDER / 4 * cost.SENDER_POSTGRES_US
    work = peak * (cost.LANDING_POSTGRES_US + grown + conversions_us) / 1e6 / 0.6 + cost.POSTGRES_BATCHES_CORES
    assert size(load(40_000, event_days=days)).postgres_cores == pytest.approx(work + reports_s / 86_400, abs=0.0006)


def test_more_assignments_of_a_site_take_more_of_a_drain() -> None:
    def drain(assignments: int) -> float:
        programs = {program.name: program for program in size(load(10**7, sites=10, assignments=assignments)).programs}
        return programs["runs that drain"].cores * programs["runs that drain"].processes

    peak = 5 * 10**7 / 86_400
    assert drain(50) == drain(10)
    assert drain(550) - drain(50) == pytest.approx(peak * 50 * cost.RULE_US / 1e6 / 0.6, abs=0.01)


def test_more_than_a_process_can_do_is_more_processes_up_to_the_shards() -> None:
    sized = {program.name: program for program in size(load(1_000_000_000)).programs}
    assert sized["receiver"].processes > 1
    assert sized["runs that drain"].processes == cost.SHARDS
    assert sized["console"].processes == 1


def test_every_run_holds_the_rules_of_all_sites() -> None:
    grown = run_mib(20_000, 100_000) - run_mib(0, 0)
    assert grown == pytest.approx((20_000 * cost.SITE_BYTES + 100_000 * cost.ASSIGNMENT_BYTES) / MIB, abs=1)


@given(st.integers(0, 10**8), st.integers(0, 10**8), st.integers(1, 20_000), st.integers(0, 100_000))
def test_more_events_never_take_less(few: int, further: int, sites: int, assignments: int) -> None:
    less, more = size(load(few, sites, assignments)), size(load(few + further, sites, assignments))
    assert less.cores <= more.cores
    assert less.memory_mib <= more.memory_mib
    assert less.disk_bytes <= more.disk_bytes
    assert less.connections <= more.connections


def test_the_page_shows_what_the_command_prints(run: Run) -> None:
    shown = PAGE.read_text().partition(f"```text\n$ {EXAMPLE}\n")[2].partition("```")[0]
    result = run(*EXAMPLE.split()[1:])
    assert result.exit_code == 0
    assert shown.strip() == result.stdout.strip()


def test_the_page_follows_from_the_figures() -> None:
    page = PAGE.read_text()
    assert [line for line in page.splitlines() if re.match(r"\| [\d,]+ \|", line)] == [row(*step) for step in LADDER]
    arithmetic = page.partition("## The arithmetic")[2]
    assert [name for name in SHOWN if f"{getattr(cost, name):,}" not in arithmetic] == []


def test_one_document_for_programs_with_days_that_were_given(run: Run) -> None:
    result = run("sizing", "--events-a-day", "1000", "--raw-days", "7", "--event-days", "30", "--json")
    document = json.loads(result.stdout)
    assert document["load"]["raw_days"] == 7
    assert document["sizing"]["rows"]["raw events"] == 7_000
    assert document["cores"] == 2


@pytest.mark.parametrize("words", [["--events-a-day", "-1"], ["--sites", "0"], ["--raw-days", "none"]])
def test_what_is_no_number_of_it_is_refused(run: Run, words: list[str]) -> None:
    result = run("sizing", *words)
    assert result.exit_code == 2
    assert words[0] in result.stderr
