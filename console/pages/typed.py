"""What is typed and not yet taken. The page's script keeps it in the browser's tab (static/typed.js); from here it learns that a form was taken,
and who must sign in again is led back to the page that they typed on."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.routing import compile_path

from console.api import cookies
from console.pages.page import Answer, Moved, Page
from console.pages.toasts import is_own
from custom_events.settings import Settings

FIELD: Final = "typed_token"  # which sending of a form this is; the script adds it
COOKIE: Final = "custom_events_taken"  # the token of the form that was taken; the script reads it
KEPT_S: Final = 600  # until the next page of the same tab: also after a connection that was away for minutes
_TOKEN: Final = re.compile(r"[0-9a-f-]{36}\Z")
_FAILED: Final = 400


def taken(answer: Answer, form: Mapping[str, str], settings: Settings) -> tuple[str, ...]:
    """The header by which the script learns that what was typed is taken, and needs to be kept no longer."""
    token = form.get(FIELD, "")
    if not _TOKEN.match(token) or not (isinstance(answer, Moved) or answer.status < _FAILED):
        return ()
    return (cookies.written(COOKIE, token, settings, age_s=KEPT_S, for_scripts=True),)


class ReadPages:
    """The pages that are read, by their paths."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self._patterns: Sequence[re.Pattern[str]] = tuple(
            compile_path(page.path)[0] for page in pages if page.operation.method == "GET"
        )

    def nearest(self, path: str, referer: str) -> str:
        """The address below the console's of the page that a form stands on: the one at the form's own path or nearest above it, with the query
        that the browser came from where it came from there."""
        while path and not any(pattern.match(path) for pattern in self._patterns):
            path = path.rpartition("/")[0]
        came = urlsplit(referer)
        query = f"?{came.query}" if came.query and path and came.path.endswith(path) else ""
        own = path.lstrip("/")
        return next((address for address in (f"{own}{query}", own) if is_own(address)), "")
