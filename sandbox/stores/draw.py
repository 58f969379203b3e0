"""What a scenario draws: seeded numbers, moments and ids, so that the same seed gives the same posts."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID


class Draw:
    """The generator and clock of one scenario; hands out ids that do not repeat."""

    def __init__(self, seed: int, now: datetime) -> None:
        self.random = Random(seed)
        self.now = now
        self.serial = seed * 10_000

    def next_serial(self) -> int:
        """1, 2, 3 ... within the scenario."""
        self.serial += 1
        return self.serial

    def moment(self, hours_min: float, hours_max: float) -> datetime:
        """A whole second between so many hours ago."""
        ago = timedelta(hours=self.random.uniform(hours_min, hours_max))
        return (self.now - ago).replace(microsecond=0)

    def delivery(self) -> UUID:
        """A delivery id."""
        return UUID(int=self.random.getrandbits(128), version=4)

    def part_of(self, amount: Decimal) -> Decimal:
        """Between a tenth and a half of an amount."""
        return (amount * Decimal(self.random.randint(10, 50)) / 100).quantize(Decimal("0.01"))
