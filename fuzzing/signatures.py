"""Checks of signatures: whatever stands in headers and body is answered by a known refusal; what is signed passes, and nothing beside it."""

import base64
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from custom_events.errors import NotAdmitted
from custom_events.platforms import timestamped
from custom_events.platforms.base import Secret
from custom_events.platforms.bigcommerce import signature as bigcommerce
from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.shopify import signature as shopify
from custom_events.platforms.stripe import signature as stripe
from custom_events.platforms.woocommerce import signature as woocommerce
from custom_events.shopify_app import signatures as shopify_app
from custom_events.shopify_app.app_settings import App
from custom_events.values.deliveries import Refusal
from custom_events.values.platforms import Platform
from fuzzing import seeds
from fuzzing.target import Target, request, request_of, require

NOW: Final = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
WINDOW_S: Final = 300
_SECRETS: Final = (Secret(value=b"the old one"), Secret(value=b"a & b &amp; c"))
_KNOWN: Final = {None, *(Refusal.NO_SIGNATURE, Refusal.MALFORMED_SIGNATURE, Refusal.WRONG_SIGNATURE, Refusal.TOO_OLD)}
_APP: Final = App(
    client_id="an id",
    client_secret="a secret of thirty-two characters",  # noqa: S106  (of nobody)
    base_url=None,
    timeout_s=1.0,
    console_url="https://console.example",
)
_KEY: Final = base64.urlsafe_b64encode(bytes(32))

Signer = Callable[[Mapping[str, str], bytes, bytes, datetime], dict[str, str]]


def _by_our_scheme(headers: Mapping[str, str], body: bytes, secret: bytes, now: datetime) -> dict[str, str]:
    signed = {**headers, timestamped.TIMESTAMP: str(int(now.timestamp()))}
    return {**signed, timestamped.SIGNATURE: timestamped.sign_v2(signed, body, secret)}


def _by_woocommerce(headers: Mapping[str, str], body: bytes, secret: bytes, _: datetime) -> dict[str, str]:
    native = {name: value for name, value in headers.items() if name != timestamped.SIGNATURE}
    return {**native, woocommerce.SIGNATURE: woocommerce.sign(body, secret)}


# How a store of each platform signs: headers, body, secret, now.
SIGNERS: Final[Mapping[Platform, Signer]] = {
    Platform.SHOPIFY: lambda headers, body, secret, _: {**headers, shopify.SIGNATURE: shopify.sign(body, secret)},
    Platform.WOOCOMMERCE: _by_woocommerce,
    Platform.CUSTOM: _by_our_scheme,
    Platform.STRIPE: lambda headers, body, secret, now: {**headers, stripe.SIGNATURE: stripe.sign(body, secret, now)},
    Platform.BIGCOMMERCE: lambda headers, _body, secret, _now: {**headers, bigcommerce.TOKEN: secret.decode()},
}
_COVERS_NO_BODY: Final = {Platform.BIGCOMMERCE}


def check(platform: Platform, data: bytes) -> None:
    """The law for one input."""
    headers, body = request_of(data)
    of_store = PLATFORMS[platform]
    require(of_store.check(headers, body, _SECRETS, NOW, WINDOW_S) in _KNOWN, "a known refusal")
    of_store.is_handshake(headers, body)
    for secret in _SECRETS:
        signed = SIGNERS[platform](headers, body, secret.value, NOW)
        require(of_store.check(signed, body, _SECRETS, NOW, WINDOW_S) is None, "what is signed passes")
        require(of_store.check(signed, body, (), NOW, WINDOW_S) is Refusal.WRONG_SIGNATURE, "no secret, no entry")
        if platform not in _COVERS_NO_BODY:
            other = of_store.check(signed, body + b" ", _SECRETS, NOW, WINDOW_S)
            require(other is Refusal.WRONG_SIGNATURE, "a signature is for one body")


def check_app(data: bytes) -> None:
    """What browsers bring from Shopify's admin, a line each: query, session token, state, nonce. Nobody is admitted but by a signature."""
    lines = (data.decode("utf-8", "surrogateescape").split("\n") + [""] * 4)[:4]
    pairs = [(name, value) for name, _, value in (part.partition("=") for part in lines[0].split("&"))]
    calls: tuple[Callable[[], Any], ...] = (
        lambda: shopify_app.check_query(_APP, pairs, NOW),
        lambda: shopify_app.shop_of_session(_APP, lines[1], NOW),
        lambda: shopify_app.check_state(lines[2], lines[3], "a.myshopify.com", _KEY, NOW),
    )
    for call in calls:
        try:
            call()
        except NotAdmitted:
            continue
        require(False, "nobody is admitted without a signature")


def _seeds(platform: Platform) -> Iterator[bytes]:
    for data in list(seeds.requests_of(platform))[:6]:
        headers, body = request_of(data)
        signed = SIGNERS[platform](headers, body, _SECRETS[0].value, NOW)
        yield request(signed, body)
        yield request({name: value[:-3] for name, value in signed.items()}, body)


def _app_seeds() -> Iterator[bytes]:
    state, nonce = shopify_app.begin("b.myshopify.com", _KEY, NOW)
    parts = ({"alg": "none", "typ": "JWT"}, {"dest": "https://a.myshopify.com", "exp": 1, "nbf": 0, "aud": "an id"})
    token = ".".join(base64.urlsafe_b64encode(msgspec.json.encode(part)).decode().rstrip("=") for part in parts)
    yield f"shop=a.myshopify.com&timestamp=1795600000&hmac={'0' * 64}\n{token}.AAAA\n{state}\n{nonce}".encode()
    yield b"hmac=1&hmac=2&signature=3\n..\n\n"


def _words(platform: Platform) -> tuple[str, ...]:
    signed = SIGNERS[platform]({}, b"", _SECRETS[0].value, NOW)
    return tuple(sorted({*signed, *PLATFORMS[platform].kept_headers, "v1=", "v2=", "t=", ",v1=", "&amp;"}))


TARGETS: Final = (
    *(
        Target(
            name=f"signature_{platform}",
            law="any headers and body: a known refusal; what a secret signs passes, and no other body with that signature",
            run=lambda data, platform=platform: check(platform, data),
            seeds=lambda platform=platform: _seeds(platform),
            words=_words(platform),
        )
        for platform in SIGNERS
    ),
    Target(
        name="signature_shopify_app",
        law="any query, session token and state: nobody is admitted, and nothing else is raised",
        run=check_app,
        seeds=_app_seeds,
        words=("hmac=", "timestamp=", "shop=", "alg", "HS256", "none", "dest", "iss", "exp", "nbf", "aud"),
    ),
)
