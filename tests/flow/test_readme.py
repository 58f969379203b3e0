"""README's section "On a server of your own", executed as it stands there: on the machine's PostgreSQL with its default configuration,
over TCP with a password, with an ordinary login. Only the database's address is another one, and `make setup` was done before."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg
import pytest
import sqlalchemy as sa

from custom_events import secrets
from tests import machine_postgres
from tests.flow import stack

HEADING = "## On a server of your own"
PASSWORD = "pass-word-of-the-test"
COMMAND_LIMIT_S = 120
UNDERSTOOD_LIMIT_S = 120.0  # the first delivery after the start: Dagster's imports, on a machine that is busy otherwise

END_IDLE_S = 5.0  # promised from SIGTERM on, when nothing is under way
NO_RUN = "SELECT count(*) = 0 FROM dagster.runs WHERE status IN ('QUEUED', 'STARTING', 'STARTED')"

pytestmark = [pytest.mark.flow, pytest.mark.timeout(560)]


def blocks() -> list[list[str]]:
    """The section's commands, block by block, without the comments behind them."""
    section = (stack.ROOT / "README.md").read_text().partition(f"{HEADING}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return [[re.sub(r"\s+# .*$", "", line) for line in block.splitlines()] for block in found]


class Terminal:
    """A shell in a directory of its own, which remembers what was exported."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory, self.environment = directory, environment
        self.exports: list[str] = []

    def run(self, *lines: str, code: int = 0) -> str:
        """The output of these lines; fails unless they end with `code`."""
        done = subprocess.run(
            ["bash", "-c", "\n".join([*self.exports, *lines])],
            check=False,
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_LIMIT_S,
        )
        assert done.returncode == code, (lines, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def program(self, line: str) -> list[str]:
        """The command line of one that stays."""
        return ["bash", "-c", "\n".join([*self.exports, f"exec {line}"])]


class Server(NamedTuple):
    """A server with the machine's default configuration. `address`: over TCP, of a new database whose owner is the login `shop`."""

    superuser: str
    address: str


@pytest.fixture
def server(server_directory: Path) -> Iterator[Server]:
    (port,) = stack.free_ports(1)
    home = server_directory / "server"
    home.mkdir()
    with machine_postgres.running(home, host="127.0.0.1", port=port) as superuser:
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE shop LOGIN PASSWORD '{PASSWORD}'")
            connection.execute("CREATE DATABASE events OWNER shop")
        yield Server(superuser, f"postgresql://shop:{PASSWORD}@127.0.0.1:{port}/events")


@pytest.fixture
def terminal(server_directory: Path) -> Terminal:
    """Where the commands are typed; `custom-events` is this checkout's."""
    programs = server_directory / "programs"
    programs.mkdir()
    command = programs / "custom-events"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cli.main "$@"\n')
    command.chmod(0o755)
    environment = stack.environment(server_directory / "local")
    (server_directory / "home").mkdir()
    environment["CUSTOM_EVENTS_DRAIN_IDLE_S"] = "1"  # runs end soon, so that the end of an idle product can be seen
    return Terminal(server_directory / "home", environment | {"PATH": f"{programs}:{environment['PATH']}"})


def with_password() -> list[str]:
    """Every command line of the machine, whoever runs it, in which the password stands."""
    found: list[str] = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(PASSWORD in word for word in words):
            found.append(f"{process.pid} {shlex.join(words)}")
    return found


def test_the_section_as_it_stands(server: Server, terminal: Terminal) -> None:
    as_superuser(server, "ALTER ROLE shop CREATEROLE")
    first, second, third = blocks()
    set_up, path, address, key, migrate, doctor, up, status = first
    assert set_up == "make setup"
    assert re.fullmatch(r"export DATABASE_URL=postgresql://\S+", address)
    terminal.environment["DATABASE_URL"] = server.address  # exported, but on no command line
    terminal.exports.append(path)
    terminal.run(key)
    assert "(was empty)" in terminal.run(migrate)
    assert terminal.run(doctor).endswith("Nothing is wrong.\n")
    with stack.running(terminal.environment, terminal.program(up), terminal.directory) as service:
        connect_a_store(terminal, second)
        send_an_order(terminal, third)
        figures = terminal.run(status)
        assert re.search(r"^received +1 = landed 1 \+ refused 0$", figures, re.MULTILINE)
        assert re.search(r"^matched +1 = ", figures, re.MULTILINE)
        assert "The sums agree." in figures
        assert {"receiver", "console", "dagster-code", "dagster-web", "dagster-daemon"} <= service.children().keys()
        assert with_password() == []
        stack.until(lambda: as_superuser(server, NO_RUN) == [(True,)], "the end of the runs", UNDERSTOOD_LIMIT_S)
        service.end(END_IDLE_S * stack.others_too())
        assert service.process.returncode == 0, service.said()
        assert service.said().endswith("Ended; every process is stopped.\n")
    assert stack.left_of(terminal.environment) == []


def connect_a_store(terminal: Terminal, lines: list[str]) -> None:
    """Its commands, and what a person copies from their output."""
    add, *rules = lines
    shown = terminal.run(add)
    terminal.environment["ADDRESS"] = re.findall(r"Post JSON to (\S+),", shown)[0]
    terminal.environment["SECRET"] = re.findall(r"^Secret \(shown once\): (\S+)$", shown, re.MULTILINE)[0]
    assert terminal.run(*rules).endswith("Applied: 2 steps.\n")


def send_an_order(terminal: Terminal, lines: list[str]) -> None:
    """The order is answered 200, and then explained to its end. No command line shows the password meanwhile."""
    *sending, explain = lines
    assert "HTTP/1.1 200 OK" in terminal.run(*sending)
    assert explain == "custom-events explain A-1"

    def explained() -> str | None:
        assert with_password() == []
        shown = terminal.run(f"{explain} || true")
        if "120.00 EUR" in shown:
            return shown
        assert "1 delivery waits to be understood" in shown
        return None

    shown = stack.until(explained, "the order's understanding", UNDERSTOOD_LIMIT_S)
    for words in ("signature verified", "understood ", "order.paid:A-1", "all orders"):
        assert words in shown


def as_superuser(server: Server, *statements: str) -> list[tuple[object, ...]]:
    """Run statements in the database; the rows of the last one."""
    url = sa.make_url(server.superuser).set(database="events").render_as_string()
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            done = connection.execute(statement)  # type: ignore[arg-type]
        return done.fetchall() if done.description else []


def test_a_login_that_may_not_make_roles_is_told_what_a_person_must_run(server: Server, terminal: Terminal) -> None:
    terminal.environment["DATABASE_URL"] = server.address
    said = terminal.run("custom-events migrate", code=1)
    assert "the login shop may not make roles" in said
    remedy = re.findall(r"run: (CREATE ROLE .*?;) (GRANT .*?;) Then", said)
    assert remedy
    assert "-> Have somebody who may make roles run: CREATE ROLE" in terminal.run("custom-events doctor", code=1)
    assert "the login shop may not make roles" in terminal.run("custom-events up", code=1)
    as_superuser(server, *remedy[0])
    terminal.run("custom-events migrate")
    assert "the key is yours to keep" in terminal.run("custom-events doctor", code=1)
    assert "the key is yours to keep" in terminal.run("custom-events up", code=1)
    terminal.environment["CUSTOM_EVENTS_SECRET_KEY"] = secrets.generate().decode()
    assert "ok       receiver's role" in terminal.run("custom-events doctor")


def test_the_look_at_command_lines_sees_a_password(tmp_path: Path) -> None:
    sleeper = [
        sys.executable,
        "-c",
        "import sys; print(flush=True); sys.stdin.read()",
        f"postgresql://shop:{PASSWORD}@db/events",
    ]
    with subprocess.Popen(sleeper, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(with_password()) == 1
