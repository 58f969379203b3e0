"""Many chaos runs, each with a seed of its own: a row for each, and what they come to together."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from chaos.report import UNDER_FAULT, document, table
from chaos.run import Result

PAGE: Final = Path("docs/proof/chaos-series.md")
_NAMES: Final = ("lost", "doubled", "wrong")
_HEAD: Final = """\
# Nothing is lost: many runs of chaos

<!-- made by `python -m chaos --runs N` -->
Each row is a run as [the proof by chaos](chaos.md) explains it: the same traffic quiet and disturbed, compared row by row. Every run that came to an end is here, the
newest last; those without Dagster have the receiver, workers and senders alone, and go through faults faster.
"""


def add(result: Result, page: Path) -> None:
    """One more run: in the series' JSON, from which its page is made anew."""
    figures = page.with_suffix(".json")
    runs = json.loads(figures.read_text()) if figures.exists() else []
    runs.append(row_of(document(result)))
    page.parent.mkdir(parents=True, exist_ok=True)
    figures.write_text(json.dumps(runs, indent=1) + "\n")
    page.write_text(markdown(runs))


def row_of(figures: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a run's figures."""
    answers = figures["answers"][UNDER_FAULT]
    return {
        "day": time.strftime("%Y-%m-%d", time.gmtime()),
        "seed": figures["seed"],
        "whole": figures["whole"],
        "posts": figures["events"],
        "faults": sum(figures["faults"].values()),
        "kinds": len(figures["faults"]),
        "deaths": figures["deaths_of_postgresql"],
        "silent": figures["attempts"].get("no answer", 0),
        "p50_ms": answers.get("p50_ms"),
        "p99_ms": answers.get("p99_ms"),
        "at_google": figures["there"]["conversions at Google"],
        "seconds": figures["seconds"]["disturbed"],
        **{name: len(figures[name]) for name in _NAMES},
    }


def markdown(runs: Sequence[Mapping[str, Any]]) -> str:
    """The page of a series. What somebody wrote into a row as its `note` stands below the table."""

    head = ("day, seed", "posts", "faults", "deaths of PostgreSQL", "attempts without an answer")
    head += ("under fault half within, ms", "99 of 100", "at Google", "lost, doubled, wrong")
    rows = [
        (
            f"{run['day']}, {run['seed']}{', with Dagster' if run['whole'] else ''}",
            *(f"{run[name]:,}" for name in ("posts", "faults", "deaths", "silent")),
            *("" if run[name] is None else f"{run[name]:,}" for name in ("p50_ms", "p99_ms")),
            f"{run['at_google']:,}",
            ", ".join(str(run[name]) for name in _NAMES),
        )
        for run in runs
    ]
    notes = [f"- {run['seed']}: {run['note']}" for run in runs if "note" in run]
    since_notes = runs[max((place for place, run in enumerate(runs, start=1) if "note" in run), default=0) :]
    sums = [f"**{_sums(runs)}.**", *([f"Since the last of the notes below: {_sums(since_notes)}."] if notes else [])]
    ends = ["", *notes] if notes else []
    return "\n".join((_HEAD, *sums, "", *table(head, rows), *ends, ""))


def _sums(runs: Sequence[Mapping[str, Any]]) -> str:
    def total(name: str) -> str:
        return f"{sum(run[name] for run in runs):,}"

    return (
        f"{len(runs)} runs: {total('posts')} posts, {total('faults')} faults, PostgreSQL died {total('deaths')} times; "
        f"lost {total('lost')}, doubled {total('doubled')}, wrong {total('wrong')}"
    )
