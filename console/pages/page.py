"""Pages: a function with a path, a right and a template becomes a page of the console.

A noun has a file in `routes/` with `PAGES = Pages()` and functions decorated by `@PAGES.show(...)` or `@PAGES.change(...)`. A function takes the
`Call` of the API and what was asked (`Ask`); it returns `Shown`, what its template is filled with, or `Moved`, where the browser goes next.
What every page needs (rights, one transaction, problems in words) is done around it, in `serving.py`.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from console.api.calls import Call
from console.api.operations import Handler, Operation, Routes
from console.api.rights import Right
from console.pages.ask import Ask


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a page shows. `title` stands in the browser's tab and above the page; `template`: another one than the page's own; `headers` of the
    answer, in place of those that every answer has."""

    title: str
    content: dict[str, Any] = {}
    template: str | None = None
    status: int = 200
    headers: dict[str, str] = {}


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Where the browser goes after a change: `to` is an address below the console's, without a slash before it, or `away` one of somebody
    else's. `said` is told there once, with a link to `about`; `cookies` are headers that set one."""

    to: str
    away: str = ""
    said: str = ""
    about: str = ""
    cookies: tuple[str, ...] = ()


Answer = Shown | Moved
PageHandler = Callable[[Call, Ask], Answer]
Check = Callable[[Call, Ask], str]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page. `operation` has its method, path and right, as those of the API are declared; `form`: the page that shows a form again whose input
    cannot be used, with the faults beside its fields; `development`: there only where this is a checkout; `checks`: the form is checked while it is
    filled in, which does all that sending it does and takes it back: so it touches nothing but the database. Where sending it does what cannot be
    taken back, keeps a secret or takes long, a function is there in its place: it raises what sending would raise, and returns what is to be said of
    a form that could be sent, "" for nothing; `is_secret`: a secret stands in what is
    shown, beside what was typed, so that it is not compressed (its length would tell of it)."""

    operation: Operation
    handler: PageHandler
    template: str
    form: "Page | None" = None
    development: bool = False
    checks: bool | Check = False
    is_secret: bool = False

    @property
    def path(self) -> str:
        """The path, with its parameters in braces."""
        return self.operation.path

    @property
    def right(self) -> Right:
        """What it asks of who looks at it."""
        return self.operation.right


class Pages:
    """The pages of one noun."""

    def __init__(self) -> None:
        self.pages: list[Page] = []

    def show(
        self,
        path: str,
        *,
        right: Right,
        template: str,
        development: bool = False,
        is_secret: bool = False,
        of_primary: bool = False,
    ) -> Callable[[PageHandler], PageHandler]:
        """A page that is read; never from a replica where it is `of_primary`, since it shows what changes by the second."""
        return self._page(
            "get", path, right, template, development=development, is_secret=is_secret, of_primary=of_primary
        )

    def change(
        self,
        path: str,
        *,
        right: Right,
        form: PageHandler | None = None,
        template: str = "problem.html",
        checks: bool | Check = False,
    ) -> Callable[[PageHandler], PageHandler]:
        """A form that is sent: it changes something and moves on, or shows what came of it, which is seen this once and may be a secret."""
        return self._page("post", path, right, template, form=form, checks=checks, is_secret=True)

    def _page(
        self,
        method: str,
        path: str,
        right: Right,
        template: str,
        *,
        form: PageHandler | None = None,
        development: bool = False,
        checks: bool | Check = False,
        is_secret: bool = False,
        of_primary: bool = False,
    ) -> Callable[[PageHandler], PageHandler]:
        def declare(handler: PageHandler) -> PageHandler:
            routes = Routes("pages", "", prefix="")
            getattr(routes, method)(path, right=right, of_primary=of_primary)(handler)
            (operation,) = routes.operations
            shown = next((page for page in self.pages if page.handler is form), None)
            page = Page(
                operation=operation,
                handler=handler,
                template=template,
                form=shown,
                development=development,
                checks=checks,
                is_secret=is_secret,
            )
            self.pages.append(page)
            return handler

        return declare


def right_of(routes: Routes, handler: Handler) -> Right:
    """The right of an operation of the API: a page that shows or does the same asks for the same."""
    return next(operation.right for operation in routes.operations if operation.handler is handler)
