"""docs/proof/soak.md and its picture, from what a soak has measured: `python -m benchmarks.soak_page FILE` writes them anew from its figures."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks import soak_verdict
from benchmarks.soak_verdict import Verdict

PAGE: Final = Path("docs/proof/soak.md")
LARGEST_BYTES: Final = 150_000  # of the picture, which lies in the repository
PIXELS_AN_INCH: Final = 70
# What is drawn, a panel each: title, unit, and the figures that begin so.
PANELS: Final = (
    ("Memory", "MiB", "memory/"),
    ("File descriptors, without PostgreSQL", "", "files/"),
    ("Connections, and deliveries that wait", "", "connections|waiting/deliveries"),
    ("Tables of what is under way", "MiB", "working/"),
    ("Dagster's rows", "", "rows/"),
    ("Kept, and log, by deliveries", "MiB", "kept MiB|reports MiB|wal MiB"),
)
HIDDEN: Final = ("files/postgres", "memory/sandbox")


def write(page: Path, result: Mapping[str, Any]) -> None:
    """Write the page, and its picture beside it."""
    page.parent.mkdir(parents=True, exist_ok=True)
    draw(page.with_suffix(".png"), result)
    page.write_text(text(result, page.with_suffix(".png").name))


def text(result: Mapping[str, Any], picture: str) -> str:
    """The page in Markdown."""
    samples = result["samples"]
    last, loads = samples[-1]["figures"], sorted(sample["load"] for sample in samples)
    verdicts = soak_verdict.judge(result)
    broken = [verdict.name for verdict in verdicts if not verdict.is_kept]
    verdict = "Everything is flat, nothing is lost." if not broken else f"Not within its bound: {', '.join(broken)}."
    pruned = ", ".join(f"{count:,} {name}" for name, count in result["pruned"].items())
    return "\n".join(
        [
            "# Soak: the whole stack under a steady trickle",
            "",
            "Written by `make soak` (`MINUTES`, `RATE`); what it does and how it judges stand in `benchmarks/soak.py` and `benchmarks/soak_verdict.py`.",
            "",
            f"**{verdict}** {result['minutes']:g} minutes from {result['began_at']}, {result['rate_per_s']:g} webhooks a second of three stores: receiver, console,",
            "Dagster (webserver, daemon, code server, runs, reports each hour), an embedded PostgreSQL with fsync and the sandbox's Google on one machine, which had other work as well:",
            f"its load was {loads[0]:g} to {loads[-1]:g} (median {loads[len(loads) // 2]:g}).",
            "",
            f"- Answers: {', '.join(f'{count:,} times {answer}' for answer, count in result['answers'].items())}; {last['accepted']:,.0f} conversions accepted at the last look.",
            f"- Of {result['bodies']['answered']:,} bodies that were answered 2xx {result['bodies']['missing']} are missing; gaps of the sums: {len(result['gaps'])}.",
            f"- After the last post everything was drained and sent within {result['settle_s']:g} s, but for verdicts that Google gives half an hour later.",
            f"- Dagster's records were pruned by the product's own functions with minutes for days: {pruned}.",
            f"- Log (WAL): {last['wal MiB']:,.0f} MiB, {1024 * last['wal MiB'] / max(1.0, last['deliveries']):,.1f} KiB a delivery.",
            "",
            f"![Memory, files, connections, tables and log over the time]({picture})",
            "",
            "What is judged is the second half: the slope (median of the slopes of all pairs of looks), or the largest value where no slope is shown;",
            "of file descriptors and of Dagster's rows the least of the last quarter, which may be two more, and 1.5 times, the least of the second: what leaks lifts it.",
            "The sandbox remembers all it was sent, and is not judged. PostgreSQL's backends come and go with Dagster's runs, two of which overlap at each hand-over: it is judged by its memory for a connection, its descriptors are bounded by its own `max_files_per_process`.",
            "",
            "| figure | mean | largest | an hour | bound | |",
            "|---|---|---|---|---|---|",
            *(_row(verdict) for verdict in verdicts),
            "",
        ]
    )


def _row(verdict: Verdict) -> str:
    growth = "" if verdict.slope is None else f"{verdict.slope:+,.2f}"
    word = "flat" if verdict.slope is not None else "kept"
    if not verdict.is_kept:
        word = "**grows**" if verdict.slope is not None else "**missed**"
    return (
        f"| {verdict.name} | {verdict.mean:,.2f} | {verdict.largest:,.2f} | {growth} | {verdict.bound:,.2f} | {word} |"
    )


def draw(file: Path, result: Mapping[str, Any]) -> None:
    """The picture: a panel for each kind of figure."""
    from matplotlib.figure import Figure  # half a second

    samples = result["samples"]
    minutes = [sample["at_s"] / 60 for sample in samples]
    names = sorted({name for sample in samples for name in sample["figures"]} - set(HIDDEN))
    figure = Figure(figsize=(12, 10), layout="constrained")
    for place, (title, unit, beginnings) in enumerate(PANELS):
        axes = figure.add_subplot(3, 2, place + 1)
        chosen = _chosen(names, beginnings)
        for name in chosen:
            label = name.rpartition("/")[2]
            axes.plot(minutes, [sample["figures"].get(name, 0.0) for sample in samples], label=label, linewidth=1)
        axes.set_title(title, fontsize=10)
        axes.set_ylabel(unit)
        axes.set_ylim(bottom=0)
        if chosen:
            axes.legend(fontsize=6)
    figure.supxlabel("minutes")
    figure.savefig(file, dpi=PIXELS_AN_INCH)


def _chosen(names: Sequence[str], beginnings: str) -> list[str]:
    return [name for name in names if name.startswith(tuple(beginnings.split("|")))]


if __name__ == "__main__":
    write(PAGE, msgspec.json.decode(Path(sys.argv[1]).read_bytes()))
