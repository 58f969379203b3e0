"""Figures that are kept for a while."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from console.api.kept import KeptFigures


def test_a_figure_is_counted_anew_when_its_time_is_over() -> None:
    now, counted = [100.0], list[int]()
    kept = KeptFigures(30.0, lambda: now[0])

    def count() -> int:
        counted.append(1)
        return len(counted)

    assert [kept.get("a", count), kept.get("a", count), kept.get("b", count)] == [1, 1, 2]
    now[0] += 30.0
    assert [kept.get("a", count), kept.get("a", count)] == [3, 3]


def test_what_fails_is_not_kept() -> None:
    kept = KeptFigures()

    def fail() -> int:
        raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer"):
        kept.get("a", fail)
    assert kept.get("a", lambda: 1) == 1


def test_of_two_who_ask_at_once_one_counts() -> None:
    kept, counted, together = KeptFigures(), list[int](), Barrier(2, timeout=60)

    def ask(_: int) -> int:
        together.wait()
        return kept.get("a", lambda: counted.append(1) or len(counted))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(ask, range(2))) == [1, 1]
