"""Faults: each comes before any comes again, none beside one of the same thing, and all are undone."""

from random import Random
from typing import Any

from chaos.conduct import AT_ONCE, Conductor
from chaos.faults import FAULTS, Fault
from chaos.stage import NotNow

AT_ONCE_S = (0.0, 0.01)


class Recorder:
    """Faults that note what is under way."""

    def __init__(self) -> None:
        self.now: list[str] = []
        self.most = 0
        self.done: list[str] = []

    def fault(self, name: str, touches: str, *, fits: bool = True) -> Fault:
        def does(_: Any, __: Random) -> None:
            assert touches not in self.now
            self.now.append(touches)
            self.most = max(self.most, len(self.now))

        def undoes(_: Any) -> None:
            self.now.remove(touches)
            self.done.append(name)

        return Fault(name=name, touches=touches, does=does, undoes=undoes, lasts_s=AT_ONCE_S, fits=lambda _: fits)


def conducted(faults: list[Fault], count: int, seed: int = 3) -> tuple[Conductor, list[str]]:
    shown: list[str] = []
    conductor = Conductor(None, faults, seed, pause_s=0.01, at_once=AT_ONCE, share=lambda: 1.0)  # type: ignore[arg-type]
    conductor.run(count, shown.append)
    return conductor, shown


def test_each_comes_before_any_comes_again_and_all_are_undone() -> None:
    recorder = Recorder()
    faults = [recorder.fault(f"{place}", f"thing {place % 4}") for place in range(8)]
    conductor, shown = conducted(faults, 16)
    assert sorted(recorder.done) == sorted([f"{place}" for place in range(8)] * 2)
    assert recorder.now == []
    assert recorder.most <= AT_ONCE
    assert len(conductor.played) == 16
    assert shown[0].startswith("fault ")


def test_what_is_not_there_now_is_passed_over_and_what_does_not_fit_never_comes() -> None:
    recorder = Recorder()

    def away(_: Any, __: Random) -> None:
        raise NotNow

    faults = [
        recorder.fault("plays", "a"),
        recorder.fault("elsewhere", "b", fits=False),
        Fault(name="away", touches="c", does=away),
    ]
    conductor, _ = conducted(faults, 3)
    assert recorder.done == ["plays"] * 3
    assert set(conductor.not_now) <= {"away"}


def test_faults_wait_for_their_share_of_the_traffic() -> None:
    recorder = Recorder()
    shares = iter([0.0, 0.0, 0.0, 0.5, 0.5, 1.0])
    asked: list[float] = []

    def share() -> float:
        asked.append(next(shares, 1.0))
        return asked[-1]

    conductor = Conductor(None, [recorder.fault("plays", "a")], 3, pause_s=0.0, at_once=AT_ONCE, share=share)  # type: ignore[arg-type]
    conductor.run(2, lambda _: None)
    assert recorder.done == ["plays"] * 2
    assert max(asked) >= 0.5


def test_names_are_unique() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(names) == len(set(names))
