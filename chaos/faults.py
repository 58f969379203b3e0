"""What goes wrong, each with how it is undone. One more is one more entry of `FAULTS`."""

import signal
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

import msgspec

from chaos.gates import Gate
from chaos.stage import RECEIVER, SANDBOX, SENDER, WHOLE, WORKER, NotNow, Stage
from sandbox.google_ads.faults import FaultKind
from supervisor import programs

SHORT_S: Final = (0.2, 1.5)
LONG_S: Final = (1.0, 4.0)
JUMP_S: Final = 300.0  # of our sender's clock, either way
VERDICT_S: Final = 1_860.0  # Google's verdict on a Data Manager request takes half an hour
# After a fault of Google's: what waits for its next try is due, and what Google decides later is decided.
TIME_PASSES_S: Final = 600.0
WITH_SECONDS: Final = {
    FaultKind.DEADLINE: 2.0,
    FaultKind.SLOW: 2.0,
    FaultKind.QUOTA_RATE: 20.0,
    FaultKind.QUOTA_DAILY: 60.0,
}
ONE_CALL_IN: Final = 2  # calls meet the fault, and of rows one in ROWS_IN
ROWS_IN: Final = 10


def _nothing(_: Stage) -> None:
    """It is over by itself."""


def _always(_: Stage) -> bool:
    return True


def _whole(stage: Stage) -> bool:
    return stage.is_whole


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """`does` may raise NotNow where what it is about is not there. Two that touch the same are never at once; `fits` says on which stages
    it can be played at all."""

    name: str
    touches: str
    does: Callable[[Stage, Random], None]
    undoes: Callable[[Stage], None] = _nothing
    lasts_s: tuple[float, float] = SHORT_S
    fits: Callable[[Stage], bool] = _always


def _killed(program: str, *, fits: Callable[[Stage], bool] = _always) -> Fault:
    """kill -9 of a program's first process. Below `custom-events up`, whose patience is the product's, only of one that had begun."""

    def does(stage: Stage, _: Random) -> None:
        stage.kill(program, is_grown=stage.is_whole)

    return Fault(name=f"kill -9 {program}", touches=program, does=does, fits=fits)


def _run_killed(stage: Stage, dice: Random) -> None:
    """Of a run of Dagster's, which its code server has started."""
    runs = [process for process in stage.processes(programs.CODE_SERVER)[1:] if process.is_running()]
    if not runs:
        raise NotNow
    dice.choice(runs).kill()


def _session_killed(stage: Stage, dice: Random) -> None:
    if not stage.database.kill_session(dice):
        raise NotNow


def _signalled(number: signal.Signals) -> Callable[[Stage, Random], None]:
    return lambda stage, _: stage.database.kill(number)


Change = Callable[[Gate], None]


def _on_the_way(
    name: str,
    gates_of: Callable[[Stage], Sequence[Gate]],
    begins: Change,
    ends: Change | None,
    lasts_s: tuple[float, float],
) -> Fault:
    """Something between programs and what they depend on. What is stalled flows on in the end, whether or not it was broken before."""

    def does(stage: Stage, _: Random) -> None:
        for gate in gates_of(stage):
            stage.gates.call(lambda gate=gate: begins(gate))

    def undoes(stage: Stage) -> None:
        for gate in gates_of(stage):
            for change in (*((ends,) if ends else ()), Gate.flow, Gate.open):
                stage.gates.call(lambda gate=gate, change=change: change(gate))

    return Fault(name=name, touches=f"way of {gates_of.__name__}", does=does, undoes=undoes, lasts_s=lasts_s)


def _to_database(stage: Stage) -> Sequence[Gate]:
    return (stage.to_database,)


def _to_google(stage: Stage) -> Sequence[Gate]:
    return stage.to_google


PROCESSES: Final = (
    _killed(RECEIVER),
    _killed(WORKER),
    _killed(SENDER),
    *(_killed(name, fits=_whole) for name in WHOLE),
    Fault(name="kill -9 run of Dagster's", touches="run", does=_run_killed, fits=_whole),
)
DATABASE: Final = (
    Fault(name="kill -9 session of PostgreSQL", touches="database", does=_session_killed, lasts_s=LONG_S),
    Fault(name="kill -9 PostgreSQL", touches="database", does=_signalled(signal.SIGKILL), lasts_s=LONG_S),
    Fault(name="PostgreSQL ends at once", touches="database", does=_signalled(signal.SIGQUIT), lasts_s=LONG_S),
    Fault(name="PostgreSQL ends in order", touches="database", does=_signalled(signal.SIGINT), lasts_s=LONG_S),
    Fault(
        name="disk full",
        touches="database",
        does=lambda stage, _: stage.database.disk.fill(),
        undoes=lambda stage: stage.database.disk.free(),
        lasts_s=LONG_S,
        fits=lambda stage: stage.database.disk.is_own,
    ),
)
CONNECTIONS: Final = (
    _on_the_way("connections to PostgreSQL break", _to_database, Gate.cut, None, SHORT_S),
    _on_the_way("connections to PostgreSQL stall", _to_database, Gate.stall, None, LONG_S),
    _on_the_way("connections to PostgreSQL stall, then break", _to_database, Gate.stall, Gate.cut, SHORT_S),
    _on_the_way("PostgreSQL takes no connections", _to_database, Gate.shut, None, SHORT_S),
    _on_the_way("connections to Google break", _to_google, Gate.cut, None, SHORT_S),
    _on_the_way("connections to Google stall", _to_google, Gate.stall, None, LONG_S),
    _on_the_way("connections to Google stall, then break", _to_google, Gate.stall, Gate.cut, LONG_S),
    _on_the_way("Google takes no connections", _to_google, Gate.shut, None, LONG_S),
)


def _jumped(name: str, seconds: float) -> Fault:
    """Our sender's clock is wrong for a while: between machines clocks differ."""
    return Fault(
        name=name,
        touches="our clock",
        does=lambda stage, _: stage.clock.shift(seconds),
        undoes=lambda stage: stage.clock.shift(-seconds),
        lasts_s=LONG_S,
    )


def _moved(stage: Stage, seconds: float) -> None:
    stage.control("POST", "clock", {"move_seconds": seconds})


CLOCKS: Final = (
    _jumped("our sender's clock is ahead", JUMP_S),
    _jumped("our sender's clock is behind", -JUMP_S),
    Fault(name="Google's clock jumps ahead", touches="Google's clock", does=lambda stage, _: _moved(stage, VERDICT_S)),
)


def _time_passes(stage: Stage) -> None:
    """For Google first: nobody sends it what is of its future."""
    _moved(stage, TIME_PASSES_S)
    stage.clock.shift(TIME_PASSES_S)


def _armed(kind: FaultKind) -> Fault:
    """A way in which the sandbox's Google fails."""

    def does(stage: Stage, dice: Random) -> None:
        share = 1 / ROWS_IN if kind.name.startswith("ROW_") else 1 / ONE_CALL_IN
        after = kind is FaultKind.APPLY_THEN_DROP or dice.random() < share  # what took effect all the same
        fault = {"kind": kind, "probability": share, "seconds": WITH_SECONDS.get(kind, 0.0), "after_apply": after}
        stage.control("POST", "faults", [fault])

    return Fault(name=f"Google: {kind}", touches="Google", does=does, undoes=_disarmed, lasts_s=LONG_S)


def _disarmed(stage: Stage) -> None:
    stage.control("DELETE", "faults")
    _time_passes(stage)


def _grant(stage: Stage, *, revoked: bool) -> None:
    stage.control("POST", "grant", {"revoked": revoked})


def _granted(stage: Stage) -> None:
    _grant(stage, revoked=False)
    _time_passes(stage)


GOOGLE: Final = (
    *map(_armed, FaultKind),
    Fault(  # it has a journal of all that it acknowledged; armed faults would be forgotten
        name="kill -9 sandbox",
        touches="Google",
        does=lambda stage, _: stage.kill(SANDBOX, is_grown=False),
        undoes=lambda stage: stage.control("GET", "health"),
    ),
    Fault(
        name="Google: the grant is revoked",
        touches="Google",
        does=lambda stage, _: _grant(stage, revoked=True),
        undoes=_granted,
        lasts_s=LONG_S,
    ),
)
STORES: Final = (
    Fault(name="the stores post again what they posted last", touches="stores", does=lambda stage, _: stage.storm()),
)

FAULTS: Final = (*PROCESSES, *DATABASE, *CONNECTIONS, *CLOCKS, *GOOGLE, *STORES)
