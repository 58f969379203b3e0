"""A message in words: what is wrong, where, since when, what to do, and where to look. One for all news of a look."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from custom_events.watching.state import Episode, News

MOST_PARTS: Final = 20  # a message of more is read by nobody; the rest is counted


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """`title` is one line; `lines` are paragraphs of plain text."""

    title: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Title aside, as plain text."""
        return "\n".join(self.lines)


def compose(news: Sequence[tuple[News, Episode]], console_url: str, now: datetime) -> Message:
    """One message of all that is new."""
    return Message(title=_title(news), lines=tuple(_lines(news, console_url, now)))


def _title(news: Sequence[tuple[News, Episode]]) -> str:
    if len(news) == 1:
        kind, episode = news[0]
        return f"Custom Events: {kind}: {episode.name}{_where(episode.place)}"
    counts = (
        f"{sum(kind is item for item, _ in news)} {kind}"
        for kind in News
        if any(kind is news_kind for news_kind, _ in news)
    )
    return f"Custom Events: {', '.join(counts)}"


def _lines(news: Sequence[tuple[News, Episode]], console_url: str, now: datetime) -> Iterator[str]:
    for kind, episode in news[:MOST_PARTS]:
        yield f"[{kind.upper()}] {episode.severity}: {episode.sentence}."
        if kind is News.CLOSED and episode.closed_at is not None:
            yield f"  It lasted from {_time(episode.opened_at)} to {_time(episode.seen_at)}."
        else:
            yield f"  Since {_time(episode.opened_at)} ({_length(now, episode.opened_at)})."
            yield f"  What to do: {episode.remedy}."
            yield f"  More: {console_url.rstrip('/')}/{episode.runbook}"
        yield ""
    if len(news) > MOST_PARTS:
        yield f"... and {len(news) - MOST_PARTS} more."
    yield f"Console: {console_url}"


def _where(place: dict[str, str]) -> str:
    said = [f"{name} {value}" for name, value in place.items()]
    return f" ({', '.join(said)})" if said else ""


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _length(now: datetime, since: datetime) -> str:
    minutes = int((now - since).total_seconds() // 60)
    hours, days = minutes // 60, minutes // (24 * 60)
    return f"{days} days" if days > 1 else f"{hours} hours" if hours > 1 else f"{minutes} minutes"


def trial(console_url: str) -> Message:
    """What `custom-events watch --test` sends."""
    return Message(
        title="Custom Events: a test message",
        lines=("Nothing is wrong. This is how an alarm would reach you.", f"Console: {console_url}"),
    )


def episodes_of(news: Iterable[tuple[News, Episode]]) -> list[Episode]:
    """The episodes of a message."""
    return [episode for _, episode in news]
