"""Pictures of the console: of the demo's data, for docs/, and of every picture's page in three widths and both themes to look at.

    python -m sandbox.demo.screenshots        (make screenshots, after a demo of its own)

What stands in a picture follows from the demo's data, which follow from its seed; moments are shown as if the picture was taken at `SHOWN_AT`.
"""

import shutil
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from custom_events import logs
from custom_events.errors import CustomEventsError, NeedsAction
from custom_events.postgres import connect
from custom_events.postgres.address import database
from custom_events.settings import Settings
from custom_events.settings import settings as read_settings
from sandbox.demo.console import DRAFT, LOGIN, prepare_console, show_alarms
from sandbox.demo.small_png import reduced

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DOCS: Final = Path(__file__).parents[2] / "docs" / "pictures"
BUILD: Final = Path(".local/screenshots")
SHOWN_AT: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
MOST_BYTES: Final = 150_000  # of a picture in docs/: they are kept in the repository
WIDTH, HEIGHT = 1280, 800
WIDTHS: Final = (380, 1280, 2560)
THEMES: Final = ("light", "dark")
CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
LIMIT_MS: Final = 60_000  # a busy machine
START_S: Final = 60.0


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of docs/pictures, by the address of its page below the console's; `follow`: links from there, one after the other, to the page that is meant."""

    name: str
    address: str
    follow: tuple[str, ...] = ()


PICTURES: Final = (
    Picture(name="overview", address=""),
    Picture(name="sites", address="sites"),
    Picture(name="draft", address=f"definitions/{DRAFT}"),
    Picture(name="assignments", address="assignments"),
    Picture(name="deliveries", address="deliveries"),
    Picture(name="story", address="uploads?state=accepted", follow=("td.main a", "a[href*='orders/story']")),
    Picture(name="parked", address="parked"),
    Picture(name="uploads-held", address="uploads?state=held"),
    Picture(name="reports", address="reports"),
)
# Moments are moved by the same time, so that those of the past stay as far apart as they are.
_MOVE_TIMES: Final = """
([now, shown]) => {
  const words = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
  for (const time of document.querySelectorAll("time[datetime]")) {
    time.textContent = words.format(new Date(new Date(time.getAttribute("datetime")).getTime() + shown - now));
  }
}
"""


def take(settings: Settings, docs: Path, build: Path) -> list[Path]:
    """All pictures; those for docs/. Raises NeedsAction where there is no browser, no demo, or a picture is too large."""
    from playwright.sync_api import sync_playwright

    chromium = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if chromium is None:
        raise NeedsAction(f"None of {', '.join(CHROMIUM)} is there: apt-get install chromium, then make screenshots.")
    with database(settings) as url:
        engine = connect.engine(url, name="custom-events screenshots")
        with engine.begin() as connection:
            password = prepare_console(connection)
        show_alarms(engine, settings, datetime.now(UTC))
        engine.dispose()
        with _console(url, settings) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            try:
                return _take_all(browser, address, password, docs, build)
            finally:
                browser.close()


def _take_all(browser: "Browser", address: str, password: str, docs: Path, build: Path) -> list[Path]:
    made: list[Path] = []
    docs.mkdir(parents=True, exist_ok=True)
    empty = browser.new_page()
    for theme in THEMES:
        context = browser.new_context(base_url=address, color_scheme=theme, reduced_motion="reduce", timezone_id="UTC")
        context.set_default_timeout(LIMIT_MS)
        page = context.new_page()
        page.goto("/sign-in")
        page.get_by_label("Login").fill(LOGIN)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("h1:has-text('Overview')")
        for picture in PICTURES:
            for width in WIDTHS:
                _take(page, picture, width, build / f"{picture.name}-{width}-{theme}.png", whole=True)
            if theme == THEMES[0]:
                file = docs / f"{picture.name}.png"
                _take(page, picture, WIDTH, file, whole=False)
                file.write_bytes(reduced(empty, file.read_bytes()))
                made.append(file)
        context.close()
    if large := [file.name for file in made if file.stat().st_size > MOST_BYTES]:
        raise NeedsAction(f"Larger than {MOST_BYTES:,} bytes: {', '.join(large)}. Choose a page with less on it.")
    return made


def _take(page: "Page", picture: Picture, width: int, file: Path, *, whole: bool) -> None:
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.goto(f"/{picture.address}")
    for link in picture.follow:
        page.goto(str(page.locator(link).first.evaluate("link => link.href")))
    now = datetime.now(UTC)
    page.evaluate(_MOVE_TIMES, [1_000 * now.timestamp(), 1_000 * SHOWN_AT.timestamp()])
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=file, full_page=whole, animations="disabled", caret="hide")


@contextmanager
def _console(url: str, settings: Settings) -> Generator[str]:
    """The console on a free port of this machine, in a thread of ours. Raises NeedsAction when it does not start."""
    import uvicorn

    from console.api.app import create_app

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(url, settings), log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"  # what connects before it serves waits in its queue
        finally:
            server.should_exit = True
            thread.join(START_S)


def main() -> int:
    """From the command line; says which pictures were made. Returns the exit code."""
    try:
        made = take(read_settings(), DOCS, BUILD)
    except CustomEventsError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    for file in made:
        sys.stdout.write(f"{file.name}: {file.stat().st_size:,} bytes\n")
    sys.stdout.write(f"In three widths and both themes: {BUILD}\n")
    return 0


if __name__ == "__main__":
    logs.configure("screenshots", level="WARNING", json_lines=False)
    raise SystemExit(main())
