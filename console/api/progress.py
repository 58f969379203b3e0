"""Progress as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Final

import anyio
import anyio.to_thread

LOOK_S: Final = 0.5  # between two looks: a person sees no difference to at once
SILENCE_S: Final = 15.0  # after so long without news a comment is sent, since proxies end connections that are silent
RETRY_MS: Final = 2_000  # after which a browser asks again when a stream has ended


async def events(look: Callable[[], tuple[bytes, bool]], *, limit_s: float) -> AsyncIterator[bytes]:
    """`progress` with what `look` returns (JSON) whenever it differs; `end` once it says that this was the last. Ends after `limit_s`
    seconds, too."""
    began = said = time.monotonic()
    before = b""
    yield f"retry: {RETRY_MS}\n\n".encode()
    while True:
        now, is_last = await anyio.to_thread.run_sync(look)
        if is_last:
            yield b"event: end\ndata: " + now + b"\n\n"
            return
        if now != before:
            yield b"event: progress\ndata: " + now + b"\n\n"
            before, said = now, time.monotonic()
        elif time.monotonic() - said > SILENCE_S:
            yield b": still here\n\n"
            said = time.monotonic()
        if time.monotonic() - began >= limit_s:
            return
        await anyio.sleep(min(LOOK_S, limit_s))
