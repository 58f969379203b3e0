"""Texts of the frame and of components are marked for translators, and are shown in the language of a catalog."""

import re
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo

from console.pages.navigation import GROUPS
from console.pages.rendering import TEMPLATES, Renderer, View
from console.pages.static_files import Digests
from console.pages.translations import DOMAIN, translations_of
from custom_events.access.roles import Caller, Grant, Role

MARKED = ("layout.html", "components.html")  # the others are not, so far
SHOWN_ATTRIBUTES = ("aria-label", "title", "placeholder", "alt")
METHODS = [("templates/**.html", "jinja2"), ("*.py", "python")]
NAME = "Custom Events"  # of the product: the same in every language


class Texts(HTMLParser):
    """What people read of a template of which everything between braces is taken out."""

    def __init__(self) -> None:
        super().__init__()
        self.found = list[str]()

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in SHOWN_ATTRIBUTES]


def bare_texts(source: str) -> list[str]:
    texts = Texts()
    texts.feed(re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", "", source, flags=re.DOTALL))
    return [text.strip() for text in texts.found if re.search(r"[A-Za-z]{2}", text.replace(NAME, ""))]


def extracted() -> set[str]:
    found = extract_from_dir(
        str(TEMPLATES.parent), METHODS, {"templates/**.html": {"trim_blocks": "true"}}, keywords={"_": None, "N_": None}
    )
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


@pytest.mark.parametrize("name", MARKED)
def test_no_text_stands_bare(name: str) -> None:
    assert bare_texts((TEMPLATES / name).read_text()) == []


def test_a_bare_text_is_seen() -> None:
    assert bare_texts('<p title="Why">{{ name }} fits {% if x %}well{% endif %}</p>') == ["Why", "fits well"]


def test_what_translators_get_has_the_navigation_and_the_components() -> None:
    messages = extracted()
    names = {group.name for group in GROUPS} | {entry.name for group in GROUPS for entry in group.entries}
    assert names <= messages
    assert {"Next page", "Filters (%(number)s chosen)", "Sign out"} <= messages


def test_pages_speak_the_language_of_a_catalog(tmp_path: Path) -> None:
    catalog = Catalog(locale="de", domain=DOMAIN)
    catalog.add("Overview", "Überblick & mehr")
    catalog.add("Sign out", "Abmelden")
    compiled = BytesIO()
    write_mo(compiled, catalog)
    file = tmp_path / "de" / "LC_MESSAGES" / f"{DOMAIN}.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(compiled.getvalue())
    caller = Caller(kind="person", id=1, name="ana", grants=(Grant(role=Role.VIEWER),))
    view = View(path="/nowhere", cookies={}, caller=caller)
    page = Renderer(Digests(), "de", tmp_path).render("layout.html", view, "Title", {})
    assert '<html lang="de"' in page
    assert "Abmelden" in page
    assert "Überblick" in page
    assert "Deliveries" in page  # it is not in the catalog
    assert translations_of("fr", tmp_path).gettext("Overview") == "Overview"
