"""Parts of a stored commerce event that no SQL looks into, compressed: three quarters of it, and the events of one body share them.

Compressed against a dictionary: text as orders have it, and nobody's. Whoever reads what was packed needs the dictionary it was packed
with, so `_DICTIONARIES` only grows: a better one gets the next number, and the first byte of what is packed says which it was.
"""

import base64
from typing import Final

import zstandard

SEPARATOR: Final = "\x1e"  # stands in no JSON text: control characters are escaped there
_LEVEL: Final = 1  # 7 us for 1.5 KB, 419 bytes left; level 3 takes 8 and leaves 414, level -1 takes 4.5 and leaves 517
_LIMIT_BYTES: Final = 64 * 1024 * 1024  # a part is read from a body, which the receiver bounds

# What is likely stands last: a reference to what is near costs less.
_FIRST: Final = b"".join(
    (
        b'"gift_card":true,"properties":{"name":"","note":"","refunded":"0.00","closed_at":"2026-01-01T00:00:00Z","cancelled_at":"',
        b'"cancel_reason":"customer","discount_codes":["WELCOME10"],"fulfillment_status":"fulfilled","status":"processing","completed",',
        b'"financial_status":"pending","partially_refunded","refunded","authorized","GBP","CHF","USD","payment_methods":["shopify_payments",',
        b'"paypal","stripe","manual"],"shipping_methods":["Standard","DHL","Free shipping"],"billing_country":"US","shipping_country":"GB",',
        b'"source_name":"subscription_contract","web","pos","landing_site":"/products/","/collections/","referring_site":',
        b'"https://www.google.com/","https://www.facebook.com/","?utm_source=google&utm_medium=cpc&utm_campaign=","gclid=",',
        b'"order":{"id":"1000","number":"#1001","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","paid_at":',
        b'"2026-01-01T00:00:00Z","currency":"EUR","total":"100.00","subtotal":"90.00","current_total":"100.00","tax":"19.00",',
        b'"shipping":"4.90","shipping_tax":"0","discount":"0.00","taxes_included":true,"paid_amount":"100.00","status":"open",',
        b'"financial_status":"paid","items":[{"product_id":"1","variant_id":"4","sku":"A-1","title":"","variant":"","vendor":"",',
        b'"quantity":1,"price":"10.00","total":"10.00"},{"product_id":"8000000000000","variant_id":"45000000000000","sku":"","title":"",',
        b'"vendor":"","quantity":2,"price":"20.00","total":"40.00"}],"payment_methods":["card"],"shipping_methods":["Standard"],',
        b'"billing_country":"DE","shipping_country":"DE","tags":["vip"],"source_name":"web","landing_site":"/","referring_site":',
        b'"https://www.google.com/","cart_token":"c1-","checkout_token":"","lists_refunds":true},"customer":{"key":"c:7000000000000",',
        b'"id":"7000000000000","email_sha256":"","phone_sha256":"","country":"DE","created_at":"2026-01-01T00:00:00Z",',
        b'"accepts_marketing":true}',
    )
)
_DICTIONARIES: Final = {1: zstandard.ZstdCompressionDict(_FIRST, dict_type=zstandard.DICT_TYPE_RAWCONTENT)}
_NUMBER: Final = 1
_COMPRESS: Final = zstandard.ZstdCompressor(_LEVEL, dict_data=_DICTIONARIES[_NUMBER]).compress
_DECOMPRESS: Final = {
    number: zstandard.ZstdDecompressor(dict_data=dictionary).decompress for number, dictionary in _DICTIONARIES.items()
}


def pack(parts: bytes) -> bytes:
    """Some members of a JSON object, as an object of their own, compressed."""
    return bytes((_NUMBER,)) + _COMPRESS(parts)


def unpack(packed: bytes) -> bytes:
    """The inverse of `pack`. Raises ValueError for what no dictionary is known of and what says that it is larger than a body may be,
    zstandard.ZstdError for what is damaged."""
    decompress = _DECOMPRESS.get(packed[0]) if packed else None
    if decompress is None:
        raise ValueError(
            f"Facts are packed with dictionary {packed[:1].hex() or 'none'}, and this version knows {sorted(_DECOMPRESS)}"
        )
    frame = packed[1:]
    if zstandard.frame_content_size(frame) > _LIMIT_BYTES:  # room for what it says is taken before it is read
        raise ValueError(f"Facts are damaged: unpacked they would have more than {_LIMIT_BYTES} bytes")
    return decompress(frame, max_output_size=_LIMIT_BYTES)


def as_read(facts: bytes, packed: bytes | None) -> str:
    """What SQL gives of a row that holds these (`queries/stored_facts.py`)."""
    text = facts.decode()
    # PostgreSQL breaks base64 after 76 characters, as Python does, but not at the end.
    return text if packed is None else text + SEPARATOR + base64.encodebytes(packed).decode().removesuffix("\n")


def whole(text: str) -> str | bytes:
    """The JSON object that SQL gave, with what was packed among its members."""
    facts, separator, packed = text.partition(SEPARATOR)
    if not separator:
        return text
    return facts[:-1].encode() + b"," + unpack(base64.b64decode(packed))[1:]
