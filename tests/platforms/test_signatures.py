"""Who may speak for a site: right secrets pass, everything else is refused by its name, and nothing raises."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.platforms import timestamped
from custom_events.platforms.base import Secret, StorePlatform
from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.shopify import delivery as shopify_delivery
from custom_events.platforms.shopify import signature as shopify
from custom_events.platforms.woocommerce import delivery as woo_delivery
from custom_events.platforms.woocommerce import signature as woo
from custom_events.values.deliveries import Platform, Refusal

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
WINDOW_S = 300
BODY = b'{"id":1}'
OLD, NEW = Secret(value=b"old secret"), Secret(value=b"new secret", key_id="k2")


def check(
    platform: Platform, headers: dict[str, str], body: bytes = BODY, secrets: tuple[Secret, ...] = (OLD, NEW)
) -> Refusal | None:
    return PLATFORMS[platform].check(headers, body, secrets, NOW, WINDOW_S)


def ours(secret: bytes = b"new secret", now: datetime = NOW, key_id: str | None = None) -> dict[str, str]:
    return timestamped.signed_headers(BODY, secret, now=now, event_id="e1", topic="order.paid", key_id=key_id)


def test_shopify_signs_as_the_documentation_says() -> None:
    expected = base64.b64encode(hmac.new(b"old secret", BODY, hashlib.sha256).digest()).decode()
    assert shopify.sign(BODY, b"old secret") == expected


@pytest.mark.parametrize("secret", [b"old secret", b"new secret"])
def test_shopify_takes_every_secret_while_they_rotate(secret: bytes) -> None:
    assert check(Platform.SHOPIFY, {shopify.SIGNATURE: shopify.sign(BODY, secret)}) is None


@pytest.mark.parametrize("platform", [Platform.SHOPIFY, Platform.WOOCOMMERCE])
@pytest.mark.parametrize(
    ("given_signature", "refusal"),
    [
        (None, Refusal.NO_SIGNATURE),
        ("", Refusal.NO_SIGNATURE),
        ("not base64!", Refusal.MALFORMED_SIGNATURE),
        ("häßlich", Refusal.MALFORMED_SIGNATURE),
        ("AAAA", Refusal.MALFORMED_SIGNATURE),  # base64, but no 32 bytes
        (base64.b64encode(bytes(32)).decode(), Refusal.WRONG_SIGNATURE),
    ],
)
def test_native_signatures_are_refused_by_their_fault(
    platform: Platform, given_signature: str | None, refusal: Refusal
) -> None:
    name = shopify.SIGNATURE if platform is Platform.SHOPIFY else woo.SIGNATURE
    headers = {} if given_signature is None else {name: given_signature}
    assert check(platform, headers) is refusal


def test_a_signature_fits_exactly_one_body() -> None:
    headers = {shopify.SIGNATURE: shopify.sign(BODY, b"old secret")}
    assert check(Platform.SHOPIFY, headers, BODY + b" ") is Refusal.WRONG_SIGNATURE
    assert check(Platform.SHOPIFY, headers, BODY, ()) is Refusal.WRONG_SIGNATURE


@pytest.mark.parametrize(
    ("stored", "key"),
    [
        (b"plain", b"plain"),
        (b"a&amp;b", b"a&b"),
        (b"&lt;&gt;&quot;", b'<>"'),
        (b"&#039;&#39;&#0039;&#x27;&#X0027;", b"'''''"),
        (b"&#038;&#x26;&#60;&#x3C;&#062;&#34;", b'&&<<>"'),
        (b"&amp;lt;", b"&lt;"),  # decoded once
        (b"&AMP;&nbsp;&#40;", b"&AMP;&nbsp;&#40;"),  # not among WordPress's
    ],
)
def test_woocommerce_decodes_its_secret_as_wordpress_does(stored: bytes, key: bytes) -> None:
    assert woo.decoded_secret(stored) == key
    signature = base64.b64encode(hmac.new(key, BODY, hashlib.sha256).digest()).decode()
    assert woo.sign(BODY, stored) == signature
    assert check(Platform.WOOCOMMERCE, {woo.SIGNATURE: signature}, secrets=(Secret(value=stored),)) is None


@pytest.mark.parametrize("platform", [Platform.WOOCOMMERCE, Platform.CUSTOM])
def test_our_own_scheme_is_taken_from_the_plugin_and_from_custom_senders(platform: Platform) -> None:
    assert check(platform, ours()) is None
    assert check(platform, ours(key_id="k2")) is None
    assert check(platform, ours(b"old secret", key_id="any")) is None  # that secret has no key id
    assert check(platform, ours(b"new secret", key_id="other")) is Refusal.WRONG_SIGNATURE
    assert check(platform, ours(b"third")) is Refusal.WRONG_SIGNATURE


def test_the_second_version_signs_time_key_event_id_topic_and_body() -> None:
    headers = ours(b"s", key_id="k2")
    message = f"v2\n{headers[timestamped.TIMESTAMP]}\nk2\ne1\norder.paid\n".encode() + BODY
    assert headers[timestamped.SIGNATURE] == "v2=" + hmac.new(b"s", message, hashlib.sha256).hexdigest()


def test_a_header_that_no_request_can_carry_is_refused_and_raises_nothing() -> None:
    assert check(Platform.CUSTOM, ours() | {timestamped.TOPIC: "order.paid€"}) is Refusal.WRONG_SIGNATURE


@pytest.mark.parametrize("name", [timestamped.TIMESTAMP, timestamped.EVENT_ID, timestamped.TOPIC, timestamped.KEY_ID])
def test_no_header_of_the_second_version_can_be_changed(name: str) -> None:
    headers = ours(b"old secret", key_id="any")
    assert check(Platform.CUSTOM, headers) is None
    assert check(Platform.CUSTOM, headers | {name: headers[name] + "1"}) is Refusal.WRONG_SIGNATURE
    without = {key: value for key, value in headers.items() if key != name}
    assert check(Platform.CUSTOM, without) in (Refusal.WRONG_SIGNATURE, Refusal.MALFORMED_SIGNATURE)


@given(st.lists(st.text("ab1\xe9", max_size=3), min_size=8, max_size=8))
def test_two_deliveries_have_no_signature_in_common(parts: list[str]) -> None:
    names = (timestamped.TIMESTAMP, timestamped.KEY_ID, timestamped.EVENT_ID, timestamped.TOPIC)
    first, second = dict(zip(names, parts[:4], strict=True)), dict(zip(names, parts[4:], strict=True))
    same = timestamped.sign_v2(first, BODY, b"s") == timestamped.sign_v2(second, BODY, b"s")
    assert same == (first == second)


def test_the_first_version_signs_timestamp_dot_body_and_is_still_taken() -> None:
    headers = timestamped.signed_headers(BODY, b"old secret", now=NOW, event_id="e", topic="order.paid", version=1)
    message = headers[timestamped.TIMESTAMP].encode() + b"." + BODY
    assert headers[timestamped.SIGNATURE] == "v1=" + hmac.new(b"old secret", message, hashlib.sha256).hexdigest()
    for platform in (Platform.WOOCOMMERCE, Platform.CUSTOM):
        assert check(platform, headers) is None


@pytest.mark.parametrize(
    ("shift_s", "refusal"), [(-300, None), (300, None), (-301, Refusal.TOO_OLD), (301, Refusal.TOO_OLD)]
)
def test_a_captured_delivery_is_no_use_outside_the_window(shift_s: int, refusal: Refusal | None) -> None:
    assert check(Platform.CUSTOM, ours(now=NOW + timedelta(seconds=shift_s))) is refusal


def test_who_has_no_secret_does_not_learn_that_the_time_was_wrong() -> None:
    assert check(Platform.CUSTOM, ours(b"wrong", now=NOW - timedelta(days=1))) is Refusal.WRONG_SIGNATURE


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({timestamped.SIGNATURE: ""}, Refusal.NO_SIGNATURE),
        ({timestamped.SIGNATURE: "v3=" + "0" * 64}, Refusal.MALFORMED_SIGNATURE),
        ({timestamped.SIGNATURE: "v2=zz"}, Refusal.MALFORMED_SIGNATURE),
        ({timestamped.SIGNATURE: "v2=" + "é" * 64}, Refusal.MALFORMED_SIGNATURE),
        ({timestamped.TIMESTAMP: ""}, Refusal.MALFORMED_SIGNATURE),
        ({timestamped.TIMESTAMP: "-5"}, Refusal.MALFORMED_SIGNATURE),
        ({timestamped.TIMESTAMP: "9" * 12}, Refusal.MALFORMED_SIGNATURE),
        ({timestamped.TIMESTAMP: "١٢٣"}, Refusal.MALFORMED_SIGNATURE),
        ({timestamped.TIMESTAMP: "1"}, Refusal.WRONG_SIGNATURE),
    ],
)
def test_our_own_scheme_refuses_by_the_fault(changed: dict[str, str], refusal: Refusal) -> None:
    assert check(Platform.CUSTOM, ours() | changed) is refusal


def test_no_signature_at_all() -> None:
    assert check(Platform.CUSTOM, {}) is Refusal.NO_SIGNATURE
    assert check(Platform.WOOCOMMERCE, {}) is Refusal.NO_SIGNATURE


def test_the_sandbox_headers_pass_the_checks() -> None:
    headers = shopify_delivery.signed_headers(
        BODY, b"old secret", topic="orders/paid", shop_domain="a.myshopify.com", webhook_id="w", triggered_at=NOW
    )
    assert check(Platform.SHOPIFY, headers) is None
    headers = woo_delivery.signed_headers(
        BODY, b"old secret", topic="order.created", source="https://a.example/", webhook_id=3, delivery_id="d"
    )
    assert check(Platform.WOOCOMMERCE, headers) is None


@pytest.mark.parametrize("blanks", [" ", "\t", " \t  "])
def test_blanks_around_a_value_are_no_part_of_it(blanks: str) -> None:
    """RFC 9110: optional white space; httptools leaves what stands at the end of a value."""
    native = {
        Platform.SHOPIFY: {shopify.SIGNATURE: shopify.sign(BODY, b"old secret")},
        Platform.WOOCOMMERCE: {woo.SIGNATURE: woo.sign(BODY, b"old secret")},
        Platform.CUSTOM: ours(key_id="k2"),
    }
    for platform, headers in [*native.items(), (Platform.WOOCOMMERCE, ours(key_id="k2"))]:
        padded = {name: f"{blanks}{value}{blanks}" for name, value in headers.items()}
        assert check(platform, padded) is None
        assert PLATFORMS[platform].describe(padded, BODY) == PLATFORMS[platform].describe(headers, BODY)
        assert check(platform, dict.fromkeys(headers, blanks)) is Refusal.NO_SIGNATURE
    inside = ours() | {timestamped.SIGNATURE: ours()[timestamped.SIGNATURE].replace("=", f"={blanks}")}
    assert check(Platform.CUSTOM, inside) is Refusal.MALFORMED_SIGNATURE


def test_other_white_space_is_part_of_a_value() -> None:
    space = "\xa0"  # Python strips it, too, where it is not told what to strip
    headers = ours(key_id=f"k2{space}")
    message = f"v2\n{headers[timestamped.TIMESTAMP]}\nk2{space}\ne1\norder.paid\n".encode("latin-1") + BODY
    assert headers[timestamped.SIGNATURE] == "v2=" + hmac.new(b"new secret", message, hashlib.sha256).hexdigest()
    assert check(Platform.CUSTOM, headers) is Refusal.WRONG_SIGNATURE, "it names another key"
    for name in (timestamped.SIGNATURE, timestamped.TIMESTAMP):
        assert check(Platform.CUSTOM, ours() | {name: ours()[name] + space}) is Refusal.MALFORMED_SIGNATURE
    assert check(Platform.CUSTOM, ours() | {timestamped.SIGNATURE: space}) is Refusal.MALFORMED_SIGNATURE
    native = shopify.sign(BODY, b"old secret")
    for other in (native + space, f"{native[:4]}!{native[4:]}", f"{native[:4]}\n{native[4:]}"):
        assert check(Platform.SHOPIFY, {shopify.SIGNATURE: other}) is Refusal.MALFORMED_SIGNATURE


@given(
    platform=st.sampled_from(list(PLATFORMS.values())),
    headers=st.dictionaries(
        st.sampled_from(
            [shopify.SIGNATURE, woo.SIGNATURE, timestamped.SIGNATURE, timestamped.TIMESTAMP, timestamped.KEY_ID]
        ),
        st.text() | st.from_regex(r"v1=[0-9a-f]{64}", fullmatch=True) | st.integers().map(str),
    ),
    body=st.binary(),
)
def test_nothing_a_stranger_sends_raises_or_passes(
    platform: StorePlatform, headers: dict[str, str], body: bytes
) -> None:
    assert platform.check(headers, body, (OLD, NEW), NOW, WINDOW_S) is not None
    platform.describe(headers, body)
    platform.is_handshake(headers, body)
