"""docs/how-to/back-up-and-restore.md: its blocks, where they run, and what has to be there after them."""

import asyncio
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.fernet import Fernet
from pydantic import SecretStr

from custom_events.catalog import signing
from custom_events.platforms.base import Secret
from custom_events.settings import Settings
from ingest_api.database import Database
from tests.flow import stack
from tests.flow.page_shell import Shell, blocks_of
from tests.flow.server_machine import ServerMachine

PAGE: Final = stack.ROOT / "docs/how-to/back-up-and-restore.md"
SITE_KEY: Final = "shop-of-tests"
SECRET: Final = signing.make()
WAIT_LIMIT_S: Final = 60.0
RECEIVED: Final = "SELECT delivery_id FROM landing.raw_events"
COUNTED: Final = "SELECT (SELECT count(*) FROM landing.raw_queue), (SELECT sum(landed) FROM landing.receipts)"


class Block(NamedTuple):
    """A block of the page; `place` is what its first line says after "# on "."""

    heading: str
    place: str
    text: str


BLOCKS: Final = [Block(heading, text.splitlines()[0].removeprefix("# on "), text) for heading, text in blocks_of(PAGE)]


def blocks(heading: str) -> list[str]:
    return [block.text for block in BLOCKS if block.heading == heading]


class Installation:
    """The programs' machine: its directory with the key file, and settings that lead to a database."""

    def __init__(self, place: Path) -> None:
        self.local = place / "programs"
        self.keys = place / "keys"

    def settings(self, url: str) -> Settings:
        return Settings.model_validate(
            {"local_directory": self.local, "database_url": url, "receiver_figures_port": None}
        )

    def run(self, heading: str, url: str) -> list[str]:
        """The output of a heading's blocks."""
        programs = self.local.parent / "programs-bin"
        programs.mkdir(exist_ok=True)
        command = programs / "custom-events"
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cli.main "$@"\n')
        command.chmod(0o755)
        environment = stack.environment(self.local, ())
        environment |= {
            "PATH": f"{programs}:{environment['PATH']}",
            "DATABASE_URL": url,
            "KEYS": str(self.keys),
        }
        with Shell(environment, self.local.parent) as shell:
            return [line for block in blocks(heading) for line in shell.run(block)]

    def lose(self) -> None:
        """Its disk is gone."""
        shutil.rmtree(self.local)


def site_of(server: ServerMachine) -> int:
    ((site_id,),) = server.query("SELECT id FROM app.sites")
    assert isinstance(site_id, int)
    return site_id


def received(server: ServerMachine) -> set[object]:
    return {row[0] for row in server.query(RECEIVED)}


def ids(name: str, count: int = 20) -> list[str]:
    return [f"{name}-{number}" for number in range(count)]


def assert_whole(server: ServerMachine, installation: Installation) -> None:
    """The queue and the receipts agree with what was received; the site's secret can be read, and not by another key."""
    assert server.query(COUNTED) == [(len(received(server)),) * 2]
    settings = installation.settings(server.url)
    assert asyncio.run(secrets_of_the_site(settings)) == (Secret(value=SECRET.encode(), key_id=None),)
    another = settings.model_copy(update={"secret_key": SecretStr(Fernet.generate_key().decode())})
    assert asyncio.run(secrets_of_the_site(another)) == ()


async def secrets_of_the_site(settings: Settings) -> tuple[Secret, ...]:
    async with Database(settings) as database:
        return (await database.sites([SITE_KEY]))[SITE_KEY].secrets
