"""The published JSON Schemas of the files (draft 2020-12), made from their structs and the conditions' own schema, so that
editors complete and mark what they know. `custom-events config validate` says more."""

import json
from typing import Any

import msgspec

from custom_events.catalog.files.documents import AccountFile, ActionEntry, AssignmentEntry, DefinitionFile, SiteFile
from custom_events.catalog.files.meanings import meaning
from custom_events.catalog.sites import SiteSettings
from custom_events.conditions.literals import NUMBER_PATTERN
from custom_events.conditions.schema import json_schema as condition_schema

FILES: dict[str, type[msgspec.Struct]] = {
    "config-definition.schema.json": DefinitionFile,
    "config-site.schema.json": SiteFile,
    "config-ads-account.schema.json": AccountFile,
}

_NUMBER = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^{NUMBER_PATTERN}$"}]}
_TREES = {"conditions": "condition", "also": "condition", "items": "item_condition"}  # settings that hold a tree
_DESCRIBED = tuple(
    kind.__name__ for kind in (DefinitionFile, AssignmentEntry, SiteFile, SiteSettings, AccountFile, ActionEntry)
)


def schema_text(name: str) -> str:
    """One of `FILES` as it stands in docs/reference."""
    kind = FILES[name]
    _, parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    definitions: dict[str, Any] = {part: _made_ours(part, shape) for part, shape in sorted(parts.items())}
    if DefinitionFile.__name__ in parts or AssignmentEntry.__name__ in parts:
        definitions |= condition_schema()["$defs"]
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:custom-events:{name.removesuffix('.schema.json')}",
        "$ref": f"#/$defs/{kind.__name__}",
        "$defs": definitions,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _made_ours(part: str, shape: dict[str, Any]) -> dict[str, Any]:
    """Trees refer to the conditions' schema, amounts may be numbers, settings say what they mean."""
    properties: dict[str, Any] = shape.get("properties", {})
    for name, generated in properties.items():
        ours = _with_numbers(generated)
        if tree := _TREES.get(name):
            ours["anyOf"] = [{"$ref": f"#/$defs/{tree}"}, {"type": "null"}]
        if part in _DESCRIBED:
            ours["description"] = meaning(part, name)
        properties[name] = ours
    return shape


def _with_numbers(shape: dict[str, Any]) -> dict[str, Any]:
    match shape:
        case {"type": "string", "format": "decimal", **others}:
            return {**others, **_NUMBER}
        case {"anyOf": [*alternatives], **others}:
            return {**others, "anyOf": [_with_numbers(alternative) for alternative in alternatives]}
        case _:
            return dict(shape)
