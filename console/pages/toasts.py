"""What is told once after a change: carried to the next page in a cookie of its own, so that no process has to remember it."""

import base64
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec

from console.api import cookies
from console.pages.page import Moved
from custom_events.settings import Settings

COOKIE: Final = "custom_events_toast"
KEPT_S: Final = 60  # until the next page is loaded; then it is taken away
_LONGEST: Final = 2_000  # characters of the cookie
# An address below the console's own: no scheme, no host, nothing that leads upwards.
_OWN: Final = re.compile(r"[a-z][A-Za-z0-9_./-]*(\?[A-Za-z0-9_.=&%:+-]*)?\Z")


class Toast(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence, and an address below the console's that it is about ("": none)."""

    said: str
    about: str = ""


def headers(moved: Moved, settings: Settings) -> tuple[str, ...]:
    """The header that carries what was said."""
    if not moved.said:
        return ()
    value = base64.urlsafe_b64encode(msgspec.json.encode(Toast(said=moved.said, about=moved.about))).decode()
    return (cookies.written(COOKIE, value, settings, age_s=KEPT_S),)


def forgetting(received: Mapping[str, str], settings: Settings) -> tuple[str, ...]:
    """The header that takes it away once it was told."""
    return (cookies.written(COOKIE, "", settings, age_s=0),) if COOKIE in received else ()


def read(received: Mapping[str, str]) -> Toast | None:
    """What the page before wanted told; None for nothing, and for what is not of our making."""
    written = received.get(COOKIE, "")
    if not written or len(written) > _LONGEST:
        return None
    try:
        toast = msgspec.json.decode(base64.urlsafe_b64decode(written), type=Toast)
    except (ValueError, msgspec.DecodeError):
        return None
    return toast if not toast.about or is_own(toast.about) else msgspec.structs.replace(toast, about="")


def is_own(address: str) -> bool:
    """Whether an address is one below the console's own."""
    return bool(_OWN.match(address)) and ".." not in address and "//" not in address


def next_query(path: str, query: str) -> str:
    """`next=...`: where to go once somebody has signed in."""
    to = path.lstrip("/") + (f"?{query}" if query else "")
    return urlencode({"next": to}) if is_own(to) else ""
