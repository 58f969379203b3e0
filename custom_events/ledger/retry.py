"""How long to wait before the next try."""

import random
from datetime import timedelta
from typing import Final

FIRST_WAIT_S: Final = 5.0  # Google's advice: 5, 10, 20 seconds (docs/reference/google-ads.md 2.1)
LONGEST_WAIT_S: Final = 3_600.0
LONGEST_ACCOUNT_PAUSE_S: Final = 300.0  # an account whose calls fail is tried again this often, whatever its rows wait
NOT_UNDERSTOOD_FIRST_S: Final = (
    60.0  # after a refusal that nobody understands; then two minutes, four ... up to LONGEST_WAIT_S
)
REFUSALS_COUNTED: Final = 12  # of such refusals in a row: with more the wait grows no further
JITTER: Final = 0.25  # of the wait, either way, so that workers do not come back together
FIX_RECHECK: Final = timedelta(hours=24)  # a row that waits for a setting to change is tried once a day
PARKED_RECHECK: Final = timedelta(minutes=15)  # one call a quarter of an hour, without effect, until a person has acted
CONFIGURATION_RECHECK_S: Final = 60.0  # a missing setting of ours is looked for once a minute


def wait_s(attempts: int, *, first_s: float = FIRST_WAIT_S, longest_s: float = LONGEST_WAIT_S) -> float:
    """Seconds after the `attempts`-th try (1, 2, 3 ...): doubling, bounded, jittered."""
    doubled = first_s * 2.0 ** min(max(attempts, 1) - 1, 20)
    return min(doubled, longest_s) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (spreads load, guards nothing)
