"""Work that nobody takes is seen from outside, becomes an alarm, and what should take it is started again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from custom_events.errors import InvalidConfiguration
from custom_events.settings import Settings
from custom_events.watching import outside
from supervisor import notify, programs, service
from supervisor.processes import Child, Program, Supervisor
from supervisor.work import NO_TICK_S, STUCK_S, WorkWatch

QUEUE = "INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) VALUES (:id, date_trunc('week', now())::date, 1)"
TICKS = """
CREATE SCHEMA IF NOT EXISTS dagster;
CREATE TABLE dagster.job_ticks (id serial, status text, timestamp timestamp);
"""


def do(engine: sa.Engine, statement: str, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(statement), values)


@pytest.fixture
def ticking(engine: sa.Engine) -> sa.Engine:
    """A database in which a sensor has just looked, and looks on."""
    with engine.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(TICKS)
    do(
        engine,
        "INSERT INTO dagster.job_ticks (status, timestamp) VALUES ('SKIPPED', now() AT TIME ZONE 'UTC' + interval '1 h')",
    )
    return engine


def words(watch: WorkWatch, now_s: float) -> list[str]:
    return [one.what for one in watch.look(now_s)]


def test_deliveries_that_nobody_takes(ticking: sa.Engine) -> None:
    watch = WorkWatch(ticking)
    assert words(watch, 0.0) == []
    do(ticking, QUEUE, id=5)
    assert words(watch, 100.0) == []
    assert words(watch, 100.0 + STUCK_S - 1) == []
    assert words(watch, 100.0 + STUCK_S) == ["deliveries"]
    do(ticking, "DELETE FROM landing.raw_queue")
    do(ticking, QUEUE, id=6)
    assert words(watch, 200.0) == [], "another one is the oldest: they are taken"
    watch.forgive(300.0)
    assert words(watch, 300.0 + STUCK_S - 1) == []
    assert watch.look(300.0 + STUCK_S)[0].sentence == "Deliveries wait to be understood, and none was taken for 45 s"


def test_conversions_that_are_due_and_not_sent(ticking: sa.Engine) -> None:
    watch = WorkWatch(ticking)
    do(ticking, "INSERT INTO app.value_changes VALUES (1, 'o', now())")
    assert words(watch, 0.0) == []
    assert words(watch, STUCK_S) == ["uploads"]
    do(ticking, "DELETE FROM app.value_changes")
    assert words(watch, STUCK_S + 1) == []


def test_sensors_that_do_not_look(ticking: sa.Engine) -> None:
    watch = WorkWatch(ticking)
    do(ticking, "UPDATE dagster.job_ticks SET timestamp = now() AT TIME ZONE 'UTC' - interval '5 min'")
    do(ticking, "INSERT INTO dagster.job_ticks (status, timestamp) VALUES ('FAILURE', now() AT TIME ZONE 'UTC')")
    assert words(watch, 0.0) == []
    assert words(watch, NO_TICK_S) == ["ticks"]
    watch.forgive(NO_TICK_S)
    assert words(watch, NO_TICK_S + 1) == []


def test_no_tick_was_ever_made(engine: sa.Engine) -> None:
    watch = WorkWatch(engine)
    assert words(watch, 0.0) == []
    assert words(watch, NO_TICK_S) == ["ticks"]


class Noted:
    """A channel that remembers."""

    name = "noted"

    def __init__(self) -> None:
        self.messages: list[str] = []

    def send(self, message: object) -> None:
        self.messages.append(str(message))


def test_the_alarm_is_told_once_and_closed(engine: sa.Engine) -> None:
    channel, configured, now = Noted(), Settings(), datetime.now(UTC)

    def report(minutes: float, *sentences: str) -> list[str]:
        channel.messages.clear()
        outside.report(engine, [channel], configured, sentences, now + timedelta(minutes=minutes))  # type: ignore[list-item]
        return channel.messages

    assert report(0) == []
    assert "none was taken" in report(1, "Deliveries wait, and none was taken")[0]
    assert report(2, "Deliveries wait, and none was taken") == []
    assert report(3) == [], "it may come back"
    assert len(report(20)) == 1
    assert report(21) == []
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT name, closed_at IS NULL FROM app.alarms")).all() == [
            ("WorkNotTaken", False)
        ]


class Recorded(Supervisor):
    """Starts nothing."""

    def __init__(self, *given: object) -> None:
        super().__init__(Path("/nowhere"), {})
        names = (programs.CODE_SERVER, programs.DAEMON, "receiver")
        self.children = {name: Child(Program(name=name, arguments=[]), name) for name in names}
        self.restarted: list[str] = []

    def tend(self) -> list[str]:
        return []

    def restart(self, name: str, reason: str) -> str:
        self.restarted.append(name)
        return f"{name}: {reason}"


def test_what_should_take_the_work_is_started_again(
    ticking: sa.Engine, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "Supervisor", Recorded)
    said: list[str] = []
    made = service.Service(Settings(local_directory=tmp_path, database_url=SecretStr(database)), database, said.append)
    do(ticking, QUEUE, id=5)
    began = made._started_at
    for second in range(0, 500, 10):
        made.step(began + second)
        assert bool(said) == (second >= service.RESTART_PAUSE_S), "a start takes its time"
    restarted = made._supervisor.restarted  # type: ignore[attr-defined]
    assert restarted[:2] == [programs.CODE_SERVER, programs.DAEMON]
    assert len(restarted) == 2 * 4, "each time when two minutes were over"
    assert said[0] == f"{programs.CODE_SERVER}: Deliveries wait to be understood, and none was taken for 120 s"
    made._supervisor.children[programs.DAEMON].started_at = began + 1_000.0  # it had died, and was started again
    made.step(began + 1_000.0 + service.RESTART_PAUSE_S - 1)
    assert len(restarted) == 2 * 4, "a start takes its time, whatever the reason for it"
    made.step(began + 1_010.0 + service.RESTART_PAUSE_S)
    assert len(restarted) == 2 * 5
    do(ticking, "DROP TABLE landing.raw_queue CASCADE")
    made.step(began + 2_000.0)  # a database that does not answer ends nothing
    made._supervisor.children.clear()
    made.stop()


def test_systemd_is_told_where_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    assert notify.tell(notify.READY) is False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        address = str(tmp_path / "notify")
        listening.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        assert notify.tell(notify.READY)
        assert notify.tell(notify.status("two\nlines"))
        assert [listening.recv(100), listening.recv(100)] == [b"READY=1", b"STATUS=two lines"]
    monkeypatch.setenv("NOTIFY_SOCKET", "@nobody-listens-here")
    assert notify.tell(notify.ALIVE) is False


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_dagsters_page_is_for_this_machine(host: str) -> None:
    programs.check_exposure(Settings(dagster_host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "dagster.example"])
def test_dagsters_page_is_not_shown_to_others_by_accident(host: str) -> None:
    with pytest.raises(InvalidConfiguration, match="has no TLS"):
        programs.check_exposure(Settings(dagster_host=host))
    programs.check_exposure(Settings(dagster_host=host, dagster_exposed=True))
