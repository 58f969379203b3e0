"""Every kind of long operation, with what does it: a new one is a function and a line here."""

from typing import Final

from custom_events.operations import bulk_changes, exports, looking_back, parked_deliveries
from custom_events.operations.runner import Kind

KINDS: Final[dict[str, Kind]] = {
    looking_back.BACKTEST: looking_back.run_backtest,
    looking_back.REPLAY: looking_back.run_replay,
    bulk_changes.BULK_CHANGE: bulk_changes.run_bulk_change,
    exports.EXPORT: exports.run_export,
    parked_deliveries.REPLAY_PARKED: parked_deliveries.run_replay_parked,
}
