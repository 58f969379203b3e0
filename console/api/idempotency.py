"""Idempotency-Key: a request that comes again within a day is answered as it was, and nothing happens twice."""

import re
from collections.abc import Callable
from typing import Final

from starlette.responses import Response

from console.api import problems
from console.api.calls import Call
from console.api.problems import FieldError, ProblemError
from custom_events.access import idempotency
from custom_events.access.idempotency import KeyReusedError

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
LONGEST: Final = 255  # characters of a key
_SHAPE: Final = re.compile(rf"[!-~]{{1,{LONGEST}}}\Z")
_OF_CONNECTION: Final = frozenset({"content-length"})


def once(call: Call, run: Callable[[], Response]) -> Response:
    """The answer of `run`, or the one that was given before under the request's key. Raises 422 for a key that cannot be used."""
    key = call.asked.headers.get(HEADER.lower())
    if key is None:
        return run()
    if _SHAPE.match(key) is None:
        right = f"1 to {LONGEST} visible ASCII characters, a UUID for example"
        raise problems.invalid(
            FieldError(field=HEADER, place="header", problem="it cannot be used", remedy=right, value=key[:LONGEST])
        )
    asked = call.asked
    caller = f"{call.caller.kind}:{call.caller.id}"
    digest = idempotency.digest_of(asked.method.encode(), asked.path.encode(), asked.query.encode(), asked.body)
    try:
        kept = idempotency.begin(call.connection, caller, key, digest, secret_key=call.key)
    except KeyReusedError as error:
        raise ProblemError(problems.KEY_REUSED, str(error)) from None
    if kept is not None:
        return Response(kept.content, status_code=kept.status, headers={**kept.headers, REPLAYED: "true"})
    answer = run()
    idempotency.finish(
        call.connection,
        caller,
        key,
        status=answer.status_code,
        headers={name: value for name, value in answer.headers.items() if name not in _OF_CONNECTION},
        content=bytes(answer.body),
        secret_key=call.key,
    )
    return answer
