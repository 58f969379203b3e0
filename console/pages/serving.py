"""From a request to a page: who asks and may they, the page in one transaction, or the problem in words."""

import re
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Final

import anyio.to_thread
import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from console.api import authorization, cookies, problems, rate_limits, replica_answers
from console.api.bodies import read_bytes
from console.api.calls import Asked, Call, Shared
from console.api.prefix import own_path
from console.api.problems import FieldError, ProblemError
from console.api.rate_limits import Quota, RateLimits
from console.api.translation import problem_of
from console.pages import compression, toasts, typed
from console.pages.ask import Ask, path_value, read_form, read_query
from console.pages.page import Answer, Moved, Page, Shown
from console.pages.rendering import Renderer, View
from console.pages.translations import _, speaking
from custom_events.catalog import audit
from custom_events.logs import frames_of

AT_ONCE: Final = 10  # pages that are made at the same time; the engine has 15 connections, and the API needs some
_FORM: Final = "application/x-www-form-urlencoded"
_NO_CONTENT: Final = 204
_SEE_OTHER: Final = 303
_SAFE: Final = ("GET", "HEAD")
CHECK: Final = "custom-events-check"  # header of a form that is only to be checked (static/checks.js)
IF_MATCH: Final = "if_match"  # a form's hidden field: which state of the thing was read
# What a form is shown again for, with what was typed in it.
_SHOWN_AGAIN: Final = (
    problems.INVALID,
    problems.CONFLICT,
    problems.CHANGED,
    problems.PRECONDITION_FAILED,
    problems.BROKEN_REFERENCE,
)

_LOG = structlog.get_logger(__name__)


class _CheckedError(Exception):
    """A form was checked: what that did is not to stay."""


class PageServer:
    """Makes pages for requests, on one database."""

    def __init__(self, shared: Shared, renderer: Renderer, limits: RateLimits, pages: Iterable[Page] = ()) -> None:
        """`limits`: those of the API as well, since pages count with its operations."""
        self._shared = shared
        self._limits = limits
        self._read_pages = typed.ReadPages(pages)
        self.settings = shared.settings
        self.renderer = renderer
        self._limiter = anyio.CapacityLimiter(AT_ONCE)

    async def serve(self, page: Page, request: Request) -> Response:
        """The page, or the problem in its place."""
        request.scope["route"] = page  # by whose path the log names it
        try:
            asked = await self._read(page, request)
        except ProblemError as problem:
            return self.problem(request, problem)
        with speaking(self.renderer.catalog):  # a thread has what is said here
            return await anyio.to_thread.run_sync(partial(self._serve, page, request, asked), limiter=self._limiter)

    def problem(self, request: Request, problem: ProblemError, view: View | None = None) -> Response:
        """A problem as a page. Who is not known is led to where people sign in, and from there back."""
        path = own_path(request.scope)
        view = view or View(path=path, cookies=cookies.received(request.cookies, self.settings))
        if problem.kind is problems.UNAUTHENTICATED and request.method in _SAFE:
            return _redirect(_own_address(view, f"sign-in?{toasts.next_query(path, request.url.query)}"), ())
        if problem.kind is problems.UNAUTHENTICATED and authorization.COOKIE in view.cookies:
            return self._sign_in_again(request, view, problem)
        content = {"problem": problem.document(request.state.request_id)}
        html = self.renderer.render("problem.html", view, problem.kind.title, content)
        headers = {name: value for name, value in problem.headers.items() if name.lower() != "www-authenticate"}
        return HTMLResponse(html, problem.kind.status, headers=headers)

    def _sign_in_again(self, request: Request, view: View, problem: ProblemError) -> Response:
        """A form was sent and its session had ended: nothing was changed, and who signs in here goes on where they typed."""
        back = self._read_pages.nearest(view.path, request.headers.get("referer", ""))
        by_provider, by_password = self.settings.openid_issuer is not None, self.settings.password_sign_in
        ways = {"by_provider": by_provider, "by_password": by_password}
        content = {"next": back, "login": "", "wrong": "", **ways, "has_ended": True}
        return HTMLResponse(self.renderer.render("sign_in.html", view, _("Sign in"), content), problem.kind.status)

    async def _read(self, page: Page, request: Request) -> Asked:
        body = b""
        if page.operation.method == "POST":
            limits = self.settings.console_body_limit_bytes, self.settings.console_body_limit_s
            body = await read_bytes(request, limit_bytes=limits[0], limit_s=limits[1])
            kind = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
            if body and kind != _FORM:
                raise ProblemError(problems.MEDIA_TYPE_UNKNOWN, f"A form is sent as {_FORM}, not as {kind}.")
        return Asked.of(request, body)

    def _serve(self, page: Page, request: Request, asked: Asked) -> Response:
        view = View(path=own_path(request.scope), cookies=cookies.received(request.cookies, self.settings))
        ask = Ask()
        try:
            path = {name: path_value(name, value) for name, value in request.path_params.items()}
            ask = Ask(path=path, query=read_query(asked.query), form=read_form(asked.body))
            if tag := ask.form.get(IF_MATCH):  # browsers send no such header with a form
                asked = msgspec.structs.replace(asked, headers={**asked.headers, "if-match": tag})
            if page.operation.method == "POST" and CHECK in asked.headers:
                return self._check(page, asked, ask, view)
            return self._answer(page, asked, ask, view)
        except Exception as error:  # noqa: BLE001  (whatever it is: people get a page, the log what happened)
            problem = self._problem_of(error)
            if page.form is not None and problem.kind in _SHOWN_AGAIN:
                try:
                    return self._again(page, asked, ask, view, problem)
                except Exception as second:  # noqa: BLE001
                    problem = self._problem_of(second)
            return self.problem(request, problem, view)

    def _answer(self, page: Page, asked: Asked, ask: Ask, view: View) -> Response:
        with Call(self._shared, asked, transaction=page.operation.transaction) as call:
            quota = self._admit(page, call, ask, view)
            with audit.coming_from(call.origin):
                answer = replica_answers.answered(call, page.operation, partial(page.handler, call, ask))
                response = self._response(page, answer, view, asked)
            response.headers.update(quota.headers)
        replica_answers.note(call, page.operation)
        for cookie in typed.taken(answer, ask.form, self.settings):
            response.headers.append("set-cookie", cookie)
        return response

    def _check(self, page: Page, asked: Asked, ask: Ask, view: View) -> Response:
        """What is said of a form that could be sent as it stands, mostly nothing; raises what sending it would raise. All that it did is rolled
        back."""
        if page.checks is False:
            wrong, right = f"{page.path} cannot be checked without being sent", "the form without this header"
            raise problems.invalid(FieldError(field=CHECK, place="header", problem=wrong, remedy=right))
        said, headers = "", dict[str, str]()
        with suppress(_CheckedError), Call(self._shared, asked, transaction=True) as call:
            headers |= self._admit(page, call, ask, view).headers
            with audit.coming_from(call.origin):
                if page.checks is True:
                    page.handler(call, ask)
                else:
                    said = page.checks(call, ask)
            raise _CheckedError
        return PlainTextResponse(said, headers=headers) if said else Response(status_code=_NO_CONTENT, headers=headers)

    def _admit(self, page: Page, call: Call, ask: Ask, view: View) -> Quota:
        try:
            quota = rate_limits.admit(self._limits, call, page.operation)
        finally:
            view.caller = call.caller
        authorization.authorize(call, page.operation, ask.path)
        return quota

    def _again(self, page: Page, asked: Asked, ask: Ask, view: View, problem: ProblemError) -> Response:
        """The form once more, with what was typed and what is wrong with it beside the fields. Nothing was changed."""
        assert page.form is not None  # noqa: S101  (asked before)
        errors = {error.field: error for error in problem.errors}
        with Call(self._shared, asked, transaction=page.form.operation.transaction) as call:
            authorization.admit(call, page.operation)
            view.caller = call.caller
            authorization.authorize(call, page.operation, ask.path)
            answer = page.form.handler(call, msgspec.structs.replace(ask, errors=errors))
            if isinstance(answer, Shown):
                content = {**answer.content, "problem": problem.document(asked.request_id)}
                answer = msgspec.structs.replace(answer, content=content, status=problem.kind.status)
            return self._response(page.form, answer, view, asked)

    def _response(self, page: Page, answer: Answer, view: View, asked: Asked) -> Response:
        if isinstance(answer, Moved):
            address = answer.away or _own_address(view, answer.to)
            return _redirect(address, (*answer.cookies, *toasts.headers(answer, self.settings)))
        html = self.renderer.render(answer.template or page.template, view, answer.title, answer.content)
        response = HTMLResponse(html, answer.status, headers=answer.headers or None)
        for cookie in toasts.forgetting(view.cookies, self.settings):
            response.headers.append("set-cookie", cookie)
        if not page.is_secret:
            compression.compress(response, asked.headers.get("accept-encoding", ""))
        return response

    def _problem_of(self, error: Exception) -> ProblemError:
        problem = problem_of(error)
        if problem.kind is problems.INTERNAL:
            _LOG.error("page_failed", error=type(error).__name__, where=frames_of(error))
        return problem


def filled(template: str, values: dict[str, Any]) -> str:
    """A path with its parameters filled in."""
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda placeholder: str(values[placeholder[1]]), template)


def _own_address(view: View, to: str) -> str:
    return f"{view.root}{to}" or "./"


def _redirect(address: str, set_cookies: tuple[str, ...]) -> Response:
    response = RedirectResponse(address, _SEE_OTHER)
    for cookie in set_cookies:
        response.headers.append("set-cookie", cookie)
    return response
