"""TCP connections led from one address to another, byte by byte: to a server that listens on this machine's localhost alone.

python -m benchmarks.relay HOST:PORT ... listens there and leads to the same ports of localhost
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

CHUNK_BYTES: Final = 65_536
Way = tuple[str, int, str, int]  # listens on this host and port, leads to that host and port


async def relay(ways: Sequence[Way]) -> None:
    """Lead connections until it is cancelled. Raises OSError when an address to listen on is taken."""
    servers = [await asyncio.start_server(_leader(host, port), at, own) for at, own, host, port in ways]
    try:
        await asyncio.gather(*(server.serve_forever() for server in servers))
    finally:
        for server in servers:
            server.close()


def _leader(host: str, port: int) -> Callable[[Any, Any], Coroutine[Any, Any, None]]:
    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pour(reader, back), _pour(there, writer))

    return lead


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass  # one end is gone: the other one is closed, too
    finally:
        writer.close()


def main(words: Sequence[str]) -> None:
    """From the command line, until it is ended."""
    ends = [(host, int(port)) for host, _, port in (word.rpartition(":") for word in words)]
    asyncio.run(relay([(host, port, "127.0.0.1", port) for host, port in ends]))


if __name__ == "__main__":
    main(sys.argv[1:])
