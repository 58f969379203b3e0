"""Chains of requests along the links of the document: what one operation makes, others read, change and remove, and each answers as declared.

Every link is followed, in the document's order, so that a run is like any other; a state machine would choose a few, and what it draws would
follow from what the database has.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from custom_events.operations.runner import Runner
from tests.console.api.test_document import operations
from tests.console.api.world import World

EXAMPLES = 2  # bodies and queries that are made up for each link; some 400 requests, half a minute of a processor
ACCEPTED = 202
EXCLUDED = [positive_data_acceptance, negative_data_rejection]  # as in test_schemathesis.py, and for its reasons
LEFT_OUT = {"probe_ads_account", "follow_operation"}  # it asks Google; it lasts
ENDS = (
    "remove_",
    "delete_",
    "revoke_",
    "retire_",
    "undo_",
    "cancel_",
    "disable_",
)  # what they are about is done with last
# Refused, as the chain before it has left things: it applies, is in use or not retired; the account has no uploads to choose from.
REFUSED = {
    *("delete_assignment", "delete_definition", "delete_site", "restore_definition"),
    *("release_uploads_of_account", "retry_uploads_of_account", "withhold_uploads_of_account"),
    *("apply_dry_run", "create_saved_view"),  # of operations that are no dry runs; by a key that belongs to nobody
    *("read_operation_result_as_xlsx", "read_operation_result_as_parquet"),  # the export was asked for as CSV
    *("download_report_run", "rerun_report"),  # nobody makes its file meanwhile
    *("set_store_api_key", "remove_store_api_key"),  # of a sender whose orders nobody can read
}

Answered = dict[str, Any]
Ask = Callable[[Any, Answered], Any]


def body_of(number: int, name: str, site_id: int) -> dict[str, Any] | None:
    """A body that names what is there, or gives what is made a name of its own; None: the document's example."""
    return {
        "create_site": {"platform": "custom", "name": f"Shop {number}", "currency": "EUR"},
        "create_assignment": {"definition_key": "big_order", "label": f"label {number}", "publish": True},
        "create_definition": {"key": f"rule_{number}", "name": "Rule", "config": {"trigger": ["order.paid"]}},
        "create_person": {"login": f"p{number}@example.org", "display_name": "P", "grants": []},
        "change_person": {"display_name": "Pia"},
        "make_api_key": {"name": "k", "grants": [{"role": "viewer", "site_id": None}]},
        "create_ads_account": {"customer_id": f"{number:010}", "name": "Ads", "lane": "google_ads"},
        "create_ads_action": {"action_id": f"{number}", "name": "Purchase"},
        "ask_for_export": {"list": "assignments"},
        "ask_for_replay": {},
        "make_bulk_change": {"actions": [{"action": "enable", "assignments": {"label": "mine"}}]},
        "import_assignments": {"csv": f"site_id,definition_key,label\n{site_id},big_order,line {number}\n"},
        "draft_definition_revision": {"config": {"trigger": ["order.paid"], "priority": 2}, "expected": 1},
        "draft_assignment_revision": {"overrides": {"priority": 2}, "expected": 1},
        "hold_uploads_of_account": {"why": "prices"},
    }.get(name)


class Chains:
    """Follows links. `ask` sends a request to an operation with these parameters and answers what came of it."""

    def __init__(self, app: FastAPI, ask: Ask) -> None:
        self.document = app.openapi()
        schema = schemathesis.openapi.from_asgi("/openapi.json", app)
        found = (one.ok() for one in schema.get_all_operations())
        self.operations = {one.definition.raw["operationId"]: one for one in found}
        self.ask = ask
        self.seen: set[tuple[str, ...]] = set()

    def run(self) -> None:
        """Every chain, from what is made without anything before it."""
        for name, operation in self.operations.items():
            if (
                any("links" in answer for answer in operation.definition.raw["responses"].values())
                and "{" not in operation.path
            ):
                self.follow((name,), {})

    def follow(self, chain: tuple[str, ...], parameters: Answered) -> None:
        """Ask the chain's last operation, then all that its answer leads to."""
        operation = self.operations[chain[-1]]
        response = self.ask(operation, parameters)
        links = operation.definition.raw["responses"].get(str(response.status_code), {}).get("links", {})
        for name in sorted(links, key=lambda one: (one.startswith(ENDS), not one.startswith("draft_"))):
            if name in LEFT_OUT or name in chain or (chain[-1], name) in self.seen:
                continue
            self.seen.add((chain[-1], name))
            if operation.method == "get":  # its tag is of before
                response = self.ask(operation, parameters)
            values = {at: resolved(text, response, parameters) for at, text in links[name]["parameters"].items()}
            self.follow((*chain, name), values)


def resolved(expression: str, response: Any, parameters: Answered) -> Any:
    """What an expression of a link means (OpenAPI 3.1, runtime expressions; those that ours use)."""
    if expression.startswith("$request.path."):
        return parameters["path." + expression.removeprefix("$request.path.")]
    if expression.startswith("$response.header."):
        return response.headers[expression.removeprefix("$response.header.").lower()][0]
    value = response.json()
    for step in expression.removeprefix("$response.body#/").split("/"):
        value = value[step]
    return value


def given_of(parameters: Answered) -> dict[str, Any]:
    """As schemathesis takes them."""
    path = {name.removeprefix("path."): value for name, value in parameters.items() if name.startswith("path.")}
    headers = {name.removeprefix("header."): value for name, value in parameters.items() if name.startswith("header.")}
    return {"path_parameters": path, "headers": headers}


@pytest.fixture
def numbers() -> Iterator[int]:
    return itertools.count(1_000_000)


def test_links_lead_from_what_is_made_to_what_is_done_with_it(app: FastAPI) -> None:
    found = operations(app.openapi())
    by_id = {operation["operationId"]: operation for operation in found.values()}
    for name, operation in found.items():
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                target = by_id[link["operationId"]]
                known = {f"{one['in']}.{one['name']}" for one in target["parameters"]}
                assert link["parameters"].keys() <= known, name
                needed = {f"path.{one['name']}" for one in target["parameters"] if one["in"] == "path"}
                assert needed <= link["parameters"].keys(), name
    made = by_id["create_site"]["responses"]["201"]["links"]
    assert made["change_site"]["parameters"] == {
        "path.site_id": "$response.body#/id",
        "header.If-Match": "$response.header.ETag",
    }
    creating = {name for name, one in by_id.items() if "201" in one["responses"] or "Location" in str(one["responses"])}
    linked = {name for name, one in by_id.items() if any("links" in answer for answer in one["responses"].values())}
    assert creating - linked == {
        *("ask_for_privacy", "rotate_secret", "undo_bulk_change"),  # read by what was there before
        *("roll_back_definition", "roll_back_assignment"),  # one more of what is read already
        *("begin_openid", "end_openid", "sign_in"),
        "set_store_api_key",  # a part of its site, which is read already
    }


def test_every_link_leads_to_an_answer_as_declared(
    app: FastAPI, world: World, runner: Runner, numbers: Iterator[int]
) -> None:
    headers, answers = world.headers("administrator"), Counter[tuple[str, int]]()

    def ask(operation: Any, parameters: Answered) -> Any:
        raw, name = operation.definition.raw, operation.definition.raw["operationId"]
        given = given_of(parameters)
        given["headers"] |= headers
        if "requestBody" in raw:
            content = raw["requestBody"]["content"]["application/json"]
            example = content["examples"]["example"]["value"]
            given |= {"body": body_of(next(numbers), name, world.mine.id) or example, "media_type": "application/json"}
        response = operation.Case(**given).call_and_validate(excluded_checks=EXCLUDED)
        answers[name, response.status_code] += 1
        if response.status_code == ACCEPTED:
            runner.run_next()
        return response

    chains = Chains(app, ask)
    chains.run()
    asked = {name for name, _ in answers}
    assert asked - {name for name, status in answers if status < 300} == REFUSED
    targets = {name for _, name in chains.seen}
    assert {"change_site", "publish_definition_revision", "revoke_api_key", "read_operation_result"} <= targets <= asked


def test_what_is_made_up_is_answered_as_declared_of_things_that_are_there(
    app: FastAPI, world: World, numbers: Iterator[int]
) -> None:
    headers = world.headers("administrator")

    def ask(operation: Any, parameters: Answered) -> Any:
        raw, name = operation.definition.raw, operation.definition.raw["operationId"]
        given_parameters = given_of(parameters)
        responses: list[Any] = []
        if parameters:

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE, **given_parameters))
            def answers(case: Any) -> None:
                responses.append(case.call_and_validate(headers=headers, excluded_checks=EXCLUDED))

            answers()
        body = body_of(next(numbers), name, world.mine.id)
        if responses and body is None:
            return responses[-1]
        given_parameters["headers"] |= headers
        if body is None and "requestBody" in raw:
            body = raw["requestBody"]["content"]["application/json"]["examples"]["example"]["value"]
        if body is not None:
            given_parameters |= {"body": body, "media_type": "application/json"}
        return operation.Case(**given_parameters).call_and_validate(excluded_checks=EXCLUDED)

    Chains(app, ask).run()
