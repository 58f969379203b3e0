"""The demo: everything started, two waves of webhooks followed until Google has answered, the figures shown and checked."""

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.live import Live

from custom_events.errors import NeedsAction
from custom_events.postgres import migrate
from custom_events.postgres.connect import engine
from custom_events.settings import Settings
from orchestration import instance
from sandbox.demo import examples, nightly_jobs
from sandbox.demo import figures as demo_figures
from sandbox.demo.console import prepare_console, show_alarms, sign_in_link
from sandbox.demo.figures import Figures
from sandbox.demo.google import (
    google_environment,
    google_program,
    let_time_pass,
    remove_variables,
    wait_for_google,
    write_variables,
)
from sandbox.demo.progress import display
from sandbox.demo.ready import wait_until_ready
from sandbox.demo.scheduled_report import prepare_report
from sandbox.demo.sites import prepare
from sandbox.stores.posts import Post
from sandbox.stores.script import script
from sandbox.stores.sender import Sent, send
from supervisor import programs
from supervisor.processes import Supervisor, check_ports

LOOK_EVERY_S = 0.5
SETTLE_LIMIT_S = 240.0  # to settle takes about 60 s on two idle cores; beyond this something is wrong
JUMP_EVERY_S = 4.0
RUNS_STAY_S = 60.0
FIGURES_FILE = "demo.json"


class Demo:
    """One run of the demo on one database."""

    def __init__(self, settings: Settings, url: str, console: Console) -> None:
        self.settings = settings
        self.url = url
        self.console = console
        self.started = time.monotonic()
        self.engine = engine(url)
        self.supervisor = Supervisor(
            settings.local_directory / "logs",
            {
                **programs.environment(settings, url),
                **google_environment(settings),
                # The runs of the first wave take the second one too, instead of a cold start for each.
                "CUSTOM_EVENTS_DRAIN_IDLE_S": str(RUNS_STAY_S),
            },
        )
        self.sent = Sent()
        self.jumped = 0.0

    @property
    def seconds(self) -> float:
        """Since the start of this run."""
        return time.monotonic() - self.started

    def start(self) -> None:
        """Starts Google's stand-in, the receiver, the console and Dagster, in this order, and waits for the receiver."""
        programs.check_exposure(self.settings)
        wanted = [google_program(self.settings), programs.receiver(self.settings)]
        slower = [programs.console(self.settings), *programs.dagster(self.settings)]
        check_ports([*wanted, *slower])
        for program in (*wanted, *slower):
            self.supervisor.start(program)
        wait_for_google(self.settings, self.supervisor)
        write_variables(self.settings)
        base = f"http://{self.settings.receiver_host}:{self.settings.receiver_port}"
        wait_until_ready(f"{base}/readyz", self.supervisor)

    def follow(self, step: str, posts: Sequence[Post], live: Live) -> None:
        """Posts a wave and follows it until nothing moves any more. Raises NeedsAction when it does not settle in time."""
        base = f"http://{self.settings.receiver_host}:{self.settings.receiver_port}"
        begun = f"{step}: the stores post {len(posts)} webhooks"
        if not self.console.is_terminal:  # where the display shows nothing before its end
            self.console.print(begun)
        live.update(display(begun, self.seconds, None))
        wave = asyncio.run(send(base, posts))
        self.sent.posts += wave.posts
        self.sent.by_status.update(wave.by_status)
        self.sent.by_kind.update(wave.by_kind)
        deadline = time.monotonic() + SETTLE_LIMIT_S
        while True:
            figures = self.read()
            live.update(display(step, self.seconds, figures))
            if figures.settled:
                return
            if time.monotonic() > deadline:
                raise NeedsAction(f"{step}: not settled after {SETTLE_LIMIT_S:.0f} s; still open: {figures.open_work}")
            if figures.uploads.get("sent") or figures.adjustments.get("sent"):
                self.jump()
            self.supervisor.check()
            time.sleep(LOOK_EVERY_S)

    def jump(self) -> None:
        """Moves Google's clock past its verdicts, at most once in a while: more would age every click."""
        if time.monotonic() - self.jumped > JUMP_EVERY_S:
            let_time_pass(self.settings)
            self.jumped = time.monotonic()

    def read(self) -> Figures:
        """The figures now."""
        with self.engine.connect() as connection:
            return demo_figures.read(connection)

    def stop(self) -> None:
        """Ends every process; Dagster's runs count as cancelled."""
        remove_variables(self.settings)
        if programs.CODE_SERVER in self.supervisor.children:
            instance.cancel_runs(instance.home(self.settings), self.url)
        self.supervisor.stop()
        self.engine.dispose()


def run(settings: Settings, url: str, console: Console, *, once: bool, with_reports: bool = False) -> int:
    """Migrates and seeds the database, runs the demo; stays up until interrupted unless `once`, which asks for Google's counts and builds reports
    only `with_reports`. Returns the exit code."""
    console.print("The database gets its tables.")
    migrate.upgrade(url)
    demo = Demo(settings, url, console)
    try:
        with demo.engine.begin() as connection:
            stores = prepare(connection, settings)
            password = "" if once else prepare_console(connection)  # nobody is there to sign in
            if not once:
                prepare_report(connection, settings, datetime.now(UTC))
        console.print("Starting Google's stand-in, the receiver, the console and Dagster.")
        demo.start()
        before = demo.read()
        number = _run_number(settings.local_directory / FIGURES_FILE)
        waves = script(stores.shopify, stores.woocommerce, stores.custom, datetime.now(UTC), seed=number)
        examples.write(settings.local_directory, waves.first)
        with Live(console=console, refresh_per_second=4) as live:
            demo.follow("First wave", waves.first, live)
            demo.follow("Second wave: refunds, cancellations, redeliveries", waves.second, live)
        code = _conclude(demo, before, number, once=once, password=password)
        if with_reports or not once:
            console.print("Google is asked for its counts, and the reports are built.")
            for job in nightly_jobs.JOBS:
                console.print(nightly_jobs.run(demo.supervisor, job), soft_wrap=True)
        if not once:
            console.print("Running until Ctrl-C.")
            _stay(demo)
        return code
    finally:
        demo.stop()


def _conclude(demo: Demo, before: Figures, number: int, *, once: bool, password: str) -> int:
    after = demo.read()
    gaps = demo_figures.disagreements(demo.sent, before, after)
    after.sums_agree = not gaps
    after.gaps = gaps
    demo_figures.show(demo.console, after)
    demo_figures.write(demo.settings.local_directory / FIGURES_FILE, after, seconds=round(demo.seconds, 1), run=number)
    demo.console.print("The sums agree." if not gaps else "The sums do NOT agree: " + " ".join(gaps))
    demo.console.print(f"Settled after {demo.seconds:.0f} s.")
    if not once:
        show_alarms(demo.engine, demo.settings, datetime.now(UTC))
        for name, address in programs.addresses(demo.settings).items():
            demo.console.print(f"  {name:12} {address}")
        demo.console.print(f"  {'Signed in':12} {sign_in_link(demo.settings, password)}", soft_wrap=True)
    return 1 if gaps else 0


def _stay(demo: Demo) -> None:
    """Until a signal raises, or a process cannot live."""
    while True:
        for sentence in demo.supervisor.tend():
            demo.console.print(sentence)
        time.sleep(1)


def _run_number(file: Path) -> int:
    """1, 2, 3 ...: a second run on the same directory posts other orders of the same customers."""
    try:
        return int(json.loads(file.read_text())["run"]) + 1
    except (OSError, ValueError, KeyError):
        return 1
