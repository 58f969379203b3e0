"""Posts webhooks as stores do: several at once, kept-alive connections, a retry when the answer is 503."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

import httpx
import msgspec

from sandbox.stores.posts import Post

CONNECTIONS = 16
TRIES = 5  # of one post; a store of Shopify's would try nine times over four hours
TIMEOUT_S = 10.0
BUSY = 503


class Sent(msgspec.Struct, kw_only=True):
    """What the stores saw: requests made (a post that met a busy receiver is several), answers by status and by kind."""

    posts: int = 0
    by_status: Counter[int] = msgspec.field(default_factory=Counter[int])
    by_kind: Counter[tuple[str, int]] = msgspec.field(default_factory=Counter[tuple[str, int]])

    @property
    def acknowledged(self) -> int:
        """Answers that tell the store not to send again."""
        return sum(count for status, count in self.by_status.items() if status < 300)

    @property
    def refused(self) -> int:
        """Answers that say no."""
        return self.posts - self.acknowledged


async def send(
    url: str, posts: Iterable[Post], on_sent: Callable[[Post], None] | None = None, *, rate: float | None = None
) -> Sent:
    """Posts all of them to the receiver at `url`, `rate` a second or as fast as it answers; raises httpx.HTTPError when it cannot be reached."""
    sent = Sent()
    waiting = enumerate(posts)
    limits = httpx.Limits(max_connections=CONNECTIONS)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=TIMEOUT_S, trust_env=False) as client:
        started = asyncio.get_running_loop().time()

        async def work() -> None:
            for place, post in waiting:
                if rate is not None:
                    await asyncio.sleep(started + place / rate - asyncio.get_running_loop().time())
                for status in await _post(client, post):
                    sent.posts += 1
                    sent.by_status[status] += 1
                    sent.by_kind[(post.kind, status)] += 1
                if on_sent:
                    on_sent(post)

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return sent


async def _post(client: httpx.AsyncClient, post: Post) -> list[int]:
    """The answers to one post, in order: several when the receiver was busy."""
    statuses: list[int] = []
    for attempt in range(TRIES):
        answer = await client.post(post.path, content=post.body, headers=post.headers)
        statuses.append(answer.status_code)
        if answer.status_code != BUSY:
            break
        await asyncio.sleep(min(2**attempt, float(answer.headers.get("retry-after", "1"))))
    return statuses
