"""Texts of pages in other languages: by gettext, as templates and the navigation mark them.

What is marked so far: the frame of every page, its navigation and its components. `make messages` writes these texts for translators; a
catalog that `pybabel compile` makes of theirs is `locale/<language>/LC_MESSAGES/console.mo` beside this file.
"""

import gettext
from pathlib import Path
from typing import Final

LOCALE: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "console"
ENGLISH: Final = "en"


def N_(text: str) -> str:  # noqa: N802  (gettext's own name for it)
    """Mark a text for translators that is translated where it is shown."""
    return text


def translations_of(language: str, locale: Path = LOCALE) -> gettext.NullTranslations:
    """The catalog of a language; where there is none, texts stay as they are written."""
    return gettext.translation(DOMAIN, locale, [language], fallback=True)
