"""The API's document from the terminal."""

import json

from tests.cli.conftest import Run


def test_the_document_is_printed_without_a_database(run: Run) -> None:
    document = json.loads(run("openapi").output)
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/sites" in document["paths"]
