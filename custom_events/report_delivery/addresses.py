"""Addresses that people type for our programs to call: resolved by ourselves, looked at, and called as they were resolved.

Whoever may set a target must not reach by it what only this machine reaches: its own services, its network, a cloud's metadata. A name
is resolved once for each delivery, and the connection is made to what was looked at, so that no second answer of the name can differ.
"""

import socket
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from custom_events.errors import Fault, Transient
from custom_events.values.hosts import is_public

_PORTS: Final = {"http": 80, "https": 443}
PERMITS: Final = "CUSTOM_EVENTS_REPORT_PRIVATE_ADDRESSES"


class Endpoint(msgspec.Struct, frozen=True):
    """An address that may be called. `url` as it was typed; `addresses`: where its host is, as it was resolved."""

    url: str
    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]

    @property
    def shown(self) -> str:
        """For messages: without path and query, which may hold a secret."""
        return f"{self.scheme}://{self.host}"


def endpoint(url: str, field: str, *, private: bool) -> Endpoint | Fault:
    """What is behind an address, or why it cannot be called. `private`: those of this machine and of private networks may be.

    Raises Transient where the name cannot be resolved at this moment.
    """
    parts = _split(url)
    if parts is None or parts.scheme not in _PORTS:
        return Fault(field, "it is no address", "https://, a host, and a path")
    if parts.username is not None or parts.password is not None or parts.fragment:
        return Fault(field, "it holds a login or a fragment", "an address without them")
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    addresses = resolve(host, port)
    if not addresses:
        return Fault(field, f"there is no host {host}", "a name that can be resolved, or an IP address")
    inner = [address for address in addresses if not is_public(address)]
    if inner and not private:
        return Fault(
            field, f"{host} is of this machine or of a private network", f"a public address, or {PERMITS}=true"
        )
    if parts.scheme == "http" and len(inner) < len(addresses):
        return Fault(field, "http can be read and changed on its way", "https://")
    return Endpoint(url, parts.scheme, host, port, addresses)


def resolve(host: str, port: int) -> tuple[str, ...]:
    """The IP addresses of a host, in the order in which they are to be tried; none where there is no such name. Raises Transient."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in (socket.EAI_AGAIN, socket.EAI_FAIL):
            raise Transient(f"The name {host} cannot be resolved at this moment.") from None
        return ()
    except (UnicodeError, OSError):
        return ()
    return tuple(dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in answers))


def _split(url: str) -> SplitResult | None:
    """The parts of an address with a host; None for anything else."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None
