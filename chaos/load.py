"""The stores, in a process of their own: each post again and again until it is acknowledged. SIGUSR1 has the last ones posted again.

    python -m chaos.load PLAN JOURNAL --receiver http://127.0.0.1:8000

JOURNAL gets a line for every answer (`Answer`), written through at once: what is in it was seen before whatever happens next.
"""

import argparse
import asyncio
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final

import aiohttp
import msgspec

from chaos import traffic
from sandbox.stores.posts import Post

CONNECTIONS: Final = 16
ANSWER_LIMIT_S: Final = 5.0  # as Shopify waits
PAUSE_S: Final = 0.3  # before a post is sent again
LATEST: Final = 60  # posts that a storm sends again
NO_ANSWER: Final = 0
AGAIN: Final = frozenset({NO_ANSWER, 503})  # any other answer above 299 is a refusal


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back to one attempt. `place`: of the post in the plan; `at`: seconds since 1970; `status` 0: no answer came."""

    place: int
    status: int
    at: float
    seconds: float

    @property
    def is_acknowledged(self) -> bool:
        """Whether the store need not send it again."""
        return 200 <= self.status < 300

    @property
    def is_refused(self) -> bool:
        """Whether the answer refuses the post for good, which no post of a plan deserves."""
        return not self.is_acknowledged and self.status not in AGAIN


def answers(journal: Path) -> Iterator[Answer]:
    """What a journal holds so far; a last line that is half written is left out."""
    decoder = msgspec.json.Decoder(Answer)
    for line in journal.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield decoder.decode(line)


class Progress:
    """How many posts are acknowledged by now, read from a journal that grows."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._read_bytes = 0
        self._acknowledged: set[int] = set()
        self._decoder = msgspec.json.Decoder(Answer)

    def __call__(self) -> int:
        """Now."""
        with self._journal.open("rb") as file:
            file.seek(self._read_bytes)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read_bytes += len(line)
                answer = self._decoder.decode(line)
                if answer.is_acknowledged:
                    self._acknowledged.add(answer.place)
        return len(self._acknowledged)


class Load:
    """One run of the load."""

    def __init__(self, posts: Sequence[Post], journal: IO[bytes], client: aiohttp.ClientSession) -> None:
        self._posts, self._journal, self._client = posts, journal, client
        self._latest: deque[int] = deque(maxlen=LATEST)
        self._storms: set[asyncio.Task[None]] = set()

    async def run(self, places: Sequence[int], rate: float) -> None:
        """Post these at this rate, or as fast as they are answered; returns when every one was acknowledged or refused."""
        waiting = enumerate(places)
        began = asyncio.get_running_loop().time()

        async def work() -> None:
            for number, place in waiting:
                await asyncio.sleep(began + number / rate - asyncio.get_running_loop().time())
                await self._deliver(place)

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
        await asyncio.gather(*self._storms)

    def storm(self) -> None:
        """Post the latest ones again, all at once."""
        for place in self._latest:
            task = asyncio.create_task(self._deliver(place))
            self._storms.add(task)
            task.add_done_callback(self._storms.discard)

    async def _deliver(self, place: int) -> None:
        while True:
            answer = await self._attempt(place)
            self._journal.write(msgspec.json.encode(answer) + b"\n")
            if answer.status not in AGAIN:
                self._latest.append(place)
                return
            await asyncio.sleep(PAUSE_S)

    async def _attempt(self, place: int) -> Answer:
        post, at, began = self._posts[place], time.time(), time.perf_counter()
        try:
            async with self._client.post(post.path, data=post.body, headers=post.headers) as response:
                await response.read()
                status = response.status
        except (
            aiohttp.ClientError,
            TimeoutError,
        ):  # nobody listens, or the connection broke: whether it landed is not known
            status = NO_ANSWER
        return Answer(place=place, status=status, at=at, seconds=time.perf_counter() - began)


async def post_all(plan: traffic.Plan, receiver: str, journal: IO[bytes]) -> None:
    """The whole plan."""
    posts = traffic.posts(plan)
    places = traffic.stormy(len(posts), plan.seed) if plan.is_stormy else list(range(len(posts)))
    # A storm may wait for a free connection for long, an attempt for its answer only as long as a store does.
    limit = aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_LIMIT_S, sock_read=ANSWER_LIMIT_S)
    connector = aiohttp.TCPConnector(limit=2 * CONNECTIONS)
    async with aiohttp.ClientSession(receiver, timeout=limit, connector=connector) as client:
        load = Load(posts, journal, client)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, load.storm)
        await load.run(places, plan.rate)


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(prog="python -m chaos.load", description="Stores that post until they are heard.")
    parser.add_argument("plan", type=Path)
    parser.add_argument("journal", type=Path)
    parser.add_argument("--receiver", required=True)
    chosen = parser.parse_args()
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # until the load listens for it
    with chosen.journal.open("ab", buffering=0) as journal:
        asyncio.run(post_all(traffic.read(chosen.plan), chosen.receiver, journal))


if __name__ == "__main__":
    main()
