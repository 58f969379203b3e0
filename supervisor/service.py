"""The whole product on one machine: its processes tended, its work watched, and whoever runs it told."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from custom_events.postgres import address, embedded
from custom_events.postgres.connect import engine
from custom_events.settings import Settings
from custom_events.watching.channels import channels
from custom_events.watching.outside import report
from orchestration import instance
from supervisor import notify, programs
from supervisor.embedded_server import EmbeddedWatch
from supervisor.processes import Program, Supervisor
from supervisor.work import Stuck, WorkWatch

PROCESSES_FILE: Final = "processes"  # of whom those are that run here
TEND_EVERY_S: Final = 1.0
LOOK_EVERY_S: Final = 10.0  # at the work; three indexed queries
# After a start, before work that stands still is held against what should do it: Dagster takes 10 to 20 s to start, and 70 on a
# machine that is busy otherwise (measured on two cores under six test processes).
RESTART_PAUSE_S: Final = 120.0

# What is started again for what stands still. A code server's end ends the runs that it started.
CURES: Final = {
    "ticks": (programs.DAEMON, programs.CODE_SERVER),
    "deliveries": (programs.CODE_SERVER, programs.DAEMON),
    "uploads": (programs.CODE_SERVER, programs.DAEMON),
}

log = structlog.get_logger(__name__)


class Service:
    """Starts the programs and runs until a signal raises. `on_event` gets a sentence for each thing that happened."""

    def __init__(self, settings: Settings, url: str, on_event: Callable[[str], None]) -> None:
        self._settings, self._url, self._on_event = settings, url, on_event
        self._engine = engine(url, name="custom-events supervisor")
        self._watch = WorkWatch(self._engine)
        self._hold = None if settings.database_url else embedded.start(settings.local_directory / address.DIRECTORY)
        self._embedded = None if self._hold is None else EmbeddedWatch(self._hold)
        self._supervisor = Supervisor(settings.local_directory / "logs", programs.environment(settings, url))
        self._looked_at = 0.0
        self._started_at = time.monotonic()  # the programs, or those that were started again for work that stood still

    def start(self, wanted: Sequence[Program]) -> None:
        """Start the programs, and tell systemd that the service is ready: from now on deliveries are taken, or refused for the store
        to try again."""
        for sentence in self._supervisor.take_over(self._settings.local_directory / PROCESSES_FILE):
            self._say(sentence)
        for program in wanted:
            self._supervisor.start(program)
        self._started_at = time.monotonic()
        notify.tell(notify.READY)

    def run(self) -> None:
        """Tend and watch until a signal raises. Raises NeedsAction when a program cannot live."""
        while True:
            self.step(time.monotonic())
            time.sleep(TEND_EVERY_S)

    def step(self, now_s: float) -> None:
        """One look at the processes, and at the work when its time has come."""
        for sentence in (
            *(self._embedded.tend() if self._embedded else ()),
            *self._supervisor.tend(),
            *self._supervisor.end_orphans(now_s),
        ):
            self._say(sentence)
        if now_s - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now_s
            self._look(now_s)
        notify.tell(notify.ALIVE)

    def _look(self, now_s: float) -> None:
        is_starting = now_s - self._started_at < RESTART_PAUSE_S
        try:
            standstills = self._watch.look(now_s)
            sentences = [] if is_starting else [stuck.sentence for stuck in standstills]
            report(self._engine, channels(self._settings), self._settings, sentences, datetime.now(UTC))
        except SQLAlchemyError as error:  # the receiver answers 503 meanwhile; the processes come back by themselves
            log.warning("work_not_seen", error=type(error).__name__)
            return
        if standstills and not is_starting and now_s - self._last_start() >= RESTART_PAUSE_S:
            self._cure(standstills, now_s)

    def _last_start(self) -> float:
        """When a program that takes work was started last: one that died a moment ago is not ended for being slow since."""
        cures = {name for names in CURES.values() for name in names}
        return max(
            (child.started_at for name, child in self._supervisor.children.items() if name in cures), default=0.0
        )

    def _cure(self, standstills: Sequence[Stuck], now_s: float) -> None:
        self._started_at = now_s
        for name in {name: None for stuck in standstills for name in CURES[stuck.what]}:
            if name in self._supervisor.children:
                self._say(self._supervisor.restart(name, standstills[0].sentence))
        self._watch.forgive(now_s)

    def _say(self, sentence: str) -> None:
        self._on_event(sentence)
        notify.tell(notify.status(sentence))

    def stop(self) -> None:
        """End every process; Dagster's runs count as cancelled."""
        notify.tell(notify.STOPPING)
        if programs.CODE_SERVER in self._supervisor.children:
            instance.cancel_runs(instance.home(self._settings), self._url)
        self._supervisor.stop()
        self._engine.dispose()
        if self._embedded is not None:
            self._embedded.stop()
        if self._hold is not None:
            self._hold.stop()
