"""The sums of design section 4, promise 6, as asset checks: one formula each, beside the asset whose rows it counts."""

import dagster as dg

from assets.database import reading
from custom_events.pipeline import sums


def check_result(url: str, left_side: str) -> dg.AssetCheckResult:
    """Whether the formula that begins with `left_side` (received, landed, matched, queued) agrees, with its figures."""
    with reading(url) as connection:
        found = sums.sums(connection)
    gaps = [gap for gap in found.gaps if gap.startswith(left_side)]
    return dg.AssetCheckResult(
        passed=not gaps,
        description=" ".join(gaps) or f"{left_side}: the sums agree.",
        metadata={name: dg.MetadataValue.int(number) for name, number in numbers(found).items()},
    )


def numbers(found: sums.Sums) -> dict[str, int]:
    """Every figure as one number; those by reason are added up."""
    plain = {name: getattr(found, name) for name in found.__struct_fields__}
    added = {name: sum(value.values()) if isinstance(value, dict) else value for name, value in plain.items()}
    return {name: value for name, value in added.items() if isinstance(value, int) and name != "site_id"}
