"""Build the plugin's zip, as WordPress installs it; `make plugin` runs this. The same files give the same bytes, whoever builds, and when.

python plugins/woocommerce/build.py .local/plugin
"""

import re
import sys
import zipfile
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).parent / "custom-events"
_SUFFIXES: Final = (".php", ".js", ".txt", ".pot", ".mo", ".po")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_MODE: Final = 0o100644 << 16  # a file that all may read and its owner may write
_UNIX: Final = 3  # the system that gives `_MODE` its meaning
_VERSION: Final = re.compile(r"^ \* Version:\s+(\S+)$", re.MULTILINE)


def version() -> str:
    """The version that the plugin's main file names. Raises ValueError where there is none."""
    named = _VERSION.search((SOURCE / "custom-events.php").read_text(encoding="utf-8"))
    if named is None:
        raise ValueError("custom-events.php has no line ' * Version: ...'")
    return named.group(1)


def build(directory: Path) -> Path:
    """Write custom-events-<version>.zip into `directory`; its path."""
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"custom-events-{version()}.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(path for path in SOURCE.rglob("*") if path.suffix in _SUFFIXES):
            entry = zipfile.ZipInfo(f"custom-events/{path.relative_to(SOURCE).as_posix()}", _EPOCH)
            entry.external_attr, entry.create_system = _MODE, _UNIX
            # Stored, not compressed: compressors of different versions write different bytes, and the plugin is small.
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_STORED)
    return target


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
