"""What systemd is told (sd_notify(3)): that the service is ready, that it still works, that it stops. Nothing where nobody listens."""

import os
import socket
from typing import Final

READY: Final = "READY=1"
ALIVE: Final = "WATCHDOG=1"
STOPPING: Final = "STOPPING=1"


def tell(state: str) -> bool:
    """Send a state to the socket that systemd names; whether anybody was told."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
        try:
            link.connect("\0" + address[1:] if address.startswith("@") else address)
            link.send(state.encode())
        except OSError:
            return False
    return True


def status(sentence: str) -> str:
    """The state that `systemctl status` shows as a sentence."""
    return "STATUS=" + sentence.replace("\n", " ")
