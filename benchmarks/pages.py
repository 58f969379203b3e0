"""The console's lists with a large history beside those with as much as the demo has.

    python -m benchmarks.pages [--quick] [--sites N] [--assignments N] [--events N] [--rounds N]

Two embedded PostgreSQLs with a world made in SQL (that of the API's benchmark), and a console on each as a process. A browser opens each list cold, in
a context of its own, by turns here and there; what comes over its connections is counted as it comes. Then each list is asked for one
request after the other, with the processor's milliseconds of the console and of PostgreSQL for each, and at last 200 people sign in, look once at the overview, and leave their connections open.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
import sqlalchemy as sa
from playwright.sync_api import Browser, sync_playwright

from benchmarks.api import chosen_sizes, console, memory_of_sessions, store
from benchmarks.reading_world import OPEN_ROWS
from console.pages.install import all_pages
from custom_events.access import people, sessions
from custom_events.access.roles import Grant, Role
from custom_events.postgres import connect, embedded, migrate
from custom_events.settings import settings as read_settings

RESULT: Final = Path(".local/bench/pages.json")
FULL: Final[dict[str, float]] = {"sites": 10_000, "assignments": 50_000, "events": 5_000_000, "rounds": 9}
QUICK: Final[dict[str, float]] = {"sites": 200, "assignments": 1_000, "events": 5_000, "rounds": 3}
# As the demo has after a minute: three stores, their assignments, and what came of 860 webhooks.
DEMO: Final[dict[str, float]] = {"sites": 3, "assignments": 20, "events": 800}
DEMO_OPEN_ROWS: Final = 60
REQUESTS: Final = 10  # of each list in a round, one after the other
CONSOLES: Final = 200
TARGETS: Final = {
    "p95 ms": 50.0,
    "first paint": 1.5,
    "rows": 1.5,
    "kB of a cold page": 60.0,
    "MB of 200 consoles": 60.0,
}
# What is read and no list: forms, and the pages of one's own.
NO_LISTS: Final = (
    *("/sign-in", "/orders/story", "/account", "/styleguide", "/help", "/help/models", "/dagster", "/dagster/open"),
    *("/shopify/install", "/shopify/callback"),
)
LIMIT_MS: Final = 60_000
# When rows are there to be seen: in the frame after the one in which they were laid out.
WATCH: Final = """
const look = () => {
  const row = document.querySelector("main tbody tr, main .pipeline li, main .empty");
  if (row && row.getClientRects().length) requestAnimationFrame(() => { window.rowsAt = performance.now(); });
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
PAINT: Final = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


class Look(msgspec.Struct, frozen=True):
    """A list opened cold: milliseconds to its first paint and to its rows, kilobytes that came over the connections."""

    paint_ms: float
    rows_ms: float
    kb: float


class Place(msgspec.Struct, frozen=True):
    """A console on one of the worlds; `postmaster`: the process of its PostgreSQL whose children the others are."""

    engine: sa.Engine
    port: int
    process: psutil.Process
    postmaster: psutil.Process
    token: str

    def processor_s(self) -> tuple[float, float]:
        """Seconds of the processor so far: of the console, and of PostgreSQL with what has ended."""
        children = sum(sum(child.cpu_times()[:2]) for child in self.postmaster.children())
        return sum(self.process.cpu_times()[:2]), sum(self.postmaster.cpu_times()[:4]) + children


def lists() -> tuple[str, ...]:
    """The paths of all lists, and of the overview."""
    return tuple(
        page.path
        for page in all_pages()
        if page.operation.method == "GET"
        and "{" not in page.path
        and not page.path.endswith("/new")
        and page.path not in NO_LISTS
    )


def run(sizes: dict[str, float]) -> dict[str, Any]:
    """Measure and write RESULT; its content."""
    with ExitStack() as stack:
        large = stack.enter_context(_place(sizes))
        small = stack.enter_context(_place(DEMO, open_rows=DEMO_OPEN_ROWS))
        playwright = stack.enter_context(sync_playwright())
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        result = measure(browser, large, small, int(sizes["rounds"]))
        browser.close()
    result = {"sizes": sizes, **result}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def measure(browser: Browser, large: Place, small: Place, rounds: int) -> dict[str, Any]:
    """All figures of two running consoles."""
    pages = {path: beside(browser, large, small, path, rounds) for path in lists()}
    memory = memory_of_sessions(large.engine, large.port, large.process, "/", CONSOLES)
    ratios = {
        "p95 ms": max(page["p95_ms"] for page in pages.values()),
        "first paint": max(page["paint"] for page in pages.values()),
        "rows": max(page["rows"] for page in pages.values()),
        "kB of a cold page": max(page["kb"] for page in pages.values()),
        "MB of 200 consoles": memory,
    }
    reached = {name: ratios[name] <= target for name, target in TARGETS.items()}
    return {"pages": pages, "ratios": ratios, "targets": TARGETS, "reached": reached}


def beside(browser: Browser, large: Place, small: Place, path: str, rounds: int) -> dict[str, float]:
    """A list of the large world and of the small one, by turns."""
    looks: dict[int, list[Look]] = {large.port: [], small.port: []}
    taken, costs = list[float](), list[list[float]]()
    for place in (large, small):
        cold(browser, place, path)  # the servers are warm, the browser never is
    for _ in range(rounds):
        for place in (large, small):
            looks[place.port].append(cold(browser, place, path))
        before = large.processor_s()
        taken += [asked_ms(large, path) for _ in range(REQUESTS)]
        costs.append([1_000 * (now - then) / REQUESTS for now, then in zip(large.processor_s(), before, strict=True)])
    print(path, file=sys.stderr, flush=True)
    here, there = looks[large.port], looks[small.port]
    paints = [statistics.median(look.paint_ms for look in some) for some in (here, there)]
    rows = [statistics.median(look.rows_ms for look in some) for some in (here, there)]
    return {
        "median_ms": round(statistics.median(taken), 1),
        "p95_ms": round(statistics.quantiles(taken, n=20, method="inclusive")[-1], 1),
        "console_ms": round(statistics.median(cost[0] for cost in costs), 1),
        "database_ms": round(statistics.median(cost[1] for cost in costs), 1),
        "paint_ms": round(paints[0], 1),
        "paint": round(paints[0] / paints[1], 2),
        "rows_ms": round(rows[0], 1),
        "rows": round(rows[0] / rows[1], 2),
        "kb": round(max(look.kb for look in here), 1),
    }


def cold(browser: Browser, place: Place, path: str) -> Look:
    """Open a list in a context that has seen nothing yet. Raises AssertionError for an answer that is no list."""
    address = f"http://127.0.0.1:{place.port}"
    context = browser.new_context()
    context.set_default_timeout(LIMIT_MS)
    context.add_cookies([{"name": "custom_events_session", "value": place.token, "url": address}])
    page = context.new_page()
    page.add_init_script(WATCH)
    network, received = context.new_cdp_session(page), list[float]()
    network.on("Network.loadingFinished", lambda loaded: received.append(loaded["encodedDataLength"]))
    network.send("Network.enable")
    answer = page.goto(f"{address}{path}", wait_until="networkidle")
    assert answer is not None
    assert answer.status == 200, f"{path}: {answer.status}"
    page.wait_for_function("window.rowsAt")
    page.wait_for_function(f"{PAINT} !== undefined")
    look = Look(page.evaluate(PAINT), page.evaluate("window.rowsAt"), sum(received) / 1_000)
    context.close()
    return look


def asked_ms(place: Place, path: str) -> float:
    """Milliseconds until a list is there whole, without a browser."""
    headers = {"Cookie": f"custom_events_session={place.token}", "Accept": "text/html", "Accept-Encoding": "gzip"}
    request = urllib.request.Request(f"http://127.0.0.1:{place.port}{path}", headers=headers)
    at = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()
    return 1_000 * (time.perf_counter() - at)


@contextmanager
def _place(sizes: dict[str, float], open_rows: int = OPEN_ROWS) -> Generator[Place]:
    """A world of these sizes with a console, and an administrator who is signed in there."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-pages-", ignore_cleanup_errors=True) as directory,
        embedded.start(Path(directory) / "postgres") as server,
    ):
        migrate.upgrade(server.url)
        engine = connect.engine(server.url, name="bench")
        store(engine, sizes, open_rows=open_rows)
        password = "four words and more"
        with engine.begin() as connection:
            grants = (Grant(role=Role.ADMINISTRATOR),)
            people.add(connection, login="ana", display_name="Ana", grants=grants, actor="bench", password=password)
        token = sessions.sign_in(
            engine, login="ana", password=password, client_address="", user_agent="", settings=read_settings()
        )
        print(f"{sizes['events']:,.0f} events of {sizes['sites']:,.0f} sites are stored", file=sys.stderr, flush=True)
        with console(server.url, Path(directory)) as (port, process):
            pid = int((Path(directory) / "postgres/data/postmaster.pid").read_text().split("\n", 1)[0])
            yield Place(engine, port, process, psutil.Process(pid), token)
        engine.dispose()


def _table(result: dict[str, Any]) -> str:
    lines = [
        f"{'':<22}{'median ms':>10}{'p95 ms':>8}{'console':>9}{'database':>10}{'paint ms':>10}{'times':>7}{'rows ms':>9}{'times':>7}{'kB':>7}"
    ]
    for path, page in result["pages"].items():
        lines.append(
            f"{path:<22}{page['median_ms']:>10}{page['p95_ms']:>8}{page['console_ms']:>9}{page['database_ms']:>10}{page['paint_ms']:>10}{page['paint']:>7}{page['rows_ms']:>9}{page['rows']:>7}{page['kb']:>7}"
        )
    lines.append(f"{CONSOLES} open consoles: {result['ratios']['MB of 200 consoles']} MB")
    return "\n".join(lines)


def main() -> None:
    print(_table(run(chosen_sizes(__doc__, quick=QUICK, full=FULL))))


if __name__ == "__main__":
    main()
