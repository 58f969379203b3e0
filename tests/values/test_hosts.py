"""Addresses of machines: what leads into a private network is never a public one, however it is written."""

import pytest

from custom_events.values.hosts import is_public


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("10.0.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("::1", False),
        ("fec0::1", False),
        ("::ffff:10.0.0.1", False),
        ("::10.0.0.1", False),
        ("::7f00:1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("64:ff9b:1::7f00:1", False),  # NAT64 of one's own network
        ("2002:a00:1::", False),
        ("2002:7f00:1::", False),
        ("2001::1", False),
        ("4000::1", False),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public
