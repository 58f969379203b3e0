"""A bounded `make chaos`: receiver, worker, sender, PostgreSQL and Google fail under load, and nothing is lost, doubled or wrong.

`make chaos` is the whole, with Dagster, hundreds of faults and a report.
"""

import logging
from pathlib import Path
from typing import Final

import pytest

from chaos.faults import FAULTS
from chaos.run import Size, run

SIZE: Final = Size(events=150, faults=17, seed=20, pause_s=0.4, rate=15.0, is_whole=False)
PLAYED: Final = (
    "kill -9 receiver",
    "kill -9 worker",
    "kill -9 sender",
    "kill -9 sandbox",
    "kill -9 session of PostgreSQL",
    "kill -9 PostgreSQL",
    "disk full",
    "connections to PostgreSQL break",
    "connections to PostgreSQL stall, then break",
    "PostgreSQL takes no connections",
    "connections to Google break",
    "Google takes no connections",
    "our sender's clock is ahead",
    "Google's clock jumps ahead",
    "Google: APPLY_THEN_DROP",
    "Google: QUOTA_RATE",
    "the stores post again what they posted last",
)
LOG = logging.getLogger(__name__)  # the figures: pytest --log-cli-level=INFO

pytestmark = [pytest.mark.flow, pytest.mark.timeout(1_200)]


@pytest.mark.long
def test_whatever_fails_nothing_is_lost_doubled_or_wrong(server_directory: Path) -> None:
    faults = [fault for fault in FAULTS if fault.name in PLAYED]
    assert len(faults) == len(PLAYED)
    result = run(server_directory, SIZE, faults, LOG.info)
    verdict = result.verdict
    assert (verdict.lost, verdict.doubled, verdict.wrong) == ([], [], [])
    assert len(result.disturbed.played) == SIZE.faults
    assert result.disturbed.deaths > result.quiet.deaths
    assert result.counts["deliveries"] == SIZE.events
    assert result.counts["conversions at Google"] > SIZE.events / 4
