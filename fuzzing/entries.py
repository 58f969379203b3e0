"""What else anybody sends, or hands back: beacons, bodies of the API, cursors, files of bulk changes and of rules; and what we stored."""

import base64
import csv
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec
import zstandard

from console.api import bodies
from console.api.problems import ProblemError
from custom_events.browse.pages import Place, place_of
from custom_events.catalog.bulk import csv_files
from custom_events.catalog.files import text as rule_files
from custom_events.errors import InvalidConfiguration
from custom_events.platforms import beacons
from custom_events.values import csv_lines, cursors, packed_facts
from custom_events.values.definitions import DefinitionConfig
from custom_events.values.deliveries import RawDelivery, UnderstoodBeacon
from custom_events.values.events import from_json, to_stored
from fuzzing.conditions import events
from fuzzing.target import Target, require
from ingest_api import collect

_CALLERS: Final = (400, 422)  # HTTP statuses
_CURSOR_KINDS: Final = (tuple[str, int], tuple[str, str, int], Place)
_HEADER: Final = "site_id,definition_key,label,is_active,is_published,overrides"
_MOST_PACKED_BYTES: Final = 1 << 20  # of an input that is packed
_MOST_RENDERED_BYTES: Final = 8_192  # of an input that is written again: ours write what we had checked
_MOST_CELL_CHARS: Final = 100_000  # Python's reader takes 131,072


def check_beacon(data: bytes) -> None:
    """Any body of POST /collect: no beacon, or one that is landed and read again as it is."""
    sent = beacons.read(data[: collect.BODY_LIMIT_BYTES])
    if sent is None:
        return
    landed = beacons.to_json(sent[1])
    require(beacons.to_json(beacons.read(data)[1]) == landed, "the same again is the same")  # type: ignore[index]
    require(len(landed) <= 2 * collect.BODY_LIMIT_BYTES, "what is landed is bounded")
    understood = beacons.understand(RawDelivery(topic=None, body=landed))
    if sent[1].is_of_use:
        require(isinstance(understood, UnderstoodBeacon) and understood.beacon == sent[1], "it is read again as it is")


def check_api_body(data: bytes) -> None:
    """Any body of the API: a value, or a problem; and so of what it says."""
    try:
        value = bodies.decode(data)
        bodies.typed(value, DefinitionConfig)
    except ProblemError as error:
        require(error.kind.status in _CALLERS, "a problem of the caller's")


def check_cursor(data: bytes) -> None:
    """Any cursor, and any value within one: a place, or ValueError."""
    for cursor in (data.decode("latin-1"), base64.urlsafe_b64encode(data).decode().rstrip("=")):
        for kind in _CURSOR_KINDS:
            try:
                place: Any = cursors.decode(cursor, kind)
            except ValueError:
                continue
            require(cursors.decode(cursors.encode(place), kind) == place, "what is written is read again")
        try:
            place_of(cursor)
        except InvalidConfiguration:
            continue


def check_csv(data: bytes) -> None:
    """Any text of a bulk change: rows, or what is wrong, line by line; and any values are written and read again as they are."""
    text = data.decode("utf-8", "surrogateescape")
    for whole in (text, f"{_HEADER}\n{text}"):
        try:
            settings, rows = csv_files.read(whole)
        except InvalidConfiguration as error:
            require(bool(error.faults) or bool(error.sentence), "what is wrong is said")
            continue
        require(len(settings) == len(rows) <= len(whole), "a row for each line")
        msgspec.json.encode([settings, rows])
    values = [value.encode("utf-8", "replace").decode() for value in text.split(",") if len(value) <= _MOST_CELL_CHARS]
    written = csv_lines.encode([[value.replace("\0", "") for value in values]]).decode()
    read = next(csv_lines.decode(written), (1, []))[1]
    require(read == [value.replace("\0", "") for value in values] or not any(values), "what is written is read again")
    for cell in next(csv.reader([written.partition("\r\n")[0]], strict=False), []):
        require(not cell.startswith(("=", "+", "-", "@", "\t", "\r")), "no cell begins a formula")


def check_rule_file(data: bytes) -> None:
    """Any file of rules: a value, or problems with their lines; what is written is read again as it is."""
    parsed = rule_files.parse(data)
    require(parsed.is_broken <= bool(parsed.problems), "what cannot be read is said")
    if (
        isinstance(parsed.value, dict)
        and not parsed.problems
        and len(data) <= _MOST_RENDERED_BYTES
        and _is_plain(parsed.value)
    ):
        again = rule_files.parse(rule_files.render(parsed.value).encode())
        require(not again.problems and again.value == parsed.value, "what is written is read again")


def _is_plain(value: Any) -> bool:
    """Whether a value is of the kinds that rules have: their keys are texts."""
    if isinstance(value, dict):
        return bool(value) and all(isinstance(key, str) and key and _is_plain(inner) for key, inner in value.items())
    if isinstance(value, list):
        return bool(value) and all(_is_plain(inner) for inner in value)
    return isinstance(value, str | bool | int | Decimal | None)


def check_stored(data: bytes) -> None:
    """What a table holds, were it damaged: an event, or the errors that are declared; what is packed is unpacked as it was."""
    require(packed_facts.unpack(packed_facts.pack(data[:_MOST_PACKED_BYTES])) == data[:_MOST_PACKED_BYTES], "as it was")
    for text in (data, data.decode("utf-8", "replace"), packed_facts.as_read(b'{"a":1}', data)):
        try:
            from_json(text)
        except (msgspec.DecodeError, ValueError, RecursionError, zstandard.ZstdError):
            continue


def _stored_seeds() -> Iterator[bytes]:
    for event in events():
        stored = to_stored(event)
        yield packed_facts.as_read(*stored).encode()
        if stored.packed is not None:
            yield stored.packed


TARGETS: Final = (
    Target(
        name="collect",
        law="any body: no beacon, or one of bounded size that is read again as it was landed",
        run=check_beacon,
        seeds=lambda: (
            b'{"site":"shop-key-1","event":"purchase","order_id":1001,"clicks":{"gclid":"EAIaIQobChMI","clicked_at":"2026-11-01T00:00:00Z"}}',
            b'{"site":"acme.example","checkout_token":"0123456789abcdef","consent":{"ad_user_data":"granted"},"landing_path":"/a"}',
            b'{"site":"shop-key-1","clicks":[{"kind":"gbraid","id":"0AAAAA"}],"at":1795600000}',
        ),
        words=("site", "event", "order_id", "cart_token", "clicks", "gclid", "wbraid", "utm_source", "consent", "at"),
    ),
    Target(
        name="api_body",
        law="any body: a value, or a problem of the caller's",
        run=check_api_body,
        seeds=lambda: (
            b'{"trigger":["order.paid"],"conditions":{"field":"order.total","op":">","value":"1.5"}}',
            b'{"trigger":["order.paid"],"value":{"amount":1.50},"threshold":{"at_least":"2","scope":"customer"}}',
        ),
        words=("trigger", "conditions", "threshold", "dedup", "value", "priority", "1e999999999999999999", "\\ud800"),
        most_bytes=2_048,
    ),
    Target(
        name="cursor",
        law="any text: a place of the list, or ValueError",
        run=check_cursor,
        seeds=lambda: (cursors.encode(("-id", 7)).encode(), b'["2026-11-22T10:00:00Z",7]', b'["name","a",1]'),
    ),
    Target(
        name="csv",
        law="any text: rows, or what is wrong line by line; no cell that is written begins a formula",
        run=check_csv,
        seeds=lambda: (
            f'{_HEADER}\n1,big_order,a,true,true,"{{""priority"": 3}}"\n2,x,b,,,\n'.encode(),
            b'1,big_order,a,true,true,"{""value"":{""amount"":1.5}}"\n',
            b"=1+1,@SUM(A1),'x,-2",
        ),
        words=(*_HEADER.split(","), '""', "\r\n", "\ufeff", "true", "false", '"{""priority"":1e999999999999999999}"'),
        most_bytes=2_048,
    ),
    Target(
        name="rule_file",
        law="any bytes: a value, or problems with their lines; what is written is read again as it is",
        run=check_rule_file,
        seeds=lambda: (
            b"name: Big orders\ntrigger: [order.paid]\nconditions:\n  all:\n    - {field: order.total, op: '>=', value: '200.00'}\n",
            b"a: &x 1\nb: *x\n",
            b'text: "a\\ud83d\\ude00b"\nnumber: 1.50\nno: NO\nday: 2026-01-31\n',
        ),
        words=("trigger:", "conditions:", "- ", "!!python/object:", "&a", "*a", "<<:", "|-", ">+", "---", "..."),
        most_bytes=2_048,
    ),
    Target(
        name="stored_facts",
        law="any bytes in the columns of an event: the event, or an error that is declared; what is packed is unpacked as it was",
        run=check_stored,
        seeds=_stored_seeds,
        most_bytes=8_192,
    ),
)
