"""The way to Dagster's page, for administrators: it has a token in place of a login."""

from typing import Final
from urllib.parse import urlencode

from console.api.calls import Call
from console.pages.ask import Ask
from console.pages.navigation import MANAGE
from console.pages.page import Pages, Shown

PAGES: Final = Pages()


@PAGES.show("/dagster", right=MANAGE, template="dagster.html", is_secret=True)
def dagster_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001  (every page takes both)
    """A link that opens Dagster's page; without a token of ours, where to find it."""
    settings = call.settings
    base = settings.dagster_url or f"http://{settings.dagster_host}:{settings.dagster_port}"
    address = None
    if settings.dagster_token is not None:
        address = f"{base.rstrip('/')}/?{urlencode({'token': settings.dagster_token.get_secret_value()})}"
    return Shown(title="Dagster", content={"address": address, "changes": settings.dagster_changes})
