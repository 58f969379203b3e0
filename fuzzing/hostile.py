"""Large inputs that are made to take long: deep, wide, and what makes searches and regular expressions go over a text again and again."""

from collections.abc import Mapping
from typing import Final

# What is repeated, and what stands before and after it.
_WHOLE: Final[Mapping[str, tuple[bytes, bytes, bytes]]] = {
    "deep_lists": (b"[", b"", b""),
    "deep_objects": (b'{"a":', b"", b""),
    "many_names": (b'"k":1,', b"{", b'"z":1}'),
    "many_items": (b'{"id":1},', b'{"type":"order.paid","order":{"items":[', b'{"id":1}]}}'),
    "whole_number": (b"1", b"", b""),
    "exponent": (b"9", b'{"total":1e', b"}"),
    "blanks": (b" ", b"", b""),
    "quotes": (b'"', b"", b""),
    "backslashes": (b"\\", b'"', b'"'),
    "line_ends": (b"\r\n", b"", b""),
    "commas": (b",", b'"1,', b""),
    "no_text": (b"\xff\xc3", b"", b""),
    "zeros": (b"\0", b"", b""),
    "header_flood": (b"x-shopify-topic: a\n", b"", b""),
    "long_signature": (b"v1=,", b"stripe-signature: t=1,", b""),
    "long_base64": (b"AAAA", b"x-shopify-hmac-sha256: ", b""),
    "long_token": (b"a", b"x-custom-events-token: ", b""),
    "long_time": (b"0", b"x-shopify-triggered-at: 2026-01-01T00:00:00.", b""),
}
# A text of a body: what looks for addresses, numbers and links goes over it.
_TEXTS: Final = {
    "addresses": b"a@b.",
    "at_signs": b"@",
    "letters": b"a",
    "dots": b"a.",
    "digits": b"1 ",
    "links": b"gid://shopify/Order/1",
    "percents": b"%40",
    "hexadecimal": b"0123456789abcdef",
    "formulas": b"=1+",
    "entities": b"&amp;",
    "query": b"gclid=a&",
}
_PATTERN: Final = b'{"field":"customer.email_sha256","op":"matches","value":"'


def inputs(size: int) -> Mapping[str, bytes]:
    """The inputs by name, each of about `size` bytes; as they are, and as the body behind an empty head."""
    made = {name: begin + piece * (size // len(piece)) + end for name, (piece, begin, end) in _WHOLE.items()}
    made |= {f"body_{name}": b"\n\n" + data for name, data in list(made.items())}
    for name, piece in _TEXTS.items():
        text = piece * (size // len(piece))
        made[f"text_{name}"] = b'\n\n{"note":"x@' + text + b'","phone":"+' + text[:5_000] + b'"}'
        made[f"pattern_{name}"] = _PATTERN + text + b'"}'
    return made
