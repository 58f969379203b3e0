"""The alarm that work stands still, raised by the supervisor: it must not live inside what it watches."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from custom_events.queries import watching as queries
from custom_events.settings import Settings
from custom_events.watching import state
from custom_events.watching.alarms import Alarm, Severity
from custom_events.watching.channels import Channel
from custom_events.watching.watch import tell

NAME: Final = "WorkNotTaken"
REMEDY: Final = (
    "What does the work is started again by itself. If it comes back, look at the logs of dagster-code and dagster-daemon in "
    "`.local/logs`, and at the newest run on Dagster's page"
)


def report(
    engine: sa.Engine, told_by: Sequence[Channel], settings: Settings, sentences: Sequence[str], now: datetime
) -> None:
    """Open, keep or close the alarm, and tell people of it. `sentences`: what stands still now, none when all is well.

    Costs one small query while nothing is wrong. While another watcher tells, it is left for the next look.
    """
    with engine.connect() as turn:
        was_open = turn.execute(queries.OPEN_PLACES, {"name": NAME}).all()
        if not sentences and not was_open:
            return
        if not turn.execute(queries.TAKE_TURN, {"key": queries.WATCHERS}).scalar_one():
            return
        turn.commit()
        try:
            alarms = [
                Alarm(
                    key=NAME,
                    name=NAME,
                    severity=Severity.CRITICAL,
                    where={},
                    sentence=". ".join(sentences),
                    remedy=REMEDY,
                )
            ]
            with engine.begin() as connection:
                state.remember_outside(connection, alarms if sentences else [], NAME, now)
                known = [episode for episode in state.episodes(connection, now) if episode.name == NAME]
            tell(engine, told_by, settings, known, now)
        finally:
            turn.execute(queries.END_TURN, {"key": queries.WATCHERS})
