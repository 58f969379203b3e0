"""Faults on demand: what goes wrong with a request or a row, how often, and in which method."""

import random
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from threading import Lock

import msgspec

from sandbox.google_ads.error_names import BRAND_NEW, AnyName, Internal

DEFAULT_RNG_SEED = 20_261_122
TOKEN_METHOD = "token"


class FaultKind(StrEnum):
    """What happens. Row kinds hit single rows of an upload, the others the whole request."""

    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"  # with the failure in the trailer
    INTERNAL_WITHOUT_FAILURE = "INTERNAL_WITHOUT_FAILURE"
    DEADLINE = "DEADLINE"  # sleeps `seconds`, then DEADLINE_EXCEEDED
    CONNECTION_RESET = "CONNECTION_RESET"
    SLOW = "SLOW"  # sleeps `seconds`, then answers
    RESOURCE_EXHAUSTED_WITHOUT_FAILURE = "RESOURCE_EXHAUSTED_WITHOUT_FAILURE"  # message too large, or a gateway's limit
    QUOTA_RATE = "QUOTA_RATE"  # RESOURCE_TEMPORARILY_EXHAUSTED, retry_delay = `seconds`
    QUOTA_DAILY = "QUOTA_DAILY"  # QuotaError.RESOURCE_EXHAUSTED, retry_delay = `seconds`
    UNSUPPORTED_VERSION = "UNSUPPORTED_VERSION"
    APPLY_THEN_DROP = "APPLY_THEN_DROP"  # stores the rows, then answers UNAVAILABLE
    INVALID_GRANT = "INVALID_GRANT"  # the token endpoint only
    ROW_INTERNAL_ERROR = "ROW_INTERNAL_ERROR"
    ROW_TRANSIENT_ERROR = "ROW_TRANSIENT_ERROR"
    UNKNOWN_REASON = (
        "UNKNOWN_REASON"  # INVALID_ARGUMENT for a reason that came after the installed packages; names no row
    )
    NO_REASON = "NO_REASON"  # INVALID_ARGUMENT, and nothing else
    ROW_UNKNOWN_REASON = "ROW_UNKNOWN_REASON"  # such a reason of rows: in the answer, or counted in the status


_ROW_KINDS: dict[FaultKind, AnyName] = {
    FaultKind.ROW_UNKNOWN_REASON: BRAND_NEW,
    FaultKind.ROW_INTERNAL_ERROR: Internal.INTERNAL_ERROR,
    FaultKind.ROW_TRANSIENT_ERROR: Internal.TRANSIENT_ERROR,
}


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An armed fault. `method` is the bare name (UploadClickConversions, IngestEvents, token ...) or * for all.

    `count`: the next so many matching requests (or rows); `probability`: a share of them, for ever; both: that share
    until so many have fired; neither: every one until it is disarmed. `after_apply` lets the request or row take effect
    first. `customer_id` limits a request fault to one account.
    """

    kind: FaultKind
    method: str = "*"
    count: int | None = None
    probability: float | None = None
    seconds: float = 0.0
    after_apply: bool = False
    customer_id: str | None = None

    def __post_init__(self) -> None:
        if self.kind is FaultKind.APPLY_THEN_DROP:
            self.after_apply = True
        if self.probability is not None and not 0 <= self.probability <= 1:
            raise ValueError(f"probability {self.probability} does not lie between 0 and 1")
        if self.count is not None and self.count < 1:
            raise ValueError(f"count {self.count} is less than 1: leave it out for a fault without end")

    def hits(self, method: str) -> bool:
        """Whether this fault concerns `method`. The token endpoint is hit only when it is named, or by INVALID_GRANT."""
        if method == TOKEN_METHOD:
            return self.method == TOKEN_METHOD or self.kind is FaultKind.INVALID_GRANT
        return self.method in ("*", method) and self.kind is not FaultKind.INVALID_GRANT


class RowDraw(msgspec.Struct, frozen=True):
    """A row that fails: with which name, and whether it is stored all the same."""

    name: AnyName
    after_apply: bool


class FaultBox:
    """The armed faults of one sandbox. The generator is seeded, so that a run repeats."""

    def __init__(self, rng_seed: int = DEFAULT_RNG_SEED) -> None:
        self._lock = Lock()
        self._rng = random.Random(rng_seed)
        self._armed: list[Fault] = []
        self.fired: Counter[str] = Counter()

    def arm(self, fault: Fault) -> None:
        """Add a fault; the ones armed earlier are drawn first."""
        with self._lock:
            self._armed.append(fault)

    def disarm(self) -> None:
        """Remove every fault; what has fired stays counted."""
        with self._lock:
            self._armed.clear()

    def armed(self) -> list[Fault]:
        """The faults that can still fire."""
        with self._lock:
            return list(self._armed)

    def draw(self, method: str, customer_id: str = "") -> Fault | None:
        """The fault that hits this request, if any."""
        with self._lock:
            for fault in self._armed:
                if fault.kind in _ROW_KINDS or not fault.hits(method):
                    continue
                if fault.customer_id in (None, customer_id) and self._fires(fault):
                    return fault
        return None

    def rows(self, method: str) -> Callable[[], RowDraw | None] | None:
        """A function to ask once per row, or None when no fault of rows is armed for this method."""
        with self._lock:
            matching = [fault for fault in self._armed if fault.kind in _ROW_KINDS and fault.hits(method)]
        if not matching:
            return None

        def draw_row() -> RowDraw | None:
            with self._lock:
                for fault in matching:
                    if any(fault is armed for armed in self._armed) and self._fires(fault):
                        return RowDraw(_ROW_KINDS[fault.kind], fault.after_apply)
            return None

        return draw_row

    def _fires(self, fault: Fault) -> bool:
        if fault.probability is not None and self._rng.random() >= fault.probability:
            return False
        if fault.count is not None:
            fault.count -= 1
            if fault.count <= 0:
                self._armed = [other for other in self._armed if other is not fault]
        self.fired[str(fault.kind)] += 1
        return True
