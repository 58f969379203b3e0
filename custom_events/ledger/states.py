"""The states of an upload and the changes between them: the one place where they are told.

The database enforces the same list (migrations 0002 and 0007; since 0015 it looks after the change), so that no statement,
ours or a person's, makes a conversion count twice by putting a settled row back in the queue. `values.conversions.UploadState` says what each state means.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from custom_events.values.conversions import UploadState as State
from custom_events.values.reasons import NO_ANSWER, SPLIT

TRANSITIONS: Final[Mapping[State, frozenset[State]]] = MappingProxyType(
    {
        State.NEW: frozenset({State.CLAIMED, State.QUEUED, State.HELD, State.EXPIRED, State.WITHHELD}),
        State.HELD: frozenset({State.CLAIMED, State.QUEUED, State.EXPIRED, State.WITHHELD}),
        State.QUEUED: frozenset({State.CLAIMED, State.HELD, State.EXPIRED, State.WITHHELD}),
        State.CLAIMED: frozenset(
            {
                State.ACCEPTED,
                State.SENT,
                State.QUEUED,
                State.HELD,
                State.UNKNOWN,
                State.REJECTED,
                State.EXPIRED,
                State.WITHHELD,
            }
        ),
        State.SENT: frozenset({State.ACCEPTED, State.QUEUED, State.HELD, State.UNKNOWN, State.REJECTED, State.EXPIRED}),
        State.UNKNOWN: frozenset(
            {State.CLAIMED, State.QUEUED, State.HELD, State.ACCEPTED, State.REJECTED, State.EXPIRED}
        ),
        State.REJECTED: frozenset({State.QUEUED}),  # by hand, after what was wrong is mended
        State.WITHHELD: frozenset({State.QUEUED, State.HELD}),  # likewise, or when it stands again
        State.ACCEPTED: frozenset(),
        State.EXPIRED: frozenset(),
    }
)

WAITING: Final = (State.NEW, State.HELD, State.QUEUED, State.UNKNOWN)  # may be claimed when their time has come
SETTLED: Final = (State.ACCEPTED, State.REJECTED, State.EXPIRED, State.WITHHELD)

# What a row waited for after a call that may have been applied. Any other reason was a plain no to that row.
# The same list as `queries.uploads.MAYBE_THERE`.
INSIDE_GOOGLE: Final = ("InternalError.", "ProcessingErrorReason.INTERNAL_ERROR")
MAYBE_APPLIED: Final = (NO_ANSWER, SPLIT, *INSIDE_GOOGLE)


def may_become(before: State, after: State) -> bool:
    """Whether a row may go from one state to the other; staying is always allowed."""
    return before is after or after in TRANSITIONS[before]
