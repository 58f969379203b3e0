"""Every answer of the hot path, made once: nothing is built for a request, neither ASGI messages nor the bytes of a response."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from custom_events.settings import Settings
from custom_events.values.deliveries import Refusal

OUTCOME = "delivery"  # header of every 200: landed, duplicate or ping


CLOSE = (b"connection", b"close")  # with it the server says that it takes nothing more on this connection


@dataclass(frozen=True, slots=True)
class Answer:
    """The two ASGI messages of one answer, its status for tests and logs, and its bytes on the wire: usual, and the connection's last."""

    status: int
    start: dict[str, Any]
    body: dict[str, Any]
    wire: bytes
    last: bytes


def _made(status: int, lines: list[tuple[bytes, bytes]], body: bytes) -> Answer:
    start = {"type": "http.response.start", "status": status, "headers": lines}
    wire, last = (_wire(status, headers, body) for headers in (lines, [*lines, CLOSE]))
    return Answer(status, start, {"type": "http.response.body", "body": body}, wire, last)


def _wire(status: int, lines: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    head = b"HTTP/1.1 %d %s\r\n" % (status, HTTPStatus(status).phrase.encode())
    return head + b"".join(b"%s: %s\r\n" % line for line in lines) + b"\r\n" + body


def answer(status: int, payload: dict[str, str], **headers: str) -> Answer:
    """An answer with a JSON body. Header names are written with `_` for `-`."""
    body = json.dumps(payload, separators=(",", ":")).encode()
    lines = {"content-type": "application/json", "content-length": str(len(body))}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    return _made(status, [(name.encode(), value.encode()) for name, value in lines.items()], body)


def empty(status: int, **headers: str) -> Answer:
    """An answer without a body. Header names are written with `_` for `-`."""
    return _made(status, [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()], b"")


def done(outcome: str) -> Answer:
    """200 without a body, its outcome in a header: an ASGI server sends head and body apart, and a second send costs a seventh of
    the receiver's throughput (decision 0002). Stores look at the status alone."""
    return _made(200, [(b"content-length", b"0"), (OUTCOME.encode(), outcome.encode())], b"")


def error(status: int, code: str, message: str, remedy: str, **headers: str) -> Answer:
    """An answer that says what is wrong (`message`) and what to do about it (`remedy`)."""
    return answer(status, {"error": code, "message": message, "remedy": remedy}, **headers)


LANDED = done("landed")
DUPLICATE = done("duplicate")
HANDSHAKE = done("ping")  # WooCommerce takes nothing but 200 here (docs/reference/platforms.md 2.1)
NO_SUCH_ADDRESS = error(
    404,
    "no_such_address",
    "No webhook address looks like this.",
    "Use /webhooks/{shopify|woocommerce|custom}/{site_key} as the site's page shows it.",
)
METHOD_NOT_ALLOWED = error(
    405, "method_not_allowed", "Webhooks are sent with POST.", "Send the delivery with POST.", allow="POST"
)
# A head larger than this is nobody's: stores write about 1 KB in a dozen lines, proxies add a few (other servers allow 8 to 32 KiB).
HEAD_LIMIT_BYTES = 32 * 1024  # address, names and values
HEAD_LIMIT_LINES = 100
HEAD_TOO_LARGE = error(
    431,
    "head_too_large",
    f"Address and header lines are longer than {HEAD_LIMIT_BYTES} bytes, or more than {HEAD_LIMIT_LINES} lines.",
    "Leave headers out of the request.",
)
TOO_SLOW = error(408, "too_slow", "The body did not arrive in time.", "Send the delivery again.")


def refusals(settings: Settings) -> dict[Refusal, Answer]:
    """The answer for every reason to refuse. Says what the sender got wrong, and nothing about a site's secrets."""
    limit, window = settings.body_limit_bytes, settings.replay_window_s
    return {
        Refusal.NO_SUCH_SITE: error(
            401,
            Refusal.NO_SUCH_SITE,
            "No site belongs to this address or shop domain.",
            "Copy the address from the site's page; a deleted site's webhook is to be removed in the store.",
        ),
        Refusal.NO_SIGNATURE: error(
            401,
            Refusal.NO_SIGNATURE,
            "The signature header is missing.",
            "Set a secret for the webhook in the store, and let no proxy remove headers.",
        ),
        Refusal.MALFORMED_SIGNATURE: error(
            401,
            Refusal.MALFORMED_SIGNATURE,
            "The signature header cannot be read.",
            "Stores' own: base64 of 32 bytes. Timestamped: v2= and 64 hex digits, and a timestamp in seconds.",
        ),
        Refusal.WRONG_SIGNATURE: error(
            401,
            Refusal.WRONG_SIGNATURE,
            "The signature does not match the bytes that arrived.",
            "Enter the same secret here and in the store, and let no proxy rewrite the body.",
        ),
        Refusal.TOO_OLD: error(
            401,
            Refusal.TOO_OLD,
            f"The signed timestamp is more than {window} seconds away from this server's clock.",
            "Sign each attempt anew, and set the sender's clock.",
        ),
        Refusal.TOO_LARGE: error(
            413,
            Refusal.TOO_LARGE,
            f"The body is larger than {limit} bytes.",
            "Leave fields out of the webhook, or have the operator raise CUSTOM_EVENTS_BODY_LIMIT_BYTES.",
        ),
        Refusal.SITE_REMOVED: error(
            410,
            Refusal.SITE_REMOVED,
            "This site was removed.",
            "Delete the webhook in the store, or have the operator bring the site back: custom-events site resume.",
        ),
        Refusal.BUSY: error(
            503,
            Refusal.BUSY,
            "The delivery could not be stored just now.",
            f"Send it again in {settings.retry_after_s} seconds.",
            retry_after=str(settings.retry_after_s),
        ),
    }
