"""systemctl and systemd-run, as far as docs/how-to/deploy.md uses them, for a machine without systemd: a directory (MACHINE) stands for its root.

    python tests/deploy/systemd_stand_in.py systemctl start custom-events

A service gets what systemd would give it: its unit's variables and no others, its working directory, a socket for its readiness. Not done: other accounts,
hardening, starting again.
"""

import configparser
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

MACHINE: Final = Path(os.environ.get("MACHINE", "/"))
PLACES: Final = ("/opt/custom-events", "/var/lib/custom-events", "/etc/custom-events.env", "/etc/systemd/system")
UNITS: Final = MACHINE / "etc/systemd/system"
RUN: Final = MACHINE / "run"
CLEAN: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
LOOK_EVERY_S: Final = 0.1


def placed(text: str, machine: Path = MACHINE) -> str:
    """A page's or a unit's text with the places of this machine."""
    for place in PLACES:
        text = text.replace(place, f"{machine}{place}")
    return text


def read_variables(file: Path) -> dict[str, str]:
    """What an EnvironmentFile sets."""
    lines = [line for line in file.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


class Unit:
    """A service's unit file and its process."""

    def __init__(self, name: str) -> None:
        self.name = name
        read = configparser.ConfigParser(strict=False, interpolation=None)
        read.read_string(placed((UNITS / f"{name}.service").read_text()))
        self.service: Mapping[str, str] = read["Service"]
        self.number, self.log = RUN / f"{name}.pid", RUN / f"{name}.log"

    def process(self) -> psutil.Process | None:
        """Its main process, where it lives."""
        try:
            process = psutil.Process(int(self.number.read_text()))
            return None if process.status() == psutil.STATUS_ZOMBIE else process
        except (OSError, psutil.NoSuchProcess):
            return None

    def start(self) -> int:
        """Start it and wait until it says that it is ready. The exit code."""
        if self.process() is not None:
            return 0
        state = MACHINE / "var/lib" / self.service["StateDirectory"]
        state.mkdir(parents=True, exist_ok=True, mode=int(self.service["StateDirectoryMode"], 8))
        address = RUN / f"{self.name}.sock"
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified, self.log.open("ab") as log:
            notified.bind(str(address))
            notified.settimeout(1.0)
            name, _, value = self.service["Environment"].partition("=")
            environment = {
                **CLEAN,
                name: value,
                **read_variables(Path(self.service["EnvironmentFile"])),
                "NOTIFY_SOCKET": str(address),
                "WATCHDOG_USEC": str(int(self.service["WatchdogSec"]) * 1_000_000),
            }
            process = subprocess.Popen(
                shlex.split(self.service["ExecStart"]),
                cwd=self.service["WorkingDirectory"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self.number.write_text(str(process.pid))
            deadline = time.monotonic() + int(self.service["TimeoutStartSec"])
            while time.monotonic() < deadline and process.poll() is None:
                try:
                    if b"READY=1" in notified.recv(4096).splitlines():
                        return 0
                except TimeoutError:
                    continue
        sys.stderr.write(f"{self.name} did not become ready:\n{self.log.read_text(errors='replace')[-4000:]}\n")
        return 1

    def stop(self) -> int:
        """SIGTERM to its main process, and wait for its end. The exit code."""
        process = self.process()
        if process is None:
            return 0
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + int(self.service["TimeoutStopSec"])
        while self.process() is not None:
            if time.monotonic() > deadline:
                os.killpg(process.pid, signal.SIGKILL)
                sys.stderr.write(f"{self.name} did not end in time and was killed\n")
                return 1
            time.sleep(LOOK_EVERY_S)
        return 0


def systemctl(words: Sequence[str]) -> int:
    """daemon-reload, or start, stop, enable, disable of one unit. The exit code."""
    verb, *rest = words
    if verb == "daemon-reload":
        return 0
    unit = Unit(rest[-1])
    if verb in ("start", "stop"):
        return unit.start() if verb == "start" else unit.stop()
    now = "--now" in rest
    enabled = UNITS / "multi-user.target.wants" / unit.name
    if verb == "enable":
        enabled.parent.mkdir(exist_ok=True)
        enabled.touch()
        return unit.start() if now else 0
    assert verb == "disable", verb
    enabled.unlink()
    return unit.stop() if now else 0


def systemd_run(words: Sequence[str]) -> int:
    """Become a command with the variables and in the directory that the options name."""
    options = [word for word in words if word.startswith("--")]
    options = options[: next(at for at, word in enumerate(words) if not word.startswith("--"))]
    environment, directory = dict(CLEAN), "/"
    for name, _, value in (option.partition("=") for option in options):
        if name == "--working-directory":
            directory = value
        elif name == "--setenv":
            environment |= dict([value.split("=", 1)])
        elif value.startswith("EnvironmentFile="):
            environment |= read_variables(Path(value.removeprefix("EnvironmentFile=")))
        elif value.startswith("StateDirectory="):
            (MACHINE / "var/lib" / value.removeprefix("StateDirectory=")).mkdir(0o700, parents=True, exist_ok=True)
    os.chdir(directory)
    command = words[len(options) :]
    os.execve(command[0], command, environment)


if __name__ == "__main__":
    sys.exit({"systemctl": systemctl, "systemd-run": systemd_run}[sys.argv[1]](sys.argv[2:]))
