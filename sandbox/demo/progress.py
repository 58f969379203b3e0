"""The demo's progress display: how far the webhooks got, stage by stage, until Google has answered."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from sandbox.demo.figures import Figures

BAR_CHARACTERS = 32


def display(step: str, seconds: float, figures: Figures | None) -> Group:
    """What the terminal shows now: the step, and a bar for each stage."""
    heading = Text(f"{step}  ({seconds:.0f} s)")
    return Group(heading) if figures is None else Group(heading, stages(figures))


def stages(figures: Figures) -> Table:
    """One line a stage; bars compare what got there with what came."""
    table = Table.grid(padding=(0, 2))
    accepted = figures.uploads.get("accepted", 0)
    matched = sum(figures.uploads.values())
    withheld = figures.uploads.get("withheld", 0)
    done = figures.understood + figures.parked + figures.ignored
    lines = (
        ("landed", figures.landed, figures.received),
        ("understood", done, figures.landed),
        ("matched", matched, matched),
        ("queued", matched - withheld, matched),
        ("accepted by Google", accepted, matched - withheld),
        ("adjustments accepted", figures.adjustments.get("accepted", 0), sum(figures.adjustments.values())),
    )
    for name, count, whole in lines:
        filled = round(BAR_CHARACTERS * count / whole) if whole else 0
        table.add_row(name, "█" * filled + "·" * (BAR_CHARACTERS - filled), f"{count:,} of {whole:,}")
    return table
