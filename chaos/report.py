"""What a chaos run found, for people (Markdown) and for machines (JSON)."""

import json
import os
import platform
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from chaos.load import NO_ANSWER, Answer
from chaos.run import Figures, Result

ROWS_NAMED: Final = 50  # of lost, doubled and wrong, in the Markdown; the JSON has all
FORGIVEN_NAMED: Final = 5  # of what differs and is right all the same
UNDER_FAULT: Final = "disturbed run, under fault"
_BUSY: Final = 503
_HEAD: Final = """\
# Nothing is lost: the proof by chaos{how}

<!-- made by `make chaos` -->
`make chaos` runs the whole product under signed load from a second process while faults happen at random by a seed, and lays what came of it
beside a quiet run of the same traffic: each delivery that was acknowledged is there once; commerce events, orders, custom events and conversions are equal; and Google
(the sandbox's) holds each conversion once, with the value of the quiet run, which sends when it knows everything. In the disturbed run the stores post out of order, one post in twenty twice.
"""


def document(result: Result) -> dict[str, Any]:
    """The figures of a run; rows of what is wrong by name."""
    quiet, disturbed = result.quiet, result.disturbed
    under, calm = divided(disturbed)
    return {
        "seed": result.size.seed,
        "events": result.size.events,
        "whole": result.size.is_whole,
        "at_once": result.size.at_once,
        "lasts": result.size.lasts,
        "pause_s": result.size.pause_s,
        "processors": os.cpu_count(),
        "load_average": round(os.getloadavg()[2], 1),
        "seconds": {"quiet": quiet.seconds, "disturbed": disturbed.seconds},
        "faults": dict(Counter(fault.name for fault in disturbed.played)),
        "seconds_of_faults": round(sum(fault.ended - fault.began for fault in disturbed.played)),
        "not_played_here": result.without,
        "calls_that_google_failed": disturbed.fired,
        "deaths_of_postgresql": disturbed.deaths - quiet.deaths,
        "traffic": disturbed.kinds,
        "attempts": dict(Counter(_status(answer) for answer in disturbed.answers)),
        "answers": {
            "quiet run, posted as fast as it answers, nothing sent meanwhile": percentiles(quiet.answers),
            "disturbed run, no fault": percentiles(calm),
            UNDER_FAULT: percentiles(under),
        },
        "there": result.counts,
        "ledger": result.states,
        "when all was calm": {
            "sessions, quiet run": quiet.sessions,
            "sessions, disturbed run": disturbed.sessions,
            "open files of the receiver": {"quiet run": quiet.files, "disturbed run": disturbed.files},
        },
        "left_behind": disturbed.left,
        "lost": result.verdict.lost,
        "doubled": result.verdict.doubled,
        "wrong": result.verdict.wrong,
        "retracted": result.verdict.retracted,
        "sent_before_denial": result.verdict.sent_before_denial,
        "notes": [],
    }


def _status(answer: Answer) -> str:
    return "no answer" if answer.status == NO_ANSWER else str(answer.status)


def divided(figures: Figures) -> tuple[list[Answer], list[Answer]]:
    """Answers that came, to attempts that met a fault, and to the others."""
    spans = _joined((fault.began, fault.ended) for fault in figures.played)
    under: list[Answer] = []
    calm: list[Answer] = []
    for answer in figures.answers:
        if answer.status != NO_ANSWER:
            last = bisect_left(spans, answer.at + answer.seconds, key=lambda span: span[0])  # those before it had begun
            met = last > 0 and answer.at < spans[last - 1][1]
            (under if met else calm).append(answer)
    return under, calm


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans of time, in order and apart from each other: those that overlap are one."""
    joined: list[tuple[float, float]] = []
    for began, ended in sorted(spans):
        if joined and began <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(ended, joined[-1][1]))
        else:
            joined.append((began, ended))
    return joined


def percentiles(answers: Sequence[Answer]) -> dict[str, float]:
    """How many there are, and the milliseconds within which half and 99 of 100 came."""
    if not answers:
        return {"answers": 0}
    times = sorted(1_000 * answer.seconds for answer in answers)
    return {
        "answers": len(times),
        "p50_ms": round(times[len(times) // 2], 1),
        "p99_ms": round(times[min(len(times) - 1, len(times) * 99 // 100)], 1),
        "busy": sum(answer.status == _BUSY for answer in answers),
    }


def markdown(found: Mapping[str, Any]) -> str:
    """The page of a document."""
    counted = [(name, f"{count:,}") for name, count in found["there"].items()]
    faults = [(name, f"{count:,}") for name, count in sorted(found["faults"].items())]
    kinds = [(name, f"{count:,}") for name, count in found["traffic"].items()]
    missing = found["not_played_here"]
    sections = (
        (_HEAD.format(how="" if found["whole"] else ", without Dagster"),),
        ("## The run", _run(found), "", _verdict(found)),
        ("## What was there in the end", *table(("", "rows"), counted), "", *_left(found)),
        ("## Answers of the receiver", *_answers(found)),
        ("## Faults", *table(("fault", "times"), faults), "", *_failures(found)),
        ("## Not played on this machine", ", ".join(missing)) if missing else (),
        ("## Traffic", *table(("kind of post", "posts"), kinds)),
        ("## The ledger", *_ledger(found)),
    )
    return "\n".join(line for section in sections if section for line in (*section, ""))


def _run(found: Mapping[str, Any]) -> str:
    faults = sum(found["faults"].values())
    programs = "all programs, with Dagster" if found["whole"] else "without Dagster and the console"
    arguments = f"--events {found['events']} --faults {faults} --seed {found['seed']} --at-once {found['at_once']} --lasts {found['lasts']} --pause {found['pause_s']}"
    again = f"`.venv/bin/python -m chaos {arguments}{'' if found['whole'] else ' --without-dagster'}`"
    sentences = (
        f"Seed {found['seed']}: {found['events']:,} posts, {faults:,} faults, up to {found['at_once']} at once ({found['seconds_of_faults']:,} seconds of them together); {programs}.",
        f"The disturbed run took {found['seconds']['disturbed']:,.0f} s, until everything was settled.",
        f"{found['processors']} processors, {platform.machine()}, Python {platform.python_version()}; load average {found['load_average']} (above {found['processors']}: others worked there, too).",
        f"Again: {again}.",
    )
    return " ".join(sentences)


def _verdict(found: Mapping[str, Any]) -> str:
    names = ("lost", "doubled", "wrong")
    rows = [f"- {name}: {row}" for name in names for row in found[name][:ROWS_NAMED]]
    retracted = _forgiven(
        found["retracted"], "retracted in one run before it was taken up again, and Google takes no retraction back"
    )
    sent = _forgiven(
        found["sent_before_denial"],
        "sent before the body came that tells of the customer's no, which the quiet run waits for",
    )
    notes = [f"- {note}" for note in found["notes"]]
    return "\n".join(
        (f"**{', '.join(f'{name} {len(found[name])}' for name in names)}**", "", *rows, *retracted, *sent, *notes)
    )


def _forgiven(rows: Sequence[str], sentence: str) -> list[str]:
    """What differs and is right: how many, and the first of them. The JSON has all."""
    return [f"- {sentence}: {len(rows):,}", *(f"  - {row}" for row in rows[:FORGIVEN_NAMED])] if rows else []


def _left(found: Mapping[str, Any]) -> Sequence[str]:
    calm = found["when all was calm"]
    return (
        f"- Left behind: {_listed(found['left_behind'])}.",
        f"- Sessions of the database when all was calm: {_listed(calm['sessions, disturbed run'])}; in the quiet run: {_listed(calm['sessions, quiet run'])}.",
        f"- Open files of the receiver then: {_listed(calm['open files of the receiver'])}.",
    )


def _answers(found: Mapping[str, Any]) -> Sequence[str]:
    columns = ("answers", "p50_ms", "p99_ms", "busy")
    rows = [(name, *(f"{row.get(column, 0):,}" for column in columns)) for name, row in found["answers"].items()]
    head = ("", "answers", "half within, ms", "99 of 100 within, ms", "of them 503")
    return (*table(head, rows), "", f"Attempts of the disturbed run: {_listed(found['attempts'])}.")


def _failures(found: Mapping[str, Any]) -> Sequence[str]:
    return (
        f"PostgreSQL was started again {found['deaths_of_postgresql']} times.",
        f"Calls and rows that Google failed, by the kind of fault: {_listed(found['calls_that_google_failed'])}.",
    )


def _ledger(found: Mapping[str, Any]) -> Sequence[str]:
    runs = found["ledger"]
    rows = [
        (state, *(f"{runs[name].get(state, 0):,}" for name in ("quiet", "chaos")))
        for state in sorted({*runs["quiet"], *runs["chaos"]})
    ]
    return (
        "What was sent before it was refunded is adjusted, what was refunded before it was sent is not sent: the rows differ, the values at Google do not.",
        "",
        *table(("rows", "quiet run", "disturbed run"), rows),
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of Markdown; the first column is text, the others are numbers."""
    line = "| " + " | ".join(head) + " |"
    return [line, "|---|" + "---:|" * (len(head) - 1), *("| " + " | ".join(row) + " |" for row in rows)]


def _listed(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"


def write(result: Result, page: Path) -> None:
    """The page, and its figures beside it as JSON."""
    found = document(result)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.with_suffix(".json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    page.write_text(markdown(found))
