"""The manual as the console has it: pages of `docs/` rendered with an address for each heading, and the search in them."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from markdown_it import MarkdownIt
from markupsafe import Markup

_CHECKOUT: Final = Path(__file__).parents[2] / "docs"
MANUAL: Final = (
    _CHECKOUT if _CHECKOUT.is_dir() else Path(__file__).parent / "manual_pages"
)  # of a wheel (cli/distribution.py)
EXCERPT: Final = 160  # characters around what was found
_HEADING: Final = re.compile(r"^(#{1,4}) +(.+?) *$")
_FENCE: Final = re.compile(r"^ *(```|~~~)")
_LEFT_OUT: Final = re.compile(r"[^\w -]")
_MARKS: Final = re.compile(r"[`*]|\[([^\]]*)\]\([^)]*\)")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the manual: `address` below help/, its heading, the section and the words around what was searched for."""

    address: str
    title: str
    folder: str
    section: str = ""
    excerpt: str = ""


class Section(NamedTuple):
    """A part of a page: its heading as it is written, and the text until the next one."""

    heading: str
    text: str


def html_of(text: str, folders: int = 0) -> Markup:
    """A page as HTML; what is HTML in it is shown as text. Each heading has the id that links to it are made of. `folders`: how many the
    page stands in below docs/; links that lead out of docs/, to code, are text here, since the console does not serve it."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    for token, following in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(following.content))
    outside = "../" * (folders + 1)
    for token in (child for parent in tokens for child in parent.children or ()):
        if token.type == "link_open" and str(token.attrGet("href")).startswith(outside):
            del token.attrs["href"]
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S704  (escaped by the renderer)


def anchor(heading: str) -> str:
    """The id of a heading as GitHub makes it, for which links between pages are written: `1.5 Delivery` has `15-delivery`."""
    return _LEFT_OUT.sub("", plain(heading).lower()).replace(" ", "-")


def pages() -> Iterator[Found]:
    """Every page, by its address."""
    for address, text in _files():
        yield Found(address=address, title=title(text, address), folder=address.rpartition("/")[0])


def search(text: str) -> list[Found]:
    """Pages that hold every word, with the section in which most of them stand; those whose heading has one come first."""
    words = [word for word in text.lower().split() if word]
    ranked: list[tuple[int, Found]] = []
    for address, body in _files():
        lower = body.lower()
        if not all(word in lower for word in words):
            continue
        best = max(sections(body), key=lambda section: _score(section, words))
        name = title(body, address)
        in_title = sum(word in name.lower() for word in words)
        hit = Found(
            address=f"{address}#{anchor(best.heading)}" if best.heading else address,
            title=name,
            folder=address.rpartition("/")[0],
            section=plain(best.heading),
            excerpt=_excerpt(best.text, words),
        )
        ranked.append((in_title * 10 + _score(best, words), hit))
    return [hit for _, hit in sorted(ranked, key=lambda rank: (-rank[0], rank[1].address))]


def sections(body: str) -> list[Section]:
    """The page's parts; what stands before the first heading has none."""
    parts, heading, lines, in_code = list[Section](), "", list[str](), False
    for line in body.splitlines():
        in_code ^= _FENCE.match(line) is not None
        match = None if in_code else _HEADING.match(line)
        if match is None:
            lines.append(line)
            continue
        parts.append(Section(heading, "\n".join(lines)))
        heading, lines = match[2], []
    return [*parts, Section(heading, "\n".join(lines))]


def title(text: str, name: str) -> str:
    """The first heading; the file's name where there is none."""
    first = text.lstrip().partition("\n")[0]
    return plain(first.lstrip("# ")) if first.startswith("#") else name


def plain(text: str) -> str:
    """Text without Markdown's marks."""
    return _MARKS.sub(lambda mark: mark[1] or "", text).strip()


def _files() -> Iterator[tuple[str, str]]:
    for file in sorted(MANUAL.rglob("*.md")) if MANUAL.is_dir() else ():
        if file.stem != "template":
            yield file.relative_to(MANUAL).as_posix(), file.read_text(encoding="utf-8")


def _score(section: Section, words: list[str]) -> int:
    heading, text = section.heading.lower(), section.text.lower()
    return sum(3 * (word in heading) + (word in text) for word in words)


def _excerpt(text: str, words: list[str]) -> str:
    lower = text.lower()
    place = min((at for word in words if (at := lower.find(word)) >= 0), default=0)
    around = plain(text[max(0, place - EXCERPT // 2) : place + EXCERPT]).split(" ")
    whole = around[1 if place > EXCERPT // 2 else 0 : -1 if place + EXCERPT < len(text) else None]
    return " ".join(" ".join(whole).replace("|", " ").replace("---", "").split())
