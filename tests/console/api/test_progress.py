"""Progress as server-sent events: what changed, signs of life where nothing does, an end."""

from collections.abc import Callable

import anyio
import pytest

from console.api import progress


def streamed(look: Callable[[], tuple[bytes, bool]], limit_s: float = 60.0) -> list[bytes]:
    async def whole() -> list[bytes]:
        return [part async for part in progress.events(look, limit_s=limit_s)]

    return anyio.run(whole)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LOOK_S", 0.0)


def test_what_changed_is_told_once_and_then_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    states = iter([(b"1", False), (b"1", False), (b"2", False), (b"3", True)])
    assert streamed(lambda: next(states)) == [
        b"retry: 2000\n\n",
        b"event: progress\ndata: 1\n\n",
        b"event: progress\ndata: 2\n\n",
        b"event: end\ndata: 3\n\n",
    ]


def test_where_nothing_changes_a_comment_says_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SILENCE_S", -1.0)
    states = iter([(b"1", False), (b"1", False), (b"1", True)])
    assert b": still here\n\n" in streamed(lambda: next(states))


def test_a_stream_ends_after_its_time() -> None:
    assert streamed(lambda: (b"1", False), limit_s=0.0)[-1] == b"event: progress\ndata: 1\n\n"
