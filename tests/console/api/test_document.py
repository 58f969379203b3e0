"""The OpenAPI document is complete and true to itself: schemas, examples, errors, rights."""

import json
import re
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI

from console.api.entrance import OPEN_PATHS
from console.api.problems import KINDS, MEDIA_TYPE
from console.api.routing import operation_of
from console.pages import site_of_manual
from console.pages.install import FILES, PICTURE_FILES, all_pages


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(app.openapi()))
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_route_is_an_operation_with_a_right_but_for_the_pages(app: FastAPI) -> None:
    _, *routes = app.routes  # before them stands their index
    without = {route.path for route in routes if operation_of(getattr(route, "endpoint", None)) is None}
    without -= {page.path for page in all_pages()}  # pages have rights, too: tests/console/pages
    without -= {PICTURE_FILES, site_of_manual.PATH}  # the manual, which holds nothing of anybody's
    assert without == OPEN_PATHS | {FILES}


def test_every_reference_resolves_and_the_frameworks_own_errors_are_nowhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert named == document["components"]["schemas"].keys()
    assert "HTTPValidationError" not in text


def test_every_operation_has_its_own_name_a_summary_and_says_who_may(document: dict[str, Any]) -> None:
    found = operations(document)
    names = [operation["operationId"] for operation in found.values()]
    assert sorted(set(names)) == sorted(names)
    for name, operation in found.items():
        assert operation["summary"], name
        assert "Right: " in operation["description"], name
        assert operation.get("security") or operation["x-right"]["scope"] == "open", name
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description"), f"{name}: {parameter['name']}"


def test_errors_have_one_form_alone_and_every_answer_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == [MEDIA_TYPE], f"{name}: {status}"
            bodies.append(answer)
        for body in bodies:
            for content in body.get("content", {}).values():
                assert content["examples"], name
                schema = {**content["schema"], "components": document["components"]}
                for example in content["examples"].values():
                    jsonschema.Draft202012Validator(schema).validate(example["value"])


def test_moments_are_told_apart_from_other_texts(document: dict[str, Any]) -> None:
    site = document["components"]["schemas"]["Site"]["properties"]
    assert site["created_at"] == {"type": "string", "format": "date-time"}
    assert {"type": "string", "format": "date-time"} in site["removed_at"]["anyOf"]
    assert "format" not in site["name"]
    session = document["components"]["schemas"]["Session"]["properties"]  # within a page
    assert session["expires_at"]["format"] == "date-time"


def test_kinds_of_problems_are_told_apart_by_their_type() -> None:
    assert len({kind.type for kind in KINDS}) == len(KINDS)


def test_titles_of_schemas_are_their_names_as_generators_of_clients_take_them_for_the_types(
    document: dict[str, Any],
) -> None:
    schemas = document["components"]["schemas"]
    assert {name: schema.get("title", name) for name, schema in schemas.items()} == {name: name for name in schemas}
