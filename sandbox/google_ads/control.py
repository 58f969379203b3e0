"""The sandbox's remote control: seed, reset, move the clock, arm faults, flip switches, dump. JSON over HTTP."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sandbox.google_ads.dump import dump
from sandbox.google_ads.faults import Fault
from sandbox.google_ads.seed import SandboxSeed
from sandbox.google_ads.state import State
from sandbox.google_ads.switches import Switches

PREFIX = "/control/"
_NO_CONTENT: dict[str, object] = {"ok": True}


class ClockOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What to do with the clock; the fields are obeyed in this order."""

    freeze: bool = False
    freeze_at: datetime | None = None
    run: bool = False
    move_seconds: float = 0.0
    move_to: datetime | None = None


class GrantOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`revoked`: the token endpoint answers invalid_grant, and the tokens it gave out are no longer good."""

    revoked: bool


class Control:
    """Answers the control endpoint. Every wrong order is a ValueError (HTTP 400) that says what is wrong."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._routes: dict[tuple[str, str], Callable[[bytes], dict[str, object] | bytes]] = {
            ("GET", "health"): lambda _: _NO_CONTENT,
            ("GET", "dump"): lambda _: dump(state),
            ("POST", "seed"): self._seed,
            ("POST", "reset"): self._reset,
            ("GET", "clock"): lambda _: self._time(),
            ("POST", "clock"): self._clock,
            ("GET", "faults"): lambda _: msgspec.json.encode(state.faults.armed()),
            ("POST", "faults"): self._arm,
            ("DELETE", "faults"): self._disarm,
            ("GET", "switches"): lambda _: msgspec.json.encode(state.switches),
            ("POST", "switches"): self._switch,
            ("POST", "grant"): self._grant,
        }

    def answer(self, method: str, path: str, body: bytes) -> dict[str, object] | bytes | None:
        """The JSON answer; None for a path that is not the control's. Raises ValueError for a wrong order."""
        if not path.startswith(PREFIX):
            return None
        route = self._routes.get((method, path.removeprefix(PREFIX)))
        return None if route is None else route(body)

    def _seed(self, body: bytes) -> dict[str, object]:
        self._state.add(_read(body, SandboxSeed))
        return _NO_CONTENT

    def _reset(self, body: bytes) -> dict[str, object]:
        self._state.reset(_read(body, SandboxSeed) if body.strip() else None)
        return _NO_CONTENT

    def _clock(self, body: bytes) -> dict[str, object]:
        order, clock = _read(body, ClockOrder), self._state.clock
        if order.freeze or order.freeze_at is not None:
            clock.freeze(order.freeze_at)
        if order.run:
            clock.run()
        clock.move(timedelta(seconds=order.move_seconds))
        if order.move_to is not None:
            clock.move_to(order.move_to)
        self._state.note_clock()
        return self._time()

    def _time(self) -> dict[str, object]:
        return {"now": self._state.clock.now().isoformat(), "frozen": self._state.clock.frozen}

    def _arm(self, body: bytes) -> dict[str, object]:
        for fault in _read(body, list[Fault]):
            self._state.faults.arm(fault)
        return _NO_CONTENT

    def _disarm(self, _: bytes) -> dict[str, object]:
        self._state.faults.disarm()
        return _NO_CONTENT

    def _switch(self, body: bytes) -> bytes:
        wanted: dict[str, Any] = _read(body, dict[str, Any])
        changed = {**msgspec.structs.asdict(self._state.switches), **wanted}
        self._state.switch(msgspec.convert(changed, Switches))
        return msgspec.json.encode(self._state.switches)

    def _grant(self, body: bytes) -> dict[str, object]:
        self._state.revoke_grant(revoked=_read(body, GrantOrder).revoked)
        return _NO_CONTENT


def _read(body: bytes, kind: Any) -> Any:
    return msgspec.json.decode(body, type=kind)
