"""Only some fields of large things."""

from typing import Any

import jsonschema
import msgspec
import pytest

from console.api.problems import ProblemError
from console.api.schemas import REFERENCE
from console.api.sparse import chosen, names_of, sparse


class Large(msgspec.Struct, kw_only=True):
    """Large."""

    id: int
    body: str
    note: str | None = None


def test_fields_are_chosen_and_the_document_knows_that_the_others_may_be_missing() -> None:
    large = Large(id=1, body="x" * 10)
    (schema,), components = msgspec.json.schema_components([sparse(Large)], ref_template=REFERENCE)
    validator = jsonschema.Draft202012Validator({**schema, "components": {"schemas": components}})
    names = names_of("id, note", Large)
    found: Any = msgspec.to_builtins(chosen(large, names))
    assert found == {"id": 1, "note": None}
    validator.validate(found)
    validator.validate(msgspec.to_builtins(chosen(large, names_of(None, Large))))
    assert chosen(large, None) is large


def test_fields_that_are_not_there_are_named() -> None:
    with pytest.raises(ProblemError) as caught:
        names_of("id,bod,", Large)
    assert [error.value for error in caught.value.errors] == ["bod", ""]
    assert "some of id, body, note" in caught.value.errors[0].remedy
