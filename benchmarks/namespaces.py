"""Machines of a network of their own on this one: network namespaces on a bridge (Linux, as root). A link can be cut and mended."""

import os
import shutil
import subprocess
from types import TracebackType
from typing import Final, Self

SUBNETS: Final = 64  # second numbers of addresses that are used, from 64 on: two commands at once have different ones
LONGEST_NAME: Final = 15  # of an interface, in Linux


class Network:
    """A bridge of this machine (`address`) and `count` namespaces beside it, numbered from 0. Everything is removed when the block ends, whatever
    happened in it; end the programs in them first."""

    def __init__(self, count: int) -> None:
        number = os.getpid()
        self._count = count
        self._tag = f"ce{number}"[: LONGEST_NAME - 3]
        self._subnet = f"10.{64 + number % SUBNETS}.{number // SUBNETS % 256}"
        self.address = f"{self._subnet}.1"
        self.network = f"{self._subnet}.0/24"

    def __enter__(self) -> Self:
        try:
            _ip("link", "add", f"{self._tag}b", "type", "bridge")
            _ip("addr", "add", f"{self.address}/24", "dev", f"{self._tag}b")
            _ip("link", "set", f"{self._tag}b", "up")
            for number in range(self._count):
                self._add(number)
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._remove()

    def _add(self, number: int) -> None:
        name, link = self._name(number), self._link(number)
        _ip("netns", "add", name)
        _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("link", "set", link, "master", f"{self._tag}b", "up")
        _ip("-n", name, "addr", "add", f"{self.address_of(number)}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", name, "link", "set", device, "up")

    def _remove(self) -> None:
        for number in range(self._count):
            _ip("link", "del", self._link(number), check=False)
            _ip("netns", "del", self._name(number), check=False)
        _ip("link", "del", f"{self._tag}b", check=False)

    def _name(self, number: int) -> str:
        return f"{self._tag}-{number}"

    def _link(self, number: int) -> str:
        return f"{self._tag}v{number}"

    def address_of(self, number: int) -> str:
        """The address of a namespace."""
        return f"{self._subnet}.{number + 2}"

    def within(self, number: int, command: list[str]) -> list[str]:
        """The command line that runs a command in a namespace; it becomes that command's process."""
        return ["ip", "netns", "exec", self._name(number), *command]

    def cut(self, number: int) -> None:
        """Take a namespace's link down: packets are lost, and no connection is ended."""
        _ip("link", "set", self._link(number), "down")

    def mend(self, number: int) -> None:
        """Bring the link up again."""
        _ip("link", "set", self._link(number), "up")


def obstacle() -> str | None:
    """Why there can be no namespaces here; None where there can."""
    if shutil.which("ip") is None:
        return "the program `ip` (iproute2) is not there"
    if os.geteuid() != 0:
        return "network namespaces are made by root"
    try:
        with Network(1):
            return None
    except subprocess.CalledProcessError as error:
        return f"this machine does not permit network namespaces: {error.stderr.strip()}"


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True, text=True)
