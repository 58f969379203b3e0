import json
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from custom_events.catalog.files import checks, folder, schema, text
from custom_events.catalog.files.documents import STRUCTS, Catalog, Kind
from custom_events.catalog.files.format_page import ACCOUNT_EXAMPLE, DEFINITION_EXAMPLE, SITE_EXAMPLE, render
from custom_events.catalog.files.meanings import meaning
from tests.catalog.files.conftest import Write
from tests.catalog.files.generated import catalogs

NAMES = {kind: name for kind, struct in STRUCTS.items() for name, known in schema.FILES.items() if known is struct}
VALIDATORS = {
    kind: jsonschema.Draft202012Validator(json.loads(schema.schema_text(name))) for kind, name in NAMES.items()
}

ENCODER = msgspec.json.Encoder(decimal_format="number")


def as_json(content: str) -> Any:
    return msgspec.json.decode(ENCODER.encode(text.parse(content.encode()).value))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(catalogs())
def test_what_is_written_satisfies_the_published_schema(catalog: Catalog) -> None:
    for name, content in folder.texts(catalog).items():
        VALIDATORS[Kind(name.partition("/")[0])].validate(as_json(content))


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (Kind.DEFINITION, "name: X\ntrigger: [order.paid]\nprioritty: 1\n"),
        (Kind.DEFINITION, "name: X\ntrigger: [order.payed]\n"),
        (Kind.DEFINITION, "name: X\ntrigger: [order.paid]\nconditions: {field: order.totl, op: '>', value: 1}\n"),
        (Kind.DEFINITION, "name: X\ntrigger: [order.paid]\nvalue: {items: {field: order.total, op: '>', value: 1}}\n"),
        (Kind.DEFINITION, "name: X\ntrigger: [order.paid]\nvalue: {factor: much}\n"),
        (Kind.SITE, "name: X\nplatform: magento\n"),
        (Kind.SITE, "name: X\nplatform: custom\nassignments: [{label: x}]\n"),
        (Kind.ACCOUNT, "name: X\nlane: google_ads\nactions: {'1': {}}\n"),
    ],
)
def test_an_editor_marks_what_is_misspelt(kind: Kind, content: str) -> None:
    assert not VALIDATORS[kind].is_valid(as_json(content))


def test_every_setting_has_its_meaning() -> None:
    for kind in (*STRUCTS.values(), checks.ActionEntry, checks.AssignmentEntry):
        assert all(meaning(kind, name) for name in kind.__struct_fields__)


def test_the_pages_example_is_right(rules: Write) -> None:
    directory = rules(
        **{
            "definitions/vip_order": DEFINITION_EXAMPLE,
            "sites/my-shop-key": SITE_EXAMPLE,
            "ads/1234567890": ACCOUNT_EXAMPLE,
        }
    )
    found = folder.read(directory)
    assert found.findings == []
    assert checks.check(found.catalog) == []
    assert folder.texts(found.catalog) == {
        "ads/1234567890.yaml": ACCOUNT_EXAMPLE,
        "definitions/vip_order.yaml": DEFINITION_EXAMPLE,
        "sites/my-shop-key.yaml": SITE_EXAMPLE,
    }
    assert DEFINITION_EXAMPLE in render()
