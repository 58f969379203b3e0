"""A store's API on a port of this machine, whatever it answers."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from sandbox.stores.posts import minified

Answer = tuple[int, dict[str, str], Any]
"""Status, headers, and the document; bytes are sent as they are, None is no body."""

_NO_CONTENT: Final = 204


@contextmanager
def served(
    answer: Callable[[str, str | None], Answer],
    *,
    login: str,
    port: int = 0,
    content_type: str = "application/json",
    clock: Callable[[], float] = time.time,
) -> Generator[str]:
    """The address of an API until the end of the block: `answer` is given the target of each GET and its header `login`. `port` 0: any that
    is free; `clock`: the time of its answers, in seconds since 1970."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, document = answer(self.path, self.headers.get(login))
            body = document if isinstance(document, bytes) else b"" if document is None else minified(document)
            self.send_response(status)
            for name, value in {"content-type": content_type, **headers}.items():
                self.send_header(name, value)
            if status != _NO_CONTENT:
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            moment = clock() if timestamp is None else timestamp
            return super().date_time_string(moment)  # pyright: ignore[reportArgumentType]  (it takes fractions)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
            """Nothing: the store keeps what was asked of it."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
