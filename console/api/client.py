"""Writes the typed Python client, the package `api_client`, from the API's document: `python -m console.api.client`.

It is made by openapi-python-client and not kept in git: `make client` makes it, and `make setup` does before it installs the project.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from console.api.app import create_app
from custom_events.operations.operation import PARQUET, XLSX

PACKAGE: Final = "api_client"
PLACE: Final = Path(__file__).parents[2] / PACKAGE
MARK: Final = "document.sha256"  # of which document and by which settings it was made
CONFIGURATION: Final = {
    "package_name_override": PACKAGE,
    "post_hooks": [],
    "literal_enums": True,
    "content_type_overrides": dict.fromkeys((XLSX, PARQUET), "application/octet-stream"),
}


def main() -> int:
    """Write the package where the document has changed since it was made; 1 when the generator cannot take the document."""
    document = text()
    if is_made(document):
        return 0
    sys.stderr.write(f"Generating {PACKAGE} from the document of the API.\n")
    with tempfile.TemporaryDirectory(prefix=f".{PACKAGE}-", dir=PLACE.parent) as place:
        folder = Path(place)
        (folder / "openapi.json").write_text(document)
        (folder / "settings.json").write_text(json.dumps(CONFIGURATION))
        command = [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"),
            *("--path", str(folder / "openapi.json"), "--config", str(folder / "settings.json")),
            *("--output-path", str(folder / PACKAGE)),
        ]
        if subprocess.run(command, check=False, stdout=sys.stderr).returncode:  # noqa: S603  (ours)
            return 1
        (folder / PACKAGE / "py.typed").touch()
        (folder / PACKAGE / MARK).write_text(fingerprint(document))
        shutil.rmtree(PLACE, ignore_errors=True)
        (folder / PACKAGE).rename(PLACE)
    return 0


def is_made(document: str) -> bool:
    """Whether the package is there, made of this document."""
    mark = PLACE / MARK
    return mark.is_file() and mark.read_text() == fingerprint(document)


def fingerprint(document: str) -> str:
    """What changes when the package has to be made anew."""
    return hashlib.sha256((document + json.dumps(CONFIGURATION)).encode()).hexdigest()


def text() -> str:
    """The document, without the version of the program, which changes nothing of the client."""
    document = create_app("postgresql://").openapi()
    return json.dumps({**document, "info": {**document["info"], "version": "1"}})


if __name__ == "__main__":
    sys.exit(main())
