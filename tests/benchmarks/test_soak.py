"""What a soak makes of what it has looked at: slopes, verdicts, the page with its picture."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import soak_page, soak_verdict

MINUTES = 40


def result(**growth: float) -> dict[str, Any]:
    """Looks of forty minutes; each figure named grows by so much an hour, from 100 on."""
    return {
        "began_at": "2026-11-30T20:00:00+00:00",
        "minutes": MINUTES,
        "rate_per_s": 3.0,
        "samples": [
            {
                "at_s": 60.0 * minute,
                "load": 12.0,
                "figures": {
                    "memory/receiver": 75.0,
                    "memory/sandbox": 100.0 + 10 * minute,
                    "connections": 9.0,
                    "deliveries": 180.0 * minute,
                    "accepted": 90.0 * minute,
                    "wal MiB": 5.0 * minute,
                    "kept MiB": 10.0 + 0.5 * minute,
                    "dead share": 0.1,
                    "waiting/deliveries": 2.0,
                    **{name: 100.0 + hourly * minute / 60 for name, hourly in growth.items()},
                },
            }
            for minute in range(MINUTES + 1)
        ],
        "events": [],
        "pruned": {"runs": 4, "checks": 30, "events": 0},
        "answers": {"200": 7_200},
        "gaps": [],
        "settle_s": 2.0,
        "bodies": {"answered": 7_200, "missing": 0, "doubled": 0},
    }


def broken(verdicts: list[soak_verdict.Verdict]) -> set[str]:
    return {verdict.name for verdict in verdicts if not verdict.is_kept}


def test_a_slope_is_that_of_most_pairs_and_no_spike_moves_it() -> None:
    points = [(float(second), 10.0 + 2 * second) for second in range(20)]
    points[7] = (7.0, 10_000.0)
    assert soak_verdict.slope(points) == pytest.approx(2.0)
    assert soak_verdict.slope([(0.0, 1.0)]) == 0.0
    assert soak_verdict.slope([(1.0, 1.0), (1.0, 5.0)]) == 0.0


def test_what_is_flat_passes_and_what_is_only_shown_is_not_judged() -> None:
    verdicts = soak_verdict.judge(result())
    assert broken(verdicts) == set()
    assert "memory/sandbox" not in {verdict.name for verdict in verdicts}


@pytest.mark.parametrize(
    ("name", "hourly"),
    [
        ("memory/console", soak_verdict.MEMORY_MIB_AN_HOUR + 5),
        ("files/daemon", 8 * soak_verdict.FILES_MORE),
        ("memory/postgres", 9 * soak_verdict.BACKEND_MIB_AN_HOUR + 9),
        ("connections", soak_verdict.CONNECTIONS_AN_HOUR + 1),
        ("working/dagster.runs", 100 * soak_verdict.WORKING_SHARE_AN_HOUR + 20),
    ],
)
def test_what_grows_beyond_its_bound_is_named(name: str, hourly: float) -> None:
    named = {soak_verdict.POSTGRES: soak_verdict.BACKEND, "files/daemon": "files/daemon, least"}.get(name, name)
    assert broken(soak_verdict.judge(result(**{name: hourly}))) == {named}
    assert broken(soak_verdict.judge(result(**{name: hourly / 10}))) == set()


def test_rows_that_go_in_steps_are_judged_by_their_largest_number() -> None:
    soaked = result()
    for place, sample in enumerate(soaked["samples"]):
        sample["figures"] |= {"rows/dagster.runs": place % 10, "rows/dagster.event_logs": 20 * place + place % 10}
    assert broken(soak_verdict.judge(soaked)) == {"rows/dagster.event_logs, least"}


def test_room_for_a_delivery_that_grows_is_named() -> None:
    soaked = result()
    for sample in soaked["samples"]:
        sample["figures"]["kept MiB"] = 10.0 + (sample["figures"]["deliveries"] / 1_000) ** 2
    assert broken(soak_verdict.judge(soaked)) == {soak_verdict.KEPT}


def test_ceilings_and_what_must_be_nothing() -> None:
    soaked = result()
    soaked["samples"][-1]["figures"] |= {"dead share": 0.5, "waiting/deliveries": 5_000.0}
    soaked |= {"gaps": ["landed"], "events": ["receiver ended"], "answers": {"200": 1, "ConnectError": 2}}
    soaked["bodies"] = {"answered": 10, "missing": 1, "doubled": 0}
    assert broken(soak_verdict.judge(soaked)) == {
        "dead share",
        "waiting/deliveries",
        "missing bodies",
        "gaps of the sums",
        "programs that ended",
        "posts without a 2xx",
    }
    shown = soak_verdict.table(soak_verdict.judge(soaked))
    assert "GROWS" not in shown
    assert shown.count("MISSED") == 6


def test_the_page_shows_every_verdict_and_has_a_small_picture(tmp_path: Path) -> None:
    page = tmp_path / "proof" / "soak.md"
    soaked = result(**{"memory/console": 90.0, "memory/postgres": 1.0})
    soak_page.write(page, soaked)
    text = page.read_text()
    assert all(verdict.name in text for verdict in soak_verdict.judge(soaked))
    assert "| memory/console |" in text
    assert "**grows**" in text
    picture = page.with_suffix(".png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < soak_page.LARGEST_BYTES
