"""Whether what was looked at through a soak is flat: the slope of each figure over the second half, and what it may be. Pure."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

import msgspec

# Of what runs the whole time. Python's heaps and a client's caches move by some MiB; what leaks grows by this in hours.
MEMORY_MIB_AN_HOUR: Final = 20.0
MEMORY_SHARE_AN_HOUR: Final = 0.10  # of the process's mean, where that is more
# File descriptors of a role: what leaks raises the least number, connections that are open at a look do not. So the least of the last quarter
# is laid beside the least of the second.
FILES_MORE: Final = 2.0
CONNECTIONS_AN_HOUR: Final = 3.0
WORKING_MIB_AN_HOUR: Final = 2.0  # of a table that holds only what is under way
WORKING_SHARE_AN_HOUR: Final = 0.25  # of its mean, where that is more: space is given back by vacuum, in steps
ROWS_RATIO: Final = 1.5  # of Dagster's rows, least of the last quarter to that of the second
KEPT: Final = "kept kB a delivery, of the first half's"
KEPT_RATIO: Final = 1.25  # bytes kept for a delivery, second half to first: pages and indexes fill in steps
DEAD_SHARE: Final = 0.25  # of all rows: autovacuum begins at a fifth
WAITING: Final = 200.0  # deliveries, at most, at any look of the second half

# What lives as long as the stack; runs and reports come and go, the sandbox remembers all that it was sent. PostgreSQL's backends come and go
# with runs, two of which overlap at a hand-over: it is judged by its memory for each connection, its descriptors by its own limit.
LASTING: Final = ("receiver", "console", "webserver", "daemon", "code server")
POSTGRES: Final = "memory/postgres"
BACKEND: Final = "memory of PostgreSQL for a connection"
BACKEND_MIB_AN_HOUR: Final = 4.0
S_AN_HOUR: Final = 3_600.0


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A figure, what it was in the second half, by how much it grows in an hour (None: it is judged by its largest), and its bound."""

    name: str
    mean: float
    largest: float
    slope: float | None
    bound: float
    is_kept: bool


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The median of the slopes between all pairs (Theil and Sen): a spike moves it little. 0 where there is no pair."""
    slopes = [(y - x) / (after - before) for (before, x), (after, y) in combinations(points, 2) if after > before]
    return statistics.median(slopes) if slopes else 0.0


def judge(result: Mapping[str, Any]) -> list[Verdict]:
    """Every figure with a bound, and what must be nothing: bodies that are missing, sums that do not agree, processes that ended."""
    samples = result["samples"]
    half = [sample for sample in samples if sample["at_s"] * 2 >= samples[-1]["at_s"]] if samples else []
    names = sorted({name for sample in half for name in sample["figures"]})
    verdicts = [
        verdict
        for name in names
        if (verdict := _verdict(name, [(sample["at_s"], sample["figures"].get(name, 0.0)) for sample in half]))
    ]
    if POSTGRES in names:
        points = [
            (sample["at_s"], sample["figures"].get(POSTGRES, 0.0) / max(1.0, sample["figures"]["connections"]))
            for sample in half
        ]
        verdicts.append(_sloped(BACKEND, points, BACKEND_MIB_AN_HOUR))
    verdicts += [_of_files(name, samples) for name in names if name.removeprefix("files/") in LASTING]
    verdicts += [_of_rows(name, samples) for name in names if name.startswith("rows/")]
    if (ratio := kept_ratio(samples)) is not None:
        verdicts.append(
            Verdict(name=KEPT, mean=ratio, largest=ratio, slope=None, bound=KEPT_RATIO, is_kept=ratio <= KEPT_RATIO)
        )
    counts = {
        "missing bodies": result["bodies"]["missing"],
        "gaps of the sums": len(result["gaps"]),
        "programs that ended": len(result["events"]),
        "posts without a 2xx": sum(count for answer, count in result["answers"].items() if not answer.startswith("2")),
    }
    return verdicts + [
        Verdict(name=name, mean=count, largest=count, slope=None, bound=0, is_kept=count == 0)
        for name, count in counts.items()
    ]


def _of_files(name: str, samples: Sequence[Mapping[str, Any]]) -> Verdict:
    return _of_least(name, samples, lambda least: least + FILES_MORE)


def _of_rows(name: str, samples: Sequence[Mapping[str, Any]]) -> Verdict:
    """Rows come in steps, those of the hour's reports several hundred at once, and are pruned when they are old enough: what nobody prunes lifts the least."""
    return _of_least(name, samples, lambda least: least * ROWS_RATIO)


def _of_least(name: str, samples: Sequence[Mapping[str, Any]], bound_of: Callable[[float], float]) -> Verdict:
    """The least of the last quarter, bound by that of the second."""
    values = [sample["figures"].get(name, 0.0) for sample in samples]
    quarter = len(values) // 4
    second, last = values[quarter : 2 * quarter] or values, values[-quarter:] or values
    bound = bound_of(min(second))
    return Verdict(
        name=f"{name}, least",
        mean=statistics.fmean(last),
        largest=min(last),
        slope=None,
        bound=bound,
        is_kept=min(last) <= bound,
    )


def kept_ratio(samples: Sequence[Mapping[str, Any]]) -> float | None:
    """Bytes that a further delivery takes in the second half, by those in the first. None where nothing is kept yet."""
    points = [(sample["figures"]["deliveries"], sample["figures"]["kept MiB"]) for sample in samples]
    middle = len(points) // 2
    first, second = slope(points[:middle]), slope(points[middle:])
    return second / first if first > 0 else None


def _verdict(name: str, points: Sequence[tuple[float, float]]) -> Verdict | None:
    values = [value for _, value in points]
    mean, largest = statistics.fmean(values), max(values)
    ceiling = {"dead share": DEAD_SHARE, "waiting/deliveries": WAITING}.get(name)
    if ceiling is not None:
        return Verdict(name=name, mean=mean, largest=largest, slope=None, bound=ceiling, is_kept=largest <= ceiling)
    bound = _bound(name, mean)
    return None if bound is None else _sloped(name, points, bound)


def _sloped(name: str, points: Sequence[tuple[float, float]], bound: float) -> Verdict:
    values = [value for _, value in points]
    hourly = S_AN_HOUR * slope(points)
    return Verdict(
        name=name,
        mean=statistics.fmean(values),
        largest=max(values),
        slope=hourly,
        bound=bound,
        is_kept=hourly <= bound,
    )


def _bound(name: str, mean: float) -> float | None:
    """What a figure may grow by in an hour; None for one that is only shown."""
    kind, _, what = name.partition("/")
    bounds = {
        "memory": max(MEMORY_MIB_AN_HOUR, MEMORY_SHARE_AN_HOUR * mean) if what in LASTING else None,
        "connections": CONNECTIONS_AN_HOUR,
        "working": max(WORKING_MIB_AN_HOUR, WORKING_SHARE_AN_HOUR * mean),
    }
    return bounds.get(kind)


def table(verdicts: Sequence[Verdict]) -> str:
    """The verdicts in columns, for a terminal."""
    lines = [f"{'second half':40}{'mean':>12}{'largest':>12}{'an hour':>12}{'bound':>12}"]
    for verdict in verdicts:
        growth = "" if verdict.slope is None else f"{verdict.slope:+,.2f}"
        word = "flat" if verdict.is_kept else "GROWS"
        if verdict.slope is None:
            word = "kept" if verdict.is_kept else "MISSED"
        lines.append(
            f"{verdict.name:40}{verdict.mean:12,.2f}{verdict.largest:12,.2f}{growth:>12}{verdict.bound:12,.2f}  {word}"
        )
    return "\n".join(lines)
