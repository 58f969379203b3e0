"""What an alarm is: its definition, and one that is raised."""

from enum import StrEnum
from typing import Final

import msgspec

from custom_events.watching.metrics import METRICS, Sample

EXAMPLE: Final = "example"  # in `where`: one of what is counted, raw:<id>


class Severity(StrEnum):
    """CRITICAL: conversions are being lost, or will be soon. WARNING: somebody should look today."""

    CRITICAL = "critical"
    WARNING = "warning"


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm's definition: `metric` (narrowed by `only`, and by what another alarm is about, `but`) above or below `limit` for `for_s` seconds.

    `sentence` may name {value} and the metric's labels. `remedy` says what to do.
    """

    name: str
    metric: str
    severity: Severity
    limit: float
    below: bool = False
    only: tuple[tuple[str, str], ...] = ()
    but: tuple[tuple[str, str], ...] = ()
    for_s: int = 300
    sentence: str
    remedy: str

    def holds(self, sample: Sample) -> bool:
        """Whether a sample of the metric is wrong."""
        labels = dict(zip(METRICS[self.metric].labels, sample.labels, strict=True))
        if any(labels[name] != wanted for name, wanted in self.only) or any(
            labels[name] == value for name, value in self.but
        ):
            return False
        return sample.value < self.limit if self.below else sample.value > self.limit


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong now. `key` is the same as long as it is the same thing. `where` may name an EXAMPLE of it as well."""

    key: str
    name: str
    severity: Severity
    where: dict[str, str]
    sentence: str
    remedy: str
