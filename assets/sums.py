"""The sums of promise 6 (docs/architecture.md 5) on Dagster's pages: in the words and figures of `custom-events status`."""

from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from assets.database import reading
from custom_events.watching import contradictions, equations, sums

LOOKED_AT: Final = timedelta(days=1)  # custom events made since are laid beside their conversions; all of them nightly
_ALSO: Final = {"matched": ("withdrawn",)}


def check_result(url: str, left_side: str) -> dg.AssetCheckResult:
    """Whether the sum that begins with `left_side` (received, landed, matched, queued) agrees, with its figures."""
    with reading(url) as connection:
        totals = sums.tallied(connection)
        denied = (
            contradictions.contradictions(connection, datetime.now(UTC) - LOOKED_AT) if left_side == "matched" else []
        )
    line = _line(totals, left_side)
    wrong = list(
        dict.fromkeys(gap for gap in [*totals.gaps, *denied] if gap.startswith((left_side, *_ALSO.get(left_side, ()))))
    )
    return dg.AssetCheckResult(
        passed=not wrong,
        description=" ".join(wrong) or f"{line}. The sum agrees.",
        metadata={name: dg.MetadataValue.int(count) for name, count in {line.name: line.total, **line.parts}.items()},
    )


def as_status(url: str, left_side: str) -> dict[str, dg.MetadataValue]:
    """The sum over all that is kept, as `custom-events status` has it now, for the page of an asset; beside it stands what one run did."""
    with reading(url) as connection:
        line = _line(sums.tallied(connection), left_side)
    return {f"{left_side}, as in status": dg.MetadataValue.text(str(line))}


def _line(totals: equations.Sums, left_side: str) -> equations.Line:
    return next(line for line in equations.lines(totals) if line.name == left_side)
