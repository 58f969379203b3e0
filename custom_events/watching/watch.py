"""One look: measure, remember what is wrong, tell each channel what it has not told yet."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
import structlog

from custom_events.errors import Transient
from custom_events.queries import tallies
from custom_events.queries import watching as queries
from custom_events.settings import Settings
from custom_events.watching import messages, state, traffic
from custom_events.watching.alarms import raised
from custom_events.watching.channels import Channel
from custom_events.watching.measure import measure

log = structlog.get_logger(__name__)


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a look found. `open`: alarms that last; `young`: those that are seen, and not old enough to be told; `told`: channel -> messages' parts; `not_told`: channel -> why."""

    open: tuple[state.Episode, ...] = ()
    young: tuple[state.Episode, ...] = ()
    told: dict[str, int] = {}
    not_told: dict[str, str] = {}
    other_watches: bool = False


def look(
    engine: sa.Engine,
    told_by: Sequence[Channel],
    settings: Settings,
    now: datetime,
    *,
    with_sums: bool = False,
) -> Look:
    """One look. Two watchers at once would tell twice: the second finds the lock taken and does nothing.

    What was told is written after it was sent, so that a crash between the two repeats a message and loses none.
    """
    with engine.connect() as turn:
        if not turn.execute(queries.TAKE_TURN, {"key": queries.WATCHERS}).scalar_one():
            return Look(other_watches=True)
        turn.commit()
        try:
            return _look(engine, told_by, settings, now, with_sums=with_sums)
        finally:
            turn.execute(queries.END_TURN, {"key": queries.WATCHERS})


def _look(engine: sa.Engine, told_by: Sequence[Channel], settings: Settings, now: datetime, *, with_sums: bool) -> Look:
    with engine.begin() as connection:
        tallies.fold(connection)
    traffic.count_hours(engine, now)
    with engine.begin() as connection:
        reading = measure(connection, settings, now, with_sums=with_sums)
        state.remember(connection, reading, raised(reading), now)
        known = state.episodes(connection, now)
    reported, not_told = tell(engine, told_by, settings, known, now)
    lasting = tuple(episode for episode in known if episode.lasts(now))
    young = tuple(episode for episode in known if episode.closed_at is None and not episode.lasts(now))
    return Look(open=lasting, young=young, told=reported, not_told=not_told)


def tell(
    engine: sa.Engine, told_by: Sequence[Channel], settings: Settings, known: Sequence[state.Episode], now: datetime
) -> tuple[dict[str, int], dict[str, str]]:
    """Tell each channel what it has not told yet of these: how many parts by channel, and why some were not told."""
    reported: dict[str, int] = {}
    not_told: dict[str, str] = {}
    for channel in told_by:
        news = [(kind, episode) for episode in known if (kind := episode.news(channel.name, now)) is not None]
        if not news:
            continue
        try:
            channel.send(messages.compose(news, settings.console_url, now))
        except Transient as error:  # the next look tries again: nothing was marked as told
            log.warning("alarm_not_told", channel=channel.name, reason=str(error))
            not_told[channel.name] = str(error)
            continue
        with engine.begin() as connection:
            state.mark_told(connection, messages.episodes_of(news), channel.name, now)
        reported[channel.name] = len(news)
        log.info("alarms_told", channel=channel.name, parts=len(news))
    return reported, not_told
