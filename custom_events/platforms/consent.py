"""Consent to ads, in the words of those who write it: Google's, WP Consent API's categories, Shopify's customer privacy.

Mapping (docs/reference/platforms.md 1.10 and 2.5): a `marketing` category stands for all three of Google's. Shopify's
`marketingAllowed` stands for ad_storage and ad_user_data; personalization needs `saleOfDataAllowed` too. What nobody
said is UNKNOWN, never granted. Newsletter consent is something else and not read here.
"""

from collections.abc import Mapping
from typing import Any

from custom_events.values.clicks import Consent, ConsentStatus

MAX_SOURCE_CHARS = 64

_WORDS = {
    **dict.fromkeys(("granted", "allow", "allowed", "true", "1", "yes", "on"), ConsentStatus.GRANTED),
    **dict.fromkeys(("denied", "deny", "disallowed", "false", "0", "no", "off"), ConsentStatus.DENIED),
}
_GOOGLE = ("ad_user_data", "ad_personalization", "ad_storage")


def status_of(value: Any) -> ConsentStatus:
    """granted / allow / true / 1 / yes, and their opposites; anything else is UNKNOWN."""
    if not isinstance(value, str):
        if not isinstance(value, int):
            return ConsentStatus.UNKNOWN
        value = str(value)
    return _WORDS.get(value) or _WORDS.get(value.strip().lower(), ConsentStatus.UNKNOWN)


def consent_from(said: Mapping[str, Any], default_source: str) -> Consent | None:
    """The consent in a JSON object; None when it says nothing about ads. Its `source` key says who asked."""
    if not said:
        return None
    answers = {name: status_of(said[name]) for name in _GOOGLE if name in said}
    source = said.get("source")
    if not answers:
        answers = _from_categories(said)
        source = source or ("wp_consent_api" if "marketing" in said else "shopify_customer_privacy")
    if not answers:
        return None
    return Consent(
        **answers,
        source=source[:MAX_SOURCE_CHARS] if isinstance(source, str) and source else default_source,
    )


def _from_categories(said: Mapping[str, Any]) -> dict[str, ConsentStatus]:
    if "marketing" in said:
        return dict.fromkeys(_GOOGLE, status_of(said["marketing"]))
    marketing = status_of(said.get("marketingAllowed", said.get("marketing_allowed")))
    if marketing is ConsentStatus.UNKNOWN:
        return {}
    sale = status_of(said.get("saleOfDataAllowed", said.get("sale_of_data_allowed")))
    return {
        "ad_user_data": marketing,
        "ad_storage": marketing,
        "ad_personalization": sale if marketing is ConsentStatus.GRANTED else ConsentStatus.DENIED,
    }
