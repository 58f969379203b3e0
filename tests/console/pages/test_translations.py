"""Texts of templates are marked for translators, every one of them; pages are in the language of a catalog, and nothing of them is not."""

import json
import re
from collections import defaultdict, deque
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import httpx
import jinja2
import pytest
import sqlalchemy as sa
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.jslexer import tokenize
from babel.messages.mofile import write_mo
from jinja2 import nodes

from console.api.app import create_app
from console.pages import install, translations
from console.pages.install import all_pages
from console.pages.navigation import GROUPS
from console.pages.rendering import STATIC, TEMPLATES, Renderer, View
from console.pages.script_texts import texts_of, translated_texts
from console.pages.static_files import Digests
from console.pages.translated_templates import TranslatingEnvironment
from console.pages.translations import DOMAIN, translations_of
from custom_events.access import people
from custom_events.access.roles import Caller, Grant, Role
from custom_events.settings import Settings
from tests.console.api.asking import asking
from tests.console.api.world import PASSWORD
from tests.console.pages.conftest import BROWSER

OWN_SCRIPTS = sorted(file for file in STATIC.rglob("*.js") if "vendor" not in file.parts)
NAMES = sorted(file.name for file in TEMPLATES.glob("*.html"))
SHOWN_ATTRIBUTES = ("aria-label", "title", "placeholder", "alt", "data-label")
NO_TEXT = (
    ["_", "("],
    ["class", ":"],
    ["className", "="],
    ["Error", "("],
)  # what stands before a string that is marked, or is none for people
SAME_IN_SCRIPTS = ("Enter", "Escape", "note warn", "note info", "input, select, textarea")  # keys, classes, a selector
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
MARKS = ("_", "gettext", "ngettext")
PRODUCT = "Custom Events"  # the same in every language, as names of formats are
SAME_EVERYWHERE = ("Parquet",)
PARTS = re.compile(
    r"\{#.*?#\}|\{% trans\b.*?endtrans %\}|\{\{(?:\"[^\"]*\"|'[^']*'|(?!\}\}).)*\}\}|\{%.*?%\}", re.DOTALL
)
# Pages with sentences of the domain, of the API's problems and of the manual, which have no other language; what shows the parts of pages.
OTHER_TEXTS = (
    *(
        "/account",
        "/definitions/new",
        "/help",
        "/help/models",
        "/orders/story",
        "/shopify/install",
        "/shopify/callback",
    ),
    "/styleguide",
)
SAME_WORDS = {"ana", "UTC", "API", "Dagster", "Shopify", "Stripe", "BigCommerce"}  # names
Message = str | tuple[str, ...]


class Texts(HTMLParser):
    """What people read of HTML: its texts in their order, and its attributes that are shown."""

    def __init__(self) -> None:
        super().__init__()
        self.texts, self.attributes = list[tuple[tuple[str, ...], str]](), list[str]()
        self._open = list[str]()

    def handle_data(self, data: str) -> None:
        self.texts.append((tuple(self._open), data))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [value or "" for name, value in attrs if name in SHOWN_ATTRIBUTES]
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while tag in self._open and self._open.pop() != tag:
            pass


def bare_texts(source: str) -> list[str]:
    """Texts of a template that stand outside of its marks."""
    read = Texts()
    read.feed(PARTS.sub("", source))
    texts = [text for _, text in read.texts] + read.attributes
    return [text.strip() for text in texts if re.search(r"[A-Za-z]{2}", text.replace(PRODUCT, ""))]


def bare_literals(source: str) -> list[str]:
    """Literals of a template's expressions that look like a text for people, and are not marked."""
    tree = jinja2.Environment(extensions=["jinja2.ext.i18n"]).parse(source)
    known = set[int]()
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in MARKS:
            known |= {id(argument) for argument in call.args}
    for compared in tree.find_all(nodes.Compare):
        known |= {id(literal) for literal in compared.find_all(nodes.Const)}
    literals = [
        literal.value
        for literal in tree.find_all(nodes.Const)
        if isinstance(literal.value, str) and id(literal) not in known and literal.value not in SAME_EVERYWHERE
    ]
    return [text for text in literals if re.search(r"[a-z] |[a-z]{2}\. | [a-z]{2}|^#?[A-Z][a-z]", text)]


@cache
def extracted_by_file() -> dict[str, set[Message]]:
    """What `make messages` writes for translators, by the file in which it stands."""
    with (TEMPLATES.parent / "babel.cfg").open() as mapping:
        methods, options = parse_mapping_cfg(mapping)
    found = defaultdict[str, set[Message]](set)
    for file, _, message, _, _ in extract_from_dir(str(TEMPLATES.parent), methods, options, keywords=KEYWORDS):
        found[file].add(message)
    return found


def extracted() -> set[Message]:
    """The same of all files."""
    return set[Message]().union(*extracted_by_file().values())


def bare_script_texts(source: str) -> list[str]:
    """Texts of a script that look like some for people, and are not marked; names of classes, selectors and keys do not."""
    before = deque[str](maxlen=2)
    texts = list[str]()
    for token in tokenize(source, jsx=False):
        text = re.sub(r"\$\{[^}]*\}", "", token.value[1:-1])
        is_text = token.type in ("string", "template_string") and re.search(
            r"[a-z] [a-z]|^[A-Z][a-z]+$|[a-z]{2}[.:;,] |[A-Z][a-z]+ ", text
        )
        if is_text and not re.search(r"[\[#>=/()]|\.[a-z]", text) and [*before] not in NO_TEXT:
            texts.append(text)
        before.append(token.value)
    return [text for text in texts if text not in SAME_IN_SCRIPTS]


def compiled(directory: Path, language: str, texts: dict[Message, Message]) -> Path:
    """A directory with the catalog of a language."""
    catalog = Catalog(locale=language, domain=DOMAIN)
    for text, said in texts.items():
        catalog.add(text, said)  # pyright: ignore[reportArgumentType]  (any sequence)
    written = BytesIO()
    write_mo(written, catalog)
    file = directory / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(written.getvalue())
    return directory


def in_brackets() -> dict[Message, Message]:
    """Every text of the console, in brackets."""
    return {
        message: f"⟦{message}⟧" if isinstance(message, str) else tuple(f"⟦{form}⟧" for form in message)
        for message in extracted()
    }


def outside_brackets(html: str) -> set[str]:
    """Words of a page's frame that no translated text has: what stands in cells, choices and code is data."""
    read, depth, words = Texts(), 0, set[str]()
    read.feed(html)
    for above, text in [*read.texts, *(((), attribute) for attribute in read.attributes)]:
        for part in re.split(r"([⟦⟧])", text):
            depth += {"⟦": 1, "⟧": -1}.get(part, 0)
            if depth == 0 and not {"td", "option", "code", "time", "textarea", "script"} & set(above):
                words |= set(re.findall(r"[A-Za-z]{2,}", part.replace(PRODUCT, "")))
    assert depth == 0, "a text is cut"
    return words


@pytest.mark.parametrize("name", NAMES)
def test_no_text_stands_bare(name: str) -> None:
    source = (TEMPLATES / name).read_text()
    assert bare_texts(source) == []
    assert bare_literals(source) == []


def test_a_bare_text_is_seen() -> None:
    assert bare_texts('<p title="Why">{{ name }} fits {% if x %}well{% endif %}</p>') == ["fits well", "Why"]
    assert bare_texts('{% trans %}All <b>of it</b>{% endtrans %}<td data-label="{{ _("Day") }}">') == []
    literals = '{{ ui.empty("Nothing", _("It is so."), a == "B c", "sites/new", "and so on") }}'
    assert bare_literals(literals) == ["Nothing", "and so on"]


@pytest.mark.parametrize("script", OWN_SCRIPTS, ids=[file.name for file in OWN_SCRIPTS])
def test_no_text_of_a_script_stands_bare(script: Path) -> None:
    assert bare_script_texts(script.read_text()) == []


def test_a_bare_text_of_a_script_is_seen() -> None:
    assert bare_script_texts('el("p", {}, "No field"); title = `${n} rows`; el("b", {}, "Value")') == [
        "No field",
        "Value",
    ]
    assert bare_script_texts('_("No field fits."); el("p", { class: "muted small" }, _("Value"))') == []


def test_pages_bring_the_texts_that_scripts_say_as_translators_get_them(tmp_path: Path) -> None:
    of_scripts = {file: texts for file, texts in extracted_by_file().items() if file.endswith(".js")}
    assert {"Only some items", "%(number)s chosen.", "%(done)s of %(total)s"} <= set().union(*of_scripts.values())
    assert set(texts_of()) == set().union(*of_scripts.values())
    german = compiled(tmp_path, "de", {"Only some items": "Nur manche </script>", "Overview": "Überblick"})
    assert json.loads(translated_texts(translations_of("de", german))) == {"Only some items": "Nur manche </script>"}
    assert "</script>" not in translated_texts(translations_of("de", german))
    assert translated_texts(translations_of("en")) == ""


def test_what_translators_get_has_the_navigation_the_components_and_the_pages() -> None:
    messages = extracted()
    names = {group.name for group in GROUPS} | {entry.name for group in GROUPS for entry in group.entries}
    assert names <= messages
    assert {"Next page", "Filters (%(number)s chosen)", "Sign out", "Nothing is withheld"} <= messages
    assert ("%(rows)s delivery", "%(rows)s deliveries") in messages
    assert {"The session is ended.", "accepted"} <= messages  # of Python


def test_places_of_texts_have_names() -> None:
    for message in extracted():
        for text in (message,) if isinstance(message, str) else message:
            shown = text % defaultdict(str)  # a per cent sign alone, or a place without a name, raises
            assert "%(" not in shown


def test_pages_speak_the_language_of_a_catalog(tmp_path: Path) -> None:
    compiled(tmp_path, "de", {"Overview": "Überblick & mehr", "Sign out": "Abmelden"})
    caller = Caller(kind="person", id=1, name="ana", grants=(Grant(role=Role.VIEWER),))
    view = View(path="/nowhere", cookies={}, caller=caller)
    page = Renderer(Digests(), "de", tmp_path).render("layout.html", view, "Title", {})
    assert '<html lang="de"' in page
    assert "Abmelden" in page
    assert "Überblick" in page
    assert "Deliveries" in page  # it is not in the catalog
    assert translations_of("fr", tmp_path).gettext("Overview") == "Overview"


def test_a_text_with_places_is_as_it_is_when_a_call_makes_it(tmp_path: Path) -> None:
    """What is put in place when a template is compiled is what gettext itself would say, escaped alike, in another order too."""
    texts: dict[Message, Message] = {"%(a)s of %(b)s: 5 %%": "%(b)s, %(a)s; 5 %%", "x %(gone)s": "%(other)s"}
    catalog = translations_of("de", compiled(tmp_path, "de", texts))
    source = '{{ _("%(a)s of %(b)s: 5 %%", a=a, b="<i>") }}{% set kept = _("%(a)s of %(b)s: 5 %%", a=a, b=b) %}{{ kept }}{{ _(word) }}'
    environment = TranslatingEnvironment(catalog, autoescape=True)
    assert (
        environment.from_string(source).render(a="<b>", b=2, word="w") == "&lt;i&gt;, &lt;b&gt;; 5 %2, &lt;b&gt;; 5 %w"
    )
    with pytest.raises(KeyError, match="other"):
        environment.from_string('{{ _("x %(gone)s", gone=1) }}').render()


def test_texts_of_python_are_in_the_language_that_is_spoken(tmp_path: Path) -> None:
    texts: dict[Message, Message] = {
        "%(name)s is made": "%(name)s steht",
        ("%(num)s row", "%(num)s rows"): ("%(num)s Zeile", "%(num)s Zeilen"),
    }
    with translations.speaking(translations_of("de", compiled(tmp_path, "de", texts))):
        assert translations._("%(name)s is made", name="Shop") == "Shop steht"
        assert translations.ngettext("%(num)s row", "%(num)s rows", 2) == "2 Zeilen"
        assert translations.translated("") == ""
    assert translations._("%(name)s is made", name="Shop") == "Shop is made"


@pytest.fixture(scope="module")
def bracketed(
    database: str, engine: sa.Engine, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """An administrator of an installation in which nothing is, and whose language puts each text in brackets."""
    locale = compiled(tmp_path_factory.mktemp("locale"), "de", in_brackets())
    with engine.begin() as connection:
        grants = (Grant(role=Role.ADMINISTRATOR),)
        people.add(connection, login="ana", display_name="Ana", grants=grants, actor="tests", password=PASSWORD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(install, "Renderer", lambda digests: Renderer(digests, "de", locale))
        app = create_app(database, settings)
    with asking(app) as client:
        client.headers.update(BROWSER)
        assert client.post("/sign-in", data={"login": "ana", "password": PASSWORD}).status_code == 303
        yield client


def test_nothing_of_a_page_is_left_out_of_the_catalog(bracketed: httpx.Client) -> None:
    paths = [
        page.path
        for page in all_pages()
        if page.operation.method == "GET" and "{" not in page.path and page.path not in OTHER_TEXTS
    ]
    assert len(paths) > 25
    brought = re.search(r'id="texts">(.*?)</script>', bracketed.get("/sites").text)
    assert brought is not None
    assert json.loads(brought[1]) == {text: f"⟦{text}⟧" for text in texts_of()}
    left = {path: outside_brackets(bracketed.get(path).text) - SAME_WORDS for path in paths}
    assert {path: words for path, words in left.items() if words} == {}
