"""The manual: the pages of `docs/`, to be read and searched here. An installation without a checkout beside it has none."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from markdown_it import MarkdownIt
from markupsafe import Markup

from console.api import problems
from console.api.calls import Call
from console.api.rights import SIGNED_IN
from console.pages.ask import Ask
from console.pages.page import Pages, Shown

PAGES: Final = Pages()
MANUAL: Final = Path(__file__).parents[3] / "docs"
_EXCERPT: Final = 160  # characters around what was found
_FOLDERS: Final = {
    "": "How it is built",
    "how-to": "How to",
    "reference": "Reference",
    "decisions": "Decisions",
}


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the manual: `address` below help/, its heading, and the words around what was searched for."""

    address: str
    title: str
    folder: str
    excerpt: str = ""


@PAGES.show("/help", right=SIGNED_IN, template="help.html")
def help_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001  (every page takes both)
    """Every page of the manual, or those that hold what is searched for."""
    text = ask.text("search")
    pages = list(_pages(text))
    return Shown(title="Help", content={"ask": ask, "pages": pages, "text": text, "folders": _FOLDERS})


@PAGES.show("/help/{page:path}", right=SIGNED_IN, template="manual.html")
def manual_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001
    """One page of the manual."""
    name = str(ask.path["page"])
    file = (MANUAL / name).resolve()
    if not file.is_relative_to(MANUAL.resolve()) or file.suffix != ".md" or not file.is_file():
        raise problems.not_found("page of the manual", name[: problems.SHOWN_CHARACTERS])
    text = file.read_text(encoding="utf-8")
    html = Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))  # noqa: S704  (escaped by the renderer)
    return Shown(title=_title(text, name), content={"html": html})


def _pages(text: str | None) -> Iterator[Found]:
    for file in sorted(MANUAL.rglob("*.md")) if MANUAL.is_dir() else ():
        body, address = file.read_text(encoding="utf-8"), file.relative_to(MANUAL).as_posix()
        place = body.lower().find(text.lower()) if text else 0
        if place < 0 or file.stem == "template":
            continue
        excerpt = " ".join(body[max(0, place - _EXCERPT // 2) : place + _EXCERPT].split()) if text else ""
        folder = address.rpartition("/")[0]
        yield Found(address=address, title=_title(body, address), folder=folder, excerpt=excerpt)


def _title(text: str, name: str) -> str:
    first = text.lstrip().partition("\n")[0]
    return first.lstrip("# ").strip() if first.startswith("#") else name
