"""Shopify's token endpoint of a shop: codes, session tokens, old tokens and refresh tokens become access tokens that expire.

What is lost on the way is asked for again with the same words: Shopify takes a used refresh token again until its replacement is used (up to
30 days), and the exchange of a token that never expires for seven days (its changelog of 28 August 2026).
"""

from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import msgspec

from custom_events.errors import NeedsAction, Transient
from custom_events.platforms.shopify.shops import shop_url
from custom_events.shopify_app.app_settings import App
from custom_events.shopify_app.installation import Tokens

PATH: Final = "/admin/oauth/access_token"
_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_SESSION: Final = "urn:ietf:params:oauth:token-type:id_token"
_OFFLINE: Final = "urn:shopify:params:oauth:token-type:offline-access-token"
_EXPIRING: Final = {"expiring": "1"}
_MAX_ANSWER_BYTES: Final = 64 * 1024
_OK: Final = 200
_TOO_MANY: Final = 429
_BROKEN: Final = 500


class GrantRefused(NeedsAction):
    """Shopify gives no token for this code or token: the shop's owner must agree again."""


class _Answer(msgspec.Struct):
    access_token: str
    scope: str = ""
    expires_in: float | None = None
    refresh_token: str | None = None
    refresh_token_expires_in: float | None = None


class Grant(msgspec.Struct, frozen=True):
    """Tokens with what they are good for, and until when (None: they never end)."""

    tokens: Tokens
    scopes: tuple[str, ...]
    access_expires_at: datetime | None
    refresh_expires_at: datetime | None


def of_code(app: App, shop: str, code: str, now: datetime) -> Grant:
    """For the code with which Shopify leads the owner back. Raises GrantRefused and Transient, as all of these do."""
    return _ask(app, shop, {"code": code, **_EXPIRING}, now)


def of_session(app: App, shop: str, session_token: str, now: datetime) -> Grant:
    """For the session token of somebody who opens the app in the shop's admin (checked before: `signatures.shop_of_session`)."""
    return _ask(app, shop, _exchange(session_token, _SESSION), now)


def of_lasting(app: App, shop: str, access: str, now: datetime) -> Grant:
    """For a token that never expires, which is good no more afterwards."""
    return _ask(app, shop, _exchange(access, _OFFLINE), now)


def of_refresh(app: App, shop: str, refresh: str, now: datetime) -> Grant:
    """For a refresh token, which is replaced by another one."""
    return _ask(app, shop, {"grant_type": "refresh_token", "refresh_token": refresh}, now)


def _exchange(subject: str, kind: str) -> dict[str, str]:
    return {
        "grant_type": _EXCHANGE,
        "subject_token": subject,
        "subject_token_type": kind,
        "requested_token_type": _OFFLINE,
        **_EXPIRING,
    }


def _ask(app: App, shop: str, fields: dict[str, str], now: datetime) -> Grant:
    form = {"client_id": app.client_id, "client_secret": app.client_secret, **fields}
    url = shop_url(shop, app.base_url) + PATH
    try:
        with httpx.Client(timeout=app.timeout_s, follow_redirects=False, trust_env=False) as client:
            response = client.post(url, data=form, headers={"Accept": "application/json"})
    except httpx.HTTPError as error:
        raise Transient(f"Shopify does not answer for {shop} ({type(error).__name__})", retry_after_s=5.0) from None
    if response.status_code >= _BROKEN or response.status_code == _TOO_MANY:
        raise Transient(f"Shopify answers {response.status_code} for {shop}", retry_after_s=5.0)
    if response.status_code != _OK:
        raise GrantRefused(
            f"Shopify gives no token for {shop} ({_reason(response)}): the owner has to open the app in the shop's admin, or to install it again.",
            who="site owner",
        )
    return _grant(shop, response, now)


def _grant(shop: str, response: httpx.Response, now: datetime) -> Grant:
    try:
        answer = msgspec.json.decode(response.content[:_MAX_ANSWER_BYTES], type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Transient(f"Shopify's answer for {shop} holds no token", retry_after_s=5.0) from None
    return Grant(
        tokens=Tokens(access=answer.access_token, refresh=answer.refresh_token),
        scopes=tuple(sorted({scope.strip() for scope in answer.scope.split(",") if scope.strip()})),
        access_expires_at=_end(now, answer.expires_in),
        refresh_expires_at=_end(now, answer.refresh_token_expires_in) if answer.refresh_token else None,
    )


def _end(now: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)


def _reason(response: httpx.Response) -> str:
    """Shopify's word for why not: never the whole answer, which may repeat what was sent."""
    try:
        document: Any = response.json()
    except ValueError:
        return str(response.status_code)
    word = document.get("error") if isinstance(document, dict) else None
    return f"{response.status_code} {str(word)[:60]}" if word else str(response.status_code)
