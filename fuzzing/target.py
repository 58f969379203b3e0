"""A target: a function that takes any bytes and raises where a law is broken. One list of them has two drivers: atheris, which follows the
branches that an input takes (`make fuzz`), and hypothesis in the tests, with a bounded number of inputs."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

MOST_LINES: Final = 40  # of the head of an input; the receiver refuses heads with more than a hundred


class LawBroken(AssertionError):
    """What a target found. Whatever else it raises is a finding, too: laws say what may be raised, and targets catch that."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """`run` takes any bytes and raises where `law` is broken; `words`: what the fuzzer may put into an input beside what it finds itself."""

    name: str
    law: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    words: tuple[str, ...] = ()
    most_bytes: int = 4_096  # of an input; what is larger is tried by tests/fuzzing/test_hostile_sizes.py


def require(is_kept: bool, law: str) -> None:
    """Raise LawBroken unless the law is kept."""
    if not is_kept:
        raise LawBroken(law)


def request_of(data: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body of an input in the form of a request without its first line: `name: value` on each line, an empty line, the body."""
    head, _, body = data.partition(b"\n\n")
    lines = (line.partition(b": ") for line in head.split(b"\n", MOST_LINES)[:MOST_LINES])
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, _, value in lines}, body


def request(headers: Mapping[str, str], body: bytes) -> bytes:
    """An input that `request_of` reads as these."""
    return "\n".join(f"{name}: {value}" for name, value in headers.items()).encode("latin-1") + b"\n\n" + body
