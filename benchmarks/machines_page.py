"""docs/proof/machines.md and its picture, from what benchmarks/machines.py has measured: `python -m benchmarks.machines_page FILE` writes them."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path("docs/proof/machines.md")
PIXELS_AN_INCH: Final = 80
PROGRAMS: Final = ("receiver", "drain", "send", "postgres")


def write(page: Path, result: Mapping[str, Any]) -> None:
    """Write the page, and its picture beside it."""
    page.parent.mkdir(parents=True, exist_ok=True)
    draw(page.with_suffix(".png"), result)
    page.write_text(text(result, page.with_suffix(".png").name))


def text(result: Mapping[str, Any], picture: str) -> str:
    """The page in Markdown."""
    cut, count = result["cut_off"], result["deliveries"]
    first, last = result["rounds"][0], result["rounds"][-1]
    return "\n".join(
        [
            "# Many machines on one database",
            "",
            "Written by `python -m benchmarks.machines_page` from `make bench BENCHMARKS=machines`; what is done stands in `benchmarks/machines.py`.",
            "",
            "Machines are network namespaces with a receiver, a drain and a sender each; PostgreSQL (fsync on), the sandbox's Google and the stores are outside. Each round posts",
            f"{count:,} signed orders of 16 sites to all of them, as fast as they are answered, and waits until Google has accepted everything.",
            "",
            f"**All machines shared the {result['cores']} cores of one, and other work did too (load {result['load_before']:g} before):** more programs get a larger share of busy cores, and the load changed from round to round, so that throughput says how the cores were shared and nothing of more machines.",
            "What says something is the processor's time for one delivery: what each further machine costs.",
            "",
            f"![Throughput and processor's time for a delivery, by the number of machines]({picture})",
            "",
            f"| machines | answered a second | accepted a second | {' | '.join(f'{program}, us' for program in PROGRAMS)} | lost | doubled |",
            f"|---|---|---|{'---|' * len(PROGRAMS)}---|---|",
            *(_row(figures) for figures in result["rounds"]),
            "",
            f"From {first['machines']} to {last['machines']} machines a delivery costs {sum_us(last) / sum_us(first):.2f} times as much of the processor, all programs together: smaller batches, more looks.",
            "",
            "## One cut off, one killed",
            "",
            f"Four machines, and {count:,} orders again. When a quarter was answered, the last machine's link went down for good, and every program of the one before it was killed with -9",
            f"({'posts were under way' if cut['in_flight'] else 'all posts were answered by then'}; {cut['silences']} posts met silence and were sent again to another machine).",
            f"{cut['until_done_s']:g} s after the last answer nothing waited any more:",
            "the connections of the machine that was cut off are given up after 30 s ([decision 74](../decisions/0074-connections-of-machines-that-are-gone.md)), its leases of conversions run out, and what may have reached Google is asked for before it is sent again.",
            "",
            f"- Bodies that were answered 2xx: {cut['bodies']['answered']:,}; missing {cut['bodies']['missing']}, stored twice {cut['bodies']['doubled']}; orders {cut['orders']:,}.",
            f"- Conversions accepted: {cut['google']['accepted']:,}; not at Google {cut['google']['not_at_google']}, there twice {cut['google']['twice_at_google']}. States: {_states(cut)}.",
            f"- Gaps of the sums: {len(cut['gaps'])}.",
            "",
            "A bounded version, with two machines, is a test: `tests/benchmarks/test_machines.py`.",
            "",
        ]
    )


def sum_us(figures: Mapping[str, Any]) -> int:
    """Processor's time of our programs and PostgreSQL for one delivery."""
    return sum(figures["processor_us"].get(program, 0) for program in PROGRAMS)


def _row(figures: Mapping[str, Any]) -> str:
    costs = " | ".join(f"{figures['processor_us'].get(program, 0):,}" for program in PROGRAMS)
    return (
        f"| {figures['machines']} | {figures['posted_a_second']:,} | {figures['done_a_second']:,} | {costs} "
        f"| {figures['lost']} | {figures['doubled']} |"
    )


def _states(cut: Mapping[str, Any]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in cut["google"]["states"].items())


def draw(file: Path, result: Mapping[str, Any]) -> None:
    """The picture: throughput, and costs stacked by program."""
    from matplotlib.figure import Figure  # half a second

    rounds = result["rounds"]
    labels = [f"{figures['machines']}" for figures in rounds]
    figure = Figure(figsize=(10, 4), layout="constrained")
    rates, costs = figure.subplots(1, 2)
    for name, label in (("posted_a_second", "answered"), ("done_a_second", "accepted by Google")):
        rates.plot(labels, [figures[name] for figures in rounds], marker="o", label=label)
    rates.set_title(f"Deliveries a second, on {result['cores']} cores and beside other work", fontsize=10)
    bottom = [0.0] * len(rounds)
    for program in PROGRAMS:
        heights = [float(figures["processor_us"].get(program, 0)) for figures in rounds]
        costs.bar(labels, heights, bottom=bottom, label=program)
        bottom = [below + height for below, height in zip(bottom, heights, strict=True)]
    costs.set_title("Processor's time for a delivery, us", fontsize=10)
    for axes in (rates, costs):
        axes.set_xlabel("machines")
        axes.set_ylim(bottom=0)
        axes.legend(fontsize=8)
    figure.savefig(file, dpi=PIXELS_AN_INCH)


if __name__ == "__main__":
    write(PAGE, json.loads(Path(sys.argv[1]).read_text()))
