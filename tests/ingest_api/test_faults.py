"""When something is wrong on our side: 503 with Retry-After, so that the store tries again, and never a refusal for good."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from custom_events import secrets
from custom_events.errors import InvalidConfiguration
from custom_events.settings import Settings
from ingest_api import app, database
from ingest_api.app import create_app
from ingest_api.database import Database

Receive = Callable[..., None]
Query = Callable[..., list[Any]]
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def busy(answer: Any) -> bool:
    return (answer.status_code, answer.json()["error"], answer.headers["retry-after"]) == (503, "busy", "5")


def test_without_its_database_it_is_alive_and_not_ready(receive: Receive) -> None:
    async def scenario(posts: Any) -> None:
        assert (await posts.client.get("/healthz")).status_code == 200
        ready = await posts.client.get("/readyz")
        assert (ready.status_code, ready.json()["lacking"]) == (503, ["The database does not answer."])
        assert busy(await posts.shopify(b"{}", "w1"))

    receive(scenario, database_url=NOWHERE)


def test_a_full_queue_refuses_before_the_body_is_read(
    receive: Receive, rows: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(posts: Any) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("ingest_api.writer.WAITING_LIMIT_BYTES", 0)
            read = False

            async def pieces() -> Any:
                nonlocal read
                read = True
                yield b"x"

            assert busy(await posts.client.post("/webhooks/shopify/shop-key", content=pieces()))
            assert not read
            ready = await posts.client.get("/readyz")
            assert ready.json()["lacking"] == ["The queue is full, or the database did not answer a moment ago."]
        assert (await posts.shopify(b"{}", "w1")).status_code == 200

    receive(scenario)
    assert rows("SELECT sum(received), sum(landed), sum(refused) FROM landing.receipts") == [(2, 1, 1)]


def test_bodies_being_read_are_bounded_together(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "READING_LIMIT_BYTES", 10)

    async def pieces() -> Any:
        for _ in range(3):
            yield b"x" * 8

    async def scenario(posts: Any) -> None:
        assert busy(await posts.client.post("/webhooks/shopify/shop-key", content=pieces()))

    receive(scenario)


def test_a_secret_that_cannot_be_decrypted_is_our_fault(
    receive: Receive, engine: sa.Engine, log: list[dict[str, Any]]
) -> None:
    other = secrets.encrypt(b"another", b"k" * 43 + b"=")
    with engine.begin() as connection:
        statement = "INSERT INTO app.site_secrets (site_id, secret_encrypted) VALUES (1, :token), (1, :token)"
        connection.execute(sa.text(statement), {"token": other})

    async def scenario(posts: Any) -> None:
        assert busy(await posts.shopify(b"{}", "w1", secret=b"another"))
        assert (await posts.shopify(b"{}", "w2")).status_code == 200, "the others still count"
        assert (await posts.shopify(b"{}", "w3", x_shopify_hmac_sha256=None)).status_code == 401

    receive(scenario)
    assert [line for line in log if line["event"] == "secret_not_decrypted"]


def test_a_key_that_came_into_the_key_file_since_is_known(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, local_directory=tmp_path, database_url=SecretStr(NOWHERE))
    running = Database(settings)
    secrets.put_first(settings)
    token = secrets.encrypt(b"hush", secrets.key(settings))
    assert running._decrypt(token, 1) == b"hush"


def test_a_site_without_secrets_refuses_everything(receive: Receive, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM app.site_secrets"))

    async def scenario(posts: Any) -> None:
        answer = await posts.shopify(b"{}", "w1")
        assert answer.json()["error"] == "wrong_signature", "nothing is said about secrets"

    receive(scenario)


def test_secrets_in_memory_are_bounded(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "DECRYPTED_LIMIT", 1)

    async def scenario(posts: Any) -> None:
        assert (await posts.shopify(b"{}", "w1")).status_code == 200

    receive(scenario)


def test_the_receiver_has_no_more_rights_than_it_needs(
    receive: Receive, receiver_settings: Callable[..., Settings]
) -> None:
    async def scenario(posts: Any) -> None:
        assert (await posts.shopify(b"{}", "w1")).status_code == 200

    receive(scenario, receiver_role=False)
    assert "custom_events_receiver" in Database(receiver_settings())._url
    assert "custom_events_receiver" not in Database(receiver_settings(receiver_role=False))._url


def test_it_needs_a_database_and_is_opened_first(receiver_settings: Callable[..., Settings]) -> None:
    with pytest.raises(InvalidConfiguration, match="DATABASE_URL"):
        create_app(receiver_settings(database_url=None))
    with pytest.raises(ConnectionError, match="not open"):
        Database(receiver_settings())._readers()


@pytest.mark.usefixtures("_template")  # its migration made the role
def test_readiness_names_what_the_database_refused(receive: Receive, plain: str) -> None:
    async def scenario(posts: Any, reason: str) -> None:
        ready = await posts.client.get("/readyz")
        assert ready.status_code == 503
        assert reason in ready.json()["lacking"][0]

    missing = sa.make_url(plain).set(database="no_such_database").render_as_string(hide_password=False)
    receive(lambda posts: scenario(posts, "may not become the role custom_events_receiver"), database_url=plain)
    receive(lambda posts: scenario(posts, "does not exist on its server"), database_url=missing, receiver_role=False)
