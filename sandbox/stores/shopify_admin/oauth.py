"""Shopify's OAuth for one shop: the owner's consent, codes, token exchange, and refresh tokens that rotate.

A refresh token that was used may be used again until its replacement is used, for lost answers (Shopify's changelog of 28 August 2026); the
exchange of a token that never expires may be repeated as well. Both give the same pair again.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sandbox.stores.shopify_admin.session_tokens import names_shop
from sandbox.stores.shopify_admin.state import ACCESS_LIFE, Admin, FaultKind, Pair, Shop

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
OF_SESSION = "urn:ietf:params:oauth:token-type:id_token"
OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"

Answer = tuple[int, dict[str, Any]] | None  # None: the connection breaks before the answer


def authorize(admin: Admin, shop: Shop, fields: Mapping[str, str]) -> str:
    """The owner agrees: where their browser goes, with a code and Shopify's signature over it. Raises ValueError for another app."""
    if fields.get("client_id") != admin.client_id:
        raise ValueError("Oauth error invalid_request: Could not find Shopify API application")
    code = secrets.token_hex(16)
    with admin.lock:
        shop.codes.add(code)
    answer = {
        "code": code,
        "host": secrets.token_urlsafe(12),
        "shop": shop.domain,
        "state": fields.get("state", ""),
        "timestamp": str(int(admin.clock().timestamp())),
    }
    return f"{fields['redirect_uri']}?{urlencode({**answer, 'hmac': signature(answer, admin.client_secret)})}"


def signature(parameters: Mapping[str, str], client_secret: str) -> str:
    """Shopify's `hmac` over a query: hex HMAC-SHA256 of the other parameters, sorted."""
    message = "&".join(f"{name}={value}" for name, value in sorted(parameters.items()) if name != "hmac")
    return hmac.new(client_secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def token(admin: Admin, shop: Shop, fields: Mapping[str, str]) -> Answer:
    """The answer of `/admin/oauth/access_token`."""
    with admin.lock:
        if (fields.get("client_id"), fields.get("client_secret")) != (admin.client_id, admin.client_secret):
            return 401, {"error": "invalid_client"}
        kind = fields.get("grant_type")
        admin.requests[f"token:{kind or 'code'}"] += 1
        if admin.draw(FaultKind.TOKEN_UNAVAILABLE):
            return 503, {"error": "temporarily_unavailable"}
        if admin.draw(FaultKind.NO_TOKEN):
            return 200, {}
        if kind == "refresh_token":
            return _refresh(admin, shop, fields.get("refresh_token", ""))
        if kind == TOKEN_EXCHANGE:
            return _exchange(admin, shop, fields)
        return _code(admin, shop, fields)


def _code(admin: Admin, shop: Shop, fields: Mapping[str, str]) -> Answer:
    code = fields.get("code", "")
    if code not in shop.codes:
        return 400, {
            "error": "invalid_request",
            "error_description": "The authorization code was not found or was already used",
        }
    shop.codes.discard(code)
    return 200, _document(admin, shop, admin.issue(shop, expiring=fields.get("expiring") == "1"))


def _exchange(admin: Admin, shop: Shop, fields: Mapping[str, str]) -> Answer:
    subject, expiring = fields.get("subject_token", ""), fields.get("expiring") == "1"
    if fields.get("requested_token_type") != OFFLINE:
        return 400, {"error": "invalid_request"}
    if fields.get("subject_token_type") == OFFLINE:
        replacement = shop.replaced_by.get(subject)
        old = shop.issued.get(subject)
        if replacement is None and (old is None or old.expires_at is not None):
            return 400, {"error": "invalid_subject_token"}
        pair = replacement or admin.issue(shop, expiring=True)
        shop.issued.pop(subject, None)
        shop.replaced_by[subject] = pair
        lost = admin.draw(FaultKind.LOST_MIGRATION_ANSWER)
        return None if lost else (200, _document(admin, shop, pair))
    if not names_shop(subject, shop.domain, admin.client_id, admin.client_secret, admin.clock()):
        return 400, {"error": "invalid_subject_token"}
    return 200, _document(admin, shop, admin.issue(shop, expiring=expiring))


def _refresh(admin: Admin, shop: Shop, refresh: str) -> Answer:
    now = admin.clock()
    replacement = shop.replaced_by.get(refresh)
    old = next((pair for pair in shop.issued.values() if pair.refresh == refresh), None)
    if not shop.is_installed or (replacement is None and old is None):
        return 400, {"error": "invalid_grant", "error_description": "The refresh token is invalid or was revoked"}
    if old is not None and old.refresh_expires_at is not None and old.refresh_expires_at <= now:
        return 400, {"error": "invalid_grant", "error_description": "The refresh token has expired"}
    if replacement is not None:
        replacement.expires_at = now + ACCESS_LIFE
        pair = replacement
    else:
        pair = admin.issue(shop, expiring=True)
        for used in [used for used, renewed in shop.replaced_by.items() if renewed.refresh == refresh]:
            del shop.replaced_by[used]  # its replacement is used now: it is retired
        shop.replaced_by[refresh] = pair
        if old is not None:
            del shop.issued[old.access]
    lost = admin.draw(FaultKind.LOST_REFRESH_ANSWER)
    return None if lost else (200, _document(admin, shop, pair))


def _document(admin: Admin, shop: Shop, pair: Pair) -> dict[str, Any]:
    document: dict[str, Any] = {"access_token": pair.access, "scope": ",".join(shop.scopes)}
    if pair.expires_at is not None and pair.refresh_expires_at is not None:
        now = admin.clock()
        document |= {
            "expires_in": int((pair.expires_at - now).total_seconds()),
            "refresh_token": pair.refresh,
            "refresh_token_expires_in": int((pair.refresh_expires_at - now).total_seconds()),
        }
    return document
