"""Settings: what this console is set to, for who manages it. They are changed in the environment, not here."""

from typing import Final

from console.api.calls import Call
from console.api.routes import settings as operations
from console.pages.ask import Ask
from console.pages.page import Pages, Shown, right_of
from console.pages.translations import _

PAGES: Final = Pages()


@PAGES.show("/settings", right=right_of(operations.ROUTES, operations.list_settings), template="settings.html")
def settings_page(call: Call, ask: Ask) -> Shown:
    """Every setting with its unit, its default and its sentence; of secrets only whether they are set."""
    text, is_set = ask.text("search"), ask.flag("is_set")
    items = [
        setting
        for setting in operations.list_settings(call).items
        if (is_set is None or setting.is_set == is_set)
        and (text is None or text.lower() in f"{setting.name} {setting.variable} {setting.meaning}".lower())
    ]
    replica = None if call.replica is None else call.replica.state
    return Shown(title=_("Settings"), content={"ask": ask, "items": items, "text": text, "replica": replica})
