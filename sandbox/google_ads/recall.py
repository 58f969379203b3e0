"""Brings a sandbox's state to what its journal says: for each kind of entry what it holds, and what is done with it."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import msgspec

from sandbox.google_ads.adjustments import accept, apply_waiting, find_conversion, settle_waiting
from sandbox.google_ads.clock import Standing
from sandbox.google_ads.data_manager import RequestRecord
from sandbox.google_ads.diagnostics import NotedBatch
from sandbox.google_ads.journal import Journal
from sandbox.google_ads.seed import SandboxSeed, Token
from sandbox.google_ads.state import Adjustment, Conversion, Counters, State
from sandbox.google_ads.switches import Switches


def recall(state: State, journal: Journal) -> None:
    """Let everything in the journal take effect, and have the state note into it from now on.

    Raises ValueError for a journal that no sandbox of this kind wrote.
    """
    decoders = {kind: msgspec.msgpack.Decoder(content) for kind, (content, _) in _KINDS.items()}
    with state.lock:
        for kind, content in journal.entries():
            if kind not in decoders:
                raise ValueError(
                    f"the journal has an entry {kind!r}, which this sandbox does not know: begin with a new one"
                )
            _KINDS[kind][1](state, decoders[kind].decode(content))
        state.journal = journal


def _conversion(state: State, conversion: Conversion) -> None:
    state.remember(conversion)
    if state.waiting:
        apply_waiting(state, conversion)


def _adjustment(state: State, adjustment: Adjustment) -> None:
    accept(state, adjustment, find_conversion(state, adjustment))


def _value(state: State, content: tuple[str, str, float, str]) -> None:
    action_id, order_id, value, currency = content
    conversion = state.known(action_id, order_id, "data_manager")
    if conversion is None:
        raise ValueError(f"the journal has a new value of order {order_id}, but no conversion of it")
    state.set_value(conversion, value, currency)


def _request(state: State, content: tuple[str, float, list[tuple[bytes, int, dict[str, int]]]]) -> None:
    import google.ads.datamanager_v1 as data_manager

    request_id, received_at, destinations = content
    read: Any = data_manager.Destination.pb().FromString
    state.status_requests[request_id] = RequestRecord(
        received_at, [(read(message), events, Counter(failures)) for message, events, failures in destinations]
    )


def _grant(state: State, revoked: bool) -> None:
    state.revoke_grant(revoked=revoked)


_KINDS: Final[dict[str, tuple[Any, Callable[[State, Any], None]]]] = {
    "conversion": (Conversion, _conversion),
    "adjustment": (Adjustment, _adjustment),
    "value": (tuple[str, str, float, str], _value),
    "settled": (float, settle_waiting),
    "batch": (NotedBatch, lambda state, noted: state.record(noted.batch())),
    "request": (tuple[str, float, list[tuple[bytes, int, dict[str, int]]]], _request),
    "reset": (SandboxSeed, State.reset),
    "seed": (SandboxSeed, State.add),
    "switches": (Switches, State.switch),
    "token": (Token, State.give_token),
    "grant": (bool, _grant),
    "clock": (Standing, lambda state, standing: state.clock.stand(standing)),
    "counters": (Counters, State.set_counters),
}
