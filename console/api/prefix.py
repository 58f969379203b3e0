"""The console below a path of a host that has others, as `console_url` says: whether the proxy before it leaves that path in what it asks for, or
takes it away.

Pages need nothing of it, since their addresses are relative. Headers of requests that name a prefix (X-Forwarded-Prefix) are not read:
whoever asks could write them.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOVED: Final = 308  # for good, by the same method


def prefix_of(console_url: str) -> str:
    """The path of the console's own address without a slash at its end; "" where it has a host of its own."""
    return urlsplit(console_url).path.rstrip("/")


def own_path(scope: Scope) -> str:
    """The path of a request below the console's own address, beginning with a slash."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


class BelowPrefix:
    """ASGI middleware: the prefix becomes the root path of every request, and stands before the addresses that answers name."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other kinds of connections pass."""
        prefix = self._prefix
        if scope["type"] != "http" or not prefix:
            await self._app(scope, receive, send)
            return
        if scope["path"] == prefix:  # relative addresses need the slash behind it
            await RedirectResponse(f"{prefix.rpartition('/')[2]}/", _MOVED)(scope, receive, send)
            return
        if not scope["path"].startswith(f"{prefix}/"):
            scope["path"] = f"{prefix}{scope['path']}"
        scope["root_path"] = prefix

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("location", "").startswith("/"):
                    headers["location"] = f"{prefix}{headers['location']}"
            await send(message)

        await self._app(scope, receive, answer)
