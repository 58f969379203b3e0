"""What stands beside the files of an archived week: what is in each, and by which checksum it is known."""

from datetime import date, datetime
from typing import Final

import msgspec

from custom_events.errors import NeedsAction

MANIFEST: Final = "manifest.json"
SCHEMA_VERSION: Final = 1  # of the files' columns (`rows.SCHEMA`); a reader takes its own and older ones


class ArchivedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A Parquet file of a week: rows by ascending id, `bytes` long, `sha256` in hex."""

    name: str
    rows: int
    bytes: int
    sha256: str
    first_id: int
    last_id: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """An archived week. It is written after its files: where there is one, the week is whole. `rewritten_at`: when people were last blanked
    in it."""

    landed_week: date
    schema_version: int
    rows: int
    bytes: int
    first_received_at: datetime
    last_received_at: datetime
    written_at: datetime
    rewritten_at: datetime | None = None
    files: tuple[ArchivedFile, ...]


def to_json(manifest: Manifest) -> bytes:
    """The manifest as it is stored, for people as well."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2)


def from_json(text: bytes, where: str) -> Manifest:
    """The manifest that stands in a file. Raises NeedsAction for one that cannot be read, and for files of a later version."""
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        raise NeedsAction(f"{where} is no manifest of an archived week ({error}): restore it from a copy.") from None
    if manifest.schema_version > SCHEMA_VERSION:
        raise NeedsAction(
            f"{where} is of version {manifest.schema_version}, and this program reads {SCHEMA_VERSION}: update Custom Events first."
        )
    return manifest
