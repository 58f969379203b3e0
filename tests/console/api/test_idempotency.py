"""A request that comes again under its key is answered as it was, and nothing happens twice."""

import threading
from typing import Any

import httpx
import sqlalchemy as sa
from fastapi import FastAPI

from tests.console.api.asking import asking
from tests.console.api.conftest import problem
from tests.console.api.world import World

NEW = {"platform": "custom", "name": "Berlin"}


def count(engine: sa.Engine, table: str) -> int:
    with engine.connect() as connection:
        found: int = connection.execute(sa.text(f"SELECT count(*) FROM app.{table}")).scalar_one()
        return found


def test_the_same_request_twice_is_one(admin: httpx.Client, engine: sa.Engine) -> None:
    before = count(engine, "sites")
    headers = {"Idempotency-Key": "k-1"}
    first, second = (admin.post("/api/v1/sites", json=NEW, headers=headers) for _ in range(2))
    assert count(engine, "sites") == before + 1
    assert second.content == first.content
    assert (first.status_code, second.status_code) == (201, 201)
    for name in ("location", "etag", "content-type"):
        assert second.headers[name] == first.headers[name]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"


def test_a_secret_in_a_kept_answer_stands_nowhere_in_clear(admin: httpx.Client, world: World) -> None:
    path, headers = f"/api/v1/sites/{world.mine.id}/secrets", {"Idempotency-Key": "k-1"}
    made = admin.post(path, headers=headers).json()["secret"]
    assert admin.post(path, headers=headers).json()["secret"] == made
    with world.engine.connect() as connection:
        kept = connection.execute(sa.text("SELECT content_encrypted FROM app.idempotent_answers")).scalar_one()
    assert made.encode() not in bytes(kept)


def test_another_request_under_the_same_key_is_refused(admin: httpx.Client, world: World) -> None:
    headers = {"Idempotency-Key": "k-1"}
    admin.post("/api/v1/sites", json=NEW, headers=headers)
    for answer in (
        admin.post("/api/v1/sites", json={**NEW, "name": "Vienna"}, headers=headers),
        admin.post(f"/api/v1/sites/{world.mine.id}/secrets", headers=headers),
    ):
        assert problem(answer, 422)["type"].endswith(":idempotency-key-reused")
    other = {**headers, **world.headers("editor")}
    assert admin.post("/api/v1/sites", json=NEW, headers=other).status_code == 201  # keys are each caller's own


def test_what_failed_may_be_tried_again_under_its_key(admin: httpx.Client) -> None:
    headers = {"Idempotency-Key": "k-1"}
    problem(admin.post("/api/v1/sites", json={**NEW, "currency": "euro"}, headers=headers), 422)
    assert admin.post("/api/v1/sites", json=NEW, headers=headers).status_code == 201


def test_a_key_has_a_form(admin: httpx.Client) -> None:
    for key in ("x" * 256, "with space"):
        (error,) = problem(admin.post("/api/v1/sites", json=NEW, headers={"Idempotency-Key": key}), 422)["errors"]
        assert (error["place"], error["field"]) == ("header", "Idempotency-Key")


def test_answers_are_kept_for_a_day(admin: httpx.Client, engine: sa.Engine) -> None:
    headers = {"Idempotency-Key": "k-1"}
    admin.post("/api/v1/sites", json=NEW, headers=headers)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.idempotent_answers SET created_at = now() - interval '25 hours'"))
    answer = admin.post("/api/v1/sites", json=NEW, headers=headers)
    assert answer.status_code == 201
    assert "idempotent-replayed" not in answer.headers
    assert count(engine, "idempotent_answers") == 1


def test_at_the_same_moment_one_happens_and_all_are_answered_alike(app: FastAPI, world: World) -> None:
    before = count(world.engine, "sites")
    answers: list[Any] = []
    with asking(app) as client:
        client.headers.update({**world.headers("administrator"), "Idempotency-Key": "k-1"})
        threads = [
            threading.Thread(target=lambda: answers.append(client.post("/api/v1/sites", json=NEW))) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert count(world.engine, "sites") == before + 1
    assert len({answer.content for answer in answers}) == 1
    assert [answer.status_code for answer in answers] == [201] * 6


def test_of_many_changes_at_once_under_one_tag_one_is_made(app: FastAPI, world: World) -> None:
    path = f"/api/v1/sites/{world.mine.id}"
    answers: list[int] = []
    with asking(app) as client:
        client.headers.update(world.headers("administrator"))
        tag = {"If-Match": client.get(path).headers["etag"]}
        threads = [
            threading.Thread(
                target=lambda n: answers.append(client.patch(path, json={"name": f"N{n}"}, headers=tag).status_code),
                args=(number,),
            )
            for number in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(answers) == [200, *[412] * 5]
