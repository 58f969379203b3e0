"""Texts that no database and no terminal takes: a NUL, half of a surrogate pair."""

_NUL = "\0"


def text_problem(text: str) -> str | None:
    """Why PostgreSQL cannot keep a text, as a sentence; None when it can."""
    if _NUL in text:
        return "it holds a NUL character (U+0000), which no database keeps"
    if not is_unicode(text):
        half = next(character for character in text if "\ud800" <= character <= "\udfff")
        return f"it holds half of a character (U+{ord(half):04X}, a lone surrogate), which is no text"
    return None


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str) -> str:
    """The text for a message: what cannot be seen, or written at all, as its escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
