"""Sample bodies as stores send them. One that is much like another is kept as what differs: `{"base": "<name>", "change": [...]}`, where
the base is another sample of the platform and the change a JSON Patch (RFC 6902: add, remove and replace)."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples"
PATHS = sorted(SAMPLES.glob("*/*.json"))


def body_of(path: Path) -> bytes:
    """The body of samples/<platform>/<name>.json."""
    raw = path.read_bytes()
    sample = json.loads(raw)
    if not (isinstance(sample, dict) and sample.keys() == {"base", "change"}):
        return raw
    base = json.loads(body_of(path.with_name(f"{sample['base']}.json")))
    return json.dumps(patched(base, sample["change"]), indent=2, ensure_ascii=False).encode()


def patched(document: Any, changes: list[dict[str, Any]]) -> Any:
    """The document with a JSON Patch applied; the document stays as it is."""
    document = deepcopy(document)
    for change in changes:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in change["path"].split("/")[1:]]
        inside = document
        for part in parents:
            inside = inside[int(part) if isinstance(inside, list) else part]
        _apply(inside, last, change)
    return document


def _apply(inside: Any, key: str, change: dict[str, Any]) -> None:
    if isinstance(inside, dict):
        if (change["op"] == "add") == (key in inside):
            raise ValueError(f"{change['op']} of {change['path']}: {'there' if key in inside else 'not there'}")
        if change["op"] == "remove":
            del inside[key]
        else:
            inside[key] = change["value"]
    elif change["op"] == "add":
        inside.insert(len(inside) if key == "-" else int(key), change["value"])
    elif change["op"] == "remove":
        del inside[int(key)]
    else:
        inside[int(key)] = change["value"]
