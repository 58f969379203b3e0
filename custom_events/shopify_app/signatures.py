"""What Shopify has signed of an install: the query that it leads people with, and the session tokens of its admin. And our own `state`.

All of it comes from browsers, so that each is believed for one shop and a short while only.
"""

import hashlib
import hmac
import secrets as tokens
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from custom_events import secrets
from custom_events.errors import NeedsAction, NotAdmitted
from custom_events.platforms.shopify.shops import is_shop
from custom_events.shopify_app.app_settings import App

YOUNG_S: Final = 600  # how old a signed query may be: Shopify names no figure, people think a while before they agree
LEEWAY_S: Final = 60  # its clock and ours may differ by this
NONCE_BYTES: Final = 16  # 128 bits
_STATE: Final = "shopify:state"  # what such a token is bound to: no row, and no other token of ours is one
_MAX_TOKEN_CHARS: Final = 8_192


class State(msgspec.Struct, frozen=True):
    """One install under way, in our own words: of which shop, in whose browser (`nonce`), until when (seconds)."""

    shop: str
    nonce: str
    until_s: float


def check_query(app: App, pairs: Iterable[tuple[str, str]], now: datetime) -> None:
    """Raises NotAdmitted unless Shopify has signed these parameters, lately (hex HMAC-SHA256 of all others, sorted, by the app's secret)."""
    rest: list[tuple[str, str]] = []
    signatures: list[str] = []
    for name, value in pairs:
        if name == "hmac":
            signatures.append(value)
        elif name != "signature":
            rest.append((name, value))
    message = "&".join(f"{name}={value}" for name, value in sorted(rest))
    expected = hmac.new(
        app.client_secret.encode(), message.encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()
    names = [name for name, _ in rest]
    if len(signatures) != 1 or len(set(names)) != len(names):
        raise NotAdmitted("The link is not signed by Shopify, or was changed on the way.")
    if not hmac.compare_digest(expected.encode(), signatures[0].lower().encode("utf-8", "surrogatepass")):
        raise NotAdmitted("The link is not signed by Shopify, or not for this app.")
    stamp = dict(rest).get("timestamp", "")
    if not (stamp.isascii() and stamp.isdigit()) or len(stamp) > 15 or abs(now.timestamp() - int(stamp)) > YOUNG_S:  # noqa: PLR2004
        raise NotAdmitted("The link is too old: open the app in the shop's admin again.")


def shop_of_session(app: App, session_token: str, now: datetime) -> str:
    """The shop in whose admin somebody opened the app. Raises NotAdmitted for a token that is not Shopify's, for another app, or over."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import OctKey

    if len(session_token) > _MAX_TOKEN_CHARS:
        raise _not_believed("too long")
    try:
        decoded = jwt.decode(session_token, OctKey.import_key(app.client_secret), algorithms=["HS256"])
        claims: dict[str, Any] = decoded.claims
        shop = str(claims["dest"]).removeprefix("https://")
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY_S,
            aud={"essential": True, "value": app.client_id},
            iss={"essential": True, "value": f"https://{shop}/admin"},
            exp={"essential": True},
            nbf={"essential": True},
        )
        registry.validate(claims)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise _not_believed(type(error).__name__) from None
    if not is_shop(shop):
        raise _not_believed("dest")
    return shop


def begin(shop: str, key: bytes, now: datetime) -> tuple[str, str]:
    """The `state` that Shopify must say again, and the nonce that the browser keeps beside it."""
    nonce = tokens.token_urlsafe(NONCE_BYTES)
    state = State(shop=shop, nonce=nonce, until_s=now.timestamp() + YOUNG_S)
    return secrets.encrypt(msgspec.json.encode(state), key, _STATE).decode(), nonce


def check_state(state: str, nonce: str, shop: str, key: bytes, now: datetime) -> None:
    """Raises NotAdmitted unless this browser began the install of this shop here, lately."""
    try:
        begun = msgspec.json.decode(secrets.decrypt(state.encode("utf-8", "surrogatepass"), key, _STATE), type=State)
    except (NeedsAction, msgspec.DecodeError):
        raise NotAdmitted("This install was not begun here. Begin again.") from None
    same = hmac.compare_digest(begun.nonce.encode(), nonce.encode("utf-8", "surrogatepass"))
    if not same or begun.shop != shop or begun.until_s < now.timestamp():
        raise NotAdmitted("This install was begun in another browser, for another shop, or too long ago. Begin again.")


def _not_believed(why: str) -> NotAdmitted:
    return NotAdmitted(f"The session token cannot be believed ({why}): open the app in the shop's admin again.")
