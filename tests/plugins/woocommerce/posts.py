"""What the plugin posts: as it is kept in the golden file, and as PHP makes it now."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

ROOT = Path(__file__).parents[3]
PLUGIN = ROOT / "plugins/woocommerce"
GOLDEN = PLUGIN / "tests/golden/posts.jsonl"
SECRET = b"golden-secret-of-the-tests"
KEY_ID = "k1"
SITE_KEY = "shop-key-1"
PHP_S = 60  # a run takes a tenth of a second; a busy machine may take longer

needs_php = pytest.mark.skipif(shutil.which("php") is None, reason="no php: apt-get install php-cli php-sqlite3")


class Post(msgspec.Struct, frozen=True):
    """One request of the plugin; names of headers lower-case, as the receiver sees them."""

    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def topic(self) -> str:
        return self.headers["x-custom-events-topic"]

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def read(lines: bytes) -> list[Post]:
    """Posts from JSON lines."""
    posts: list[Post] = []
    for line in lines.splitlines():
        given = json.loads(line)
        headers = {name.lower(): value for name, value in given["headers"].items()}
        posts.append(Post(given["url"], headers, given["body"].encode()))
    return posts


def golden() -> list[Post]:
    """Those of the golden file."""
    return read(GOLDEN.read_bytes())


def run_php(script: str, *arguments: str) -> bytes:
    """The output of a script in the plugin's tests. Fails with PHP's own words."""
    done = subprocess.run(
        ["php", str(PLUGIN / "tests" / script), *arguments], capture_output=True, timeout=PHP_S, check=False
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    return done.stdout
