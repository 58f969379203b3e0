"""Cookies of the console. Over https their names begin with __Host- or __Secure-, so that a browser takes them from nobody else: not from a
page without https, not from a sibling host (RFC 6265bis, 4.1.3)."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from custom_events.settings import Settings

ROOT: Final = "/"
HOST: Final = "__Host-"
SECURE: Final = "__Secure-"


def name_of(cookie: str, settings: Settings, *, path: str = ROOT) -> str:
    """The name under which the browser keeps it: only what is sent to every path may be __Host-."""
    if not _is_https(settings):
        return cookie
    return f"{HOST if path == ROOT else SECURE}{cookie}"


def received(sent: Mapping[str, str], settings: Settings) -> Mapping[str, str]:
    """The cookies that a browser sent, by the names that they have here: over https, only what it took over https from this very host."""
    if not _is_https(settings):
        return sent
    return {name.removeprefix(HOST): value for name, value in sent.items() if name.startswith(HOST)}


def written(
    cookie: str, value: str, settings: Settings, *, age_s: int, path: str = ROOT, for_scripts: bool = False
) -> str:
    """The header Set-Cookie. `age_s` 0 takes it away; `path`: the console's own, below which alone it is sent; `for_scripts`: a script of ours
    reads it."""
    if path != ROOT:  # as browsers see it, whatever prefix the console is reached by
        path = urlsplit(settings.console_url).path.rstrip("/") + path
    secure = "; Secure" if _is_https(settings) else ""
    hidden = "" if for_scripts else "; HttpOnly"
    return f"{name_of(cookie, settings, path=path)}={value}; Path={path}; Max-Age={age_s}{hidden}; SameSite=Lax{secure}"


def _is_https(settings: Settings) -> bool:
    return settings.console_url.startswith("https:")
