"""Names and addresses of machines."""

import ipaddress
from typing import Final

# All of IPv6 that is given out as public; beside it stand other ways to write IPv4.
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # what translators of a network's own use (RFC 6052)


def is_local(host: str) -> bool:
    """Whether an address or a name is of this machine and reached by nobody else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Whether an IP address is of the public internet: none of a private network, of several machines, or of IPv6 that stands for such a
    one. Raises ValueError for a text that is no address."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.teredo is not None or ip not in _UNICAST:
            return False
    return ip.is_global and not ip.is_multicast
