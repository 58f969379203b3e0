"""A real WordPress for tests and measurements: the newest build that npm has, with its database in a file, under the PHP of this machine."""

import fcntl
import hashlib
import shutil
import socket
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from console.pages import node

FOLDER: Final = Path(__file__).parent
PLUGIN: Final = FOLDER.parent / "custom-events"
BUILDS: Final = FOLDER.parents[2] / ".local" / "wordpress"
PACKAGE: Final = "@wp-playground/wordpress-builds@0.9.19"
_SHA512: Final = (
    "765aaf87f3090e91395baf2f80f3ca523a62a7acccb81879f4bdc3d7c657fa97"
    "70bab0b8ab8c9dad3c30ff7b13315ebd0417281fa905f7762d02dba3342e4ca7"
)
_PARTS: Final = {  # of the package, by the name of the file here
    "wordpress.zip": "package/src/wordpress/wp-nightly.zip",
    "sqlite.zip": "package/src/sqlite-database-integration/sqlite-database-integration.zip",
}
_SQLITE: Final = "sqlite-database-integration"
_CONSTANTS: Final = {"DISABLE_WP_CRON": "true", "WP_HTTP_BLOCK_EXTERNAL": "true", "WP_ACCESSIBLE_HOSTS": "'127.0.0.1'"}
INSTALL_S: Final = 120  # a second on a quiet machine
ATTEMPTS: Final = 3  # SQLite may be locked where the disk is slow
START_S: Final = 60.0
LOOK_EVERY_S: Final = 0.05


def bring(builds: Path = BUILDS) -> str:
    """Bring the build, once. What went wrong, in words; empty: it is there."""
    builds.mkdir(parents=True, exist_ok=True)
    with (builds / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if all((builds / name).exists() for name in _PARTS):
            return ""
        command = [*node.NPM, "pack", PACKAGE, "--pack-destination", str(builds), "--loglevel=error"]
        try:
            ended = node.run(command)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        packed = sorted(builds.glob("*.tgz"))
        if ended.returncode or not packed:
            return ended.stderr.strip() or f"npm ended with {ended.returncode}"
        try:
            with packed[0].open("rb") as content:
                if hashlib.file_digest(content, "sha512").hexdigest() != _SHA512:
                    return f"{PACKAGE} is not what it was when this was written: its digest is another one"
            with tarfile.open(packed[0]) as archive:
                for name, inside in _PARTS.items():
                    _keep(archive.extractfile(inside), builds / name)
        finally:
            packed[0].unlink()
    return ""


def _keep(content: IO[bytes] | None, path: Path) -> None:
    if content is None:
        raise FileNotFoundError(path.name)
    part = path.with_suffix(".part")
    with part.open("wb") as target:
        shutil.copyfileobj(content, target)
    part.replace(path)


def install(shop: Path, builds: Path = BUILDS, *, plugins: Sequence[str] = ()) -> None:
    """A WordPress in the folder `shop`, installed, with our plugin beside; `plugins` are active, by their main files. `bring` has to come before.

    Raises RuntimeError with what PHP says.
    """
    with zipfile.ZipFile(builds / "wordpress.zip") as archive:
        archive.extractall(shop)
    content = shop / "wp-content"
    with zipfile.ZipFile(builds / "sqlite.zip") as archive:
        archive.extractall(content / "plugins")
    (content / "plugins" / f"{_SQLITE}-main").rename(content / "plugins" / _SQLITE)
    drop_in = (content / "plugins" / _SQLITE / "db.copy").read_text()
    (content / "db.php").write_text(drop_in.replace("{SQLITE_PLUGIN}", f"{_SQLITE}/load.php"))
    (content / "plugins" / PLUGIN.name).symlink_to(PLUGIN.resolve())
    configuration = shop / "wp-config.php"
    lines = "".join(f"define( '{name}', {value} );\n" for name, value in _CONSTANTS.items())
    configuration.write_text(configuration.read_text().replace("<?php", f"<?php\n{lines}", 1))
    output = ""
    for _attempt in range(ATTEMPTS):
        output = run("wordpress/install.php", str(shop), *plugins)
        if output.endswith("installed"):
            return
        (content / "database" / ".ht.sqlite").unlink(missing_ok=True)
    raise RuntimeError(f"WordPress could not be installed: {output[-2_000:]}")


def run(script: str, *arguments: str) -> str:
    """The output of one of the scripts here, and what PHP says beside. WordPress's mails go nowhere."""
    command = ["php", "-d", "sendmail_path=/bin/true", str(FOLDER / script), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    return ended.stderr + ended.stdout


@contextmanager
def served(shop: Path) -> Generator[tuple[str, int]]:
    """The shop by PHP's own server, in one process that takes one request at a time: its address on this machine, and the process's id.

    Raises RuntimeError where it does not answer.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    router = str(FOLDER / "wordpress/router.php")
    command = ["php", "-d", "sendmail_path=/bin/true", "-S", address, "-t", str(shop), router]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_S
        while not _answers(address):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PHP's server does not answer at {address}")
            time.sleep(LOOK_EVERY_S)
        yield f"http://{address}", server.pid
    finally:
        server.terminate()
        server.wait()


def _answers(address: str) -> bool:
    try:
        build_opener(ProxyHandler({})).open(f"http://{address}/wp-includes/version.php", timeout=START_S).close()
    except (URLError, ConnectionError):
        return False
    return True
