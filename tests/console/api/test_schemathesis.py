"""The API answers whatever is sent as its document says: no server error, no answer that is not declared."""

from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from custom_events.access import api_keys
from tests.console.api.world import World

# What a schema allows may still mean nothing: a currency that is none, a cursor of another list. What is taken beyond the schema has
# tests of its own: which examples are tried here follows from all that the process has imported, and so from what ran before.
EXCLUDED = [positive_data_acceptance, negative_data_rejection]
EXAMPLES = 6  # of each operation and each way: what every build has time for


def every_way(app: FastAPI, headers: dict[str, str]) -> list[str]:
    """Ask every operation with what its document allows, and with what it does not; the operations that were asked."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    asked: list[str] = []
    for found in schema.get_all_operations():
        operation = found.ok()
        asked.append(operation.label)
        _ask(operation, GenerationMode.POSITIVE, headers)
        with suppress(Unsatisfiable):  # an operation without parameters and body cannot be asked wrongly
            _ask(operation, GenerationMode.NEGATIVE, headers)
    return asked


def _ask(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers(case: Any) -> None:
        case.call_and_validate(headers=headers, excluded_checks=EXCLUDED)

    answers()


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.timeout(900)  # a minute or two on a machine of one's own, many times that beside other work
def test_every_operation_answers_as_its_document_says(app: FastAPI, world: World) -> None:
    asked = every_way(app, world.headers("administrator"))
    assert len(asked) == sum(len(methods) for methods in app.openapi()["paths"].values())
    with world.engine.begin() as connection:  # whoever asked was somebody to the end, and did not shut themselves out
        assert api_keys.caller_of(connection, world.keys["administrator"]) is not None
