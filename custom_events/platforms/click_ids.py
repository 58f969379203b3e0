"""Whether a value is a click id, and of a whole cookie of Google's the id in it with the time of the click.

    GCL.<seconds>.<id>[.<labels>]     _gcl_aw (gclid), _gcl_gb (wbraid): written by Google's tag in the browser
    2.1.k<id>$i<seconds>[$u...]       _gcl_ag (gbraid), and what a server container writes: FPGCLAW, FPGCLAG, FPGCLGB
    1.<seconds>.<id>, 1.1.<seconds>.<id>     _gac_<property> (gclid), _gac_gb_<property> (wbraid): Analytics

Which cookie holds which kind is what gtag.js writes (observed by others on landings with each parameter); `_gcl_dc` holds Campaign
Manager's dclid, which is none of ours.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import msgspec

MAX_CLICK_ID_CHARS = 512  # the longest seen is about 120; longer is no click id
MIN_CLICK_ID_CHARS = 5  # Google's are dozens; shorter is a remnant
MAX_WORD_CHARS = 40  # longest value that is compared with words; real ids are longer, and so cost nothing more
MAX_VALUE_CHARS = 2_048  # of what may hold an id: a cookie, or a page's whole address
MAX_DECODINGS = 2  # percent-encoding of a value that was encoded already

_PLAIN = re.compile(rf"[A-Za-z0-9_-]{{{MAX_WORD_CHARS + 1},{MAX_CLICK_ID_CHARS}}}")  # nearly every one
_CLICK_ID = re.compile(rf"(?=.{{{MIN_CLICK_ID_CHARS},{MAX_CLICK_ID_CHARS}}}\Z)[A-Za-z0-9_\-.~+/]+={{0,2}}")
_COOKIE = re.compile(r"(?:GCL|[0-9](?:\.[0-9])?)\.(?P<seconds>[0-9]{10})(?:[0-9]{3})?\.(?P<id>[A-Za-z0-9_-]+)(?:\.|\Z)")
_COOKIE_BEGINS = "GCL."
_SERVER_COOKIE = re.compile(r"[0-9]\.[0-9]\.k(?P<id>[A-Za-z0-9_-]+)\$i(?P<seconds>[0-9]{10})(?:[0-9]{3})?(?:\$|\Z)")
_NAMED = re.compile(
    r"(?:\A|[?&;\s])_?(?:gclid|gbraid|wbraid|gcl_a[wg]|gcl_gb|fpgcl(?:aw|ag|gb))=([^&;#\s]+)", re.IGNORECASE
)
_AROUND = " \t\r\n\v\f\"'`,;\u00a0\u200b\ufeff\u2018\u2019\u201c\u201d"
_NO_LETTER = re.compile(r"[^a-z]+")
_JOINED = str.maketrans("", "", "_-.~+/=")  # signs of ids that also join words

# What a value without its digits and signs may not be: words that programs write for nothing, and what people try with.
_NO_IDS = re.compile(
    "(?:undefined|null?|none?|nil|nan|void|empty|missing|false|true|yes|na|not|available|set|unset|provided|unknown|unspecified"
    "|object|array|default|direct|organic|string|text|value|id|google|click|test(?:s|er|ing)?|dummy|sample|example|placeholder"
    "|demo|foo|bar|abc|x|gclid|gbraid|wbraid|your|my|here|insert|fake)+"
)


class ClickValue(msgspec.Struct, frozen=True, gc=False):
    """A click id; `clicked_at` where a cookie said it."""

    id: str
    clicked_at: datetime | None = None


def click_value(value: Any) -> ClickValue | None:
    """The click id that a value is or holds, in the case it has; None where it is none."""
    if type(value) is not str:
        return None
    if _PLAIN.fullmatch(value):
        return ClickValue(value)
    return _careful(value)


@lru_cache(maxsize=1_024)  # of an order's events, and of junk that a theme writes everywhere
def _careful(value: str) -> ClickValue | None:
    if len(value) > MAX_VALUE_CHARS:
        return None
    text = value.strip(_AROUND)
    for _ in range(MAX_DECODINGS):
        if "%" not in text:
            break
        text = unquote(text, errors="replace").strip(_AROUND)
    named = _NAMED.search(text) if "=" in text else None
    if named is not None:
        text = named.group(1).strip(_AROUND)
    cookie = _COOKIE.match(text) or _SERVER_COOKIE.match(text)
    if cookie is not None:
        return _found(cookie.group("id"), datetime.fromtimestamp(int(cookie.group("seconds")), UTC))
    return None if text.startswith(_COOKIE_BEGINS) else _found(text, None)


def _found(text: str, clicked_at: datetime | None) -> ClickValue | None:
    return ClickValue(text, clicked_at) if _CLICK_ID.fullmatch(text) and not _is_word(text) else None


def _is_word(text: str) -> bool:
    """Whether it is a word or a number and no id: ids mix capitals, small letters and digits."""
    if len(text) > MAX_WORD_CHARS:
        return False
    letters = _NO_LETTER.sub("", text.lower())
    is_words = text.translate(_JOINED).isalpha() and (text.islower() or text.isupper() or text.istitle())
    return not letters or is_words or _NO_IDS.fullmatch(letters) is not None
