"""The manual as a site, from docs/ by Sphinx: `make docs` writes it. Its pages are plain Markdown, which people also read in the repository and in
the console's help; what Sphinx asks for beyond that is added here. Nothing is loaded from other hosts."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

DOCS: Final = Path(__file__).parents[1] / "docs"
ROOT_PAGE: Final = "index"
# Languages of blocks that Pygments does not know.
UNCOLOURED: Final = ("signature", "signature-v1", "keys")
SETTINGS: Final[dict[str, Any]] = {
    "project": "Custom Events",
    "extensions": ["myst_parser"],
    "root_doc": ROOT_PAGE,
    "exclude_patterns": ["site", "decisions/template.md"],
    "nitpicky": True,
    "myst_heading_anchors": 6,
    "html_theme": "furo",
    "html_title": "Custom Events",
    "html_copy_source": False,
    "html_show_copyright": False,
    "html_permalinks_icon": "#",
    "html_static_path": [str(DOCS / "site")],
    "html_css_files": ["wide.css"],
}
_LINK: Final = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
_FENCE: Final = re.compile(r"^ *(```|~~~)")
_CHAPTER: Final = re.compile(r"^## (.+)$", re.MULTILINE)


def build(target: Path) -> None:
    """Write the site into `target`. Raises SystemExit where a page stands in no chapter, a link leads nowhere, or anything else is wrong."""
    from pygments.lexers.special import TextLexer
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    with patch_docutils(), docutils_namespace():  # what Sphinx registers is gone afterwards
        read = target.parent / f"{target.name}-read"
        app = Sphinx(DOCS, None, target, read, "html", SETTINGS, warningiserror=True, status=None, warning=sys.stderr)
        for language in UNCOLOURED:
            app.add_lexer(language, TextLexer)
        app.connect("source-read", _prepare)
        app.build()
    if app.statuscode:
        raise SystemExit("The manual has faults: see above.")


def chapters(index: str) -> list[tuple[str, list[str]]]:
    """(heading, pages without their ending) of each section of docs/index.md, in its order."""
    _, *parts = _CHAPTER.split(index)
    return [
        (caption, [address.removesuffix(".md") for _, address in _LINK.findall(text) if address.endswith(".md")])
        for caption, text in zip(parts[::2], parts[1::2], strict=True)
    ]


def without_links_outside(text: str, folder: Path) -> str:
    """The page, which stands in `folder`, with links that lead to no page, picture or file of docs/ as their words alone: code is not served."""

    def words(link: re.Match[str]) -> str:
        path = link[2].partition("#")[0]
        if not path or ":" in path:
            return link[0]
        file = (folder / path).resolve()
        leads_outside = not file.is_relative_to(DOCS.resolve())
        return link[1] if file.is_dir() or leads_outside else link[0]

    lines, in_code = list[str](), False
    for line in text.splitlines(keepends=True):
        in_code ^= _FENCE.match(line) is not None
        lines.append(line if in_code else _LINK.sub(words, line))
    return "".join(lines)


def _prepare(_app: object, name: str, source: list[str]) -> None:
    """What Sphinx reads of a page; the first one tells it the order of all."""
    source[0] = without_links_outside(source[0], (DOCS / f"{name}.md").parent)
    if name == ROOT_PAGE:
        source[0] += "\n" + "\n".join(_contents(source[0]))


def _contents(index: str) -> Iterator[str]:
    for caption, names in chapters(index):
        yield "\n".join(("```{toctree}", ":hidden:", f":caption: {caption}", "", *names, "```", ""))
    yield "\n".join(("```{toctree}", ":hidden:", ":glob:", ":caption: Decisions", "", "decisions/0*", "```", ""))


if __name__ == "__main__":  # pragma: no cover  (tests build it by `build`)
    build(Path(sys.argv[1]).resolve())
