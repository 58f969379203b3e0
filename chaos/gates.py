"""Gates between programs and what they depend on: all bytes pass through, until the connections break, stall, or are refused."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

PIECE_BYTES: Final = 65_536
HERE: Final = "127.0.0.1"
Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Gate:
    """One listening port in front of one server. Its methods belong to the loop of `Gates`."""

    def __init__(self, target: Callable[[], Coroutine[Any, Any, Opened]]) -> None:
        self._target = target
        self._flows = asyncio.Event()
        self._flows.set()
        self.is_open = True
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until either side ends."""
        if not self.is_open:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await self._target()
        except OSError:  # the server is away: so is the gate
            writer.transport.abort()
            return
        both = {writer, far_writer}
        self._writers |= both
        try:
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        finally:
            self._writers -= both
            for each in both:
                each.transport.abort()
                with suppress(OSError):
                    await each.wait_closed()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                await self._flows.wait()
                writer.write(piece)
                await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.write_eof()

    def cut(self) -> None:
        """Break every connection, in the middle of whatever it carries."""
        for writer in self._writers:
            writer.transport.abort()

    def stall(self) -> None:
        """Let nothing through, and keep the connections."""
        self._flows.clear()

    def flow(self) -> None:
        """Let everything through again."""
        self._flows.set()

    def shut(self) -> None:
        """Break every connection and take no new one."""
        self.is_open = False
        self.cut()

    def open(self) -> None:
        """Take connections again."""
        self.is_open = True


class Gates:
    """The loop in which gates live, in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gates", daemon=True)
        self._servers: list[asyncio.Server] = []
        self._thread.start()

    def before_port(self, listening: int, port: int) -> Gate:
        """A gate before a TCP server of this machine."""
        return self._add(listening, lambda: asyncio.open_connection(HERE, port))

    def before_socket(self, listening: int, path: str) -> Gate:
        """A gate before a server at a Unix socket."""
        return self._add(listening, lambda: asyncio.open_unix_connection(path))

    def _add(self, listening: int, target: Callable[[], Coroutine[Any, Any, Opened]]) -> Gate:
        async def add() -> Gate:
            gate = Gate(target)
            self._servers.append(await asyncio.start_server(gate.serve, HERE, listening))
            return gate

        return asyncio.run_coroutine_threadsafe(add(), self._loop).result()

    def call(self, change: Callable[[], None]) -> None:
        """Call a gate's method where it lives, and wait until it has returned."""
        called = threading.Event()

        def run() -> None:
            change()
            called.set()

        self._loop.call_soon_threadsafe(run)
        called.wait()

    def stop(self) -> None:
        """End every gate."""

        async def end() -> None:
            for server in self._servers:
                server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
