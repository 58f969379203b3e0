"""Build the plugin's zip, as WordPress installs it; `make plugin` runs this. The same files give the same bytes, whoever builds, and when.

python plugins/woocommerce/build.py .local/plugin
python plugins/woocommerce/build.py --licence   its line in the list of licences that `make audit` writes
"""

import re
import sys
import zipfile
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).parent / "custom-events"
_SUFFIXES: Final = (".php", ".js", ".txt", ".mo", ".po")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_MODE: Final = 0o100644 << 16  # a file that all may read and its owner may write
_UNIX: Final = 3  # the system that gives `_MODE` its meaning
# Words for people in PHP's calls: of one text, and of one and many.
_TEXT: Final = re.compile(r"(?:\b__|\besc_html__|\besc_attr__)\(\s*'((?:[^'\\]|\\.)*)',\s*'custom-events'\s*\)")
_TEXTS: Final = re.compile(r"\b_n\(\s*'((?:[^'\\]|\\.)*)',\s*'((?:[^'\\]|\\.)*)',")


def header(name: str) -> str:
    """What the plugin's main file says under this name, `Version` for example. Raises ValueError where it says nothing."""
    text = (SOURCE / "custom-events.php").read_text(encoding="utf-8")
    named = re.search(rf"^ \* {re.escape(name)}:\s+(\S.*)$", text, re.MULTILINE)
    if named is None:
        raise ValueError(f"custom-events.php has no line ' * {name}: ...'")
    return named.group(1)


def version() -> str:
    """The version that the plugin's main file names. Raises ValueError where there is none."""
    return header("Version")


def licence_row() -> str:
    """The plugin in a list of licences: name, version, SPDX identifier and address of the text, as CSV."""
    values = (SOURCE.name, version(), header("License"), header("License URI"))
    return ",".join(f'"{value}"' for value in values)


def template() -> str:
    """What translators begin with: every text of the plugin, in gettext's format, in order of its first file."""
    entries: dict[str, str] = {}
    for path in sorted(SOURCE.rglob("*.php")):
        source = path.read_text(encoding="utf-8")
        place = f"#: {path.relative_to(SOURCE).as_posix()}"
        for match in _TEXT.finditer(source):
            entries.setdefault(match[1], f'{place}\nmsgid {_quoted(match[1])}\nmsgstr ""\n')
        for match in _TEXTS.finditer(source):
            several = f'msgid {_quoted(match[1])}\nmsgid_plural {_quoted(match[2])}\nmsgstr[0] ""\nmsgstr[1] ""\n'
            entries.setdefault(match[1], f"{place}\n{several}")
    head = f'msgid ""\nmsgstr ""\n"Project-Id-Version: Custom Events for WooCommerce {version()}\\n"\n'
    head += '"Content-Type: text/plain; charset=UTF-8\\n"\n"X-Domain: custom-events\\n"\n'
    return "\n".join((head, *entries.values()))


def _quoted(php: str) -> str:
    """The inside of a PHP text in single quotes, as gettext writes it."""
    text = re.sub(r"\\(['\\])", r"\1", php)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def build(directory: Path) -> Path:
    """Write custom-events-<version>.zip into `directory`; its path."""
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"custom-events-{version()}.zip"
    paths = (path for path in SOURCE.rglob("*") if path.suffix in _SUFFIXES)
    files = {path.relative_to(SOURCE).as_posix(): path.read_bytes() for path in paths}
    files["languages/custom-events.pot"] = template().encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"custom-events/{name}", _EPOCH)
            entry.external_attr, entry.create_system = _MODE, _UNIX
            # Stored, not compressed: compressors of different versions write different bytes, and the plugin is small.
            archive.writestr(entry, content, zipfile.ZIP_STORED)
    return target


if __name__ == "__main__":
    print(licence_row() if sys.argv[1] == "--licence" else build(Path(sys.argv[1])))
