"""Texts of pages in other languages, by gettext: templates and Python mark theirs, and a catalog says them in its language.

`make messages` writes all of them for translators; a catalog that `pybabel compile` makes of theirs is
`locale/<language>/LC_MESSAGES/console.mo` beside this file. What the domain and the API say themselves (problems, sentences of rules, reasons) is not
marked: it is the same wherever it is read.
"""

import gettext
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

LOCALE: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "console"
ENGLISH: Final = "en"
_SPOKEN: Final[ContextVar[gettext.NullTranslations]] = ContextVar("spoken", default=gettext.NullTranslations())  # noqa: B039  (it has no state)


def N_(text: str) -> str:  # noqa: N802  (gettext's own name for it)
    """Mark a text for translators that is translated where it is shown."""
    return text


def translations_of(language: str, locale: Path = LOCALE) -> gettext.NullTranslations:
    """The catalog of a language; where there is none, texts stay as they are written."""
    return gettext.translation(DOMAIN, locale, [language], fallback=True)


@contextmanager
def speaking(catalog: gettext.NullTranslations) -> Generator[None]:
    """Within it, texts of Python are in the language of this catalog."""
    before = _SPOKEN.set(catalog)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def translated(text: str) -> str:
    """A text that was marked elsewhere, in the language of the page that is being made."""
    return _SPOKEN.get().gettext(text) if text else ""  # of nothing a catalog says what it is about


def _(text: str, /, **values: object) -> str:
    """A text in the language of the page that is being made, its named places filled with these values; %% stands for a per cent sign."""
    return _SPOKEN.get().gettext(text) % values


def ngettext(singular: str, plural: str, number: int, /, **values: object) -> str:
    """As `_`, in the form of a text that fits the number, which stands in it as `num` if it is not given by another name."""
    return _SPOKEN.get().ngettext(singular, plural, number) % {"num": number, **values}
