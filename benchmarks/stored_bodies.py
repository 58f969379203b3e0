"""Whether every body that was answered 2xx is stored, and none twice: laid beside the landed rows themselves, whatever the product says of them."""

from collections.abc import Set as AbstractSet
from hashlib import sha256
from typing import Final

import msgspec
import psycopg
import zstandard

ROWS_AT_A_TIME: Final = 2_000  # fetched by the cursor
LARGEST_BYTES: Final = 8 * 2**20  # of a body without compression


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Bodies that were answered 2xx, how many of these are not stored, and how many rows hold a body that another row of that site holds, too."""

    answered: int
    missing: int
    doubled: int


def compare(url: str, answered: AbstractSet[bytes]) -> Comparison:
    """Lay the SHA-256 digests of bodies that were answered 2xx beside every landed body of the database."""
    unpack = zstandard.ZstdDecompressor().decompress
    stored, doubled = set[tuple[int, str, bytes]](), 0
    with psycopg.connect(url) as connection, connection.cursor("bodies") as cursor:
        cursor.itersize = ROWS_AT_A_TIME
        cursor.execute("SELECT site_id, topic, body FROM landing.raw_events")
        for site_id, topic, body in cursor:
            key = (site_id, topic, sha256(unpack(body, max_output_size=LARGEST_BYTES)).digest())
            doubled += key in stored
            stored.add(key)
    digests = {digest for _, _, digest in stored}
    return Comparison(answered=len(answered), missing=len(answered - digests), doubled=doubled)
