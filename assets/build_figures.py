"""What a build of the reports did, as Dagster's pages show it: figures for each table, which they plot over time, and a table and a plot of
the whole build."""

import base64
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import dagster as dg

from assets.database import reading
from custom_events.queries.report_builds import StoredMark, marks_of

MOST_BARS = 20  # the slowest tables; more are not legible in a picture of this size


def marks(url: str) -> Mapping[str, StoredMark]:
    """What the last build of each kept table did; nothing before the first."""
    with reading(url) as connection:
        return marks_of(connection)


def of_model(mark: StoredMark) -> dict[str, Any]:
    """The figures of one table."""
    return {
        "rows new": dg.MetadataValue.int(mark.rows_new),
        "rows gone": dg.MetadataValue.int(mark.rows_gone),
        "seconds": dg.MetadataValue.float(float(mark.seconds)),
        "computed": dg.MetadataValue.text("whole" if mark.was_whole else "what changed"),
    }


def of_build(built: Sequence[StoredMark]) -> dict[str, Any]:
    """The figures of all tables that a build made, slowest first."""
    slowest = sorted(built, key=lambda mark: (-mark.seconds, mark.model))
    head = ["| table | computed | rows new | rows gone | seconds |", "|---|---|---:|---:|---:|"]
    lines = [
        f"| {mark.model} | {'whole' if mark.was_whole else 'what changed'} | {mark.rows_new:,} | {mark.rows_gone:,} | {mark.seconds:.2f} |"
        for mark in slowest
    ]
    figures: dict[str, Any] = {
        "tables": dg.MetadataValue.int(len(built)),
        "seconds": dg.MetadataValue.float(float(sum(mark.seconds for mark in built))),
        "rows new": dg.MetadataValue.int(sum(mark.rows_new for mark in built)),
        "rows gone": dg.MetadataValue.int(sum(mark.rows_gone for mark in built)),
        "each table": dg.MetadataValue.md("\n".join([*head, *lines])),
    }
    with suppress(ImportError):  # matplotlib is in the extra `reports`
        picture = base64.b64encode(_bars(slowest[:MOST_BARS])).decode()
        figures["where the time went"] = dg.MetadataValue.md(
            f"![seconds of each table](data:image/png;base64,{picture})"
        )
    return figures


def _bars(slowest: Sequence[StoredMark]) -> bytes:
    """A PNG of the seconds that each table took."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 0.4 + 0.28 * len(slowest)), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.barh([mark.model for mark in slowest], [float(mark.seconds) for mark in slowest])
    axes.invert_yaxis()
    axes.set_xlabel("seconds")
    written = io.BytesIO()
    canvas.print_png(written)
    return written.getvalue()
