"""Requests to a store's own API: https only, to no address of a private network, in bounds of time and size, again after what passes.

A store's address is typed by people of a shop: without the check it would lead us into our own network. The name is resolved once, and
the connection goes to the address that was checked.
"""

import socket
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Self
from urllib.parse import urlsplit

import httpx
import msgspec

from custom_events.errors import InvalidConfiguration, NeedsAction, Transient
from custom_events.values.hosts import is_public
from custom_events.values.times import as_utc

TIMEOUT_S: Final = 60.0  # without a byte of an answer; a hundred orders take a slow shop half of that
ANSWER_S: Final = 300.0  # of one answer, however it trickles: the orders of all sites are read one after the other
BODY_LIMIT_BYTES: Final = (
    64 * 1024 * 1024
)  # of one answer: a hundred orders of 500 lines (docs/reference/platforms.md 3)
UNPACKED_BYTES: Final = 64 * 1024  # of a packed answer at a time: what a small piece becomes is up to whoever packed it
ATTEMPTS: Final = 5
WAITS_S: Final = (1.0, 4.0, 15.0, 60.0)  # before the second attempt and later ones
LONGEST_WAIT_S: Final = 120.0  # a store that asks for more is read by the next run
RATE_LIMIT_RESET: Final = "x-rate-limit-time-reset-ms"  # BigCommerce: until the limit of requests is counted anew
_GONE: Final = int(httpx.codes.NOT_FOUND)
_BUSY: Final = int(httpx.codes.TOO_MANY_REQUESTS)
_USER_AGENT: Final = "CustomEvents/1.0 (order recovery)"

Resolve = Callable[[str, int], list[str]]
Sleep = Callable[[float], None]


class StoreAnswer(msgspec.Struct, frozen=True):
    """The body of a good answer, and a moment by the store's clock before which nothing in it was read: what changed later may be missing."""

    body: bytes
    read_at: datetime


def addresses_of(host: str, port: int) -> list[str]:
    """What a host's name stands for. Raises OSError."""
    return list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def checked_url(url: str, *, allow_private: bool) -> str:
    """A store's address in its plain form. Raises InvalidConfiguration for one that is none: not https (http only where private ones are
    allowed), with a login, a query or a fragment."""
    schemes = ("https", "http") if allow_private else ("https",)
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        httpx.URL(url.strip())
    except (ValueError, httpx.InvalidURL):
        raise InvalidConfiguration(f"{url!r} is no address; write https://shop.example", path="store_url") from None
    if parts.scheme not in schemes or not parts.hostname or not url.isprintable():
        raise InvalidConfiguration(f"{url!r} is no address with https; write https://shop.example", path="store_url")
    if parts.username is not None or parts.query or parts.fragment:
        raise InvalidConfiguration("a login, a query or a fragment has no place here", path="store_url")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{parts.path.rstrip('/')}"


class _NotThere(NeedsAction):
    """The store has nothing at this place."""


class StoreClient:
    """GET requests to one store. `close` it, or use it as a context manager."""

    def __init__(
        self,
        store_url: str,
        *,
        allow_private: bool,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        resolve: Resolve = addresses_of,
        sleep: Sleep = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = checked_url(store_url, allow_private=allow_private)
        self._sleep = sleep
        self._client = httpx.Client(
            auth=auth,
            headers={
                "user-agent": _USER_AGENT,
                "accept": "application/json",
                "accept-encoding": "gzip",
                **(headers or {}),
            },
            timeout=TIMEOUT_S,
            follow_redirects=False,
            trust_env=False,
            transport=transport or _CheckedTransport(resolve, allow_private=allow_private),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, params: Mapping[str, str]) -> StoreAnswer:
        """The answer to GET `path`. Tries again after what passes: 429, 5xx, no answer. Raises Transient when it does not pass, NeedsAction
        for what a person must mend."""
        for attempt in range(ATTEMPTS):
            try:
                answer = self._attempt(path, params)
            except httpx.HTTPError as error:
                answer = Transient(f"{self._url} did not answer ({type(error).__name__})")
            if isinstance(answer, StoreAnswer):
                return answer
            wait_s = max(answer.retry_after_s, WAITS_S[min(attempt, len(WAITS_S) - 1)])
            if attempt == ATTEMPTS - 1 or wait_s > LONGEST_WAIT_S:
                raise answer
            self._sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    def find(self, path: str, params: Mapping[str, str]) -> StoreAnswer | None:
        """The same; None where the store has no such thing (404)."""
        try:
            return self.get(path, params)
        except _NotThere:
            return None

    def _attempt(self, path: str, params: Mapping[str, str]) -> StoreAnswer | Transient:
        started = time.monotonic()
        with self._client.stream("GET", self._url + path, params=dict(params)) as response:
            body = bytearray()
            for piece in self._pieces(response):
                body += piece
                if time.monotonic() - started > ANSWER_S:
                    return Transient(f"{self._url} takes longer than {ANSWER_S:.0f} s for an answer")
                if len(body) > BODY_LIMIT_BYTES:
                    raise NeedsAction(f"{self._url} answers with more than {BODY_LIMIT_BYTES} bytes", who="site owner")
            status = response.status_code
            if status == _BUSY or status >= httpx.codes.INTERNAL_SERVER_ERROR:
                wait_s = _asked_wait_s(response.headers)
                return Transient(f"{self._url} answers {status}", wait_s)
            if status == _GONE:
                raise _NotThere(self._refusal(status), who="site owner")
            if not response.is_success:
                raise NeedsAction(self._refusal(status), who="site owner")
            elapsed = timedelta(seconds=time.monotonic() - started)
            return StoreAnswer(bytes(body), _clock(response.headers.get("date")) - elapsed)

    def _pieces(self, response: httpx.Response) -> Iterator[bytes]:
        """The body in pieces of bounded size. httpx would unpack each whole, and any number of encodings around each other: of a few
        kilobytes become gigabytes so. Raises DecodingError where it is damaged."""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding == "identity":
            yield from response.iter_raw()
            return
        if encoding != "gzip":
            raise NeedsAction(
                f"{self._url} packs its answers by {encoding[:40]!r}: gzip was asked for", who="site owner"
            )
        unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)  # 16: with gzip's head
        try:
            for packed in response.iter_raw():
                left = packed
                while left:
                    yield unpacking.decompress(left, UNPACKED_BYTES)
                    left = unpacking.unconsumed_tail
            yield unpacking.flush()
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from None

    def _refusal(self, status: int) -> str:
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            return f"{self._url} refuses the key ({status}): make one that may read orders, then `custom-events site api-key set`"
        if httpx.codes.MULTIPLE_CHOICES <= status < httpx.codes.BAD_REQUEST:
            return f"{self._url} redirects ({status}): enter the address that it leads to"
        return f"{self._url} has no such API ({status}): is the address right, and are its permalinks other than plain?"


class _CheckedTransport(httpx.HTTPTransport):
    """Connects to the address that was checked; certificate and Host header are the name's."""

    def __init__(self, resolve: Resolve, *, allow_private: bool) -> None:
        super().__init__(trust_env=False)
        self._resolve = resolve
        self._allow_private = allow_private

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.BaseTransport.handle_request`."""
        host, port = request.url.host, request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:  # a label of more than 63 characters
            raise httpx.ConnectError(f"{host} is not known") from error
        if not self._allow_private and not all(is_public(address) for address in addresses):
            raise NeedsAction(
                f"{host} is an address of a private network: enter the store's public one", who="site owner"
            )
        request.url = request.url.copy_with(host=addresses[0])
        request.extensions = {**request.extensions, "sni_hostname": host}
        return super().handle_request(request)


def _asked_wait_s(headers: httpx.Headers) -> float:
    """Seconds that a store asks for: by the usual header, or by BigCommerce's, in milliseconds. 0 where it says none, or a date."""
    usual, of_limit = headers.get("retry-after", ""), headers.get(RATE_LIMIT_RESET, "")
    if usual.isdecimal():
        return float(usual)
    return float(of_limit) / 1_000 if of_limit.isdecimal() else 0.0


def _clock(date: str | None) -> datetime:
    """The store's clock by its Date header; ours where it has none."""
    try:
        return as_utc(parsedate_to_datetime(date or ""))
    except ValueError:
        return datetime.now(UTC)
