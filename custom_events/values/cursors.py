"""Cursors: where a page of a list ends, as text for addresses that callers hand back as it is."""

import base64
import binascii
from typing import Any

import msgspec


def encode(place: Any) -> str:
    """A place as text. It is opaque, not secret."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def decode(cursor: str, kind: Any) -> Any:
    """The place of this type that a cursor stands for. Raises ValueError for what is no cursor of such places."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=kind)
    except (binascii.Error, msgspec.MsgspecError, UnicodeError) as error:
        raise ValueError("no cursor") from error
