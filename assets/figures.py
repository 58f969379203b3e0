"""Figures as Dagster's pages show them."""

from collections.abc import Mapping

import dagster as dg


def rate(count: int, seconds: float) -> str:
    """`1,234/s`, or a dash when nothing took any time."""
    return f"{count / seconds:,.0f}/s" if count and seconds > 0 else "-"


def of_run(figures: Mapping[str, dg.MetadataValue]) -> dict[str, dg.MetadataValue]:
    """Figures of one run, named so that nobody takes them for those of `status`, which are of all that is kept."""
    return {f"this run: {name}": value for name, value in figures.items()}


def table_of(counted: str, counts: Mapping[str, int]) -> dg.MetadataValue:
    """A table of counts, largest first."""
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"| {counted} | rows |", "|---|---:|", *(f"| {name} | {count:,} |" for name, count in rows)]
    return dg.MetadataValue.md("\n".join(lines))
