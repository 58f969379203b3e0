"""Verbs that are long operations from afar: the same words and the same assertions as beside the database; Ctrl-C; what ends badly."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from cli import progress
from cli.afar import operations, server
from custom_events.operations.operation import State
from tests.backtest.conftest import PastWorld
from tests.cli.conftest import URL, Ask, Run

PASSING = {
    "type": "urn:custom-events:problem:unavailable", "title": "x", "detail": "The database does not answer: try again.",
    "instance": "urn:x", "request_id": "r",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "LOOK_S", 0.02)


def test_backtests(ask: Ask, world: PastWorld, tmp_path: Path) -> None:
    before = world.written()
    (tmp_path / "stricter.yaml").write_text(
        "name: Bought\ntrigger: [order.paid]\nconditions: {field: order.total, op: '>=', value: 150}\n"
    )
    text = ask("backtest", "--definition", "bought", "--config", "stricter.yaml", "--site", "1")
    for words in (
        "Definition bought as given on 2 events of 1 site,",
        "  would drop             1\n",
        "1 taken back before sending, 100.00 EUR",
        "no  order.total >= 150   (is 100.00)",
    ):
        assert words in text, text
    found = json.loads(ask("backtest", "--definition", "bought@1", "--json", "--samples", "0"))
    assert (found["counts"]["unchanged"], found["is_complete"], found["samples"]) == (2, True, [])
    assert found["draft"] == {"definition": "bought", "definition_number": 1}
    (tmp_path / "more.yaml").write_text("value: {factor: '2'}\n")
    assert "would change           2" in ask("backtest", "--assignment", "1@1", "--overrides", "more.yaml")
    assert ask("backtest", "--assignment", "1", "--stopped").startswith("Assignment 1 stopped, on ")
    assert world.written() == before


def test_backtests_that_cannot_be(ask: Ask, world: PastWorld) -> None:
    assert "Name what stops" in ask("backtest", "--stopped", code=1)
    assert "There is no" in ask("backtest", "--definition", "nothing", code=1)
    assert 'no site "nobody"' in ask("backtest", "--site", "nobody", code=1)


def test_replays(ask: Ask, world: PastWorld) -> None:
    world.publish("bought", world.draft("bought", conditions={"field": "order.total", "op": ">=", "value": 150}))
    assert "would drop             1\n" in ask("replay", "--site", "1", "--since", "30d")
    assert "needs a reason" in ask("replay", "--write", code=2)
    words = ("replay", "--since", "30d", "--definition", "bought", "--write", "--reason", "stricter", "--json")
    found = json.loads(ask(*words))
    assert (found["is_written"], found["counts"]["would_drop"], found["reread"]) == (True, 1, None)
    assert world.rows("SELECT count(*) FROM app.custom_events WHERE withdrawn_at IS NOT NULL") == [(1,)]
    again = json.loads(ask("replay", "--assignment", "1", "--json"))
    assert (again["is_written"], again["counts"]["would_drop"]) == (False, 0)


def operation(state: str, **more: Any) -> dict[str, Any]:
    return {
        "id": 31, "kind": "replay", "state": state, "sites": None, "site_ids": [], "asked_by": "ana", "unit": "days", "done": 3,
        "total": 30, "cancel_asked_at": None, "problem": None, "result": None, "created_at": "2026-11-30T12:00:00Z",
        "started_at": None, "ended_at": None, "expires_at": None, **more,
    }  # fmt: skip


REPLAY: dict[str, Any] = {
    "since": "2026-11-01T00:00:00Z", "until": "2026-11-30T00:00:00Z", "sites": [1], "is_written": True, "name": "replay-1",
    "reread": None, "events": 12, "seconds": 0.5, "counts": {"would_add": 2},
}  # fmt: skip
WORDS = ("--server", URL, "replay", "--write", "--reason", "x", "--json")


@pytest.fixture
def answers(run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`answers(a, b)`: a server that says this of the operation, one look after the other; what was asked of it, and the command's end.
    An exception is raised instead, a response is given as it is."""

    def play(*looks: Any, terminal: bool = False) -> Any:
        pending, paths = list(looks), []

        def answer(request: httpx.Request) -> httpx.Response:
            paths.append(request.url.path.removeprefix("/api/v1/"))
            if request.url.path.endswith("/result"):
                return httpx.Response(200, json={"replay": REPLAY})
            look = pending.pop(0)
            if isinstance(look, BaseException):
                raise look
            if isinstance(look, httpx.Response):
                return look
            return httpx.Response(202 if request.url.path.endswith("replays") else 200, json=look)

        monkeypatch.setattr(server, "transport", httpx.MockTransport(answer))
        if terminal:
            monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=SimpleNamespace(isatty=lambda: True)))
        ended = run(*WORDS, CUSTOM_EVENTS_API_KEY="ce_1_x")
        return SimpleNamespace(paths=paths, code=ended.exit_code, output=ended.output, stdout=ended.stdout)

    return play


def test_its_progress_is_told_and_its_result_is_the_same(answers: Callable[..., Any]) -> None:
    found = answers(
        operation("waiting"),
        operation("running"),
        operation("running", total=None, unit="rows", done=1_200),
        httpx.ConnectError("it is being restarted"),
        httpx.Response(502, text="<html>of a proxy before it", headers={"content-type": "text/html"}),
        httpx.Response(503, json={**PASSING, "status": 503}, headers={"content-type": "application/problem+json"}),
        operation("succeeded", result="/api/v1/operations/31/result"),
        terminal=True,
    )
    assert (found.code, json.loads(found.stdout)["counts"]["would_add"]) == (0, 2)
    for words in ("operation 31 waits for others", "operation 31: 3 of 30 days", "operation 31: 1,200 rows"):
        assert words in found.output
    assert found.paths == ["replays", *["operations/31"] * 6, "operations/31/result"]


def test_ctrl_c_cancels_it_and_says_what_was_done(answers: Callable[..., Any]) -> None:
    whole = operation("cancelled", result="/api/v1/operations/31/result")
    found = answers(operation("running"), KeyboardInterrupt(), operation("running"), whole)
    assert found.paths == ["replays", "operations/31", "operations/31/cancel", "operations/31", "operations/31/result"]
    assert (found.code, json.loads(found.stdout)["events"]) == (1, 12)
    assert "Asking for the end of operation 31" in found.output
    assert "It was cancelled: what it lists is done, and stays." in found.output
    nothing = answers(operation("running"), KeyboardInterrupt(), operation("cancelled"))
    assert (nothing.code, nothing.stdout, nothing.output.endswith("Aborted!\n")) == (1, "", True)


def test_another_ctrl_c_leaves_it_to_itself(answers: Callable[..., Any]) -> None:
    found = answers(operation("running"), KeyboardInterrupt(), KeyboardInterrupt())
    assert (found.code, found.stdout) == (1, "")
    assert "Operation 31 goes on, or ends by itself" in found.output


def test_what_failed_says_why_and_what_others_cancelled_too(answers: Callable[..., Any]) -> None:
    problem = {
        "type": "urn:custom-events:problem:forbidden", "title": "x", "status": 403, "detail": "ana had the role editor.",
        "instance": "urn:x", "request_id": "r",
    }  # fmt: skip
    failed = answers(operation(State.FAILED.value, problem=problem))
    assert (failed.code, failed.output) == (1, "Error: ana had the role editor.\n")
    cancelled = answers(operation("running"), operation("cancelled"))
    assert (cancelled.code, "was cancelled by somebody else" in cancelled.output) == (1, True)


def test_a_server_that_stays_away_is_not_waited_for_for_ever(
    answers: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "PATIENCE_S", -1.0)
    found = answers(operation("running"), httpx.ConnectError("Connection refused"))
    assert (found.code, "The server does not answer" in found.output) == (1, True)
