"""The API's document, to read and to try. Nothing is loaded from elsewhere."""

from functools import cache
from pathlib import Path
from typing import Final

import fastapi_offline
import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

STATIC: Final = Path(__file__).parent / "static"
# Swagger UI's own files, from the package that keeps them on this machine.
SWAGGER: Final = Path(fastapi_offline.__file__).parent / "static"
OPEN_PATHS: Final = frozenset({"/docs", "/openapi.json", "/static", "/static/swagger"})

DOCUMENTATION: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Custom Events: API</title>
<link rel="stylesheet" href="static/swagger/swagger-ui.css">
<link rel="icon" href="static/swagger/favicon.png">
<div id="swagger-ui"></div>
<script src="static/swagger/swagger-ui-bundle.js"></script>
<script src="static/docs.js"></script>
</html>
"""


def install(app: FastAPI) -> None:
    """Make the pages. Addresses in them are relative: they work behind a path prefix, too."""

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> HTMLResponse:
        """The document as a page."""
        return HTMLResponse(DOCUMENTATION)

    @cache  # a console has one prefix, or none
    def encoded(root: str) -> bytes:
        return msgspec.json.encode({**app.openapi(), **({"servers": [{"url": root}]} if root else {})})

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi(request: Request) -> Response:
        """The document; behind a prefix it says so, and the page above asks there."""
        return Response(encoded(request.scope.get("root_path", "")), media_type="application/json")

    app.mount("/static/swagger", StaticFiles(directory=SWAGGER), name="swagger")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
