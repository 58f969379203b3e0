"""The sandbox's Shopify as an HTTP server: `http://127.0.0.1:PORT/<shop>/admin/...`, as the setting `shopify_url` reaches it."""

import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self, cast
from urllib.parse import parse_qsl, urlsplit

from sandbox.stores.shopify_admin import graphql_api, oauth
from sandbox.stores.shopify_admin.state import Admin, FaultKind, Shop

TOKEN_HEADER = "x-shopify-access-token"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, admin: Admin) -> None:
        self.admin = admin
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    """One request at a connection, which is closed after it."""

    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """The owner's consent."""
        shop, path, parameters = self._place()
        if shop is None or path != "/admin/oauth/authorize":
            return self._send(404, {"errors": "Not Found"})
        try:
            location = oauth.authorize(self._admin, shop, parameters)
        except ValueError as error:
            return self._send(400, {"error": str(error)})
        self.send_response(302)
        self.send_header("location", location)
        self.send_header("content-length", "0")
        self.end_headers()
        return None

    def do_POST(self) -> None:
        """Tokens and GraphQL."""
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        shop, path, _ = self._place()
        if shop is None:
            return self._send(404, {"errors": "Not Found"})
        if path == "/admin/oauth/access_token":
            answer = oauth.token(self._admin, shop, self._fields(content))
            return None if answer is None else self._send(*answer)
        if path.startswith("/admin/api/") and path.endswith("/graphql.json"):
            return self._graphql(shop, content)
        return self._send(404, {"errors": "Not Found"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Silent."""

    @property
    def _admin(self) -> Admin:
        return cast("_Server", self.server).admin

    def _place(self) -> tuple[Shop | None, str, dict[str, str]]:
        place = urlsplit(self.path)
        _, domain, rest = [*place.path.split("/", 2), "", ""][:3]
        return self._admin.shops.get(domain), f"/{rest}", dict(parse_qsl(place.query, keep_blank_values=True))

    def _fields(self, content: bytes) -> dict[str, str]:
        if "json" in self.headers.get("content-type", ""):
            return {name: str(value) for name, value in json.loads(content).items()}
        return dict(parse_qsl(content.decode(), keep_blank_values=True))

    def _graphql(self, shop: Shop, content: bytes) -> None:
        admin = self._admin
        with admin.lock:
            admin.requests["graphql"] += 1
            pair = admin.of_token(shop, self.headers.get(TOKEN_HEADER))
        if pair is None or admin.draw(FaultKind.UNAUTHORIZED):
            return self._send(
                401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
            )
        if admin.draw(FaultKind.UNAVAILABLE):
            return self._send(503, {"errors": "Service Unavailable"})
        return self._send(200, graphql_api.answer(admin, shop, json.loads(content)))

    def _send(self, status: int, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@dataclass
class ShopifyAdmin:
    """A running sandbox; `admin` can be read and changed in process."""

    admin: Admin
    _server: _Server
    _thread: Thread

    @classmethod
    def start(cls, admin: Admin | None = None, port: int = 0) -> Self:
        """Serve on 127.0.0.1; port 0 takes a free one. Raises OSError when the port is taken."""
        server = _Server(port, admin or Admin())
        thread = Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox-shopify", daemon=True
        )
        thread.start()
        return cls(server.admin, server, thread)

    @property
    def url(self) -> str:
        """What the setting `shopify_url` takes."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop and wait for the server's thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(port: int, shops: Sequence[str]) -> int:
    """Run in the foreground until SIGINT or SIGTERM; prints the variables to set. The process's exit code. On the main thread only."""
    ended = Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with ShopifyAdmin.start(port=port) as running:
            for shop in shops:
                running.admin.add_shop(shop)
            lines = (
                f"export CUSTOM_EVENTS_SHOPIFY_CLIENT_ID={running.admin.client_id}",
                f"export CUSTOM_EVENTS_SHOPIFY_CLIENT_SECRET={running.admin.client_secret}",
                f"export CUSTOM_EVENTS_SHOPIFY_URL={running.url}",
                "Ready. Ctrl-C ends it.",
            )
            sys.stdout.write("\n".join((f"Sandbox Shopify: {', '.join(shops)}", *lines)) + "\n")
            sys.stdout.flush()
            ended.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0
