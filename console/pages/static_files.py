"""Files that pages load: addressed by a digest of what is in them, so that browsers keep them for good, and sent compressed."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

DIRECTORY: Final = Path(__file__).parent / "static"
FOR_GOOD: Final = "public, max-age=31536000, immutable"  # a year: what RFC 9111 calls practically never
SMALLEST_BYTES: Final = 500  # below it compression saves nothing
_DIGITS: Final = 16  # of a digest in an address
_VERSION: Final = "v"


class Digests:
    """The digest of each file, read once: files change with the program alone."""

    def __init__(self, directory: Path = DIRECTORY) -> None:
        self._by_name: Mapping[str, str] = {
            file.relative_to(directory).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()[:_DIGITS]
            for file in directory.rglob("*")
            if file.is_file()
        }

    def address(self, name: str) -> str:
        """A file's address below the console's: with its digest, where there is such a file."""
        digest = self._by_name.get(name)
        return f"static/console/{name}" + (f"?{_VERSION}={digest}" if digest else "")

    def is_current(self, name: str, query: str) -> bool:
        """Whether a query names the digest of what is in the file now."""
        digest = parse_qs(query).get(_VERSION, [""])[-1]
        return digest != "" and digest == self._by_name.get(name)


class _Files(StaticFiles):
    """What is asked for by its digest is kept for good; the rest is asked for anew each time (ETag)."""

    def __init__(self, digests: Digests) -> None:
        super().__init__(directory=DIRECTORY)
        self._digests = digests

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file."""
        response = await super().get_response(path, scope)
        if self._digests.is_current(path, scope["query_string"].decode("latin-1")):
            response.headers["Cache-Control"] = FOR_GOOD
        return response


def files(digests: Digests) -> ASGIApp:
    """The app that serves them."""
    return GZipMiddleware(_Files(digests), minimum_size=SMALLEST_BYTES)
