"""What an armed fault looks like from outside, on gRPC and on HTTP."""

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from sandbox.google_ads.error_names import BRAND_NEW, Internal, Quota, Request
from sandbox.google_ads.failures import Refused, Status
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.state import State

_OPEN_FILES = Path("/proc/self/fd")


def refusal(fault: Fault) -> Refused | None:
    """The refusal a fault ends in; None when the request is only slowed down."""
    match fault.kind:
        case FaultKind.INTERNAL:
            return Refused.of(Status.INTERNAL, Internal.INTERNAL_ERROR)
        case FaultKind.INTERNAL_WITHOUT_FAILURE:
            return Refused(Status.INTERNAL, (), "Internal error encountered.")
        case FaultKind.DEADLINE:
            return Refused(Status.DEADLINE_EXCEEDED, (), "Deadline exceeded on the server's side.")
        case FaultKind.CONNECTION_RESET:
            return Refused(Status.UNAVAILABLE, (), "Connection reset by peer")
        case FaultKind.RESOURCE_EXHAUSTED_WITHOUT_FAILURE:
            return Refused(Status.RESOURCE_EXHAUSTED, (), "Received message larger than max, or too many requests.")
        case FaultKind.QUOTA_RATE:
            name = "Requests per second, fault"
            return Refused.quota(Quota.RESOURCE_TEMPORARILY_EXHAUSTED, "ACCOUNT", name, fault.seconds)
        case FaultKind.QUOTA_DAILY:
            name = "Operations per day, fault"
            return Refused.quota(Quota.RESOURCE_EXHAUSTED, "DEVELOPER", name, fault.seconds)
        case FaultKind.UNSUPPORTED_VERSION:
            return Refused.of(Status.INVALID_ARGUMENT, Request.UNSUPPORTED_VERSION)
        case FaultKind.UNKNOWN_REASON:
            return Refused.of(Status.INVALID_ARGUMENT, BRAND_NEW)
        case FaultKind.NO_REASON:
            return Refused(Status.INVALID_ARGUMENT, (), "Request contains an invalid argument.")
        case FaultKind.SLOW:
            return None
        case _:
            return Refused(Status.UNAVAILABLE, (), "The service is currently unavailable.")


def suffer(fault: Fault | None, state: State, wait: Callable[[float], object], drop: Callable[[], object]) -> None:
    """Let a fault happen: wait where it is slow, `drop` the connection where it says so, and raise its `Refused`.

    A request that still waited when `state` was reset is refused: what it asks for belongs to the time before.
    """
    if fault is None:
        return
    armed_in = state.faults
    if fault.kind in (FaultKind.SLOW, FaultKind.DEADLINE):
        wait(fault.seconds)
    if state.faults is not armed_in:
        raise Refused(Status.UNAVAILABLE, (), "The sandbox began anew while this request waited.")
    if fault.kind is FaultKind.CONNECTION_RESET:
        drop()
    refused = refusal(fault)
    if refused is not None:
        raise refused


class GrpcFaults:
    """Faults on gRPC. `stopping` cuts every wait short when the server ends."""

    def __init__(self, state: State, stopping: Event) -> None:
        self._state = state
        self._stopping = stopping

    def before(self, method: str, customer_id: str, context: Any) -> Fault | None:
        """Draw a fault for this request and let it happen, or return it when the request is to take effect first."""
        fault = self._state.faults.draw(method, customer_id)
        if fault is not None and fault.after_apply:
            return fault
        self.after(fault, context)
        return None

    def after(self, fault: Fault | None, context: Any) -> None:
        """Let a fault happen now. Raises `Refused`."""
        suffer(fault, self._state, self._stopping.wait, lambda: drop_connection(context.peer()))


def drop_connection(peer: str) -> bool:
    """Shut the accepted socket of a gRPC peer ("ipv4:127.0.0.1:54321"), as a broken network would.

    gRPC gives no access to its sockets, so the open files of the process are searched (Linux). False when none was found.
    """
    port = peer.rpartition(":")[2]
    if not port.isdecimal() or not _OPEN_FILES.is_dir():
        return False
    for name in os.listdir(_OPEN_FILES):  # noqa: PTH208 - names are file descriptors, not paths
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(name))) as candidate:
            if candidate.getpeername()[1:2] == (int(port),):
                candidate.shutdown(socket.SHUT_RDWR)
                return True
    return False
