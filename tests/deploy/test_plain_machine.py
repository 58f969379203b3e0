"""docs/how-to/deploy.md from "A plain machine" to "Uninstall", typed as it stands there: the wheel installed, started by its unit, an order on its way to the conversion
that Google's stand-in takes, the update from an older release, a dump restored into an empty server, the end.

systemctl and systemd-run are stand-ins (systemd_stand_in.py), and so is useradd. Packages of others are those that the tests run with, whose versions pip compares with the
lock. `make plain-machine` has pip bring all of them instead, and goes back to the older release as well.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
import pytest

from cli import distribution
from custom_events.postgres import account
from tests.deploy.plain_machine import OLDER, PAGE, TUTORIAL, WHOLE, PlainMachine, release
from tests.deploy.systemd_stand_in import PLACES
from tests.flow import stack
from tests.flow.backup_page import blocks as backup_blocks
from tests.flow.page_shell import blocks_of
from tests.flow.server_machine import ServerMachine

PORT: Final = 5432  # of a socket in a directory of the test's own
ANSWER_LIMIT_S: Final = (
    180.0  # from the delivery to Google's answer: Dagster's imports, on a machine that is busy otherwise
)
EXECUTED: Final = {"A plain machine", "Update", "Go back", "Uninstall"}

pytestmark = [
    pytest.mark.flow,
    pytest.mark.long,
    pytest.mark.timeout(7_200 if WHOLE else 1_500),
    pytest.mark.usefixtures("untraced_processes"),
]


@pytest.fixture
def server(server_directory: Path) -> Iterator[ServerMachine]:
    """The database's machine, with an empty database."""
    backups = server_directory / "backups"
    backups.mkdir()
    with ServerMachine(server_directory, "data", PORT, BACKUPS=str(backups)) as machine:
        account.hand_over(backups)
        machine.initialise()
        machine.shell.run("createdb")
        yield machine


@pytest.fixture
def google(server_directory: Path) -> Iterator[list[str]]:
    """Google's stand-in: the settings that lead to it."""
    command = [sys.executable, "-m", "cli.main", "sandbox", "google-ads", "--grpc-port", "0", "--http-port", "0"]
    environment = stack.environment(server_directory / "google", ())
    with subprocess.Popen(command, env=environment, cwd=stack.ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if "Ready" in line:
                break
        (http,) = re.findall(r" HTTP (\S+)$", "".join(lines), re.MULTILINE)
        settings = [line.removeprefix("export ").strip() for line in lines if line.startswith("export ")]
        try:
            yield [*settings, f"CUSTOM_EVENTS_DATA_MANAGER_ENDPOINT={http}"]
        finally:
            process.terminate()


@pytest.fixture
def machine(server: ServerMachine) -> Iterator[PlainMachine]:
    # Not pytest's directory, whose path is too long for sockets.
    with (
        tempfile.TemporaryDirectory(prefix="custom-events-test-") as root,
        PlainMachine(Path(root), server.url) as made,
    ):
        yield made


def test_every_block_is_typed() -> None:
    assert {heading for heading, _ in blocks_of(PAGE)} == EXECUTED


def test_from_the_release_to_the_end(
    machine: PlainMachine, server: ServerMachine, google: list[str], tmp_path: Path
) -> None:
    older = release(tmp_path / "older", OLDER)
    newer = release(tmp_path / "newer", distribution.version())
    install(machine, older, google)
    order(machine, "A-1", *tutorial(machine, "3. The database and a shop"), *tutorial(machine, "4. A rule"))
    update(machine, newer)
    if WHOLE:
        order(machine, "A-2")
    lose_and_restore(machine, server)
    if WHOLE:
        go_back(machine, older)
    uninstall(machine, server)


def install(machine: PlainMachine, folder: Path, google: list[str]) -> None:
    """The older release, until it runs; beside what the page sets: other ports than those that are taken here, and where Google is."""
    names = (*stack.PORTS, "CUSTOM_EVENTS_RECEIVER_FIGURES_PORT")
    ports = [f"{name}={port}" for name, port in zip(names, stack.free_ports(len(names)), strict=True)]
    programs, settings, tables, start = machine.blocks("A plain machine")
    machine.type(f"cd {folder}\n{programs}")
    machine.type(settings)
    file = machine.place("/etc/custom-events.env")
    assert file.stat().st_mode & 0o077 == 0
    file.write_text(file.read_text() + "\n".join([*ports, *google, ""]))
    machine.type(f"RECEIVER=http://127.0.0.1:{ports[0].partition('=')[2]}")
    assert "you@example.org may sign in: administrator" in machine.type(tables)
    shown = machine.type(start)
    assert "FAILED" not in shown
    assert "The sums agree." in shown
    assert version_of(machine) == OLDER


def tutorial(machine: PlainMachine, heading: str) -> list[str]:
    """The blocks of a step of the tutorial, which are typed as well."""
    return machine.blocks(heading, TUTORIAL)


def order(machine: PlainMachine, name: str, *before: str) -> None:
    """An order, signed and posted as in the tutorial after what comes `before`, until Google has its conversion."""
    machine.type("cd /var/lib/custom-events")
    for block in before:
        machine.type(block)
    machine.type('ADDRESS="$RECEIVER/${ADDRESS#*//*/}"')  # the receiver of this machine, whichever host it named
    (post,) = tutorial(machine, "6. An order")
    machine.type(post.replace("A-1", name))
    stack.until(
        lambda: "accepted" in machine.type(f"custom-events explain {name} || true"),
        f"Google's answer for {name}",
        ANSWER_LIMIT_S,
        machine.log,
    )


def update(machine: PlainMachine, folder: Path) -> None:
    """To the newer release, of a database that is a revision older, as the one before would have made it."""
    newest, before = newest_revisions()
    (block,) = machine.blocks("Update")
    machine.type(f"cd {folder}\nsystemctl stop custom-events\ncustom-events migrate downgrade {before} --yes")
    shown = machine.type(block)
    assert re.search(rf"\b{before}\b", shown)
    assert "The sums agree." in shown
    assert re.search(r"^received +1 = landed 1 \+ refused 0$", shown, re.MULTILINE)
    assert f"migrations: at {newest}, the newest" in shown
    assert version_of(machine) == distribution.version()


def lose_and_restore(machine: PlainMachine, server: ServerMachine) -> None:
    """A dump, the database's machine lost with its disk, and the dump in an empty one, by the blocks of the page on that."""
    for block in backup_blocks("A dump"):
        server.shell.run(block)
    machine.type("systemctl stop custom-events")
    server.kill()
    shutil.rmtree(server.data)
    server.initialise()
    for block in backup_blocks("Restore a dump"):
        server.shell.run(block)
    (after,) = backup_blocks("After a restore")
    shown = machine.type("\n".join(line for line in after.splitlines() if line.startswith("custom-events ")))
    assert "The sums agree." in shown
    assert "accepted" in machine.type("custom-events explain A-1")


def go_back(machine: PlainMachine, folder: Path) -> None:
    """To the older release, which has the same tables here, so that its start brings them back."""
    shown = machine.type("custom-events migrate current")
    newest, before = newest_revisions()
    assert set(re.findall(r"\b\d{4}\b", shown)) == {newest}
    (block,) = machine.blocks("Go back")
    shown = machine.type(f"cd {folder}\nREVISION={before}\n{block}")
    assert "The sums agree." in shown
    assert version_of(machine) == OLDER


def newest_revisions() -> tuple[str, str]:
    """The newest revision of the tables, and the one before."""
    revisions = sorted(file.name[:4] for file in (stack.ROOT / "migrations/versions").glob("[0-9]*.py"))
    return revisions[-1], revisions[-2]


def uninstall(machine: PlainMachine, server: ServerMachine) -> None:
    """What the page says is left, and no process."""
    (block,) = machine.blocks("Uninstall")
    machine.type(f"cd /\n{block}")
    assert not [place for place in PLACES if machine.place(place).is_file()]
    assert not machine.unit.exists()
    assert not machine.place("/opt/custom-events").exists()
    assert machine.place("/var/lib/custom-events").is_dir()
    assert server.query("SELECT count(*) FROM landing.raw_events") == [(2 if WHOLE else 1,)]
    stack.until(lambda: not processes_of(machine), "the end of every process", stack.END_LIMIT_S)


def processes_of(machine: PlainMachine) -> list[str]:
    """What still runs of what was installed."""
    place = str(machine.place("/opt/custom-events"))
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [" ".join(words) for words in lines if any(word.startswith(place) for word in words)]


def version_of(machine: PlainMachine) -> str:
    """What is installed."""
    (installed,) = machine.place("/opt/custom-events").glob("lib/*/site-packages/custom_events-*.dist-info")
    return installed.name.removeprefix("custom_events-").removesuffix(".dist-info")
