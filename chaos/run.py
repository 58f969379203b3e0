"""A quiet run and a disturbed one of the same traffic, and what the second has lost, doubled or got wrong."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from cryptography.fernet import Fernet

from chaos import load, outcome, traffic
from chaos.conduct import AT_ONCE, Conductor, Played
from chaos.database import TEMPLATE, Database, opened
from chaos.faults import Fault
from chaos.stage import END_LIMIT_S, RECEIVER, Stage
from custom_events.catalog.sample import SampleData, seed_sample
from custom_events.catalog.seed import bring_up_to_date
from custom_events.errors import NeedsAction
from custom_events.postgres import connect
from custom_events.settings import Settings
from sandbox.demo.google import write_seed
from sandbox.stores.posts import Store

LOOK_S: Final = 0.2
SHOWN_EVERY_S: Final = 10.0
SETTLE_LIMIT_S: Final = 3_600.0
TRAFFIC_SEEDS: Final = 100  # with larger ones the sandbox's click ids have no room for their serial numbers
SESSIONS_LIMIT: Final = 60  # of all programs, when all is calm; Dagster's pools hold most of them
MORE_FILES: Final = 40  # that the receiver may have open, than after a quiet run
OPEN: Final = """
SELECT (SELECT count(*) FROM landing.raw_queue)
  + (SELECT count(*) FROM app.conversion_uploads WHERE state = 'claimed')"""
SESSIONS: Final = """
SELECT coalesce(nullif(application_name, ''), 'unnamed'), count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' GROUP BY 1 ORDER BY 1"""
LEFT: Final = {
    "sessions of ended programs": """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'""",
    "advisory locks": "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
    "prepared transactions": "SELECT count(*) FROM pg_prepared_xacts",
    "claimed conversions": "SELECT count(*) FROM app.conversion_uploads WHERE state = 'claimed'",
    "requests without an answer": "SELECT count(*) FROM app.upload_requests WHERE answered_at IS NULL AND outcome IS NULL",
}


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much: posts, faults, the longest pause between two faults and how many may last at once, posts a second, and whether Dagster and the
    console are there."""

    events: int
    faults: int
    seed: int
    pause_s: float
    rate: float
    is_whole: bool
    at_once: int = AT_ONCE
    lasts: float = 1.0  # how long faults last, in parts of their own time
    calm_limit_s: float = 600.0  # within which a product that was let alone has worked off what landed


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured in one run. `sessions`: of the database by program, when all was calm; `files`: open ones of the receiver then."""

    seconds: float
    answers: list[load.Answer]
    played: list[Played]
    not_now: dict[str, int]
    fired: dict[str, int]
    deaths: int
    sessions: dict[str, int]
    files: int
    left: dict[str, int]
    kinds: dict[str, int]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    size: Size
    quiet: Figures
    disturbed: Figures
    verdict: outcome.Verdict
    states: dict[str, dict[str, int]]
    counts: dict[str, int]
    without: list[str]  # faults that could not be played here


def run(directory: Path, size: Size, faults: Sequence[Fault], show: Callable[[str], None]) -> Result:
    """Both runs, in a directory that is empty or not there. The quiet one sends when all is understood: what it holds is what is right
    when everything is known. Raises NeedsAction where a run does not come to an end."""
    key = Fernet.generate_key().decode()
    at = datetime.now(UTC).replace(microsecond=0)
    with opened(directory) as database:
        sample = _prepared(directory, database, key)
        plan = traffic.Plan(
            events=size.events,
            seed=size.seed % TRAFFIC_SEEDS,
            at=at,
            rate=10 * size.rate,
            stores=_stores(sample),
            is_stormy=False,
        )
        stormy = msgspec.structs.replace(plan, rate=size.rate, is_stormy=True)
        quiet_stage = _stage(directory, database, "quiet", key, is_whole=False, is_sending=False)
        quiet, quiet_outcome = _one(quiet_stage, plan, msgspec.structs.replace(size, faults=0), (), show)
        stage = _stage(directory, database, "chaos", key, is_whole=size.is_whole)
        disturbed, disturbed_outcome = _one(stage, stormy, size, faults, show)
    posts = traffic.posts(plan)
    acknowledged = {traffic.identity_of(posts[answer.place]) for answer in disturbed.answers if answer.is_acknowledged}
    verdict = outcome.judged(quiet_outcome, disturbed_outcome, acknowledged)
    verdict.wrong.extend(_wrong_figures(quiet, disturbed, posts))
    verdict.wrong.extend(f"in the quiet run already: {sentence}" for sentence in outcome.contradictions(quiet_outcome))
    return Result(
        size=size,
        quiet=quiet,
        disturbed=disturbed,
        verdict=verdict,
        states={"quiet": quiet_outcome.states, "chaos": disturbed_outcome.states},
        counts={
            "deliveries": len(disturbed_outcome.landed),
            **{name: len(rows) for name, rows in disturbed_outcome.compared.items()},
            "conversions at Google": sum(map(len, disturbed_outcome.at_google.values())),
        },
        without=[fault.name for fault in faults if not fault.fits(stage)],
    )


def _prepared(directory: Path, database: Database, key: str) -> SampleData:
    """The template with definitions, sites and assignments."""
    url = database.url(TEMPLATE)
    bring_up_to_date(url)
    settings = Settings(_env_file=None, local_directory=directory, secret_key=key)  # pyright: ignore[reportCallIssue]
    engine = connect.engine(url, name="chaos")
    try:
        with engine.begin() as connection:
            return seed_sample(connection, settings)
    finally:
        engine.dispose()


def _stores(sample: SampleData) -> tuple[Store, ...]:
    return tuple(
        Store(
            platform=site.platform,
            site_key=site.site_key,
            secret=site.secret.encode(),
            ads_customer_id=site.ads_customer_id,
            shop_domain=site.shop_domain,
            currency=site.currency,
        )
        for site in sample.sites
    )


def _stage(
    directory: Path, database: Database, name: str, key: str, *, is_whole: bool, is_sending: bool = True
) -> Stage:
    database.copy(name)
    stage = Stage(directory / name, database, name, key, is_whole=is_whole, is_sending=is_sending)
    engine = connect.engine(stage.direct_url, name="chaos")
    try:
        with engine.begin() as connection:
            write_seed(connection, stage.settings)
    finally:
        engine.dispose()
    return stage


def _one(
    stage: Stage, plan: traffic.Plan, size: Size, faults: Sequence[Fault], show: Callable[[str], None]
) -> tuple[Figures, outcome.Outcome]:
    """One run, to its end."""
    began = time.monotonic()

    def say(sentence: str) -> None:
        show(f"{stage.name}, {time.monotonic() - began:.0f} s: {sentence}")

    try:
        stage.start()
        say("everything runs; the stores begin")
        journal = stage.begin_load(plan)
        acknowledged = load.Progress(journal)
        _until(lambda: _load_ended(stage) or acknowledged() > 0, str, "the first post", size.calm_limit_s, say)
        conductor = Conductor(
            stage,
            faults,
            size.seed,
            pause_s=size.pause_s,
            at_once=size.at_once,
            lasts=size.lasts,
            share=lambda: acknowledged() / size.events,
        )
        conductor.run(size.faults, lambda sentence: say(f"{acknowledged()} acknowledged; {sentence}"))
        _until(
            lambda: _load_ended(stage),
            lambda: f"{acknowledged()} acknowledged",
            "the stores",
            size.calm_limit_s,
            say,
        )
        _until(lambda: _open(stage) == 0, lambda: f"{_open(stage)} open", "what landed", size.calm_limit_s, say)
        _until(stage.works, lambda: "not every program answers", "the programs", size.calm_limit_s, say)
        sessions, files = dict(_rows(stage, SESSIONS)), sum(p.num_fds() for p in stage.processes(RECEIVER))
        stage.end_programs()
        say("all is calm; what waits for its time is worked off")
        _settle(stage)
        dump = stage.control("GET", "dump")
        with psycopg.connect(stage.direct_url) as connection:
            result = outcome.read(connection, dump)
        left = {name: int(_rows(stage, statement)[0][0]) for name, statement in LEFT.items()}
        say("read")
    finally:
        stage.stop()
    return Figures(
        seconds=round(time.monotonic() - began, 1),
        answers=list(load.answers(journal)),
        played=conductor.played,
        not_now=dict(conductor.not_now),
        fired=dump["faults_fired"],
        deaths=stage.database.deaths,
        sessions=sessions,
        files=files,
        left={**left, "temporary files": len(stage.database.temporary_files())},
        kinds=dict(Counter(post.kind for post in traffic.posts(plan)).most_common()),
    ), result


def _settle(stage: Stage) -> None:
    command = [sys.executable, "-m", "chaos.settle", str(stage.clock_file), f"{stage.control_address}"]
    environment = {**stage.supervisor.environment, "DATABASE_URL": stage.direct_url}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SETTLE_LIMIT_S, check=False)
    if done.returncode != 0:
        (stage.directory / "logs" / "settle.log").write_text(done.stdout + done.stderr)
        raise NeedsAction(f"{stage.name}: does not settle: {done.stdout[:2_000]}")


def _until(
    look: Callable[[], bool], seen: Callable[[], str], what: str, limit_s: float, say: Callable[[str], None]
) -> None:
    """Wait until it is so. Raises NeedsAction when nothing of what is `seen` has changed for the limit."""
    changed_at = shown_at = time.monotonic()
    last = seen()
    while not look():
        now = time.monotonic()
        if now - shown_at > SHOWN_EVERY_S:
            shown_at, before, last = now, last, seen()
            say(f"{what}: {last}")
            if last != before:
                changed_at = now
        if now - changed_at > limit_s:
            raise NeedsAction(f"{what}: nothing has changed for {limit_s:.0f} s of calm: {last}")
        time.sleep(LOOK_S)


def _load_ended(stage: Stage) -> bool:
    assert stage.load is not None
    code = stage.load.poll()
    if code:
        raise NeedsAction(f"the load broke off: {(stage.directory / 'logs/load.log').read_text()[-2_000:]}")
    return code == 0


def _open(stage: Stage) -> int:
    return int(_rows(stage, OPEN)[0][0])


def _rows(stage: Stage, statement: str) -> list[Any]:
    with psycopg.connect(stage.direct_url, connect_timeout=int(END_LIMIT_S)) as connection:
        return connection.execute(statement.encode()).fetchall()


def _wrong_figures(quiet: Figures, disturbed: Figures, posts: list[Any]) -> list[str]:
    """What was refused, what was never acknowledged, and what has grown or was left behind."""
    refused = {answer.place: answer.status for answer in (*quiet.answers, *disturbed.answers) if answer.is_refused}
    wrong = [f"post {place} ({posts[place].topic}) was refused: {status}" for place, status in refused.items()]
    acknowledged = {answer.place for answer in disturbed.answers if answer.is_acknowledged}
    wrong += [f"post {place} was never acknowledged" for place in range(len(posts)) if place not in acknowledged]
    if sum(disturbed.sessions.values()) > SESSIONS_LIMIT:
        wrong.append(f"sessions of the database have grown: {disturbed.sessions}")
    if disturbed.files > quiet.files + MORE_FILES:
        wrong.append(f"open files of the receiver have grown from {quiet.files} to {disturbed.files}")
    wrong += [f"left behind: {count} {name}" for name, count in disturbed.left.items() if count]
    return wrong
