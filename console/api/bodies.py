"""Bodies of requests: read within bounds, decoded, and turned into typed values with all that is wrong with them at once."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Final, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from console.api import problems
from console.api.problems import FieldError, ProblemError
from console.api.translation import shown_value
from custom_events.catalog.reading import read_struct
from custom_events.settings import variable_of

JSON_TYPES: Final = ("application/json", "application/merge-patch+json")
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)  # amounts keep their digits

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def check_media_type(content_type: str | None) -> None:
    """Raise 415 unless the body says that it is JSON."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind not in JSON_TYPES:
        raise ProblemError(
            problems.MEDIA_TYPE_UNKNOWN,
            f"The body is {kind or 'of no stated kind'}: send JSON with the header Content-Type: application/json.",
            headers={"Accept": ", ".join(JSON_TYPES)},
        )


async def read_bytes(request: Request, *, limit_bytes: int, limit_s: float) -> bytes:
    """The whole body. Raises 413 above `limit_bytes`, 408 when it is not here within `limit_s`."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit_bytes:
        raise _too_large(limit_bytes)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limit_s):
            chunks: AsyncIterator[bytes] = request.stream()
            async for part in chunks:
                size += len(part)
                if size > limit_bytes:
                    raise _too_large(limit_bytes)
                parts.append(part)
    except TimeoutError:
        raise ProblemError(problems.TOO_SLOW, f"The body must be here within {limit_s:g} seconds.") from None
    except ClientDisconnect:
        raise ProblemError(problems.MALFORMED, "The body ended before its length was reached.") from None
    return b"".join(parts)


def _too_large(limit_bytes: int) -> ProblemError:
    return ProblemError(
        problems.TOO_LARGE,
        f"The body is larger than {limit_bytes} bytes ({variable_of('console_body_limit_bytes')}): send less at once.",
        headers={"Connection": "close"},  # what still comes is not read
    )


def decode(raw: bytes) -> object:
    """The JSON value. Raises 400 for anything else."""
    try:
        return _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(problems.MALFORMED, f"The body is no JSON: {error}.") from None
    except ArithmeticError:
        raise ProblemError(problems.MALFORMED, "The body holds a number with an exponent that no number has.") from None


def typed(value: object, kind: type[_Struct]) -> _Struct:
    """The value as a struct. Raises 422 with everything that is wrong with its shape."""
    read = read_struct(value, kind)
    if isinstance(read, list):
        raise problems.invalid(
            *(
                FieldError(
                    field=fault.path, problem=fault.wrong, remedy=fault.right, value=shown_value(value, fault.path)
                )
                for fault in read
            )
        )
    return read
