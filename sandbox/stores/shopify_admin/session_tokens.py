"""Session tokens as Shopify's admin gives them to an embedded app: JSON Web Tokens signed by the app's secret (HS256)."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

LIFE = timedelta(minutes=1)


def session_token(shop: str, client_id: str, client_secret: str, now: datetime, **changed: Any) -> str:
    """The token of somebody who opens the app in the shop's admin. `changed` replaces claims, for what must be refused."""
    claims = {
        "iss": f"https://{shop}/admin",
        "dest": f"https://{shop}",
        "aud": client_id,
        "sub": "42",
        "exp": int((now + LIFE).timestamp()),
        "nbf": int(now.timestamp()),
        "iat": int(now.timestamp()),
        "jti": "f8912129-1af6-4cad-9ca3-76b0f7621087",
        "sid": "aaea182f2732d44c23057c0fea584021a4485b2bd25d3eb7fd349313ad24c685",
        **changed,
    }
    head = _part({"alg": "HS256", "typ": "JWT"})
    return f"{head}.{_part(claims)}.{_signature(f'{head}.{_part(claims)}', client_secret)}"


def names_shop(token: str, shop: str, client_id: str, client_secret: str, now: datetime) -> bool:
    """Whether Shopify would take the token for this shop and app."""
    signed, _, written = token.rpartition(".")
    if not hmac.compare_digest(_signature(signed, client_secret), written):
        return False
    middle = signed.partition(".")[2]
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return claims["dest"] == f"https://{shop}" and claims["aud"] == client_id and claims["exp"] > now.timestamp()


def _part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def _signature(signed: str, secret: str) -> str:
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
