"""The published JSON Schema of a custom sender's body (draft 2020-12), made from its structs, so that senders and their editors can check shapes.

A body that is understood satisfies it; what belongs together (an `order` beside `order.paid`) is said by the answer to the delivery's reading only.
"""

import json
from typing import Any, Final

import msgspec

from custom_events.platforms.custom.bodies import Body
from custom_events.platforms.custom.topics import TYPES

SCHEMA_ID: Final = "urn:custom-events:custom-webhook"
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_AMOUNT: Final = {
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}],
    "description": "An amount of money: decimal text or a JSON number; both are read exactly.",
}


def schema_text() -> str:
    """The schema as JSON with a final line feed."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """The schema of one event."""
    (reference,), components = msgspec.json.schema_components((Body,), ref_template="#/$defs/{name}")
    definitions = {name: _with_amounts(component) for name, component in components.items()}
    definitions["Body"]["properties"]["type"] = {"enum": sorted(TYPES), "description": "Which event it is."}
    return {
        "$schema": _DRAFT,
        "$id": SCHEMA_ID,
        "title": "An event of a custom sender",
        **reference,
        "$defs": definitions,
    }


def _with_amounts(part: Any) -> Any:
    """Decimals as senders may write them: msgspec's schema knows them as text alone, and reads numbers as well."""
    if isinstance(part, dict):
        if part.get("format") == "decimal":
            return dict(_AMOUNT)
        return {name: _with_amounts(inner) for name, inner in part.items()}
    return [_with_amounts(inner) for inner in part] if isinstance(part, list) else part
