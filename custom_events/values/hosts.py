"""Names and addresses of machines."""

import ipaddress
from typing import Final

# Translators of IPv4 (RFC 6052): an address of theirs holds one of IPv4, which it reaches.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# All of IPv6 that is given out as public; beside it stand other ways to write IPv4.
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")


def is_local(host: str) -> bool:
    """Whether an address or a name is of this machine and reached by nobody else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet: none of a private network or of several machines, also by what an address of
    IPv6 holds of IPv4. Raises ValueError for what is no address."""
    return _is_public(ipaddress.ip_address(address))


def _is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            return _is_public(inner)
        if ip.teredo is not None or ip not in _UNICAST:
            return False
    return ip.is_global and not ip.is_multicast
