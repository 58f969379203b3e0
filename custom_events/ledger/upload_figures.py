"""What a run of the sender did, in numbers."""

from collections import Counter

import msgspec


class UploadFigures(msgspec.Struct, kw_only=True):
    """What was done. `verdicts` counts rows by what Google, or our own check, said of them."""

    rows: int = 0  # sent to Google
    requests: int = 0
    adjusted_orders: int = 0
    recovered: int = 0
    expired: int = 0
    polls: int = 0
    rechecks: int = 0  # of parked accounts and actions
    seconds: float = 0.0
    busy_s: float = 0.0  # of these, not waiting for work
    verdicts: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def idle(self) -> bool:
        """Nothing was found to do."""
        return not (
            self.requests or self.adjusted_orders or self.recovered or self.expired or self.polls or self.rechecks
        )

    def add(self, other: "UploadFigures") -> None:
        """Sum up, times excepted: they are the whole run's."""
        self.rows += other.rows
        self.requests += other.requests
        self.adjusted_orders += other.adjusted_orders
        self.recovered += other.recovered
        self.expired += other.expired
        self.polls += other.polls
        self.rechecks += other.rechecks
        self.verdicts += other.verdicts
