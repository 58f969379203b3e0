"""Law: a request that is interrupted between any two of its batches, and run again, ends as one that was not."""

import psycopg
import pytest
import sqlalchemy as sa

from custom_events.postgres import connect
from custom_events.redaction import key, run
from custom_events.redaction.carry_out import carry_out_all
from tests.redaction.bodies import everywhere, redact_customer
from tests.redaction.conftest import ANN, BEN, KEY, Planted, snapshot

# When something was done differs from run to run.
WHEN = ("updated_at", "settled_at", "done_at", "started_at", "at")


class PulledPlugError(Exception):
    """Somebody ended the program."""


def ends_as(planted: Planted, name: str, stop_after: int | None) -> tuple[dict[str, list[str]], int]:
    """Carry out in a copy of the database; after so many commits the program ends, and is run again. What is there then, and how many
    commits it took."""
    address = sa.make_url(planted.url)
    engine = connect.engine(address.set(database=name).render_as_string(hide_password=False))
    commits = 0

    def count() -> None:
        nonlocal commits
        commits += 1
        if commits == stop_after:
            raise PulledPlugError

    try:
        if stop_after is not None:
            with pytest.raises(PulledPlugError):
                carry_out_all(engine, planted.settings, actor="test", on_batch=count)
        carried = carry_out_all(engine, planted.settings, actor="test", on_batch=count)
        assert [one.is_done for one in carried] == [True]
        with engine.connect() as connection:
            return snapshot(connection, *WHEN), commits
    finally:
        engine.dispose()


def test_it_ends_the_same_wherever_it_is_interrupted(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "ROWS", 3)
    bodies = [one for who in (ANN, BEN) for one in everywhere(planted, who) if one[0] == "shopify"]
    planted.post(bodies + redact_customer(ANN))
    planted.drain()
    with planted.engine.begin() as connection:
        key.ensure(connection, KEY)  # the copies share it, and so have the same pseudonyms
    planted.engine.dispose()
    template = sa.make_url(planted.url).database
    with psycopg.connect(planted.url.replace(f"/{template}", "/postgres"), autocommit=True) as server:
        names: list[str] = []

        def copy() -> str:
            names.append(f"{template}_copy_{len(names)}")
            server.execute(f"CREATE DATABASE {names[-1]} TEMPLATE {template} STRATEGY file_copy")
            return names[-1]

        try:
            whole, commits = ends_as(planted, copy(), None)
            assert commits > 6
            for stop_after in range(1, commits + 1):
                assert ends_as(planted, copy(), stop_after)[0] == whole, f"interrupted after commit {stop_after}"
                server.execute(f"DROP DATABASE {names[-1]} WITH (FORCE)")
        finally:
            for name in names:
                server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
