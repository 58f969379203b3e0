"""Logging of every process: one JSON object a line on standard error, and nothing personal or secret in it.

A process calls `configure` once, from its `main`. Libraries that log through the standard library come out in the same
form and pass the same redaction.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, TextIO

import structlog

# Words that, in the name of a field, say that its value is a person's, a secret, or a body that may hold either.
_PRIVATE_WORDS = frozenset(
    [
        "address",
        "authorization",
        "body",
        "city",
        "cookie",
        "credential",
        "credentials",
        "dsn",
        "email",
        "fbclid",
        "gbraid",
        "gclid",
        "headers",
        "ip",
        "password",
        "payload",
        "phone",
        "postcode",
        "secret",
        "secrets",
        "signature",
        "street",
        "token",
        "tokens",
        "wbraid",
        "zip",
    ]
)
_PRIVATE_NAMES = frozenset(
    {"api_key", "click_id", "customer_key", "database_url", "first_name", "last_name", "secret_key"}
)
# Sizes and counts of such things say nothing about a person.
_HARMLESS = re.compile(r"_(bytes|count|limit|id)\Z|\A(ip|token)_(version|type)\Z")
_SILENT = ("google.ads.googleads.client",)  # at INFO it writes whole requests, with hashes of people and click ids
_CHATTY = ("alembic", "httpx", "httpcore")  # a line for every look at the database or every call
_WORDS = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


SHOWN_FRAMES = 6  # of an unexpected error, the innermost ones


def configure(process: str, *, level: str = "INFO", json_lines: bool = True, stream: TextIO | None = None) -> None:
    """Set up structlog and the standard library's logging. `process` is in every line (receiver, console, drain ...).

    Raises ValueError for a level that logging does not know.
    """
    number = level_number(level)
    target = stream if stream is not None else sys.stderr

    def name_process(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("process", process)
        return event

    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        name_process,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    renderer: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str, ensure_ascii=False)]
        if json_lines
        else [structlog.dev.ConsoleRenderer(colors=target.isatty())]
    )
    structlog.configure(
        processors=[*before, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=False,  # a process may configure again (tests do), and streams change
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for silent in _SILENT:
        logging.getLogger(silent).setLevel(logging.CRITICAL)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(max(number, logging.WARNING))


def level_number(level: str) -> int:
    """The number of a level's name, in whatever case. Raises ValueError, naming those there are."""
    names = logging.getLevelNamesMapping()
    if level.upper() not in names:
        raise ValueError(
            f"log level {level!r} is not known; one of {', '.join(name for name in names if name != 'NOTSET')}"
        )
    return names[level.upper()]


def frames_of(error: BaseException) -> list[str]:
    """Where an unexpected error happened, its innermost frames, without what it says: its words may hold values."""
    frames = traceback.extract_tb(error.__traceback__)[-SHOWN_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def is_private(name: str) -> bool:
    """Whether a field of this name may hold personal data or a secret."""
    plain = _WORDS.sub("_", _CAMEL.sub("_", name).lower())
    if plain in _PRIVATE_NAMES:
        return True
    return not _HARMLESS.search(plain) and not _PRIVATE_WORDS.isdisjoint(plain.split("_"))


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor: drops private fields at any depth and names them in `removed`, so that the line still says they were there."""
    removed: set[str] = set()
    clean = {name: _without_private(value, removed) for name, value in event.items() if _keep(name, removed)}
    event.clear()
    event.update(clean)
    if removed:
        event["removed"] = sorted(removed)
    return event


def _keep(name: Any, removed: set[str]) -> bool:
    if isinstance(name, str) and is_private(name):
        removed.add(name)
        return False
    return True


def _without_private(value: Any, removed: set[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_private(inner, removed) for name, inner in value.items() if _keep(name, removed)}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
        return [_without_private(inner, removed) for inner in value]
    return value
