"""Waiting for a process to answer."""

import time

import httpx

from custom_events.errors import NeedsAction
from supervisor.processes import Supervisor

READY_LIMIT_S = 60.0
LOOK_EVERY_S = 0.2


def wait_until_ready(address: str, supervisor: Supervisor, limit_s: float = READY_LIMIT_S) -> None:
    """Returns when `address` answers with a 2xx. Raises NeedsAction when a child ends first or the time is up."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        supervisor.check()
        try:
            if httpx.get(address, timeout=2.0, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(LOOK_EVERY_S)
    raise NeedsAction(f"{address} does not answer after {limit_s:.0f} s; see the logs in {supervisor.logs}.")
