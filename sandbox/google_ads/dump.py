"""Everything a sandbox has received, as one JSON document."""

import msgspec

from sandbox.google_ads.adjustments import settle_waiting
from sandbox.google_ads.state import Adjustment, Conversion, State


class Dump(msgspec.Struct):
    """The document of GET /control/dump. Times are ISO 8601 or, with `_at`, seconds since 1970."""

    now: str
    conversions: list[Conversion]
    adjustments: list[Adjustment]
    requests: dict[str, int]
    quota: dict[str, dict[str, int]]
    faults_fired: dict[str, int]


def dump(state: State) -> bytes:
    """The sandbox's uploads and counters as JSON."""
    with state.changing():
        settle_waiting(state)
        document = Dump(
            now=state.clock.now().isoformat(),
            conversions=state.conversions,
            adjustments=state.adjustments,
            requests=dict(state.requests),
            quota=state.quotas.dump(state.clock.epoch()),
            faults_fired=dict(state.faults.fired),
        )
        return msgspec.json.encode(document)
