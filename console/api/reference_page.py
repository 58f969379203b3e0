"""docs/reference/api.md: every operation and its right, every kind of problem. `make docs` writes it, a test compares."""

from collections.abc import Iterator
from typing import Final

from console.api import description
from console.api.problems import KINDS
from console.api.routes.registry import NOUNS

_HEAD: Final = """\
# The API

JSON over HTTP, on the console's address. The whole document, with schemas and examples, is at `/openapi.json`, to try at `/docs`, and printed by
`custom-events openapi`. From an empty database by curl:

```sh
# not run: the page named below does the same, and is
custom-events api-key make admin --role administrator      # shown once: put it into $KEY
curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8080/api/v1/sites
curl -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -H 'Idempotency-Key: 1' http://127.0.0.1:8080/api/v1/sites \\
  -d '{"platform": "custom", "name": "My shop", "currency": "EUR"}'
```

The whole way, from an empty database to an upload, step by step: [configure everything by the API](../how-to/configure-by-api.md). In Python:
the package `api_client`, typed and generated from the document (`make client`; it is in the wheel). At a terminal: `custom-events --server URL ...`,
which shows the same as beside the database.

"""
_MANY: Final = """\

## Many assignments at once

Tried, done, followed, undone (up to 50 rows are done before the answer; more are an operation):

```sh
# not run: docs/how-to/configure-by-api.md does the same, and is
curl -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' http://127.0.0.1:8080/api/v1/bulk-changes -d '{"dry_run": true, "actions":
  [{"action": "assign", "definition_key": "purchase", "label": "all orders", "sites": {"platform": "shopify"}, "publish": true}]}'
curl -N -H "Authorization: Bearer $KEY" http://127.0.0.1:8080/api/v1/operations/31/events
curl -H "Authorization: Bearer $KEY" -X POST http://127.0.0.1:8080/api/v1/bulk-changes/4/undo
curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8080/api/v1/assignments.csv > assignments.csv
jq -Rs '{csv: ., dry_run: true}' assignments.csv | curl -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\
  http://127.0.0.1:8080/api/v1/bulk-changes/import -d @-
```

"""
_MORE: Final = """\

What an operator sets up (quotas, an OpenID provider, traces, keys of what is encrypted): [the console](console.md).

"""
_OPERATIONS: Final = """\
## Operations and rights

A role may what those before it may: viewer, editor, publisher, administrator. It is given for all sites, or for one; what belongs to a site that one
may not see answers as if it did not exist. An API key that belongs to somebody may no more than they.

| operation | name | right |
|---|---|---|
"""
_PROBLEMS: Final = """\

## Problems

Every error is `application/problem+json` (RFC 9457). `type` is `urn:custom-events:problem:` and the word below; `errors` lists each value that cannot be
used with `field`, `place`, `problem`, `remedy` and `value`; `request_id` finds the request in the logs and the audit trail.

| word | status | meaning | for example |
|---|---|---|---|
"""


def render() -> str:
    """The page, whole."""
    return "".join((_HEAD, description.ABOUT.split("\n\n", 1)[1], _MANY, _MORE, *_operations(), *_problems()))


def _operations() -> Iterator[str]:
    yield _OPERATIONS
    for routes in NOUNS:
        for operation in routes.operations:
            yield f"| `{operation.method} {operation.path}` | `{operation.name}` | {operation.right} |\n"


def _problems() -> Iterator[str]:
    yield _PROBLEMS
    for kind in KINDS:
        yield f"| `{kind.word}` | {kind.status} | {kind.title} | {kind.example} |\n"
