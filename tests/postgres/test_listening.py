"""News of other transactions are heard, and a connection that is lost is made again."""

import os
import resource
from collections.abc import Iterator
from queue import Queue
from threading import Thread

import psycopg
import pytest
import sqlalchemy as sa

from custom_events.postgres import connect, listening
from custom_events.postgres.listening import Listener

WAIT_S = 60.0  # on a machine that does much else; what is waited for takes milliseconds
NAME, CHANNEL = "test listener", "test_news"
END = sa.text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name"
)


@pytest.fixture
def news(database: str, monkeypatch: pytest.MonkeyPatch) -> "Iterator[Queue[Exception | None]]":
    """What a listener tells: None for news, an error where it has no connection."""
    monkeypatch.setattr(listening, "RECONNECT_S", 0.01)
    heard: Queue[Exception | None] = Queue()
    listener = Listener(database, CHANNEL, name=NAME, on_news=lambda _: heard.put(None), on_absence=heard.put)
    thread = Thread(target=listener.run)
    thread.start()
    yield heard
    listener.stop()
    thread.join(WAIT_S)
    assert not thread.is_alive()


def test_a_notification_is_heard_once_it_is_committed(engine: sa.Engine, news: "Queue[Exception | None]") -> None:
    assert news.get(timeout=WAIT_S) is None, "it listens: what was told before may be looked for"
    for _ in range(3):
        with engine.begin() as connection:
            connection.execute(sa.text(f"NOTIFY {CHANNEL}"))
            assert news.empty()
        assert news.get(timeout=WAIT_S) is None


def test_a_lost_connection_is_made_again(engine: sa.Engine, news: "Queue[Exception | None]") -> None:
    assert news.get(timeout=WAIT_S) is None
    with engine.begin() as connection:
        assert connection.execute(END, {"name": NAME}).all() == [(True,)]
    assert isinstance(news.get(timeout=WAIT_S), Exception)
    assert news.get(timeout=WAIT_S) is None, "it listens again"
    with engine.begin() as connection:
        connection.execute(sa.text(f"NOTIFY {CHANNEL}"))
    assert news.get(timeout=WAIT_S) is None


def test_it_listens_by_a_descriptor_of_whatever_number(database: str) -> None:
    """A connection that is made again, in a process that has a thousand others, has a number that `select` does not take."""
    high = 1_100
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most <= high:
        pytest.skip("this machine gives a process no such descriptors")
    heard: Queue[Exception | None] = Queue()
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit, high + 100), most))
    fillers = [os.open(os.devnull, os.O_RDONLY)]
    try:
        while fillers[-1] < high:
            fillers.append(os.dup(fillers[0]))
        listener = Listener(database, CHANNEL, name=NAME, on_news=lambda _: heard.put(None), on_absence=heard.put)
        thread = Thread(target=listener.run, daemon=True)
        thread.start()
        assert heard.get(timeout=WAIT_S) is None
        listener.stop()
        thread.join(WAIT_S)
        assert not thread.is_alive()
        assert heard.empty()
    finally:
        for filler in fillers:
            os.close(filler)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))


def test_it_can_be_stopped_while_there_is_no_database(tmp_path_factory: pytest.TempPathFactory) -> None:
    absences: Queue[Exception] = Queue()
    url = f"postgresql:///nowhere?host={tmp_path_factory.mktemp('no')}"
    listener = Listener(url, CHANNEL, name=NAME, on_news=lambda _: None, on_absence=absences.put)
    thread = Thread(target=listener.run)
    thread.start()
    assert isinstance(absences.get(timeout=WAIT_S), psycopg.OperationalError)
    listener.stop()
    thread.join(WAIT_S)
    assert not thread.is_alive(), "it does not wait for its next attempt"


def test_what_cannot_be_listened_to_is_refused(database: str) -> None:
    with pytest.raises(psycopg.Error, match="zero-length"):
        connect.listening(database, "", name=NAME)
