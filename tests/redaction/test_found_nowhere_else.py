"""People and secrets planted by the real path stand in no log, figure, error, file or table but those that are declared to hold them, also in
none of Dagster's; and after forgetting, and after retention, in none of these either."""

import io
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
import sqlalchemy as sa
import structlog
from prometheus_client import generate_latest

from console.api.app import create_app
from custom_events import logs
from custom_events.access import api_keys, people
from custom_events.access.roles import Grant, Role
from custom_events.archive import writing
from custom_events.postgres import partitions
from custom_events.queries import beacons
from custom_events.redaction import retention
from custom_events.redaction.archives import forgotten_check
from custom_events.redaction.personal_data import PERSONAL_DATA, Done, Personal
from custom_events.settings import settings as read_settings
from ingest_api.metrics import scraped
from orchestration import instance, jobs
from orchestration.jobs import BEACONS_KEPT
from tests.console.api.asking import asking
from tests.redaction.bodies import redact_customer
from tests.redaction.conftest import ANN, BEN, KEY, SECRET, Planted
from tests.redaction.searching import in_files, in_tables, in_text
from tests.redaction.test_archives import texts as archived_texts
from tests.redaction.test_carry_out import ask_elsewhere, plant

LOGIN = "eve@console.example"
PASSWORD = "heron quartz lantern plum"
WRONG_PASSWORD = "heron quartz lantern pear"
STORE_KEYS = {
    "consumer key": "ck_plantedconsumerkey0123456789",
    "consumer secret": "cs_plantedconsumersecret0123456789",
}
HOOK_SECRET = "planted-signing-secret-of-a-report"
NEW_SECRET = "planted-secret-of-another-store"
CLIENT_SECRET = "planted-client-secret-of-the-app"
# Of a body that is no UTF-8: what is not text is looked through all the same.
NO_TEXT = b'{"id": 7, "email": "somebody\xc3@example.org", "note": "\xff"}'
KEPT_FOR_EVER = ("for ever", "as long as its rule")  # how the map says it


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged meanwhile, as programs log it."""
    root = logging.getLogger()
    handlers, level, config = list(root.handlers), root.level, structlog.get_config()
    stream = io.StringIO()
    logs.configure("test", level="DEBUG", stream=stream)
    yield stream
    structlog.configure(**config)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def dagster(planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster's own tables in the same database, and our settings as its processes read them."""
    planted.settings = planted.settings.model_copy(update={"archive_url": str(tmp_path / "archive")})
    variables = {
        **instance.prepare(tmp_path / "dagster", planted.url),
        "DATABASE_URL": planted.url,
        "CUSTOM_EVENTS_SECRET_KEY": KEY.decode(),
        "CUSTOM_EVENTS_ARCHIVE_URL": str(tmp_path / "archive"),
        "CUSTOM_EVENTS_LOCAL_DIRECTORY": str(tmp_path),
        "CUSTOM_EVENTS_SHOPIFY_CLIENT_SECRET": CLIENT_SECRET,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    read_settings.cache_clear()
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as made:
        yield made
    read_settings.cache_clear()


def run_keep_partitions(planted: Planted, dagster: dg.DagsterInstance) -> None:
    """The nightly job, which forgets people among others, as a run of Dagster's."""
    resources = {"database_url": dg.ResourceDefinition.hardcoded_resource(planted.url)}
    assert jobs.keep_partitions.execute_in_process(instance=dagster, resources=resources).success


def use_console(planted: Planted) -> tuple[dict[str, str], list[str]]:
    """What an administrator does with secrets, and what goes wrong: the secrets, and what was answered where nothing secret may stand."""
    grants = (Grant(role=Role.ADMINISTRATOR),)
    with planted.engine.begin() as connection:
        people.add(connection, login=LOGIN, display_name="Eve", grants=grants, actor="test", password=PASSWORD)
        key = api_keys.make(connection, name="planted", grants=grants, actor="test")[1]
    app = create_app(planted.url, planted.settings)
    site, woo = planted.sites["shopify"], planted.sites["woocommerce"]
    hook = {"kind": "webhook", "url": "http://127.0.0.1:9/"}
    with asking(app) as nobody, asking(app) as client:
        signed_in = nobody.post("/api/v1/sessions", json={"login": LOGIN, "password": PASSWORD})
        session = next(iter(nobody.cookies.values()))
        client.headers["Authorization"] = f"Bearer {key}"
        answers = [
            signed_in,
            nobody.post("/api/v1/sessions", json={"login": LOGIN, "password": WRONG_PASSWORD}),
            nobody.post("/api/v1/sessions", json={"login": ["a"], "password": [WRONG_PASSWORD], "token": key}),
            client.post("/api/v1/people", json={"login": "x", "display_name": 7, "password": WRONG_PASSWORD}),
            client.post(f"/api/v1/sites/{site}/secrets", json={"secret": NEW_SECRET}),
            client.post(f"/api/v1/sites/{site}/secrets", json={"secret": NEW_SECRET, "key_id": 7}),
            client.put(
                f"/api/v1/sites/{woo}/store-api-key",
                json={"store_url": "https://127.0.0.1", "key": STORE_KEYS["consumer key"], "secret": STORE_KEYS["consumer secret"]},
                headers={"If-Match": "*"},
            ),
            client.post("/api/v1/report-schedules", json={"target": hook, "secrets": {"signing_secret": HOOK_SECRET}}),
            client.get("/api/v1/uploads", params={"sort": "nothing", "token": key}),
            client.get("/metrics"),
            client.get("/api/v1/audit-entries"),
            client.get("/api/v1/api-keys"),
            *(client.get(f"/api/v1/sites/{number}/secrets") for number in planted.sites.values()),
        ]  # fmt: skip
    assert all(answer.status_code < 500 for answer in answers), [_said(answer) for answer in answers]
    assert [answer.status_code for answer in answers[:3]] == [201, 401, 422]
    secrets = {
        "password": PASSWORD,
        "wrong password": WRONG_PASSWORD,
        "API key": key,
        "session": session,
        "secret of the shop": SECRET.decode(),
        "another secret": NEW_SECRET,
        "signing secret": HOOK_SECRET,
        "client secret": CLIENT_SECRET,
        "key of the installation": KEY.decode(),
        **STORE_KEYS,
    }
    return secrets, [answer.text for answer in answers]


def _said(answer: httpx.Response) -> str:
    return f"{answer.request.url}: {answer.status_code} {answer.text[:200]}"


@pytest.mark.long
def test_planted_people_and_secrets(
    planted: Planted, dagster: dg.DagsterInstance, tmp_path: Path, log: io.StringIO, capfd: Any
) -> None:
    plant(planted)
    assert planted.post([("shopify", "orders/create", NO_TEXT)]) == [200]
    planted.drain()
    secrets, answers = use_console(planted)
    write_archive(planted)
    run_keep_partitions(planted, dagster)

    persons = {
        f"{who.first}: {name}": value for who in (ANN, BEN) for name, value in who.traces(planted.clicks).items()
    }
    declared = {name for name, entry in PERSONAL_DATA.items() if isinstance(entry, Personal)}
    assert tables_with(planted, {"login": LOGIN}).keys() >= {"app.people", "app.audit_entries"}, "the search finds"
    places = tables_with(planted, persons | secrets)
    assert {name: values & secrets.keys() for name, values in places.items() if values & secrets.keys()} == {}
    assert places.keys() <= declared
    assert "landing.raw_events" in places
    assert "dagster.event_logs" not in places

    assert planted.post(redact_customer(ANN)) == [200]
    assert planted.post([("shopify", "orders/updated", NO_TEXT)]) == [200]
    planted.drain()
    ask_elsewhere(planted)
    run_keep_partitions(planted, dagster)
    ann = {name: value for name, value in persons.items() if name.startswith(ANN.first)}
    assert tables_with(planted, ann) == {}
    assert [name for text in archived_texts(tmp_path / "archive") for name in in_text(text, ann)] == []

    with planted.engine.connect() as connection:
        runs = connection.execute(sa.text("SELECT count(*) FROM dagster.event_logs")).scalar_one()
    assert runs > 20, "Dagster wrote of both runs"
    captured = capfd.readouterr()
    for said in (log.getvalue(), captured.out, captured.err, generate_latest(scraped()).decode(), *answers):
        assert in_text(said, persons | secrets) == set(), said[:1_000]
    assert "sign_in_refused" in log.getvalue(), "the log was read"
    assert in_files(tmp_path, secrets | persons).keys() <= archive_files(tmp_path)

    left = after_retention(planted, persons)
    for_ever = {
        name
        for name, entry in PERSONAL_DATA.items()
        if isinstance(entry, Personal) and (entry.kept.endswith(KEPT_FOR_EVER) or entry.done is Done.KEPT)
    }
    assert left.keys() <= for_ever
    named = {"first name", "last name", "street", "email", "email hash", "phone hash"}
    assert not {value for values in left.values() for value in values if value.partition(": ")[2] in named}


def tables_with(planted: Planted, values: dict[str, str]) -> dict[str, set[str]]:
    with planted.engine.connect() as connection:
        return in_tables(connection, values)


def write_archive(planted: Planted) -> None:
    """This week, as if its retention were over."""
    later = datetime.now(UTC) + timedelta(days=120)
    weeks = writing.write_due(
        planted.engine, planted.settings, later, forgotten_check(planted.engine, planted.settings)
    )
    assert [week.problem for week in weeks] == [None]


def archive_files(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in (place / "archive").rglob("*")}


def after_retention(planted: Planted, values: dict[str, str]) -> dict[str, set[str]]:
    """Where which value is found when everything that has a time is beyond it. Partitions come back: the ledger's test looks at them at its end."""
    later = datetime.now(UTC) + timedelta(days=5 * 365)
    retention.expire(planted.engine, planted.settings, later)
    no_archive = planted.settings.model_copy(update={"archive_url": None})  # which would have to hold what landed since
    with planted.engine.connect() as connection:
        assert not partitions.drop_expired(connection, no_archive, later).kept
        connection.execute(beacons.FORGET, {"before": later - BEACONS_KEPT})
        left = in_tables(connection, values)
        connection.rollback()
    return left
