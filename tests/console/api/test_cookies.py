"""Cookies as browsers take them: by names that nobody else can set, below the address by which the console is reached."""

import pytest

from console.api import cookies
from custom_events.settings import Settings


@pytest.mark.parametrize(
    ("console_url", "path", "header"),
    [
        ("http://127.0.0.1:8080", "/", "x=1; Path=/; Max-Age=9; HttpOnly; SameSite=Lax"),
        ("https://events.example", "/", "__Host-x=1; Path=/; Max-Age=9; HttpOnly; SameSite=Lax; Secure"),
        ("https://events.example/", "/back", "__Secure-x=1; Path=/back; Max-Age=9; HttpOnly; SameSite=Lax; Secure"),
        (
            "https://example/events/",
            "/back",
            "__Secure-x=1; Path=/events/back; Max-Age=9; HttpOnly; SameSite=Lax; Secure",
        ),
    ],
)
def test_a_cookie_is_written_for_where_the_console_is_reached(console_url: str, path: str, header: str) -> None:
    settings = Settings(_env_file=None, console_url=console_url)
    assert cookies.written("x", "1", settings, age_s=9, path=path) == header
    assert header.startswith(f"{cookies.name_of('x', settings, path=path)}=")


def test_only_what_was_taken_from_this_very_host_is_read() -> None:
    sent = {"__Host-x": "1", "x": "2", "__Secure-x": "3"}
    assert cookies.received(sent, Settings(_env_file=None, console_url="https://events.example")) == {"x": "1"}
    assert cookies.received(sent, Settings(_env_file=None)) == sent
