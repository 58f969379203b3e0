"""Is this delivery from the custom sender? By our own timestamped scheme only (`platforms/timestamped.py`)."""

from custom_events.platforms.timestamped import check, sign, signed_headers

__all__ = ["check", "sign", "signed_headers"]
