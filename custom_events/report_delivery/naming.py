"""What a delivered file is called: the same under the same key, and under no other."""

import hashlib
import re
import unicodedata
from typing import Final

from custom_events.report_delivery.targets import DeliveryMessage
from custom_events.report_files.table import WrittenFile

_PART_CHARS: Final = 60
_KEY_CHARS: Final = 8
_OTHER: Final = re.compile(r"[^A-Za-z0-9]+")


def file_name(file: WrittenFile, message: DeliveryMessage) -> str:
    """Report, period and eight signs of the key: `sales-by-site_2026-11-29_3f1c09ab.xlsx`."""
    parts = (_slug(message.report) or "report", _slug(message.period), key_digest(message)[:_KEY_CHARS])
    return f"{'_'.join(part for part in parts if part)}.{file.file_format}"


def key_digest(message: DeliveryMessage) -> str:
    """The key, whatever it holds, as 64 signs of hex."""
    return hashlib.sha256(message.key.encode()).hexdigest()


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _OTHER.sub("-", plain).strip("-")[:_PART_CHARS].strip("-")
