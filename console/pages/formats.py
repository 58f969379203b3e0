"""How values stand on pages: moments, numbers, amounts, sizes."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from markupsafe import Markup, escape

from console.pages.translations import _, translated

NOTHING: Final = Markup('<span class="nothing">–</span>')
_KIB: Final = 1024
# Names of others, which are written as they write them.
_PROPER: Final = {
    "google_ads": "Google Ads API",
    "data_manager": "Data Manager API",
    "shopify": "Shopify",
    "woocommerce": "WooCommerce",
    "bigcommerce": "BigCommerce",
    "stripe": "Stripe",
}
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
# What browsers and systems are told by, the more telling ones first: each names those behind it, too.
_BROWSERS: Final = (
    *(("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox")),
    *(("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari")),
)
_SYSTEMS: Final = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)
_STEPS: Final = (("d", 86_400), ("h", 3_600), ("min", 60))


def when(at: datetime | None) -> Markup:
    """A moment in UTC; the page's script shows it in the viewer's zone, and leaves UTC to be seen on hovering."""
    if at is None:
        return NOTHING
    exact, shown = f"{at:%Y-%m-%d %H:%M:%S} UTC", f"{at:%d %b %Y, %H:%M}".lstrip("0")
    return Markup(f'<time datetime="{at.isoformat()}" title="{exact}">{shown} UTC</time>')  # noqa: S704  (made of digits)


def number(value: float | None) -> str | Markup:
    """A count with its thousands apart."""
    return NOTHING if value is None else f"{value:,}"


def money(value: Decimal | float | None, currency: str | None = None) -> str | Markup:
    """An amount in its own currency; no cents are left out or made up."""
    if value is None:
        return NOTHING
    amount = Decimal(str(value)).normalize()
    digits = max(2, -int(amount.as_tuple().exponent)) if amount.is_finite() else 2
    return f"{amount:,.{digits}f}{f' {currency}' if currency else ''}"


def size(bytes_: int | None) -> str | Markup:
    """A body's size: bytes below a kibibyte."""
    if bytes_ is None:
        return NOTHING
    return f"{bytes_} B" if bytes_ < _KIB else f"{bytes_ / _KIB:,.1f} KiB"


def given(value: Any) -> Any:
    """What is there, or a dash."""
    return NOTHING if value in (None, "") else value


def word(value: str | None) -> str | Markup:
    """A stable word for people: `wrong_signature` as "wrong signature"; Google's codes and names of others stay as they are."""
    if not value:
        return NOTHING
    if value in _PROPER:
        return _PROPER[value]
    return value if value.isupper() else translated(value.replace("_", " ").replace("in europe", "in Europe"))


def title_of(name: str) -> str:
    """The name of an alarm for people: `DeliveriesParked` as "Deliveries parked"."""
    return _CAPITAL.sub(" ", name).capitalize()


def browser(user_agent: str | None) -> str | Markup:
    """The browser and the system that a session was begun by: "Firefox, Windows"; another program as it calls itself."""
    if not user_agent:
        return NOTHING
    named = [next((name for part, name in known if part in user_agent), "") for known in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in named if name) or user_agent


def ago(at: datetime | None, now: datetime) -> str | Markup:
    """How long ago, or until when, in the largest unit: "3 min ago"."""
    if at is None:
        return NOTHING
    seconds = (now - at) / timedelta(seconds=1)
    for unit, length in _STEPS:
        if abs(seconds) >= length:
            count = int(abs(seconds) // length)
            return (
                _("%(count)s %(unit)s ago", count=count, unit=unit)
                if seconds > 0
                else _("in %(count)s %(unit)s", count=count, unit=unit)
            )
    return _("just now") if seconds >= 0 else _("in a moment")


def plain(value: Any) -> str:
    """A value as JSON on one line, for differences and settings."""
    built = msgspec.to_builtins(value, builtin_types=(Decimal, date), enc_hook=str)
    if isinstance(built, str):
        return built
    return msgspec.json.encode(built).decode()


def pretty(value: Any) -> str:
    """A value as JSON on several lines."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def with_code(text: str) -> Markup:
    """A sentence in which commands stand between backticks, with these marked as code."""
    escaped = escape(text)
    parts = str(escaped).split("`")
    if len(parts) % 2 == 0:  # one of the backticks has no other one
        return escaped
    return Markup("".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts)))  # noqa: S704


def options(pairs: Iterable[tuple[Any, Any]], chosen: Any) -> Markup:
    """Options of a field to choose from, (what is sent, what is shown). Made here at once: a template takes five times as long."""
    sent = "" if chosen is None else str(chosen)
    lines = (
        f'<option value="{escape(value)}"{" selected" if str(value) == sent else ""}>{escape(text)}</option>'
        for value, text in pairs
    )
    return Markup("\n".join(lines))  # noqa: S704  (each part is escaped above)


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "when": when,
    "number": number,
    "title_of": title_of,
    "browser": browser,
    "money": money,
    "size": size,
    "given": given,
    "word": word,
    "ago": ago,
    "options": options,
    "with_code": with_code,
    "translated": translated,
    "plain": plain,
    "pretty": pretty,
}
