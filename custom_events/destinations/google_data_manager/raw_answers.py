"""What the REST transport leaves out of an answer: the words of enums that the installed client does not know.

Its parser drops such a word, so that the reason reads as 0 while the count stays; over gRPC the number stays
(docs/reference/google-ads.md 3.1). Each answer's bytes are kept for the thread that asked until the next call, and only looked at
where a 0 is found.
"""

import threading
from collections.abc import Mapping
from typing import Any, cast

import msgspec

Place = tuple[int, int]  # of a destination in the answer, and of a count within it

_seen = threading.local()


def listen(client: Any) -> None:
    """Keep the bytes of every answer of a client over REST; others have none to keep."""
    session = getattr(client.transport, "_session", None)
    if session is not None:
        session.hooks["response"].append(_keep)


def forget() -> None:
    """Before a call: what an earlier one answered is not its answer."""
    _seen.body = None


def reasons() -> Mapping[Place, str]:
    """The words of the error counts in the last RetrieveRequestStatusResponse of this thread; empty over gRPC."""
    parts = _list(_document().get("requestStatusPerDestination"))
    by_place: dict[Place, str] = {}
    for place, part in enumerate(parts):
        counts = _list(_mapping(_mapping(part).get("errorInfo")).get("errorCounts"))
        for within, count in enumerate(counts):
            _note(by_place, (place, within), _mapping(count).get("reason"))
    return by_place


def warnings() -> Mapping[int, str]:
    """The words of the field warnings in the last IngestEventsResponse of this thread; empty over gRPC."""
    by_place: dict[int, str] = {}
    for place, warning in enumerate(_list(_document().get("fieldWarnings"))):
        _note(by_place, place, _mapping(warning).get("reason"))
    return by_place


def _keep(response: Any, *_: Any, **__: Any) -> None:
    _seen.body = response.content


def _document() -> Mapping[str, Any]:
    body = getattr(_seen, "body", None)
    try:
        return _mapping(msgspec.json.decode(body)) if body else {}
    except msgspec.DecodeError:
        return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _note(notes: dict[Any, str], place: Any, reason: object) -> None:
    if isinstance(reason, str) and not reason.endswith("UNSPECIFIED"):
        notes[place] = reason
