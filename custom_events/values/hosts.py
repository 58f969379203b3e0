"""Names and addresses of machines."""

import ipaddress


def is_local(host: str) -> bool:
    """Whether an address or a name is of this machine and reached by nobody else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
