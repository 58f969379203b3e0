"""The manual: the pages of `docs/`, to be read and searched here. An installation without a checkout beside it has none."""

from typing import Final

from console.api import problems
from console.api.calls import Call
from console.api.rights import SIGNED_IN
from console.pages import manual
from console.pages.ask import Ask
from console.pages.page import Pages, Shown

PAGES: Final = Pages()
_FOLDERS: Final = {
    "how-to": "How to",
    "": "How it is built",
    "reference": "Reference",
    "decisions": "Decisions",
    "security": "Security",
}


@PAGES.show("/help", right=SIGNED_IN, template="help.html")
def help_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001  (every page takes both)
    """Every page of the manual, or those that hold what is searched for, at the section where it stands."""
    text = ask.text("search")
    pages = manual.search(text) if text else list(manual.pages())
    return Shown(title="Help", content={"ask": ask, "pages": pages, "text": text, "folders": _FOLDERS})


@PAGES.show("/help/{page:path}", right=SIGNED_IN, template="manual.html")
def manual_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001
    """One page of the manual."""
    name = str(ask.path["page"])
    file = (manual.MANUAL / name).resolve()
    if not file.is_relative_to(manual.MANUAL.resolve()) or file.suffix != ".md" or not file.is_file():
        raise problems.not_found("page of the manual", name[: problems.SHOWN_CHARACTERS])
    text = file.read_text(encoding="utf-8")
    return Shown(title=manual.title(text, name), content={"html": manual.html_of(text)})
