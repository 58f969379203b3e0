"""SIGTERM as an exception, so that `finally` blocks end what was started; Ctrl-C is one already."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


class Terminated(BaseException):
    """The process was asked to end (SIGTERM)."""


@contextmanager
def terminable() -> Generator[None]:
    """Within the block SIGTERM raises Terminated in the main thread; a second one during the clean-up is ignored."""

    def raise_once(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated

    before = signal.signal(signal.SIGTERM, raise_once)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
