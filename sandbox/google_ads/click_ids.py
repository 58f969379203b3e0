"""Click ids that carry their own record, so that unparseable, unknown and known are three different things.

A click id is base64url, without padding, of 24 bytes: mark, kind, flags, customer, time of the click, serial, checksum.
Nothing has to be registered: whoever makes a store's traffic mints an id, and the sandbox reads it back. 24 bytes are 32
characters without spare bits, so that any changed character (a lower-cased link, a cut-off cookie) breaks the checksum.
"""

import base64
import binascii
import struct
from datetime import datetime
from enum import IntFlag
from functools import lru_cache
from zlib import crc32

import msgspec

CLICK_ID_CHARACTERS = 32
_MARK = 0x0A3D  # base64url begins with "Cj", as many real gclids do
_RECORD = struct.Struct(">HBBQII")  # mark, kind, flags, customer, seconds since 1970, serial
_CHECKSUM = struct.Struct(">I")
_RECORD_BYTES = _RECORD.size
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_KINDS = {"gclid": 1, "gbraid": 2, "wbraid": 3}
_KIND_NAMES = {number: name for name, number in _KINDS.items()}


class ClickFlag(IntFlag):
    """What is special about a click."""

    NONE = 0
    UNKNOWN = 1  # decodes, but Google never saw it: EVENT_NOT_FOUND
    EEA = 2  # a person in the European Economic Area: without consent the user data is not usable
    TRACKING_OFF = 4  # conversion tracking was off when the click happened


class Click(msgspec.Struct, frozen=True, gc=False):
    """What a click id says. `clicked_at` in whole seconds since 1970-01-01 UTC."""

    kind: str
    customer_id: str
    clicked_at: int
    serial: int
    flags: int


def make_click_id(
    kind: str, customer_id: str, clicked_at: datetime, serial: int, flags: ClickFlag = ClickFlag.NONE
) -> str:
    """Mint a click id: `kind` is gclid, gbraid or wbraid; `clicked_at` is aware; `serial` fits 32 bits.

    The same arguments always give the same id. Raises ValueError for an unknown kind or a time without zone.
    """
    if kind not in _KINDS:
        raise ValueError(f"kind {kind!r} is none of {', '.join(_KINDS)}")
    if clicked_at.tzinfo is None:
        raise ValueError(f"clicked_at {clicked_at} has no time zone")
    record = _RECORD.pack(_MARK, _KINDS[kind], flags, int(customer_id), int(clicked_at.timestamp()), serial)
    return base64.urlsafe_b64encode(record + _CHECKSUM.pack(crc32(record))).decode()


def parse_click_id(kind: str, text: str) -> Click | None:
    """Read a click id that came in the field `kind`; None when it cannot be decoded or is of another kind."""
    if len(text) != CLICK_ID_CHARACTERS:
        return None
    try:
        raw = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL_SAFE))
    except ValueError:  # not ASCII, or not base64
        return None
    if (
        len(raw) != _RECORD_BYTES + _CHECKSUM.size
        or crc32(raw[:_RECORD_BYTES]) != _CHECKSUM.unpack_from(raw, _RECORD_BYTES)[0]
    ):
        return None
    mark, kind_number, flags, customer, clicked_at, serial = _RECORD.unpack_from(raw)
    if mark != _MARK or _KIND_NAMES.get(kind_number) != kind:
        return None
    return Click(kind, _ten_digits(customer), clicked_at, serial, flags)


@lru_cache(maxsize=4096)
def _ten_digits(customer: int) -> str:
    return f"{customer:010d}"
