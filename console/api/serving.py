"""From a request to an answer: who asks and may they, what is asked, the operation in one transaction, the answer or a problem."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from console.api import authorization, problems, rate_limits, replica_answers
from console.api.bodies import check_media_type, decode, read_bytes, typed
from console.api.calls import Answer, Asked, Call, Shared
from console.api.idempotency import once
from console.api.operations import Operation
from console.api.preconditions import require_precondition, tag_of
from console.api.problems import FieldError, ProblemError
from console.api.rate_limits import Quota, RateLimits
from console.api.translation import problem_of
from custom_events.catalog import audit

AT_ONCE: Final = (
    15  # operations that run at the same time: as many as the engine has connections (SQLAlchemy: 5 and 10 more)
)
ACCEPTED: Final = 202  # of what is under way
ANYTHING: Final = "*/*"


class Server:
    """Runs operations for requests on one database."""

    def __init__(self, shared: Shared, wake: Callable[[], None]) -> None:
        """`wake`: called when an operation was asked for that outlives its request, and is committed."""
        self._shared = shared
        self.settings = shared.settings
        self._wake = wake
        self.limits = RateLimits(shared.settings)
        self._limiter = anyio.CapacityLimiter(AT_ONCE)

    async def serve(self, operation: Operation, request: Request, parameters: Mapping[str, Any]) -> Response:
        """The answer. Raises what `translation.problem_of` makes a problem of."""
        if not is_accepted(operation, request.headers.get("accept", ANYTHING)):
            raise ProblemError(problems.NOT_ACCEPTABLE, f"The answer is {operation.media_type}: accept that.")
        if not operation.is_limited:  # asks for nothing that blocks
            refuse_unknown(operation, request)
            return encode(operation, await operation.handler(**parameters))
        asked = await self.read(operation, request)
        run = partial(self._run, operation, asked, unknown_parameters(operation, request), parameters)
        answer: Response = await anyio.to_thread.run_sync(run, limiter=self._limiter)
        if answer.status_code == ACCEPTED:
            self._wake()
        return answer

    async def refuse(self, operation: Operation, request: Request, errors: tuple[FieldError, ...]) -> None:
        """Parameters cannot be used: raises that together with all that is wrong besides, unless the caller may not even ask."""
        asked = await self.read(operation, request)
        faults = (*errors, *unknown_parameters(operation, request))
        await anyio.to_thread.run_sync(partial(self._refuse, operation, asked, faults), limiter=self._limiter)

    async def read(self, operation: Operation, request: Request) -> Asked:
        """What is known of the request. Raises 413 and 415 for its body."""
        body = b""
        if operation.body is not None:
            limits = self.settings.console_body_limit_bytes, self.settings.console_body_limit_s
            body = await read_bytes(request, limit_bytes=limits[0], limit_s=limits[1])
            if not body and not operation.needs_body:
                body = b"{}"
            else:
                check_media_type(request.headers.get("content-type"))
        return Asked.of(request, body)

    def _run(
        self, operation: Operation, asked: Asked, unknown: tuple[FieldError, ...], parameters: Mapping[str, Any]
    ) -> Response:
        decoded: object = None
        quota: Quota | None = None
        try:
            with Call(self._shared, asked, transaction=operation.transaction) as call:
                quota = rate_limits.admit(self.limits, call, operation)
                authorization.authorize(call, operation, parameters)
                if operation.body is not None:
                    decoded = decode(asked.body)
                arguments = _arguments(operation, parameters, decoded, unknown)
                if operation.needs_tag:
                    require_precondition(asked.headers.get("if-match"))
                with audit.coming_from(call.origin):
                    run = partial(_answer, operation, call, arguments)
                    answer = once(call, run) if operation.idempotent else replica_answers.answered(call, operation, run)
                answer.headers.update(quota.headers)
        except Exception as error:
            problem = problem_of(error, decoded)
            if quota is not None:
                problem.headers.update(quota.headers)
            if problem is error or problem.kind is problems.INTERNAL:
                raise
            raise problem from error
        else:
            replica_answers.note(call, operation)
            return answer

    def _refuse(self, operation: Operation, asked: Asked, errors: tuple[FieldError, ...]) -> None:
        with Call(self._shared, asked, transaction=False) as call:
            quota = rate_limits.admit(self.limits, call, operation)
        try:
            decoded = decode(asked.body) if operation.body is not None else None
            _arguments(operation, {}, decoded, errors)
        except ProblemError as error:
            error.headers.update(quota.headers)
            raise


def _arguments(
    operation: Operation, parameters: Mapping[str, Any], decoded: object, errors: tuple[FieldError, ...]
) -> dict[str, Any]:
    """What the handler is called with. Raises 422 with `errors` and all that is wrong with the body."""
    if operation.body is None:
        if errors:
            raise problems.invalid(*errors)
        return dict(parameters)
    try:
        body = typed(decoded, operation.body)
    except ProblemError as error:
        raise problems.invalid(*errors, *error.errors) from None
    if errors:
        raise problems.invalid(*errors)
    return {**parameters, "body": body}


def _answer(operation: Operation, call: Call, arguments: Mapping[str, Any]) -> Response:
    return encode(operation, operation.handler(call, **arguments))


def is_accepted(operation: Operation, accepted: str) -> bool:
    """Whether the client takes the answer's form, by its header Accept."""
    if accepted == ANYTHING or operation.answer is None:
        return True
    family = operation.media_type.partition("/")[0] + "/*"
    kinds = {
        kind.partition(";")[0].strip().lower()
        for kind in accepted.split(",")
        if not kind.replace(" ", "").endswith(";q=0")
    }
    return not kinds.isdisjoint({operation.media_type, family, ANYTHING, ""})


def unknown_parameters(operation: Operation, request: Request) -> tuple[FieldError, ...]:
    """Query parameters that the operation does not have: a filter that is spelled wrongly must not be one that is not there."""
    known = ", ".join(sorted(operation.parameters)) or "none"
    return tuple(
        FieldError(field=name[:100], place="query", problem="it is not known here", remedy=f"one of: {known}")
        for name in dict.fromkeys(request.query_params.keys())
        if name not in operation.parameters and not operation.open_query
    )


def refuse_unknown(operation: Operation, request: Request) -> None:
    """Raise 422 for query parameters that are not known."""
    if unknown := unknown_parameters(operation, request):
        raise problems.invalid(*unknown)


def encode(operation: Operation, returned: Any) -> Response:
    """The response to what an operation returned."""
    answer = returned if isinstance(returned, Answer) else Answer(content=returned)
    headers = dict(answer.headers)
    if answer.of is not None:
        headers["ETag"] = tag_of(answer.of)
    if answer.location is not None:
        headers["Location"] = answer.location
    if operation.answer is None:
        return Response(status_code=operation.status, headers=headers)
    status = answer.status or operation.status
    if answer.stream is not None:
        return StreamingResponse(answer.stream, status, headers=headers, media_type=operation.media_type)
    content = answer.content if isinstance(answer.content, bytes) else msgspec.json.encode(answer.content)
    kind = answer.media_type if answer.media_type != "application/json" else operation.media_type
    return Response(content, status_code=status, headers=headers, media_type=kind)
