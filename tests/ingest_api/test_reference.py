"""The reference page says every answer there is."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from custom_events.settings import Settings
from custom_events.values.deliveries import Refusal
from ingest_api import http_answers
from ingest_api.metrics import MULTIPROCESS_DIRECTORY, Metrics, scraped

PAGE = (Path(__file__).parents[2] / "docs/reference/receiver.md").read_text()
ROWS = re.findall(r"^\| (\d{3}) \| (?:header )?`([^`]+)` \|", PAGE, flags=re.MULTILINE)


def test_every_refusal_has_an_answer_and_a_line() -> None:
    made = http_answers.refusals(Settings.model_validate({}))
    assert set(made) == set(Refusal)
    for refusal, answer in made.items():
        assert (str(answer.status), refusal.value) in ROWS
    assert b"v2= and 64 hex digits" in made[Refusal.MALFORMED_SIGNATURE].body["body"], (
        "the version that senders are to use"
    )


def test_every_other_answer_has_a_line() -> None:
    for answer in vars(http_answers).values():
        if isinstance(answer, http_answers.Answer):
            code = re.search(r'"error":"(\w+)"', answer.body["body"].decode())
            outcome = dict(answer.start["headers"]).get(http_answers.OUTCOME.encode(), b"").decode()
            assert (str(answer.status), code.group(1) if code else f"{http_answers.OUTCOME}: {outcome}") in ROWS


def test_no_line_without_an_answer() -> None:
    assert len(ROWS) == len(Refusal) + 7


def test_every_figure_is_named() -> None:
    for family in Metrics().registry.collect():
        assert family.name.removeprefix("custom_events_receiver_") in PAGE


def test_figures_of_several_workers_come_from_their_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(MULTIPROCESS_DIRECTORY, str(tmp_path))
    assert isinstance(Metrics().registry, CollectorRegistry)
    assert generate_latest(scraped()) == b""
