"""The machine's own PostgreSQL with its own configuration: what initdb writes, and none of our settings.

The sessions of the product set what they need (`custom_events.postgres.connect.SESSION`); here it shows whether that is enough.
"""

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from custom_events.postgres import account
from custom_events.postgres.server import NAME

INSTALLED = Path("/usr/lib/postgresql")  # Debian's place: <major>/bin
SUPERUSER = NAME  # as on the embedded server, so that one test fits both
START_LIMIT_S = 60
# The only settings beside initdb's: where it listens, and that a crash of the machine may lose what tests wrote.
PRIVATE = "-c listen_addresses='{host}' -c port={port} -c unix_socket_directories='{sockets}'"
NOT_DURABLE = "-c fsync=off"
# A database is some six hundred files: 25 ms to copy in memory, 150 to 200 ms on a disk (measured). Containers often have 64 MB there.
IN_MEMORY = Path("/dev/shm")
ENOUGH_FREE = 6 * 2**30  # bytes: two workers with a gigabyte of WAL and as much of data each, and room for the rest


def binaries() -> Path:
    """The bin directory of the newest PostgreSQL of this machine; skips the test where there is none."""
    found = sorted(INSTALLED.glob("*/bin/postgres"), key=lambda path: int(path.parents[1].name))
    if not found:
        pytest.skip(f"no PostgreSQL of the machine's own in {INSTALLED}")
    return found[-1].parent


@contextmanager
def private_directory() -> Generator[Path]:
    """A directory for a server.

    Not pytest's: each pytest that starts closes /tmp/pytest-of-root to all but root, also under a server that runs there.
    """
    fits = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= ENOUGH_FREE
    with tempfile.TemporaryDirectory(
        prefix="custom-events-test-", dir=IN_MEMORY if fits else None, ignore_cleanup_errors=True
    ) as directory:
        yield Path(directory)


@contextmanager
def running(
    directory: Path, *, host: str = "", port: int = 5432, certificate: tuple[Path, Path] | None = None
) -> Generator[str]:
    """A server in `directory` until the end of the block; the libpq URL of its superuser, by socket.

    `host` and `port`: where it also listens for TCP, with passwords (SCRAM); by socket everybody is let in. `certificate`: its file and
    that of its key; TCP is then let in with TLS only.
    """
    programs = binaries()
    account.let_through(directory / "data")
    account.hand_over(directory)
    data, log = directory / "data", directory / "log"
    _call(programs / "initdb", "-D", data, "-U", SUPERUSER, "--auth-local=trust", "--auth-host=scram-sha-256")
    options = f"{PRIVATE.format(host=host, port=port, sockets=directory)} {NOT_DURABLE}"
    if certificate is not None:
        options += f" {_only_tls(data, *certificate)}"
    control = (programs / "pg_ctl", "-D", data, "-w", "-t", START_LIMIT_S)
    _call(*control, "-l", log, "-o", options, "start")
    try:
        yield f"postgresql://{SUPERUSER}@/postgres?host={quote(str(directory))}&port={port}"
    finally:
        _stop(control, data)


def _stop(control: tuple[object, ...], data: Path) -> None:
    """End the server at once, by itself where pg_ctl did not come to it: what is tested has passed or failed before."""
    pid = int((data / "postmaster.pid").read_text().split()[0])
    done = _run(*control, "-m", "immediate", "stop")
    if done.returncode != 0:
        sys.stderr.write(f"pg_ctl ended with {done.returncode}: {done.stderr}\n")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)  # what pg_ctl sends for `immediate`


def _only_tls(data: Path, certificate: Path, key: Path) -> str:
    for name, file in (("server.crt", certificate), ("server.key", key)):
        (data / name).touch(mode=0o600)
        (data / name).write_bytes(file.read_bytes())
        account.hand_over(data / name)
    access = data / "pg_hba.conf"
    access.write_text(re.sub(r"^host ", "hostssl ", access.read_text(), flags=re.MULTILINE))
    return "-c ssl=on"


def _call(*command: object) -> None:
    """As the account that the embedded server has: PostgreSQL refuses to run as root. A locale as a machine for people has one:
    without it initdb makes databases that know no letters beyond ASCII."""
    done = _run(*command)
    words = shlex.join(map(str, command))
    assert done.returncode == 0, f"{words} ended with {done.returncode}: {done.stderr}"


def _run(*command: object) -> "subprocess.CompletedProcess[str]":
    words = [str(word) for word in command]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        words,
        check=False,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **account.run_as(),
    )
