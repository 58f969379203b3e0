"""Texts of our scripts in the console's language: found where scripts say them, and brought by each page as JSON (static/texts.js reads it)."""

import gettext
import json
import re
from pathlib import Path
from typing import Final

from jinja2.utils import htmlsafe_json_dumps

from console.pages.static_files import DIRECTORY

_CALL: Final = re.compile(r'(?<![\w$.])_\(\s*("(?:[^"\\]|\\.)*")')  # as Babel's extractor finds them for translators
_OF_OTHERS: Final = "vendor"


def texts_of(directory: Path = DIRECTORY) -> tuple[str, ...]:
    """The texts of the scripts in a folder, as they are written, each once."""
    scripts = (file for file in sorted(directory.rglob("*.js")) if _OF_OTHERS not in file.parts)
    return tuple(dict.fromkeys(json.loads(text) for file in scripts for text in _CALL.findall(file.read_text())))


def translated_texts(catalog: gettext.NullTranslations, directory: Path = DIRECTORY) -> str:
    """Those that the catalog says otherwise, as JSON for a page; "" where there are none, as in English."""
    if type(catalog) is gettext.NullTranslations:
        return ""
    translations = {text: said for text in texts_of(directory) if (said := catalog.gettext(text)) != text}
    return htmlsafe_json_dumps(translations) if translations else ""
