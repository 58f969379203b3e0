"""A file of what a sandbox has taken, so that one that was killed comes back knowing all that it acknowledged.

Entries of one request are one frame: four bytes of length, then MessagePack. A frame is written before the request is answered, by one
call and without fsync: the process may be killed, not the machine. An incomplete frame at the end was never acknowledged, and is cut off.
"""

import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

_LENGTH: Final = struct.Struct(">I")
_MODE: Final = 0o600
Entry = tuple[str, msgspec.Raw]  # its kind, and the rest in MessagePack


class Journal:
    """One file, for one sandbox at a time. Its caller holds the state's lock.

    Raises OSError when the file cannot be opened, and BlockingIOError when another sandbox writes it.
    """

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise
        self._end = 0
        self._encoder = msgspec.msgpack.Encoder()
        self._noted: list[bytes] = []

    def entries(self) -> Iterator[Entry]:
        """What stands in the file, in order; cuts off an incomplete frame. Raises msgspec.DecodeError for what no sandbox wrote."""
        decoder = msgspec.msgpack.Decoder(list[Entry])
        size = os.fstat(self._file).st_size
        with os.fdopen(os.dup(self._file), "rb") as reader:
            reader.seek(0)
            while len(head := reader.read(_LENGTH.size)) == _LENGTH.size:
                (length,) = _LENGTH.unpack(head)
                frame_end = self._end + _LENGTH.size + length
                if frame_end > size:
                    break
                yield from decoder.decode(reader.read(length))
                self._end = frame_end
        os.ftruncate(self._file, self._end)

    @property
    def has_news(self) -> bool:
        """Whether something was noted that is not written yet."""
        return bool(self._noted)

    def note(self, kind: str, content: Any) -> None:
        """Keep an entry as it is now; `write` writes it."""
        self._noted.append(self._encoder.encode((kind, content)))

    def write(self) -> None:
        """Write what was noted as one frame. Raises OSError; what was noted is then written with the next frame."""
        if not self._noted:
            return
        # The head of an array of up to 2**32 entries, which are encoded already.
        body = b"\xdd" + _LENGTH.pack(len(self._noted)) + b"".join(self._noted)
        frame = memoryview(_LENGTH.pack(len(body)) + body)
        written = 0
        while written < len(frame):
            written += os.pwrite(self._file, frame[written:], self._end + written)
        self._end += len(frame)
        self._noted.clear()

    def close(self) -> None:
        """Close the file. Calling it again does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
