"""The manual as a site, where `make docs` has put it: the same pages as the console's help shows, with Sphinx's own search, for whoever wants to
read them apart from the console."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

import anyio
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from custom_events.settings import Settings

SITE: Final = "manual"  # in the local directory
PATH: Final = "/help/site"
ADDRESS: Final = "help/site/"  # of its first page, below the console's
_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


class ManualSite(StaticFiles):
    """Its files. The few scripts and styles within its pages are allowed by a policy of their own: ours asks for files."""

    async def check_config(self) -> None:
        """Nothing to check: it may be made, or made anew, while the console runs."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; of a folder its index."""
        response = await super().get_response(path, scope)
        file = Path(getattr(response, "path", ""))
        if file.suffix == ".html":
            response.headers["Content-Security-Policy"] = policy(await anyio.Path(file).read_bytes())
        return response


def policy(page: bytes) -> str:
    """Nothing from elsewhere, and of scripts within the page those that are in it now."""
    digests = sorted({base64.b64encode(hashlib.sha256(script).digest()).decode() for script in _SCRIPT.findall(page)})
    scripts = "".join(f" 'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


def directory(settings: Settings) -> Path:
    """Where it is, if it was made."""
    return settings.local_directory / SITE


def files(settings: Settings) -> ManualSite:
    """The app that serves it; 404 as long as it was not made."""
    return ManualSite(directory=directory(settings), html=True, check_dir=False)
