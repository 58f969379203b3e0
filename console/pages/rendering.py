"""Templates, and what every page is filled with: who looks, where they are, what they may go to."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import jinja2
import msgspec

from console.api.rights import Right, Scope
from console.pages import formats, toasts, words
from console.pages.help_pages import manual_of
from console.pages.manual import MANUAL
from console.pages.navigation import GROUPS, PARTS, Entry, Group
from console.pages.script_texts import translated_texts
from console.pages.static_files import DIRECTORY as STATIC
from console.pages.static_files import Digests
from console.pages.translated_templates import TranslatingEnvironment
from console.pages.translations import ENGLISH, LOCALE, speaking, translations_of
from custom_events.access.roles import NOBODY, Caller, Role

TEMPLATES: Final = Path(__file__).parent / "templates"
HTMX: Final = STATIC / "vendor" / "htmx.min.js"
THEME: Final = "custom_events_theme"
THEMES: Final = ("system", "light", "dark")


class View:
    """One look at a page: `root` leads from it to the console's own address, whatever prefix is before that; `cookies`: by their names here."""

    def __init__(self, *, path: str, cookies: Mapping[str, str], caller: Caller = NOBODY) -> None:
        self.path = path
        self.cookies = cookies
        self.caller = caller

    @property
    def root(self) -> str:
        """`../` for each folder that the path has, "" at the top."""
        return "../" * (self.path.count("/") - 1)

    @property
    def theme(self) -> str:
        """What the viewer chose: light, dark, or as their system has it."""
        chosen = self.cookies.get(THEME, "")
        return chosen if chosen in THEMES else "system"

    def may(self, role: str, site_id: int | None = None) -> bool:
        """Whether who looks has the role on this site; None: on all sites."""
        return self.caller.may(Role(role), site_id)

    def may_somewhere(self, role: str) -> bool:
        """Whether who looks has the role on one site at least."""
        return self.caller.may_somewhere(Role(role))

    def navigation(self) -> list[Group]:
        """The parts of the console that who looks may go to."""
        groups = [
            Group(group.name, tuple(entry for entry in group.entries if self._sees(entry.right))) for group in GROUPS
        ]
        return [group for group in groups if group.entries]

    def is_here(self, entry: Entry) -> bool:
        """Whether the page belongs to this part."""
        top = self.path.strip("/").partition("/")[0]
        return PARTS.get(top, top) == entry.address.partition("/")[0]

    @property
    def manual(self) -> str:
        """The page of the manual that is about this page, below help/; "" where none is, or no manual is installed."""
        return manual_of(self.path) if MANUAL.is_dir() and self.caller is not NOBODY else ""

    def _sees(self, right: Right) -> bool:
        role = right.role or Role.VIEWER
        match right.scope:
            case Scope.ALL_SITES:
                return self.caller.may(role)
            case Scope.SOME_SITE:
                return self.caller.may_somewhere(role)
            case _:
                return True


class Renderer:
    """Fills templates. `digests`: of the files that pages load; `language`: of their texts."""

    def __init__(self, digests: Digests, language: str = ENGLISH, locale: Path = LOCALE) -> None:
        self.catalog = translations_of(language, locale)
        self._environment = TranslatingEnvironment(
            self.catalog,
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters.update({**formats.FILTERS, "setting_name": words.setting_name})
        known: dict[str, Any] = self._environment.globals
        known |= {"words": words, "unset": msgspec.UNSET, "has_htmx": HTMX.exists(), "zip": zip, "max": max}
        known |= {"file": digests.address, "language": language, "script_texts": translated_texts(self.catalog)}

    def render(self, template: str, view: View, title: str, content: Mapping[str, Any]) -> str:
        """The page as HTML."""
        filled = {
            "problem": None,
            **content,
            "view": view,
            "root": view.root,
            "title": title,
            "toast": toasts.read(view.cookies),
            "now": datetime.now(UTC),
        }
        with speaking(self.catalog):
            return self._environment.get_template(template).render(filled)
