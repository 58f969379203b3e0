"""Figures as Dagster's pages show them."""

from collections.abc import Mapping

import dagster as dg


def rate(count: int, seconds: float) -> str:
    """`1,234/s`, or a dash when nothing took any time."""
    return f"{count / seconds:,.0f}/s" if count and seconds > 0 else "-"


def table_of(what: str, counts: Mapping[str, int]) -> dg.MetadataValue:
    """A table of counts, largest first."""
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"| {what} | rows |", "|---|---:|", *(f"| {name} | {count:,} |" for name, count in rows)]
    return dg.MetadataValue.md("\n".join(lines))
